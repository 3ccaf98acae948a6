"""A search for hyperparameters: Optuna proposes, each trial is a run, held-out data decide.

A trial is a run directory, which resumes bit for bit, and its values are read from the run's
``metrics.jsonl``. Nothing else is kept of the search but what it was asked: killed at any moment
and started again, it takes up the runs that are there in their order, goes on with the one that is
not whole, and ends as the undisturbed search would have. The sampler of each trial has a seed of
its own, a function of the search's seed and the trial's number.

References
----------
.. [1] T. Akiba et al., "Optuna: A Next-generation Hyperparameter Optimization Framework", KDD 2019.
.. [2] J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011, section 4
   (the tree-structured Parzen estimator, Optuna's sampler).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import latentia
from latentia.data.dataset import Dataset, ImageSize
from latentia.data.options import USUAL, TableOptions
from latentia.errors import InputError, nearest
from latentia.evaluation.runs import fit_in_run
from latentia.files import held_folder, read_json, write_atomically
from latentia.models.base import Model
from latentia.training.config import read_config
from latentia.training.metrics_file import read_metrics
from latentia.training.progress import tell_notes
from latentia.training.run import EpochEnd
from latentia.training.train import DivergenceError

if TYPE_CHECKING:
    from optuna import Study
    from optuna import Trial as OptunaTrial
    from optuna.distributions import BaseDistribution

STUDY = "search.json"
COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"
WATCHED = 5
"""Trials that end before the first one is compared with them and may be pruned."""
ASKED = "pruner asked for it"
"""In the words of a run that ended early, what says that it was pruned."""


@dataclass(frozen=True)
class Span:
    """Numbers from ``low`` to ``high``: whole or not, even on a line or on a logarithm's."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def ends(self) -> tuple[object, ...]:
        """The values that the field must allow, for all between them to be allowed."""
        return (self.low, self.high)

    def distribution(self) -> BaseDistribution:
        """Return it in Optuna's terms."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def value(self, proposed: Any) -> object:
        """Return the field's value of what Optuna proposes."""
        return proposed

    def proposed(self, recorded: object) -> object:
        """Return what Optuna proposed for a value that a run recorded."""
        return recorded


@dataclass(frozen=True)
class Choice:
    """One of some values, without an order."""

    values: tuple[object, ...]

    @property
    def ends(self) -> tuple[object, ...]:
        """The values that the field must allow."""
        return self.values

    def distribution(self) -> BaseDistribution:
        """Return it in Optuna's terms, as the values' words."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution([json.dumps(value) for value in self.values])

    def value(self, proposed: Any) -> object:
        """Return the field's value of what Optuna proposes."""
        return next(value for value in self.values if json.dumps(value) == proposed)

    def proposed(self, recorded: object) -> object:
        """Return what Optuna proposed for a value that a run recorded."""
        return json.dumps(recorded)


@dataclass(frozen=True)
class Plan:
    """What is searched.

    Attributes
    ----------
    class_name, fixed
        The model, and the hyperparameters that all trials share.
    spans
        What is searched for each of the others.
    data, image_size, held_out, options
        As for the model's ``load_data``. The last twelfth of the training data is held out.
    n_trials
        How many trials there are to be in all.
    minimise
        The held-out value in ``metrics.jsonl`` that is to be least; None for the model's only loss.
    prune_after
        Epochs before none is pruned; None prunes nothing.
    seed
        Of the search.
    """

    class_name: str
    fixed: Mapping[str, object]
    spans: Mapping[str, Span | Choice]
    data: str
    image_size: ImageSize = None
    held_out: float | None = None
    options: TableOptions = USUAL
    n_trials: int = 20
    minimise: str | None = None
    prune_after: int | None = WATCHED
    seed: int = 0

    def model(self, values: Mapping[str, object]) -> Model:
        """Return a trial's model, not yet fitted."""
        made: Model = getattr(latentia, self.class_name)(**{**self.fixed, **values})
        return made

    def check(self) -> None:
        """Refuse a model without epochs, and ranges with values that their fields do not allow."""
        usual = self.model({})
        if not usual.resumable:
            raise InputError(
                f"{self.class_name} is fitted at once: a search compares held-out values of epochs"
            )
        for name, span in self.spans.items():
            for value in span.ends:
                self.model({name: value}).validate_parameters(begun=True)

    def told(self) -> dict[str, object]:
        """Return all that makes it another search, as JSON keeps it; more trials do not."""
        plain = {key: value for key, value in asdict(self).items() if key != "n_trials"}
        found: dict[str, object] = json.loads(json.dumps(plain))
        return found


