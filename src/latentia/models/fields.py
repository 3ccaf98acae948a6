"""What a model's dataclass says, read from its source without importing it.

The command line must answer ``--help`` without torch, and a model file imports torch; so fields,
their types, defaults and docstrings are read from the syntax tree. A test holds the result against
``dataclasses.fields`` for every model.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import operator
import re
import typing
import warnings
from abc import ABCMeta
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any

from latentia import MODELS, errors
from latentia.errors import CountsWhen, InputError, Range, nearest

Choices = tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """A hyperparameter.

    Attributes
    ----------
    name
        As in Python.
    kinds
        What its annotation allows: ``int``, ``float``, ``bool``, ``str``, ``tuple``, ``none``.
    choices
        The words that a Literal allows, or empty.
    default
        Its default value.
    help
        Its docstring.
    range
        The numbers that it takes, or None for any.
    counts_when
        What must hold for it to have an effect: one of these, or nothing if there are none.
    """

    name: str
    kinds: tuple[str, ...]
    choices: Choices
    default: object
    help: str
    range: Range | None = None
    counts_when: tuple[CountsWhen, ...] = ()


ABBREVIATIONS = {
    "VaDE": "vade",
    "AutoencoderKMeans": "autoencoder-kmeans",
    "WGANGP": "wgan-gp",
    "ConditionalWGANGP": "conditional-wgan-gp",
    "Pix2Pix": "pix2pix",
    "CycleGAN": "cyclegan",
    "SRResNet": "srresnet",
    "RNNLanguageModel": "rnn",
    "LSTMLanguageModel": "lstm",
    "NGramLanguageModel": "n-gram",
}
"""Names whose capitals do not divide words, and names that are shorter on the command line."""
RENAMED = {
    "discriminator_steps": "n_critic",
    "loss": "objective",
    "n_iterations": "iterated_power",
    "noise": "prior",
    "patch": "receptive_field",
    "penalty": "gradient_penalty",
}
"""What fields were called in 0.1.0, and are called now; the old name is understood for a while."""
OTHER_NAMES = {
    "cgan": "ConditionalGAN",
    "cycle-gan": "CycleGAN",
    "cvae": "ConditionalVAE",
    "wgangp": "WGANGP",
    "cwgan-gp": "ConditionalWGANGP",
    "ngram": "NGramLanguageModel",
}


SYNONYMS = {
    "latent_dim": "n_components",
    "z_dim": "n_components",
    "nz": "n_components",
    "code_size": "n_components",
    "latent_size": "n_components",
    "n_factors": "n_components",
    "rotate": "rotation",
    "fm": "method",
    "hidden_size": "n_units",
    "rnn_size": "n_units",
    "num_layers": "n_layers",
    "embedding_dim": "n_embedding",
    "seq_length": "window",
    "bptt": "window",
    "grad_clip": "clip",
    "lr": "learning_rate",
    "epochs": "n_epochs",
    "seed": "random_state",
    "bs": "batch_size",
    "ema": "ema_decay",
    "dataset": "data",
    "output": "out",
}
"""What other software calls things, and what they are called here."""
SECOND_FLAGS = {"FactorAnalysis": {"n_components": "--n-factors"}}
"""Flags that a model's field has besides its own, under the field's usual name elsewhere."""


class NamedFields(ABCMeta):
    """The class of classes whose parameters are their fields, given by name.

    What no field is for is refused in one sentence, with the nearest name, as on the command line.
    A class of the user's own is a dataclass without saying so: what it annotates are fields.
    """

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
        super().__init__(name, bases, namespace)
        if not cls.__module__.startswith("latentia.") and "__init__" not in namespace:
            made: Any = cls
            made.__doc__ = made.__doc__ or f"{name}, a class of your own."
            dataclass(eq=False, repr=False, kw_only=True)(made)

    @property
    def __signature__(cls) -> inspect.Signature:
        """How the class is called."""
        whole = inspect.signature(
            next(vars(c)["__init__"] for c in cls.mro() if "__init__" in vars(c))
        )
        return whole.replace(parameters=list(whole.parameters.values())[1:])

    if not typing.TYPE_CHECKING:

        def __call__(cls, *values: Any, **given: Any) -> Any:
            """Return a new object, if every value has the name of a field."""
            if "__dataclass_fields__" not in vars(cls):
                return super().__call__(*values, **given)
            given = by_new_names(cls, _by_name(cls, values, given))
            refuse_unknown(cls, given)
            return super().__call__(**given)


def by_new_names(cls: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by what their fields are called now, and warn of old names."""
    fields = cls.__dataclass_fields__
    found = in_new_names(given, fields)
    for name in given.keys() - found.keys():
        now = f"{cls.__name__}: {name} is called {new_name(name, fields)} now"
        warnings.warn(now, FutureWarning, stacklevel=3)
    return found


