"""Factor analysis: what it looks for, how it is estimated, how many parameters it has."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_wine

from latentia import PCA, FactorAnalysis
from latentia.models.inputs import unit_floats
from latentia.plots.factors import path_diagram
from latentia.plots.style import INK
from latentia.theory.figures import Sheet
from latentia.theory.figures.panels import (
    BLUE,
    GREEN,
    ORANGE,
    PALE,
    Array,
    band,
    board,
    digits,
    flat,
    heat,
    show,
    strips,
)

METHODS = {
    "principal component": "principal_component",
    "principal factor": "principal_axis",
    "maximum likelihood": "ml",
}
DATA_SETS = 40
"""That a test of fit is tried on."""


def _angle(a: Array, b: Array) -> float:
    """Return the angle of two lines through 0 in degrees."""
    cosine = abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b)
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


def pca_against_factors(sheet: Sheet) -> Figure:
    """Draw PCA's first axis and a factor's loadings as one variable's noise is raised."""
    true, noises, n = np.array([0.9, 0.8, 0.7, 0.8, 0.6, 0.7]), (0.5, 1, 1.5, 2, 3, 4, 6), 2000
    angles = np.zeros((2, 10, len(noises)))
    first: dict[float, list[Array]] = {}
    for seed in range(10):
        for j, noise in enumerate(noises):
            draw = np.random.default_rng(seed)
            own = np.array([0.5] * 5 + [noise]) * draw.standard_normal((n, 6))
            x = draw.standard_normal((n, 1)) * true + own
            axis = PCA(n_components=1).fit(x).components_[0]
            loading = FactorAnalysis(matrix="covariance").fit(x).loadings_[:, 0]
            angles[:, seed, j] = _angle(axis, true), _angle(loading, true)
            first.setdefault(noise, [v * np.sign(v.sum()) for v in (axis, loading)])
    with board(11, 3.6) as figure:
        *bars, right = figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
        for axes, noise in zip(bars, (noises[0], noises[-2])):
            scaled = [v / np.linalg.norm(v) for v in (true, *first[noise])]
            for i, (v, name) in enumerate(zip(scaled, ("truth", "first principal axis", "factor"))):
                colour = (PALE, ORANGE, BLUE)[i]
                axes.bar(np.arange(6) + 0.27 * (i - 1), v, 0.25, color=colour, label=name)
            axes.set_xticks(range(6), [f"$x_{i + 1}$" for i in range(6)])
            axes.set(title=f"noise of x₆: standard deviation {noise}", ylim=(-0.1, 1.25))
            axes.legend(loc="upper left", fontsize=8)
        bars[0].set_ylabel("direction, of length 1")
        for runs, colour, name in zip(angles, (ORANGE, BLUE), ("PCA", "factor analysis")):
            band(right, np.array(noises), runs, colour, name)
        right.set(
            xlabel="standard deviation of x₆'s noise",
            ylabel="degrees from the truth",
            title="mean of 10 data sets ± standard deviation",
        )
        right.legend()
    for j in (0, len(noises) - 1):
        pca, factor = angles[:, :, j].mean(axis=1)
        sheet.say(f"noise {noises[j]}: PCA {pca:.1f}° from the truth, factor {factor:.1f}°")
    return figure


def _wine() -> tuple[Array, list[str]]:
    """Return thirteen measures of 178 wines, standardised, and their names."""
    wine = load_wine()
    x = (wine.data - wine.data.mean(axis=0)) / wine.data.std(axis=0)
    return x, [str(name).replace("_", " ") for name in wine.feature_names]


def factor_diagram(sheet: Sheet) -> Figure:
    """Draw two factors of the wine data's chemistry as a path diagram."""
    x, names = _wine()
    model = FactorAnalysis(n_components=2, rotation="varimax").fit(x)
    for j, column in enumerate(model.loadings_.T, start=1):
        i = np.abs(column).argmax()
        sheet.say(f"F{j} loads most on {names[i]}: {column[i]:.2f}")
    uniqueness = 1 - (model.loadings_**2).sum(axis=1)
    return path_diagram(model.loadings_, names, cutoff=0.4, uniquenesses=uniqueness)