@dataclass(frozen=True)
class Trial:
    """A trial that is over: its run, what was tried, how it ended, and its held-out values."""

    number: int
    run: Path
    values: Mapping[str, object]
    state: str
    curve: Mapping[int, float] = field(default_factory=dict)
    least: bool = False

    @property
    def value(self) -> float | None:
        """The held-out value of the weights that the trial kept; of a pruned one the last value."""
        found = [*self.curve.values()]
        return None if not found else min(found) if self.least else found[-1]


def search(plan: Plan, folder: Path, progress: bool | None = None) -> list[Trial]:
    """Carry out a search, or go on with it, in a folder of its own; return its trials in order.

    Raises
    ------
    InputError
        If the folder holds another search, another process is at work in it, a trial's values do
        not go together, or none of the trials has a held-out value.
    """
    plan.check()
    data = plan.model({}).load_data(plan.data, plan.image_size, plan.held_out, plan.options)
    if data.hold_out()[1] is None:
        raise InputError(f"{data.name} has too few training samples to hold some out for a search")
    tell_notes(data.notes, progress)
    folder.mkdir(parents=True, exist_ok=True)
    with held_folder(folder, lambda: f"{folder} is in use by another search: wait for it"):
        _begin(plan, folder)
        study, trials = _study(plan), list[Trial]()
        while len(trials) < plan.n_trials:
            trials.append(_next(plan, study, folder, data, progress))
            tell_notes([_line(trials[-1], plan.n_trials)], progress)
    if all(trial.state == FAILED for trial in trials):
        raise InputError(f"no loss of the {len(trials)} trials stayed finite: try other ranges")
    return trials


def best_of(trials: list[Trial]) -> Trial:
    """Return the first of the trials with the least held-out value that were not cut short."""
    whole = [trial for trial in trials if trial.state == COMPLETE]
    return min(whole, key=lambda trial: (trial.value, trial.number))


def _begin(plan: Plan, folder: Path) -> None:
    """Write down what is searched, or see that it is what was searched here before."""
    file, told = folder / STUDY, plan.told()
    if not file.exists():
        if any(folder.iterdir()):
            raise InputError(f"{folder} holds something else than a search: choose another --out")
        write_atomically(file, json.dumps(told, indent=2).encode())
        return
    there = read_json(file)
    before = there if isinstance(there, dict) else {}
    changed = [key for key in {**told, **before} if told.get(key, file) != before.get(key, file)]
    if changed:
        raise InputError(
            f"the search in {folder} was begun with another {changed[0]}: choose another --out"
        )


