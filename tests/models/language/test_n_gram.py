"""Back-off against brute force by its definition, on texts small enough to count by hand."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from latentia.errors import InputError
from latentia.models.language.n_gram import NGramLanguageModel

TEXT = "abracadabra abracabra cadabra"
SMOOTHINGS = ["kneser_ney", "witten_bell"]


def brute_force(text, symbols, order, smoothing, context, symbol):
    """p(symbol | context) by the recursion of the module's docstring, one gram at a time."""
    grams = {
        k: Counter(text[i : i + k] for i in range(len(text) - k + 1)) for k in range(1, order + 1)
    }
    if smoothing == "kneser_ney":
        for k in range(1, order):
            distinct = {text[i : i + k + 1] for i in range(len(text) - k)}
            grams[k] = Counter(gram[1:] for gram in distinct)

    def p(context, k):
        if k == 0:
            return 1 / len(symbols)
        c = context[len(context) - k + 1 :]
        after = {w: grams[k][c + w] for w in symbols if grams[k][c + w] > 0}
        total, kinds = sum(after.values()), len(after)
        below = p(context, k - 1)
        if total == 0:
            return below
        if smoothing == "witten_bell":
            return (after.get(symbol, 0) + kinds * below) / (total + kinds)
        once = sum(count == 1 for count in grams[k].values())
        twice = sum(count == 2 for count in grams[k].values())
        D = once / (once + 2 * twice) if once and twice else 0.5
        return max(after.get(symbol, 0) - D, 0) / total + D * kinds / total * below

    return p(context, min(order, len(context) + 1))


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_every_probability_is_the_definitions(order, smoothing):
    model = NGramLanguageModel(order=order, smoothing=smoothing).fit(TEXT, symbols=TEXT + "z")
    unlike = "zabbrac cada za"
    expected = [
        math.log(brute_force(TEXT, model.symbols_, order, smoothing, unlike[:t], unlike[t]))
        for t in range(len(unlike))
    ]
    np.testing.assert_allclose(model.score_samples(unlike), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "assumed"),
    [("abcdefgh", [1, 2, 3]), ("abab", [1, 2, 3]), ("aaaaaaaa", [1, 2, 3]), (TEXT, [])],
)
def test_a_count_of_counts_that_is_missing_leaves_what_was_seen_its_share(text, assumed):
    """With D = 1 a gram that was seen once is as unlikely as one that was never seen."""
    model = NGramLanguageModel(order=3).fit(text, symbols=text + "z")
    assert model.assumed_discounts_ == assumed
    words = f"length {', '.join(map(str, assumed))}:" if assumed else "discount"
    assert (words in " ".join(model.findings(None))) == bool(assumed)
    for t in range(1, len(text)):
        seen, unseen = (
            brute_force(text, model.symbols_, 3, "kneser_ney", text[:t], symbol)
            for symbol in (text[t], "z")
        )
        assert seen > 2 * unseen
        assert model.score_samples(text)[t] == pytest.approx(math.log(seen), rel=1e-12)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_probabilities_sum_to_one_after_every_context(smoothing):
    model = NGramLanguageModel(order=3, smoothing=smoothing).fit(TEXT, symbols=TEXT + "z")
    for context in itertools.product(range(len(model.symbols_)), repeat=3):
        log_p, state = model.begin(1)
        for symbol in context:
            log_p, state = model.advance(state, np.array([symbol]))
            assert np.exp(log_p).sum() == pytest.approx(1, abs=1e-12)


def test_steps_and_whole_texts_agree():
    model = NGramLanguageModel(order=4).fit(TEXT)
    ids = model.encode("cadabracada")
    log_p, state = model.begin(1)
    steps = []
    for symbol in ids:
        steps.append(log_p[0, symbol])
        log_p, state = model.advance(state, np.array([symbol]))
    np.testing.assert_allclose(model.score_samples("cadabracada"), steps, rtol=1e-12)


def test_a_text_of_more_symbols_than_int64_has_fifth_powers_of():
    """Grams are numbered order by order: V⁵ may be beyond 2⁶³."""
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in rng.integers(20_000, size=800)] * 3
    symbols = [f"w{number}" for number in range(20_000)]
    model = NGramLanguageModel(order=5).fit(words, symbols=symbols)
    assert model.score(words) > model.score(words[::-1])
    assert np.exp(model.begin(1)[0]).sum() == pytest.approx(1)


def test_too_short_a_text_is_refused():
    with pytest.raises(InputError, match="fewer than the order 5"):
        NGramLanguageModel(order=5).fit("abc")
    with pytest.raises(InputError, match="order is 0; it must be at least 1 and at most 20"):
        NGramLanguageModel(order=0).fit("abc")
