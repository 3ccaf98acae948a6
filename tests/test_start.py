"""The set-up script keeps several GB of CUDA off machines without a GPU."""

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[1]
PLACES = ("reference", "data")
EXTRAS = (
    "deep",
    "deep,docs",
    "deep,docs,test",
    "deep,docs,excel,heic,onnx,spss,studio,word,test",
)


@pytest.fixture
def start(monkeypatch):
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.delenv("LATENTIA_TORCH", raising=False)
    monkeypatch.setattr(module, "run", lambda *words, quiet=False: 1)
    return module


def pretend(monkeypatch, start, plans):
    """Let pip answer dry runs with package names, by whether the CPU index was given."""
    calls = []

    def pip(*words):
        calls.append(words)
        if "--report" in words:
            names = plans["--extra-index-url" in words]
            plan = {"install": [{"metadata": {"name": name}} for name in names]}
            Path(words[words.index("--report") + 1]).write_text(json.dumps(plan))
        return 0

    monkeypatch.setattr(start, "pip", pip)
    return calls


def test_the_tests_processes_keep_what_they_compile(start, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    seen = []
    monkeypatch.setattr(
        start, "run", lambda *words: seen.append("PYTHONDONTWRITEBYTECODE" in os.environ)
    )
    start.test([])
    assert seen == [False] * 4


def test_the_tools_of_an_extra_are_installed_once_beside_those_of_others(
    start, monkeypatch, tmp_path
):
    (tmp_path / "python").touch()
    monkeypatch.setattr(start, "PYTHON", tmp_path / "python")
    monkeypatch.setattr(start, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(start, "install_torch", lambda: True)
    targets, ran = [], []
    monkeypatch.setattr(start, "pip", lambda *words: targets.append(words[-1]) or 0)
    monkeypatch.setattr(start, "run", lambda *words: ran.append(words) or 0)
    for words in (["models"], ["docs", "--full"], ["docs"], ["test"], ["studio"], ["docs"]):
        monkeypatch.setattr(start.sys, "argv", ["start.py", *words])
        assert start.main() == 0
    root = str(start.ROOT)
    assert targets == [f"{root}[{extras}]" for extras in EXTRAS]
    assert (str(start.ROOT / "docs" / "make.py"), "--full") in ran
    assert ("-m", "latentia", "studio") in ran
    (tmp_path / "stamp").write_text("another docs test")
    start.main()
    assert targets[-1] == f"{root}[deep,docs]", (
        "what an older pyproject asked for is asked for anew"
    )


@pytest.mark.parametrize(("statuses", "expected"), [((0, 0), 0), ((0, 3), 3), ((1,), 1)])
def test_the_core_is_tested_in_an_environment_of_its_own(
    start, monkeypatch, tmp_path, statuses, expected
):
    monkeypatch.setattr(start, "ROOT", tmp_path)
    made, ran, left = [], [], list(statuses)
    monkeypatch.setattr(start.venv, "create", lambda place, **given: made.append(place))
    monkeypatch.setattr(
        start.subprocess,
        "run",
        lambda words, **given: ran.append(words) or SimpleNamespace(returncode=left.pop(0)),
    )
    monkeypatch.setattr(start.sys, "argv", ["start.py", "core", "-x"])
    assert start.main() == expected
    assert made == [tmp_path / ".venv-core"]
    assert {words[0] for words in ran} == {str(made[0] / start.PYTHON.relative_to(start.VENV))}
    assert "install" in ran[0]
    assert str(tmp_path) in ran[0], "no extra, so no torch"
    assert len(ran) == 1 or ran[1][-1] == "-x"


def test_the_range_is_the_projects(start):
    assert start.torch_requirement().startswith("torch>=2.10")


def test_a_cpu_build_is_taken_as_it_is(start, monkeypatch):
    monkeypatch.setattr(start, "has_gpu", lambda: False)
    calls = pretend(monkeypatch, start, {False: ["torch", "sympy"]})
    assert start.install_torch()
    assert "--extra-index-url" not in calls[-1]


@pytest.mark.parametrize("name", ["nvidia-cublas", "cuda-toolkit", "triton"])
def test_cuda_sends_it_to_the_cpu_index(start, monkeypatch, name):
    monkeypatch.setattr(start, "has_gpu", lambda: False)
    calls = pretend(monkeypatch, start, {False: ["torch", name], True: ["torch"]})
    assert start.install_torch()
    assert calls[-1][-2:] == ("--extra-index-url", start.CPU_INDEX)
    assert "--dry-run" not in calls[-1]


def test_nothing_but_cuda_stops_with_a_sentence(start, monkeypatch, capsys):
    monkeypatch.setattr(start, "has_gpu", lambda: False)
    both = ["torch", "nvidia-cublas"]
    calls = pretend(monkeypatch, start, {False: both, True: both})
    assert not start.install_torch()
    assert all("--dry-run" in words for words in calls)
    assert "LATENTIA_TORCH=cuda" in capsys.readouterr().out


@pytest.mark.parametrize(("gpu", "variable"), [(True, None), (False, "cuda")])
def test_a_gpu_or_the_users_word_takes_cuda(start, monkeypatch, gpu, variable):
    monkeypatch.setattr(start, "has_gpu", lambda: gpu)
    if variable:
        monkeypatch.setenv("LATENTIA_TORCH", variable)
    calls = pretend(monkeypatch, start, {False: ["torch", "nvidia-cublas"]})
    assert start.install_torch()
    assert len(calls) == 1
    assert "--dry-run" not in calls[0]


@pytest.mark.parametrize("there", [(), ("reference",), ("data", "reference")])
def test_ci_names_what_lies_beside_the_checkout(tmp_path, there):
    checkout = tmp_path / "checkout"
    (checkout / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", checkout / ".ci" / "run")
    (checkout / "start.py").write_text(
        "import os, sys\n"
        "print(sys.argv[1:], *(os.environ.get(f'LATENTIA_{name}', '-') for name in "
        "('REFERENCE', 'DATA')))\n"
    )
    for name in there:
        (tmp_path / "shared" / name).mkdir(parents=True)
    environment = {"PATH": os.environ["PATH"]}

    def said(**variables):
        command = ["bash", str(checkout / ".ci" / "run")]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment | variables, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    places = [str(tmp_path / "shared" / name) if name in there else "-" for name in PLACES]
    assert said() == ["['test']", *places, "['core']", *places]
    assert said(LATENTIA_REFERENCE="/mine")[1] == "/mine"