def parts_of_a_digit(sheet: Sheet) -> Figure:
    """Draw x = μ + Λf + ε of four digits, each part as a picture."""
    some = [int(np.flatnonzero(digits().y_train == c)[0]) for c in (0, 3, 4, 7)]
    x = unit_floats(digits().x_train[some])
    model = FactorAnalysis(n_components=10).fit(digits().x_train)
    sheet.keep({"factor analysis": model}, digits())
    common = model.inverse_transform(model.transform(x)).reshape(x.shape)
    mean = model.mean_.reshape(1, 8, 8)
    parts = {
        "$x$": (x, ""),
        "$μ$": (np.repeat(mean, 4, axis=0), "="),
        "$Λf$: what the ten factors explain": (common - mean, "+"),
        "$ε$: the rest": (x - common, "+"),
    }
    with board(9.6, 2.9) as figure:
        panels = figure.subplots(1, 4)
        for axes, (title, (images, sign)) in zip(panels, parts.items()):
            if images.min() >= 0:
                show(axes, images, 2, title)
            else:
                stack = np.block([[images[0], images[1]], [images[2], images[3]]])
                heat(axes, stack, 1.0, title)
            axes.text(-0.08, 0.5, sign, transform=axes.transAxes, fontsize=18, ha="center")
        figure.supxlabel("blue adds ink, red takes it away", fontsize=9)
    share = (x - common).var() / (x - mean).var()
    sheet.say(f"of these four digits ε keeps {share:.0%} of the variance about the mean")
    return figure


def covariance_structure(sheet: Sheet) -> Figure:
    """Draw the correlations of thirteen measures of wine beside what three factors say of them."""
    x, rms = _wine()[0], []
    for q in range(1, 7):
        model = FactorAnalysis(n_components=q).fit(x)
        S, common = np.corrcoef(x.T), model.loadings_ @ model.loadings_.T
        unique = np.diag(1 - np.diag(common))
        left = S - common - unique
        rms.append(np.sqrt((left[np.triu_indices(len(S), 1)] ** 2).mean()))
        if q == 3:
            shown = {
                "S, correlations": S,
                "ΛΛᵀ, shared": common,
                "Ψ, its own": unique,
                "residual S − ΛΛᵀ − Ψ": left,
            }
    with board(12, 3.1) as figure:
        *maps, right = figure.subplots(1, 5, width_ratios=(1, 1, 1, 1, 1.15))
        for axes, (title, matrix) in zip(maps, shown.items()):
            image = heat(axes, matrix, 1.0, title)
        figure.colorbar(image, ax=maps, shrink=0.8, pad=0.01)
        right.plot(range(1, 7), rms, "o-", color=BLUE)
        right.set(
            xlabel="number of factors q",
            ylabel="root mean square",
            ylim=(0, None),
            title="what q factors leave over",
        )
    sheet.say(
        f"residual correlations, root mean square: {rms[0]:.3f} with 1 factor, "
        f"{rms[2]:.3f} with 3, {rms[-1]:.3f} with 6"
    )
    return figure


def parameters_counted(sheet: Sheet) -> Figure:
    """Draw the covariances of ten variables against the parameters of q factors."""
    p = sheet.moving("number of variables", (6, 8, 10, 12, 15), 2)
    q = np.arange(0, p + 1)
    moments, slide = p * (p + 1) // 2, p * q + p
    free = slide - q * (q - 1) // 2
    with board(10, 3.5) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.3, 1))
        left.axhline(moments, color=INK, linestyle=":", label="Σ: p(p + 1)/2")
        left.plot(q, slide, "s--", color=ORANGE, label="the slide's count: pq + p")
        left.plot(q, free, "o-", color=BLUE, label="what is free: pq + p − q(q − 1)/2")
        negative = free > moments
        left.axvspan(q[negative][0] - 0.5, p + 0.5, color=PALE, alpha=0.5)
        left.text(q[negative][0] - 0.3, 8, "more parameters\nthan covariances", fontsize=8)
        left.set(
            xlabel="number of factors q",
            title=f"p = {p} variables",
            xlim=(0, p + 0.5),
            ylim=(0, 1.08 * slide.max() + 11),
        )
        left.legend(loc="upper left", fontsize=8)
        big, k = 784, 10
        counts = [big * (big + 1) // 2, big * k + big, big * k + big - k * (k - 1) // 2]
        right.barh(range(3), counts, color=(PALE, ORANGE, BLUE))
        right.set_yticks(range(3), ["Σ", "pq + p", "free"])
        for place, count in enumerate(counts):
            right.text(count * 1.15, place, f"{count:,}", va="center")
        right.set(xscale="log", xlim=(1e3, 6e6), ylim=(2.6, -0.6))
        right.set_title("images of 784 pixels, 10 factors (logarithmic)")
    sheet.say(f"p = {big}, q = {k}: {counts[0]:,} covariances, {counts[2]:,} free parameters")
    sheet.say(f"p = {p}: at most {q[~negative][-1]} factors leave degrees of freedom or none")
    return figure


def factors_of_digits(sheet: Sheet) -> Figure:
    """Draw loadings by three methods as pictures, and digits of random factors."""
    x, rows = digits().x_train, {}
    measures = []
    for label, method in METHODS.items():
        model = FactorAnalysis(n_components=10, method=method).fit(x)
        sheet.keep({label: model}, digits())
        images = model.loadings_.T.reshape(10, 8, 8)
        rows[label] = 0.5 + 0.5 * images / np.abs(images).max(axis=(1, 2), keepdims=True)
        error = -model.negative_squared_error(digits().x_test)
        measures.append((-model.log_likelihood_, error))
        sheet.say(f"{label}: −log p {measures[-1][0]:.2f} nats, squared error {error:.3f}")
    rows |= {
        f"drawn, {name}": np.clip(model.sample(10, random_state=0, noise=noise), 0, 1)
        for name, noise in (("μ + Λf", False), ("μ + Λf + ε", True))
    }
    rows["training digits"] = unit_floats(x[:10])
    with board(11, 4.2) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(2.3, 1))
        strips(left, rows, "ten factors' loadings by method (grey is 0), and new digits")
        right.set_title("likelihood or error: no method is best by both")
        for (nats, error), name, colour in zip(measures, METHODS, (ORANGE, GREEN, BLUE)):
            right.plot(nats, error, "o", markersize=9, color=colour, label=name)
        right.set(xlabel="−log-likelihood, nats an image", ylabel="squared error of test images")
        right.margins(0.25)
        right.legend(fontsize=8)
    variance = model.noise_variance_.sum() / (
        model.noise_variance_.sum() + (model.loadings_**2).sum()
    )
    sheet.say(f"ε is {variance:.0%} of the model's variance, and is missing from μ + Λf")
    return figure


