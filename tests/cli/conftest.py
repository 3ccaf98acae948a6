"""What a command makes of its words, seen before it goes to work."""

import re

import pytest

import latentia
from latentia.cli.main import main
from latentia.cli.parser import Parser
from latentia.evaluation import factor_report
from latentia.evaluation.apa import documents, files
from latentia.models.fields import model_fields


class StoppedError(Exception):
    """Ends a command where its call has been seen."""


@pytest.fixture
def made(monkeypatch):
    """Return a function that runs ``train`` until the model is made, and returns its fields."""

    def run(class_name, *words):
        cls, seen = getattr(latentia, class_name), []

        def stop(self):
            named = [field.name for field in model_fields(class_name)]
            seen.append({k: v for k, v in self.get_params().items() if k in named})
            raise StoppedError

        with monkeypatch.context() as patched:
            patched.setattr(cls, "validate_parameters", stop)
            with pytest.raises(StoppedError):
                main(["train", *map(str, words)])
        return seen[0]

    return run


@pytest.fixture
def advised_in_vain(monkeypatch):
    """Return a function of a command and its complaint that gives the flags it lacks there."""
    made, parse = [], Parser.__init__

    def noted(self, *given, **options):
        parse(self, *given, **options)
        made.append(self)

    monkeypatch.setattr(Parser, "__init__", noted)

    def lacking(words, complaint):
        known = {o for parser in made for action in parser._actions for o in action.option_strings}
        # Another command that is named has its own flags.
        here = re.sub(r"latentia [a-z]+ (?!has no)[^;,:]*", "", complaint)
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", here))
        return named - known - {word.split("=")[0] for word in words}

    return lacking


@pytest.fixture
def unillustrated(monkeypatch):
    """Leave out the figures, which take most of a run's time."""
    monkeypatch.setattr(factor_report, "_pictures", lambda *_: [])
    monkeypatch.setattr(documents, "_figures", lambda *_: ())
    monkeypatch.setattr(files, "write_documents", lambda *_: ())
