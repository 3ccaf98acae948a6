"""A page for each command, made from its own parser, so that it says what ``--help`` says."""

from __future__ import annotations

import argparse
from pathlib import Path

from generate.text import definitions, inline
from latentia.cli.main import COMMANDS
from latentia.cli.parser import Parser
from latentia.models.fields import command_name, commands

WIDEST = 84
"""Signs in a line of a usage."""


def write_commands(source: Path) -> None:
    """Write the pages of all commands and their list."""
    folder = source / "cli"
    folder.mkdir()
    rows = [f"| [latentia {name}]({name}.md) | {_summary(name)} |" for name in COMMANDS]
    pages = "\n".join(COMMANDS)
    (folder / "index.md").write_text(
        "# Command line\n\nEach page is made from the command's own parser; `latentia COMMAND "
        "--help` says the same.\n\nA command ends with 0 if all is well, 1 if some of several "
        "files were bad, 2 after a mistake, which is told in one sentence, 130 if it was stopped, "
        "and 141 if nobody reads what it prints. No file that exists is replaced unless "
        "`--overwrite` is given.\n\n"
        f"```{{toctree}}\n:hidden:\n\n{pages}\n```\n\n"
        "| command | what it does |\n|---|---|\n" + "\n".join(rows) + "\n",
        "utf-8",
    )
    for name in COMMANDS:
        (folder / f"{name}.md").write_text(command_page(name), "utf-8")


def _summary(name: str) -> str:
    return inline((COMMANDS[name].__doc__ or "").strip().splitlines()[0])


def command_page(name: str) -> str:
    """Return a command's page, with its actions if it has such."""
    parser = Parser(prog=f"latentia {name}", allow_abbrev=False)
    COMMANDS[name](parser, [])
    inner = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    parts = [f"# latentia {name}", _summary(name), described(parser)]
    if name == "train":
        names = ", ".join(f"[{n}](../models/{n}.md)" for n in commands())
        parts += [f"Beside these options each model takes its fields as flags: {names}."]
    if name == "factor":
        page = f"../models/{command_name('FactorAnalysis')}.md"
        parts += [f"The fields of [FactorAnalysis]({page}) are flags of this command too."]
    for action in (choice for each in inner for choice in each.choices):
        own = Parser(prog=f"latentia {name}", allow_abbrev=False)
        COMMANDS[name](own, [action])
        subs = [a for a in own._actions if isinstance(a, argparse._SubParsersAction)]
        chosen = subs[0].choices[action]
        parts += [
            f"## latentia {name} {action}",
            inline(chosen.description or ""),
            described(chosen),
        ]
    return "\n\n".join(part for part in parts if part) + "\n"


def described(parser: argparse.ArgumentParser) -> str:
    """Return a parser's usage and its options."""
    words = [_usage(a) for a in parser._actions if _shown(a)]
    entries = [(_term(a), inline(_help(a, parser))) for a in parser._actions if _shown(a)]
    text = f"```text\n{_wrapped(parser.prog, words)}\n```"
    return text + ("\n\n" + definitions(entries) if entries else "")


def _wrapped(program: str, words: list[str]) -> str:
    """Return a usage in lines of which none is broken within an option."""
    lines = [program]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > WIDEST:
            lines.append(" " * 4)
        lines[-1] += ("" if lines[-1].isspace() else " ") + word
    return "\n".join(lines)


def _shown(action: argparse.Action) -> bool:
    hidden = isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
    return not hidden and action.help is not argparse.SUPPRESS


def _help(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    return " ".join(parser._get_formatter()._expand_help(action).split()) if action.help else ""


def _name(action: argparse.Action) -> str:
    word = action.metavar or action.dest.upper().replace("_", "-")
    if action.choices and not action.metavar:
        word = "|".join(map(str, action.choices))
    return str(word) + (" ..." if action.nargs in ("+", "*") else "")


def _takes_value(action: argparse.Action) -> bool:
    return action.nargs != 0 and not isinstance(action, argparse.BooleanOptionalAction)


def _usage(action: argparse.Action) -> str:
    if not action.option_strings:
        name = action.metavar or action.dest
        return f"[{name}]" if action.nargs in ("?", "*") else str(name)
    value = f" {_name(action)}" if _takes_value(action) else ""
    return (
        f"{action.option_strings[0]}{value}"
        if action.required
        else f"[{action.option_strings[0]}{value}]"
    )


def _term(action: argparse.Action) -> str:
    if not action.option_strings:
        return f"`{action.metavar or action.dest}`"
    value = f" {_name(action)}" if _takes_value(action) else ""
    return f"`{', '.join(action.option_strings)}{value}`"