def _by_name(cls: Any, values: tuple[Any, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all values by name: a single one without is ``n_components``, where there is such."""
    known = [field.name for field in dataclasses.fields(cls) if field.init]
    if not values:
        return dict(given)
    if "n_components" not in known or len(values) > 1:
        such = f"n_components={values[0]!r}" if "n_components" in known else f"{known[0]}=..."
        only = f"; {len(values)} have none, and only n_components may" if len(values) > 1 else ""
        raise InputError(
            f"{cls.__name__} takes its parameters by name, such as {cls.__name__}({such}){only}"
        )
    if "n_components" in given:
        both = f"{values[0]!r} and {given['n_components']!r}"
        raise InputError(f"{cls.__name__} is given n_components twice, {both}")
    return {"n_components": values[0], **given}


def refuse_unknown(cls: Any, given: Iterable[str]) -> None:
    """Refuse names that no parameter of a class has, with the nearest."""
    known = [field.name for field in dataclasses.fields(cls) if field.init]
    for name in given:
        if name not in known:
            why = [part[name] for c in cls.mro() if name in (part := vars(c).get("lacks", {}))]
            reason = f": {why[0]}" if why else meant(name, known)
            raise InputError(f"{cls.__name__} has no parameter {name!r}{reason}")


def plain(value: Any) -> Any:
    """Return a field's value with NumPy's numbers and truth values as Python's, else as it is."""
    if isinstance(value, tuple | list):
        parts = [plain(part) for part in value]
        same = all(map(operator.is_, parts, value))
        return value if same else type(value)(parts)
    if isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    is_truth = type(value).__module__ == "numpy" and type(value).__name__.startswith("bool")
    return bool(value) if is_truth else value


def meant(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the nearest name, also by other software's words."""
    names = list(known)
    words = {word: own for word, own in SYNONYMS.items() if own in names and word not in names}
    found = nearest(name, [*names, *words])
    word = found.split("'")[1] if found else ""
    return f"; did you mean {words[word]!r}?" if word in words else found


def command_name(class_name: str) -> str:
    """Return a class's name on the command line.

    >>> command_name("DenoisingAutoencoder"), command_name("VAE")
    ('denoising-autoencoder', 'vae')
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", class_name)
    return ABBREVIATIONS.get(class_name, "-".join(words).lower())


def commands() -> dict[str, str]:
    """Return class names by their name on the command line."""
    return {command_name(name): name for name in MODELS}


def named_models() -> dict[str, str]:
    """Return class names by every name that the command line takes, the field's short ones too."""
    return commands() | OTHER_NAMES


@cache
def model_fields(class_name: str) -> tuple[Field, ...]:
    """Return a model's fields, its own first, then those it inherits."""
    found: dict[str, Field] = {}
    for node in _lineage(class_name):
        for field in _own_fields(node):
            found.setdefault(field.name, field)
    return tuple(found.values())


def record_fields(class_name: str, module: str) -> tuple[Field, ...]:
    """Return the fields of a record of options, read from its source as those of models are."""
    return tuple(_own_fields(_definitions(class_name, module)[0]))


def new_name(name: str, fields: Container[str]) -> str:
    """Return what a field is called now, if ``fields`` hold it only by its new name."""
    new = RENAMED.get(name, name)
    return new if new in fields and name not in fields else name


def in_new_names(given: Mapping[str, Any], fields: Container[str]) -> dict[str, Any]:
    """Return values by what their fields are called now; refuse one that is given by both names."""
    found = {new_name(name, fields): value for name, value in given.items()}
    for name in given if len(found) < len(given) else ():
        if new_name(name, fields) != name:
            raise InputError(
                f"{name} is the old name of {new_name(name, fields)}; give one of them"
            )
    return found


def model_summary(class_name: str) -> str:
    """Return the first line of a model's docstring, without its reference marks."""
    lines = _docstring(class_name).splitlines()
    return re.sub(r"\s*\[\d+\]_", "", lines[0]).strip()


def model_reference(class_name: str) -> str:
    """Return the first entry of a model's References section."""
    _, _, below = _docstring(class_name).partition("References\n----------\n")
    entry = re.split(r"\n\s*\n|\n\.\. \[2\]", below.removeprefix(".. [1]"), maxsplit=1)[0]
    return " ".join(entry.split())


def nearest_known(model: Any) -> str | None:
    """Return the name of the public model that a model is, or that its class derives from."""
    lineage = type(model).__mro__
    return next((c.__name__ for c in lineage if MODELS.get(c.__name__) == c.__module__), None)


def summary_of(model: Any) -> str:
    """Return the first line of a docstring; of a class of the user's own, also its origin."""
    known, name = nearest_known(model), type(model).__name__
    if known == name:
        return model_summary(name)
    first = (type(model).__doc__ or name).strip().splitlines()[0]
    return f"{first} It derives from {known}." if known else first


def reference_of(model: Any) -> str:
    """Return the first reference of a model, or of the one that its class derives from."""
    known = nearest_known(model)
    return model_reference(known) if known else ""


def _docstring(class_name: str) -> str:
    return ast.get_docstring(_lineage(class_name)[0]) or class_name


def _lineage(class_name: str) -> list[ast.ClassDef]:
    """Return a class's definition and those of its bases inside this package, nearest first."""
    return _definitions(class_name, MODELS[class_name])


@cache
def _definitions(class_name: str, module: str) -> list[ast.ClassDef]:
    tree = _parse(module)
    node = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name)
    homes = {
        alias.name: statement.module
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("latentia")
        for alias in statement.names
    }
    homes |= {n.name: module for n in tree.body if isinstance(n, ast.ClassDef)}
    bases = [base.id for base in node.bases if isinstance(base, ast.Name) and base.id in homes]
    return [node, *(found for base in bases for found in _definitions(base, homes[base]))]


@cache
def _parse(module: str) -> ast.Module:
    path = Path(__file__).parents[2].joinpath(*module.split(".")).with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def _own_fields(node: ast.ClassDef) -> list[Field]:
    fields = []
    for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            if statement.value is None or "ClassVar" in ast.unparse(statement.annotation):
                continue
            kinds, choices, range_ = _annotation(statement.annotation)
            if {*kinds} == {"nn.module", "none"}:
                # A net of the user's own cannot be given in words.
                continue
            default = ast.literal_eval(statement.value)
            name = statement.target.id
            text = _literal_text(following)
            when = _conditions(statement.annotation)
            fields.append(Field(name, kinds, choices, default, text, range_, when))
    return fields


def _literal_text(statement: ast.stmt | None) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return " ".join(str(statement.value.value).split())
    return ""


def _annotation(node: ast.expr) -> tuple[tuple[str, ...], Choices, Range | None]:
    if isinstance(node, ast.BinOp):
        left, right = _annotation(node.left), _annotation(node.right)
        return left[0] + right[0], left[1] + right[1], left[2] or right[2]
    if isinstance(node, ast.Subscript):
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if ast.unparse(node.value) == "Literal":
            return ("str",), tuple(ast.literal_eval(word) for word in parts), None
        if ast.unparse(node.value) == "Annotated":
            kinds, choices, range_ = _annotation(parts[0])
            return kinds, choices, _range(parts[1]) or range_
        return ("tuple",), (), _annotation(parts[0])[2]
    named: Any = vars(errors).get(ast.unparse(node))
    if typing.get_origin(named) is Annotated:
        return (named.__origin__.__name__,), (), named.__metadata__[0]
    return (ast.unparse(node).lower(),), (), None


def _range(call: ast.expr) -> Range | None:
    return _made(Range, call) if _calls(call, Range) else None


def _conditions(annotation: ast.expr) -> tuple[CountsWhen, ...]:
    calls = [node for node in ast.walk(annotation) if _calls(node, CountsWhen)]
    return tuple(_made(CountsWhen, call) for call in calls)


def _calls(node: ast.AST, kind: type) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == kind.__name__


def _made(kind: Any, call: Any) -> Any:
    options = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
    return kind(*map(ast.literal_eval, call.args), **options)