def number_of_factors(sheet: Sheet) -> Figure:
    """Draw log-likelihood of training and test digits over the number of factors."""
    sizes = (1, 2, 4, 6, 8, 10, 15, 20, 30, 40)
    x = flat(unit_floats(digits().x_train[:600]))
    x += 0.02 * np.random.default_rng(0).standard_normal(x.shape)
    (few, test), scores, rows = np.split(x, 2), [], {}
    for k in sizes:
        model = FactorAnalysis(n_components=k, noise_floor=1e-4).fit(few)
        scores.append((model.score(few), model.score(test)))
        if k in (2, 10, 30):
            rows[f"{k} factors"] = np.clip(model.reconstruct(test[:10]).reshape(-1, 8, 8), 0, 1)
    train, held = np.array(scores).T
    with board(10.5, 3.4) as figure:
        left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
        strips(
            left,
            {"held-out digits": np.clip(test[:10].reshape(-1, 8, 8), 0, 1)} | rows,
            "μ + Λ E[f given x]",
        )
        right.plot(sizes, train, "o-", color=BLUE, label="300 training digits")
        words = f"{len(test)} held-out digits, dotted: their best"
        right.plot(sizes, held, "s-", color=ORANGE, label=words)
        best = sizes[int(held.argmax())]
        right.axvline(best, color=INK, linestyle=":")
        right.set(xlabel="number of factors", ylabel="log-likelihood, nats an image")
        right.set_title("more factors always fit better what they have seen")
        right.legend(loc="upper left")
    sheet.say(
        f"held-out digits are likeliest with {best} factors, "
        f"training digits with {sizes[train.argmax()]}"
    )
    return figure


def test_of_fit(sheet: Sheet) -> Figure:
    """Draw χ² of too few, enough and too many factors, over many data sets of three factors."""
    draw = np.random.default_rng(0)
    L, n = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6], [0.75]])), 300
    p_values, rmsea = np.zeros((2, DATA_SETS, 5))
    for run in range(DATA_SETS):
        own = np.sqrt(1 - (L**2).sum(axis=1)) * draw.standard_normal((n, 12))
        x = draw.standard_normal((n, 3)) @ L.T + own
        for q in range(1, 6):
            found = FactorAnalysis(n_components=q).fit(x).fit_statistics()
            p_values[run, q - 1], rmsea[run, q - 1] = found.p_value, found.rmsea
    with board(10, 3.4) as figure:
        left, right = figure.subplots(1, 2)
        for axes, values, label in (
            (left, p_values, "p-value of the test of fit"),
            (right, rmsea, "RMSEA"),
        ):
            places = np.arange(1, 6) + 0.15 * draw.standard_normal((DATA_SETS, 5)).clip(-1.5, 1.5)
            axes.plot(places, values, ".", color=BLUE, alpha=0.5)
            axes.plot(
                range(1, 6),
                np.median(values, axis=0),
                "_",
                markersize=28,
                color=ORANGE,
                markeredgewidth=2,
            )
            axes.set(xlabel="factors fitted q (three are true)", ylabel=label, xticks=range(1, 6))
        left.axhline(0.05, color=INK, linestyle=":")
        left.set_title(f"{DATA_SETS} data sets of {n} rows; orange: medians, dotted: 0.05")
        right.set_title("error of approximation")
    rejected = (p_values < 0.05).mean(axis=0)
    sheet.say("rejected at 5%: " + ", ".join(f"q = {q} {r:.0%}" for q, r in enumerate(rejected, 1)))
    return figure
