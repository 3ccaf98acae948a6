"""What a command makes of its words, seen before it goes to work."""

import pytest

import latentia
from latentia.cli.main import main
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
