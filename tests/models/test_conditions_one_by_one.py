"""Conditions on what a model is given or read from, each of their parts where it alone decides."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latentia.errors import FitWarning, InputError
from latentia.models import inputs
from latentia.models.conditions import checked_labels, learnt
from latentia.models.diagram import _learnt, _sentences
from latentia.models.fine_tuning import take_units
from latentia.models.inputs import as_array, check_images, checked_weights, is_photographic, span_of
from latentia.models.saved import _is_sound

SOUND = [
    ("data_shape_", [8, 8], True),
    ("data_shape_", (8, 8), False),
    ("data_shape_", [True, 8], False),
    ("data_shape_", [8.0], False),
    ("data_shape_", [0, 8], False),
    ("data_shape_", [], False),
    ("data_shape_", [1, 1, 1], True),
    ("data_shape_", [1, 1, 1, 1], False),
    ("data_shape_", [2**40, 2**40], False),
    ("fit_warnings_", ["a"], True),
    ("fit_warnings_", "a", False),
    ("fit_warnings_", [1], False),
    ("records_", [], True),
    ("records_", {}, False),
    ("records_", [1], False),
    ("symbols_", ["a", "b"], True),
    ("symbols_", [], False),
    ("symbols_", "ab", False),
    ("symbols_", ["a", 1], False),
    ("symbols_", ["a", "a"], False),
    ("n_features_in_", 3, True),
    ("n_features_in_", True, False),
    ("n_features_in_", -1, False),
    ("n_features_in_", np.inf, False),
    ("n_features_in_", "3", False),
    ("seed_", 5, True),
    ("seed_", -5, False),
    ("log_likelihood_", -5.5, True),
    ("log_likelihood_", np.nan, False),
    ("log_likelihood_", "x", False),
    ("converged_", True, True),
    ("converged_", "yes", False),
    ("of_another_", "anything", True),
]


@pytest.mark.parametrize(("name", "value", "is_sound"), SOUND)
def test_learned_values_that_are_read_are_of_their_kind(name, value, is_sound):
    assert _is_sound(name, value) == is_sound


@pytest.mark.parametrize(
    ("weights", "least"),
    [
        ([1, 1, 1], "1.0"),
        ([[1, 1]], "1.0"),
        ([1, np.nan], "nan"),
        ([1, np.inf], "1.0"),
        ([1, -1], "-1.0"),
        ([], "none"),
    ],
)
def test_weights_are_as_many_finite_numbers_of_at_least_0(weights, least):
    shape = np.shape(weights)
    with pytest.raises(InputError) as caught:
        checked_weights(weights, 2)
    said = f"sample_weight has shape {shape}, least value {least}; give 2 finite numbers of at "
    assert str(caught.value) == said + "least 0"
    assert checked_weights([0, 2], 2).tolist() == [0, 2]


def images(*values, kind=np.float64):
    return np.array([np.full((2, 2), value) for value in values], kind)


def test_the_range_of_images_is_that_of_all_of_them(monkeypatch):
    monkeypatch.setattr(inputs, "CHUNK", 1)
    assert span_of(images(0, 1, 200, kind=np.uint8)) == (0, 200)
    assert span_of(images(0, 0.5, 1)) == (0, 1)
    normalised = ", without a normalisation such as Normalize of torchvision's"
    for low, high, more in ((0, 50, ""), (0, 2, ""), (-0.5, 0.5, normalised)):
        said = f"image values span {low} to {high}; give uint8, bool .* floats in \\[0, 1\\]{more}$"
        with pytest.raises(InputError, match=said):
            span_of(images(low, high))


def test_a_narrow_range_is_told_in_a_fit_alone():
    for kind, whole in ((np.uint8, 255), (np.float64, 1)):
        given = images(0, 0.05 * whole, kind=kind)
        check_images(given)
        said = f"pixels span 0 to {given.max():.3g} on a scale of 0 to {whole}; check"
        with pytest.warns(FitWarning, match=said):
            check_images(given, fitting=True)
        check_images(images(0, 0.2 * whole, kind=kind), fitting=True)
    with pytest.raises(InputError, match="uint8 of 0 and 1 alone"):
        check_images(images(0, 1, kind=np.uint8))


@pytest.mark.parametrize("shape", [(6, 9, 3), (6, 3, 8, 3), (6, 9, 8, 5), (6, 4, 8, 3)])
def test_images_whose_channels_can_be_first_are_taken_so(shape):
    check_images(np.random.default_rng(0).random(shape))


def test_tensors_keep_the_type_that_numpy_has():
    for kind, expected in (
        (torch.uint8, np.uint8),
        (torch.bool, np.bool_),
        (torch.float64, np.float64),
        (torch.float32, np.float32),
        (torch.float16, np.float32),
        (torch.bfloat16, np.float32),
    ):
        assert as_array(torch.zeros(3, 2, dtype=kind)).dtype == expected


def test_what_to_do_about_shapes_that_differ():
    for given, cure in (
        ([(9, 8), (3, 9, 8)], "give all as many channels"),
        ([(8, 9, 3), (9, 3)], "resize or crop"),
        ([(9, 8), (7, 8)], "resize or crop"),
        ([(9, 8), (8,)], "give images alone"),
    ):
        with pytest.raises(InputError, match=cure):
            as_array([np.zeros(shape) for shape in given])


def test_tables_are_no_photographs():
    grey = np.linspace(0.2, 0.7, 40 * 40).reshape(40, 40)
    assert is_photographic(grey[None])
    assert not is_photographic(grey)


class Told(dict):
    """A history of two epochs, as a fitted model has it."""

    ailments, ended = {}, ""


def fitted(**values):
    given = {"resumable": False, "takes_labels": False, "data_shape_": (8, 8), "history_": Told()}
    return SimpleNamespace(**(given | values))


HISTORY = {
    "epoch": [1, 2],
    "step": [1500, 3000],
    "train/negative_elbo": [5.0, 4.0],
    "train/negative_elbo/part": [1.0, 1.0],
    "validation/negative_elbo": [6.0, 4.5],
    "validation/other": [1.0, np.nan],
    "seconds/train": [1.0, 1.0],
}


def test_what_was_learnt_is_told_of_the_last_epoch():
    shape = "samples of shape (8, 8)"
    assert [*_learnt(fitted())] == [shape]
    assert [*_learnt(fitted(resumable=True))] == [shape]
    assert [*_learnt(fitted(history_=Told(HISTORY)))] == [shape]
    assert [*_learnt(fitted(resumable=True, history_=Told(HISTORY)))] == [
        shape,
        "2 epochs",
        "3,000 steps",
        "negative elbo 4",
        "held-out negative elbo 4.5",
    ]
    named = {"classes_": [0, 1], "named_classes": {"a": 0, "b": 1}}
    assert [*_learnt(fitted(takes_labels=True, **named))] == [shape, "2 classes, a, b"]
    assert [*_learnt(fitted(**named))] == [shape]
    assert [*_learnt(fitted(takes_labels=True))] == [shape]
    assert [*_learnt(fitted(symbols_=["a"] * 1234))] == ["1,234 different symbols"]


def test_an_ailment_is_told_if_it_is_that_of_the_last_epoch():
    history = Told(HISTORY)
    for ailments, said in (
        ({}, []),
        ({1: "it is <ill>"}, []),
        ({2: "it is <ill>"}, ["<b>After epoch 2:</b> it is &lt;ill&gt;."]),
    ):
        history.ailments = ailments
        assert [*_sentences(fitted(resumable=True, history_=history))][1:] == said
    history.ended = "ended <early>"
    warned = fitted(resumable=True, history_=history, fit_warnings_=["<a>"])
    assert [*_sentences(warned)][2:] == [
        "Training ended &lt;early&gt;.",
        "<b>Warning:</b> &lt;a&gt;",
    ]


def test_conditions_are_labels_of_some_rows_each_or_finite_vectors():
    labels = np.array(["b", "a", "b", "b"])
    found = learnt(labels, 4)
    assert found["classes_"].tolist() == ["a", "b"]
    assert found["class_shares_"].tolist() == [0.25, 0.75]
    for y in (np.array([1, 1, 1, 1]), np.arange(4), np.array([0.0, 1.0, 0.0, 1.0])):
        said = f"y holds {len({*y.tolist()})} different values of type {y.dtype} in 4 rows; give"
        with pytest.raises(InputError, match=said):
            learnt(y, 4)
    vectors = np.array([[1.0, 5.0], [3.0, 5.0]])
    found = learnt(vectors, 2)
    assert found["condition_mean_"].tolist() == [2, 5]
    assert found["condition_scale_"].tolist() == [1, 1]
    assert learnt(2 * vectors, 2)["condition_scale_"].tolist() == [2, 1]
    for y in (vectors.astype(int), vectors[:1], vectors[:, :0]):
        with pytest.raises(InputError) as caught:
            learnt(y, 2)
        said = f"y has shape {y.shape} and type {y.dtype}; give 2 labels, or 2 rows of floats"
        assert str(caught.value) == said
    for row in (0, 1):
        gap = vectors.copy()
        gap[row, 1] = np.inf
        with pytest.raises(InputError, match=f"y holds NaN or infinity in row {row}; fill it in"):
            learnt(gap, 2)


def test_labels_of_objects_are_of_one_type():
    assert checked_labels(np.array(["a", "b"], object), 2).tolist() == ["a", "b"]
    assert checked_labels(np.array([1, 2], object), 2).dtype.kind == "i"
    for values, kinds in (
        ([1, "a"], "int, str"),
        ([1.5, 2.5], "float"),
        ([None, None], "NoneType"),
    ):
        with pytest.raises(InputError) as caught:
            checked_labels(np.array(values, object), 2)
        said = f"y holds values of type {kinds}; give whole numbers, or names"
        assert str(caught.value) == said


def test_training_goes_on_in_the_units_and_with_the_classes_it_began_with():
    a, b = np.array(["a", "b"]), np.array(["a", "c"])
    kept = SimpleNamespace(unit_range_=False)
    for theirs, ours in (
        ({"unit_range_": True}, {"unit_range_": True}),
        ({"unit_range_": False}, {"unit_range_": False}),
        ({"unit_range_": False}, {"unit_range_": True}),
        ({}, {"unit_range_": False}),
        ({"classes_": a}, {"classes_": a}),
        ({}, {"classes_": a}),
    ):
        take_units(SimpleNamespace(**(vars(kept) | ours)), SimpleNamespace(**theirs))
    with pytest.raises(InputError, match=r"was trained on data in \[0, 1\], and X leaves it"):
        take_units(kept, SimpleNamespace(unit_range_=True))
    for ours, said in (({"classes_": b}, "a, c"), ({}, "none")):
        with pytest.raises(InputError, match=f"knows the classes a, b; y holds {said}: give"):
            take_units(SimpleNamespace(**ours), SimpleNamespace(classes_=a))
