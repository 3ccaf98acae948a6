"""Patterns of gaps and contingency tables, gathered in pieces, give the fit of all rows at once."""

import numpy as np
import pyarrow as pa
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from latentia import FactorAnalysis, ProbabilisticPCA
from latentia.errors import InputError
from latentia.models.factors.contingency import ContingencyTables
from latentia.models.factors.ordinal import influences, of_cells
from latentia.models.factors.polychoric import of_tables, polychoric
from latentia.models.linear.moments import Moments
from latentia.models.linear.patterns import Patterns
from latentia.models.linear.sufficient import _sealed

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
RNG = np.random.default_rng(0)
LATENT = RNG.normal(size=(300, 2)) @ RNG.normal(size=(2, 6)) + RNG.normal(size=(300, 6))
NUMBERS = np.where(RNG.random(LATENT.shape) < 0.15, np.nan, LATENT + 10)
ANSWERS = np.where(RNG.random(LATENT.shape) < 0.05, np.nan, np.digitize(LATENT, [-1.5, 0, 1]))
NUMBERS[7] = ANSWERS[7] = np.nan
KINDS = {"patterns": (Patterns, NUMBERS), "tables": (ContingencyTables, ANSWERS)}
FIT = ("loadings_", "noise_variance_", "mean_", "covariance_", "log_likelihood_")


def merged(kind, X, cuts, weights=None):
    found, ones = kind(), np.ones(len(X)) if weights is None else weights
    for part, w in zip(np.split(X, cuts), np.split(ones, cuts)):
        found.merge(kind.from_bytes(kind().add(part, w).to_bytes()))
    return found