def _study(plan: Plan) -> Study:
    """Return an empty study, in memory."""
    try:
        import optuna
    except ImportError:
        raise InputError(
            "a search needs the package optuna: pip install 'latentia[search]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner: optuna.pruners.BasePruner = optuna.pruners.NopPruner()
    if plan.prune_after is not None:
        # Steps are epochs, from 1; a step is compared if it lies at or above the warm-up.
        pruner = optuna.pruners.MedianPruner(WATCHED, n_warmup_steps=plan.prune_after + 1)
    return optuna.create_study(direction="minimize", pruner=pruner)


def _next(plan: Plan, study: Study, folder: Path, data: Dataset, progress: bool | None) -> Trial:
    """Take up the next trial's run, go on with it, or begin it; return it when it is over."""
    import optuna

    number = len(study.trials)
    run = folder / f"trial_{number:04d}"
    begun = (run / "config.json").exists()
    if begun:
        study.enqueue_trial(_proposals(plan, run))
    seed = zlib.crc32(f"{plan.seed}/search/{number}".encode())
    study.sampler = optuna.samplers.TPESampler(seed=seed)
    asked = study.ask({name: span.distribution() for name, span in plan.spans.items()})
    values = {name: span.value(asked.params[name]) for name, span in plan.spans.items()}
    model = plan.model(values)

    def pruner(shown: EpochEnd) -> bool:
        _report(asked, _curve(shown.model.records_, plan.minimise))
        return asked.should_prune()

    state = _carry_out(model, data, run, begun, pruner, values, progress)
    curve = {} if state == FAILED else _curve(read_metrics(run), plan.minimise)
    _report(asked, curve)
    found = Trial(number, run, values, state, curve, state == COMPLETE and _kept_the_best(run))
    states = optuna.trial.TrialState
    if state == COMPLETE:
        study.tell(asked, found.value)
    else:
        study.tell(asked, state=states.PRUNED if state == PRUNED else states.FAIL)
    return found


def _report(asked: OptunaTrial, curve: Mapping[int, float]) -> None:
    """Tell Optuna the held-out values that it has not been told."""
    known = asked.study.trials[asked.number].intermediate_values
    for epoch in curve.keys() - known.keys():
        asked.report(curve[epoch], epoch)


def _kept_the_best(run: Path) -> bool:
    """Return whether a run's weights are those of its best epoch, and not the last ones."""
    return "best_epoch_" in read_config(run / "model").get("learned", {})


def _carry_out(
    model: Model,
    data: Dataset,
    run: Path,
    begun: bool,
    pruner: Callable[[EpochEnd], bool],
    values: Mapping[str, object],
    progress: bool | None,
) -> str:
    """Train a trial that is not over; return how it ended."""
    if not (run / "model" / "config.json").exists():
        told = ", ".join(f"{name} {value}" for name, value in values.items())
        tell_notes([f"{run.name}: {told}"], progress)
        try:
            fit_in_run(
                model, data, run, progress=False, resume=begun, measured=False, callbacks=[pruner]
            )
        except DivergenceError as error:
            tell_notes([f"{run.name}: {error}"], progress)
            return FAILED
        except InputError as error:
            raise InputError(f"{run.name}, with {told}: {error}") from None
    ends = [record for record in read_metrics(run) if record["split"] == "end"]
    return PRUNED if ends and ASKED in ends[-1].get("note", "") else COMPLETE


def _proposals(plan: Plan, run: Path) -> dict[str, object]:
    """Return what Optuna proposed for a run that was begun, as the run recorded it."""
    recorded = read_config(run).get("parameters", {})
    return {name: span.proposed(recorded.get(name)) for name, span in plan.spans.items()}


def _curve(records: list[dict[str, Any]], name: str | None) -> dict[int, float]:
    """Return the held-out values of a name by their epochs, or refuse a name that there is not."""
    held_out = [record for record in records if record["split"] == "validation"]
    known = list(dict.fromkeys(key for record in held_out for key in record["values"]))
    losses = [key for key in known if "/" not in key]
    if name is None and len(losses) == 1:
        name = losses[0]
    if known and name not in known:
        which = "is not given" if name is None else f"is {name!r}{nearest(name, known)}"
        raise InputError(f"minimise {which}; the held-out values are {', '.join(known)}")
    return {record["epoch"]: record["values"][name] for record in held_out}


def _line(trial: Trial, n_trials: int) -> str:
    value = "" if trial.value is None else f", {trial.value:.6g}"
    return f"trial {trial.number + 1} of {n_trials} is {trial.state}{value}"


def table(trials: list[Trial]) -> Iterator[tuple[str, ...]]:
    """Yield a heading, and for each trial what was tried, its epochs, its end and its value."""
    names = [*trials[0].values]
    yield ("trial", *names, "epochs", "ended", "held-out value", "")
    best = best_of(trials) if any(trial.state == COMPLETE for trial in trials) else None
    for trial in trials:
        value = "" if trial.value is None else f"{trial.value:.6g}"
        shown = [shown_value(trial.values[name]) for name in names]
        epochs = str(max(trial.curve, default=0))
        yield (trial.run.name, *shown, epochs, trial.state, value, "best" * (trial is best))


def shown_value(value: object) -> str:
    """Return a value as a table shows it."""
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "none"
    return "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
