"""What the linear models refuse, each in its whole sentence: every value is the given one."""

import numpy as np
import pytest

from latentia import PCA, FactorAnalysis, ProbabilisticPCA
from latentia.errors import InputError
from latentia.models.factors.bootstrap import bootstrap_errors
from latentia.models.factors.fit_statistics import fit_statistics
from latentia.models.factors.n_factors import suggest
from latentia.models.factors.polychoric import polychoric
from latentia.models.linear.missing import saturated
from latentia.models.linear.moments import Moments
from latentia.models.linear.patterns import Patterns
from latentia.models.linear.reading import checked_count, checked_mean, checked_symmetric
from latentia.models.linear.rotation import METHODS, TARGETS, align, rotate

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")

KNOWN = ", ".join((*METHODS, *TARGETS))


def of_matrices():
    table = np.random.default_rng(0).normal(size=(20, 4))
    skew, gappy = np.array([[1.0, 0.5], [0.25, 1.0]]), table.copy()
    gappy[1:, 2] = np.nan
    return {
        "the covariance matrix has shape (2, 3); it must be square": lambda: checked_symmetric(
            np.ones((2, 3))
        ),
        "the covariance matrix is not finite in row 0, column 1": lambda: checked_symmetric(
            np.array([[1, np.nan], [np.nan, 1]])
        ),
        "the covariance matrix is indefinite: the variance in row 1 is below 0": lambda: (
            checked_symmetric(np.diag([1.0, -1.0]))
        ),
        "the covariance matrix is not symmetric: row 0, column 1 holds 0.5, and its mirror 0.25": (
            lambda: checked_symmetric(skew)
        ),
        "n_samples is 'ten'; it must be a whole number": lambda: checked_count("ten"),
        "mean has shape (3,); give 2 finite numbers": lambda: checked_mean(np.ones(3), 2),
        "mean holds values that are not numbers; give 2 of them": lambda: checked_mean("ab", 2),
        "samples have shape (2,); those before had (4,)": lambda: (
            Moments().add(table).merge(Moments().add(table[:, :2]))
        ),
        "n_components is 9; 20 samples of 4 values have at most 4": lambda: PCA(n_components=9).fit(
            table
        ),
        "sample_weight sums to 1; weights count rows, so give more than 1 in all": lambda: PCA(
            n_components=1
        ).fit_moments(Moments().add(table, sample_weight=np.eye(20)[0])),
        "rotation is 'varimax', and rotated components depend on how many are kept; fit "
        "PCA(n_components=2, rotation='varimax') anew": lambda: (
            PCA(n_components=3, rotation="varimax").fit(table).truncated(2)
        ),
        "n_components is 3; it must be at least 1 and at most 2": lambda: (
            PCA(n_components=2).fit(table).truncated(3)
        ),
        "X has 1 sample(s); probabilistic PCA needs at least 2 rows": lambda: ProbabilisticPCA(
            n_components=1
        ).fit(table[:1]),
        "n_components is 4, but X has 4 feature(s); there must be fewer components than columns": (
            lambda: ProbabilisticPCA(n_components=4).fit(table)
        ),
        "loadings of shape (4, 2) cannot be aligned with (4, 3)": lambda: align(
            table[:4, :2], table[:4, :3]
        ),
        "loadings have shape (2, 4); they must be (p, k) with p at least k, and k at least 1": (
            lambda: rotate(table[:2], "varimax", kaiser=True)
        ),
        f"method is 'varimx'; it must be one of {KNOWN}; did you mean 'varimax'?": (
            lambda: rotate(table[:, :2], "varimx", kaiser=True)
        ),
        "loadings have rank 1; promax needs 2": lambda: rotate(
            np.ones((4, 2)), "promax", kaiser=False
        ),
        "column 2 has a single observed value; leave it out": lambda: saturated(Patterns(gappy)),
    }


def of_factors():
    table = np.random.default_rng(0).normal(size=(20, 4))
    R = np.corrcoef(table.T)
    flat = np.column_stack([table[:, :2], np.ones(20), np.ones(20)])
    return {
        "X has 1 sample(s); factor analysis needs at least 2 rows": lambda: FactorAnalysis(
            n_components=1
        ).fit(table[:1]),
        "n_components is 2, but of 4 feature(s) 2 vary; there must be fewer factors than columns "
        "that vary": lambda: FactorAnalysis(n_components=2).fit(flat),
        "algorithm is 'em', which only method 'ml' has": lambda: FactorAnalysis(
            n_components=1, method="minres", algorithm="em"
        ).fit(table),
        "zero_add is 0.25; it is for polychoric correlation": lambda: FactorAnalysis(
            n_components=1, zero_add=0.25
        ).fit(table),
        "method is 'gls', which needs a regular covariance matrix, and this one is singular "
        "(collinear columns, or fewer rows than columns); use 'ml' or 'minres'": lambda: (
            FactorAnalysis(n_components=1, method="gls").fit(table[:3])
        ),
        "correlation has shape (4, 3); it must be square": lambda: fit_statistics(
            R[:, :3], R, 20, 1
        ),
        "implied differs from its transpose; it must be symmetric": lambda: fit_statistics(
            R, np.triu(R), 20, 1
        ),
        "implied is (3, 3); it must be (4, 4), as correlation": lambda: fit_statistics(
            R, R[:3, :3], 20, 1
        ),
        "convention is 'lavan'; it must be bartlett or lavaan": lambda: fit_statistics(
            R, R, 20, 1, convention="lavan"
        ),
        "X has shape (20, 3); it must be (20, 4)": lambda: suggest(R, 20, table[:, :3]),
        "X has shape (20, 4, 1); it must be (n, 4)": lambda: suggest(R, None, table[:, :, None]),
        "column 1 has 21 different values; an ordinal column has 2 to 20": lambda: polychoric(
            np.column_stack([np.arange(21) % 2, np.arange(21.0)])
        ),
        "columns 0 and 1 are never observed together": lambda: polychoric(
            np.array([[0, np.nan], [1, np.nan], [np.nan, 0], [np.nan, 1.0]])
        ),
        "X has 19 rows, and the model was fitted to 20": lambda: bootstrap_errors(
            FactorAnalysis(n_components=1).fit(table), table[:19], n_replicates=2
        ),
    }


@pytest.mark.parametrize("kind", [of_matrices, of_factors])
def test_every_refusal_names_what_was_given(kind):
    for sentence, asked in kind().items():
        with pytest.raises(InputError) as refused:
            asked()
        assert str(refused.value) == sentence