def close(one, two, exact=False):
    assert vars(one).keys() == vars(two).keys()
    for name, value in vars(one).items():
        pairs = zip(value, vars(two)[name]) if name == "values" else [(value, vars(two)[name])]
        for mine, other in pairs:
            if exact:
                np.testing.assert_array_equal(mine, other, err_msg=name)
            elif name != "names":
                np.testing.assert_allclose(mine, other, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("name", KINDS)
@given(cuts=st.lists(st.integers(0, 300), max_size=5), data=st.data())
@settings(max_examples=15, deadline=None)
def test_pieces_in_any_order_give_the_whole(name, cuts, data):
    kind, X = KINDS[name]
    parts = np.split(X, sorted(cuts))
    parts = [parts[i] for i in data.draw(st.permutations(range(len(parts))))]
    found = merged(kind, np.concatenate(parts), np.cumsum([len(part) for part in parts])[:-1])
    close(found, kind(X), exact=name == "tables")
    close(kind.from_bytes(found.to_bytes()), found)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_fit_of_patterns_is_the_fit_of_rows(weighted):
    weights = RNG.integers(1, 4, 300).astype(float) if weighted else None
    X = np.column_stack([NUMBERS, np.full(300, 3.0)])
    gathered = merged(Patterns, X, [40, 41, 250], weights)
    found = FactorAnalysis(n_components=2, missing="fiml").fit_moments(gathered)
    truth = FactorAnalysis(n_components=2, missing="fiml").fit(X, sample_weight=weights)
    for name in FIT:
        np.testing.assert_allclose(getattr(found, name), getattr(truth, name), atol=1e-10)
    assert found.remarks_ == truth.remarks_
    assert found.fit_statistics().chi_square == pytest.approx(truth.fit_statistics().chi_square)
    one = ProbabilisticPCA(n_components=2, missing="fiml").fit_moments(
        merged(Patterns, NUMBERS, [9])
    )
    two = ProbabilisticPCA(n_components=2, missing="fiml").fit(NUMBERS)
    np.testing.assert_allclose(one.loadings_, two.loadings_, atol=1e-10)


@pytest.mark.parametrize("method", ["minres", "dwls"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_fit_of_tables_is_the_fit_of_rows(method, weighted):
    weights = RNG.integers(0, 4, 300).astype(float) if weighted else None
    X = np.column_stack([ANSWERS, np.full(300, 3.0)])
    gathered = merged(ContingencyTables, X, [2, 150], weights)
    options = {"n_components": 2, "correlation": "polychoric", "method": method}
    found = FactorAnalysis(**options).fit_moments(gathered)
    truth = FactorAnalysis(**options).fit(X, sample_weight=weights)
    for name in FIT[:-1]:
        np.testing.assert_allclose(getattr(found, name), getattr(truth, name), atol=1e-10)
    assert (found.remarks_, found.n_samples_) == (truth.remarks_, truth.n_samples_)


def test_variances_of_tables_are_those_of_rows_one_by_one():
    weights = RNG.integers(0, 4, 300).astype(float)
    found = polychoric(ANSWERS, sample_weight=weights)
    tables, by_row = ContingencyTables(ANSWERS, weights), influences(ANSWERS, found, weights)
    cells = of_cells(tables, found.thresholds, found.estimated, float(weights.sum()))
    np.testing.assert_allclose(cells.variances(), by_row.variances(), rtol=1e-12)
    np.testing.assert_allclose(by_row.weights @ by_row.of(slice(None)), 0, atol=1e-6)
    assert cells.shares.sum(axis=(1, 2)).max() <= 1 + 1e-12


def test_categories_that_only_some_parts_have():
    X = np.array([[1.0, 5], [2, 5], [1, 7], [3, np.nan], [1, 6], [2, 7]])
    found, whole = ContingencyTables(X), merged(ContingencyTables, X, [1, 3, 4])
    close(found, whole, exact=True)
    assert [list(values) for values in whole.values] == [[1, 2, 3], [5, 6, 7]]
    np.testing.assert_array_equal(whole.tables[0, 1], [[1, 1, 1], [1, 0, 1], [0, 0, 0]])
    np.testing.assert_allclose(whole.column_means, np.nanmean(X, axis=0))
    np.testing.assert_allclose(whole.column_variances, np.nanvar(X, axis=0))
    np.testing.assert_allclose(whole.coverage, [[1, 5 / 6], [5 / 6, 5 / 6]])
    columns = polychoric(ANSWERS), of_tables(merged(ContingencyTables, ANSWERS, [100]))
    np.testing.assert_array_equal(columns[0].correlation, columns[1].correlation)


@pytest.mark.parametrize("name", KINDS)
def test_arrow_tables_with_nulls(name):
    kind, X = KINDS[name]
    columns = [pa.array(column, from_pandas=True) for column in X.T]
    found = kind().add(pa.table(columns, names=list("uvwxyz")))
    assert found.names == tuple("uvwxyz")
    close(kind.from_bytes(found.to_bytes()), kind(X) if name == "tables" else found)
    with pytest.raises(InputError, match="column 0 is 'a' here and was 'u'"):
        found.add(pa.table(columns, names=list("abcdef")))


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_or_contradictory_bytes_are_refused(name, data):
    kind, X = KINDS[name]
    good = kind(X).to_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    with pytest.raises(InputError):
        kind.from_bytes(good[:place] + bytes([good[place] ^ data.draw(st.integers(1, 255))]))
    head, body = good.split(b"\n", 1)
    arrays = safetensors.numpy.load(body[32:])
    array = arrays[data.draw(st.sampled_from(sorted(set(arrays) - {"names", "lows"})))]
    array[...] = 2 if array.dtype == np.uint8 else -data.draw(st.sampled_from([1, 10**9]))
    with pytest.raises(InputError) as error:
        kind.from_bytes(head + b"\n" + _sealed(safetensors.numpy.save(arrays)))
    assert "\n" not in str(error.value)


def test_the_wrong_statistic_is_refused_by_name():
    polychoric_model = FactorAnalysis(correlation="polychoric")
    for model, gathered, sentence in (
        (FactorAnalysis(), Patterns(NUMBERS), "is estimated from Moments, not Pat"),
        (FactorAnalysis(missing="fiml"), Moments().add(LATENT), "from Patterns, not Moments"),
        (
            polychoric_model,
            Moments(),
            "from ContingencyTables, not Moments",
        ),
        (ProbabilisticPCA(missing="fiml"), None, "is estimated from Patterns, not NoneType"),
    ):
        with pytest.raises(InputError, match=sentence):
            model.fit_moments(gathered)
    gone = NUMBERS.copy()
    gone[:, 2] = np.nan
    with pytest.raises(InputError, match="column 2 has no observed value"):
        FactorAnalysis(missing="fiml").fit_moments(Patterns().add(gone))
    with pytest.raises(InputError, match="column 1 has 24 different values; an ordinal column"):
        ContingencyTables().add(np.c_[np.zeros(24), np.arange(24)])
    with pytest.raises(InputError, match="rows have 5 columns; those before had 6"):
        Patterns(NUMBERS).add(NUMBERS[:, :5])


@pytest.mark.parametrize("name", KINDS)
def test_rows_of_another_width_are_refused_and_nothing_adds_nothing(name):
    kind, X = KINDS[name]
    whole, same = kind(X), kind(X)
    close(same.merge(kind()), whole, exact=True)
    close(kind().merge(whole), whole, exact=True)
    with pytest.raises(InputError, match="columns"):
        same.merge(kind(X[:, :4]))
