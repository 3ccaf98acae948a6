"""Build the site, in English and Korean, without a network: ``python3 start.py docs``.

    python docs/make.py [--full] [--out build/docs] [--language en]

The reduced build runs the examples that take seconds and leaves out the lectures' pictures that
have not been drawn; ``--full`` runs all examples and draws all figures. A warning of Sphinx, a link
that leads nowhere, a missing translation, an example that fails or was not run, and a page that
asks for anything from outside all fail it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LANGUAGES = ("en", "ko")


def main() -> int:
    """Copy, generate, build both languages and check; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--full", action="store_true", help="run all examples, draw all figures")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "docs", help="a folder")
    parser.add_argument("--language", choices=LANGUAGES, help="only this one")
    given = parser.parse_args()
    os.environ["LATENTIA_SITE"] = "full" if given.full else "reduced"
    os.environ["LATENTIA_SITE_ROOT"] = str(ROOT)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(HERE)])
    sys.path[:0] = [str(ROOT / "src"), str(HERE)]
    from generate import check, translations

    out = given.out.resolve()
    messages = translations.write_messages(HERE, out)
    complaints = check.untranslated(HERE / "locales")
    complaints += check.missing_messages(messages, HERE / "locales")
    for language in LANGUAGES if given.language is None else (given.language,):
        source = out / "source" / language
        write_source(source, language, out / "figures", given.full)
        complaints += [] if build(source, out, language) else [f"the {language} pages failed"]
        complaints += check.not_run(source) if language == "en" else []
    complaints += check.pages(out / "html") if given.language is None else []
    print(*complaints, sep="\n")
    print("the site failed" if complaints else f"the site: {out / 'html' / 'index.html'}")
    return 1 if complaints else 0


def write_source(source: Path, language: str, figures: Path, full: bool) -> None:
    """Copy the written pages and write the generated ones beside them."""
    from generate import api, commands, gallery, lectures, models, zoo

    new = source.with_name(f"{language}.new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(HERE, new, ignore=shutil.ignore_patterns("__pycache__", "make.py"))
    if language == "en":
        gallery.write_examples(ROOT, new)
        models.write_models(ROOT, new)
        commands.write_commands(new)
        api.write_api(new)
        zoo.write_cards(ROOT, new)
    else:
        leave_translated(new)
    lectures.write_lectures(new, language, figures, full)
    bring_over(new, source)


def leave_translated(new: Path) -> None:
    """Take away the pages that there are in English alone, and their places in the contents."""
    from generate import hooks

    for path in sorted(new.rglob("*.md")):
        if not hooks.is_translated(path.relative_to(new).with_suffix("").as_posix()):
            path.unlink()
    page = new / "index.md"
    head, mark, contents = page.read_text("utf-8").partition("```{toctree}")
    lines = [each for each in contents.splitlines() if "/" not in each or hooks.is_translated(each)]
    lines = [each for each in lines if each not in ("measured", "why")]
    page.write_text(head + mark + "\n".join(lines) + "\n", "utf-8")


def bring_over(new: Path, source: Path) -> None:
    """Make a folder hold what a new one holds; what is the same already is not read anew.

    ``examples`` is sphinx-gallery's, which runs again what has changed.
    """
    wanted = {path.relative_to(new) for path in new.rglob("*") if path.is_file()}
    for name in wanted:
        there = source / name
        if not there.exists() or there.read_bytes() != (new / name).read_bytes():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(new / name, there)
    for path in [path for path in source.rglob("*") if path.is_file()]:
        name = path.relative_to(source)
        if name not in wanted and name.parts[0] not in ("examples", "_examples"):
            path.unlink()
    shutil.rmtree(new)


def build(source: Path, out: Path, language: str) -> bool:
    """Run Sphinx on a language; return whether all went well."""
    target = out / "html" if language == "en" else out / "html" / language
    words = [
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-d",
        str(out / "trees" / language),
    ]
    env = os.environ | {"LATENTIA_SITE_LANGUAGE": language}
    return (
        subprocess.run([sys.executable, *words, str(source), str(target)], env=env).returncode == 0
    )


if __name__ == "__main__":
    sys.exit(main())
