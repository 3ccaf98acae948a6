"""The laboratory's games are the library's: the same start and noise give the same losses."""

import numpy as np
import pytest
import torch

from latentia import GAN, VAE, WGAN, WGANGP, Autoencoder
from latentia.training import draws

WIDTH, BATCH = (64, 64), 128
R1 = {"r1": 0.5}, {"r1_penalty": 0.5}
CASES = {
    "non-saturating": (GAN, {}, {}),
    "minimax": (GAN, {"saturating": 1}, {"objective": "minimax"}),
    "momentum": (GAN, {"beta1": 0.5}, {"beta_1": 0.5}),
    "clipping": (WGAN, {"game": "wgan", "critic": 2, "clip": 0.02}, {"clipping": 0.02}),
    "penalty": (WGANGP, {"game": "wgangp", "critic": 2}, {}),
    "R1": (GAN, *R1),
    "smoothing": (GAN, {"smooth": 0.9}, {"label_smoothing": 0.9}),
    "matching": (GAN, {"matching": 1}, {"feature_matching": True}),
    "kernels": (GAN, {"minibatch": 1}, {"minibatch_discrimination": 8}),
    "history": (GAN, {"history": 0.1}, {"historical_averaging": 0.1}),
    "packing": (GAN, {"pack": 2}, {"packing": 2}),
    "packed penalty": (WGANGP, {"game": "wgangp", "pack": 2}, {"packing": 2}),
    "unrolling": (
        GAN,
        {"unroll": 3, "unrollRate": 0.3},
        {"unrolled_steps": 3, "unrolled_rate": 0.3},
    ),
    "spectral": (GAN, {"spectral": 1}, {"spectral_normalisation": True}),
    "spectral R1": (GAN, {"spectral": 1, **R1[0]}, {"spectral_normalisation": True, **R1[1]}),
}
QUICK = ("non-saturating", "penalty", "R1", "kernels", "unrolling")


def linear(layer, spectral=None):
    weight = layer.parametrizations.weight.original if spectral else layer.weight
    found = {"W": weight.detach().T.tolist(), "b": layer.bias.detach().tolist()}
    if spectral:
        norm = layer.parametrizations.weight[0]
        found |= {"u": norm._u.tolist(), "v": norm._v.tolist()}
    return found


def layers_of(net):
    return [part for part in net.modules() if isinstance(part, torch.nn.Linear)]


def as_nets(model, setting):
    """Return a game's nets as the laboratory keeps them."""
    judge, kernels = model.judge, 8 * setting.get("minibatch", 0)
    spectral = setting.get("spectral")
    body = [linear(layer, spectral) for layer in layers_of(judge.body)]
    found = {"layers": [*body, linear(judge.head, spectral)], "kernels": kernels}
    if kernels:
        found["T"] = judge.minibatch.tensor.weight.detach().T.tolist()
    generator = {"layers": [linear(layer) for layer in layers_of(model.generator_)]}
    return {"generator": generator, "judge": found}


def ring(rng):
    angle = rng.integers(8, size=BATCH) * np.pi / 4
    points = 1.6 * np.c_[np.cos(angle), np.sin(angle)] + 0.08 * rng.normal(size=(BATCH, 2))
    return points.astype(np.float32)


@pytest.fixture
def noise(monkeypatch):
    """Return lists that the library's draws are then taken from."""
    given = {"normal": [], "uniform": []}
    take = {name: lambda like, name=name: torch.as_tensor(given[name].pop(0)) for name in given}
    monkeypatch.setattr(draws, "normal_like", take["normal"])
    monkeypatch.setattr(draws, "uniform_like", take["uniform"])
    return given


def library_game(model, setting, noise, n_steps):
    """Play a game by the library's own updates; return its moves and the losses of each step."""
    rng = np.random.default_rng(3)
    judge, generator = model.updates()
    optimizers = [u.make_optimizer(model.learning_rate) for u in (judge, generator)]
    steps, losses = [], []
    for _ in range(n_steps):
        moves, told = [], {}
        for update, optimizer, repeats in zip(
            (judge, generator), optimizers, (setting.get("critic", 1), 1), strict=True
        ):
            for _ in range(repeats):
                x, z = ring(rng), rng.normal(size=(BATCH, 2)).astype(np.float32)
                mixing = rng.random((BATCH // setting.get("pack", 1), 1)).astype(np.float32)
                noise["normal"][:], noise["uniform"][:] = [z], [mixing]
                found = update.loss(torch.as_tensor(x))
                loss = getattr(found, "total", found)
                weights = list(update.parameters())
                for weight, gradient in zip(
                    weights, torch.autograd.grad(loss, weights), strict=True
                ):
                    weight.grad = gradient
                optimizer.step()
                update.after()
                who = "judge" if update is judge else "generator"
                moves.append(
                    {"who": who, "x": x.tolist(), "z": z.tolist(), "mixing": mixing.tolist()}
                )
                told[who] = float(loss.detach())
        steps.append(moves)
        losses.append(told)
    return steps, losses


def game(kind, theirs, seed=0):
    torch.manual_seed(seed)
    own = {"hidden": WIDTH, "n_components": 2, "learning_rate": 1e-3} | theirs
    if kind in (WGAN, WGANGP):
        own["architecture"] = "mlp"
    model = kind(**own)
    model.column_mean_, model.column_scale_ = np.zeros(2, np.float32), np.ones(2, np.float32)
    model.build((2,))
    model.generator_.train()
    model.judge.train()
    return model


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES],
)
def test_losses_are_those_of_the_library(name, asked, noise):
    kind, ours, theirs = CASES[name]
    ours = {"k": 2, "rate": 1e-3} | ours
    n = 10 if name in QUICK else 100
    model = game(kind, theirs)
    nets = as_nets(model, ours)
    steps, losses = library_game(model, ours, noise, n)
    (found,) = asked({"action": "game", "setting": ours, "nets": nets, "steps": steps, "d": 2})
    for who in ("judge", "generator"):
        gaps = [abs(a[who] - b[who]) for a, b in zip(found, losses, strict=True)]
        assert max(gaps) <= 1e-3, (who, max(gaps))


@pytest.mark.parametrize("variational", [False, True])
def test_autoencoders_are_those_of_the_library(variational, asked, noise):
    torch.manual_seed(0)
    own = {"n_components": 1 + variational, "hidden": WIDTH, "learning_rate": 1e-3}
    if variational:
        model = VAE(**own, observation="gaussian", noise_variance=0.05, beta=2.0)
    else:
        model = Autoencoder(**own)
    model.unit_range_ = False
    model.column_mean_, model.column_scale_ = np.zeros(2, np.float32), np.ones(2, np.float32)
    model.observation_ = "gaussian"
    model.build((2,))
    sides = {"encoder": model.encoder_, "decoder": model.decoder_}
    nets = {
        name: {"layers": [linear(layer) for layer in layers_of(net)]} for name, net in sides.items()
    }
    (update,) = model.updates()
    optimizer = update.make_optimizer(model.learning_rate)
    rng, steps, losses = np.random.default_rng(3), [], []
    for _ in range(100):
        x, z = ring(rng), rng.normal(size=(BATCH, own["n_components"])).astype(np.float32)
        noise["normal"][:] = [z]
        found = update.loss(torch.as_tensor(x))
        loss = getattr(found, "total", found)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps.append([{"x": x.tolist(), "z": z.tolist()}])
        losses.append(float(loss.detach()))
    game = "vae" if variational else "ae"
    ours = {"game": game, "k": own["n_components"], "rate": 1e-3, "noise": 0.05, "beta": 2.0}
    (found,) = asked({"action": "game", "setting": ours, "nets": nets, "steps": steps, "d": 2})
    gaps = [abs(a["loss"] - b) / max(1, abs(b)) for a, b in zip(found, losses, strict=True)]
    assert max(gaps) <= 1e-3
    assert losses[-1] < losses[0] / 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_presets_do_what_they_are_meant_to(seed, asked):
    """All eight modes within 30 s of 400 steps a second, and collapse; the doctor says so."""
    works = {"r1": 0.1, "ema": 1, "beta1": 0.5, "seed": seed}
    fails = {"moves": 6, "beta1": 0.9, "seed": seed}
    good, bad = asked(
        {"action": "play", "setting": works, "steps": 5_000},
        {"action": "play", "setting": fails, "steps": 2_000},
    )
    print(f"{5_000 / good['seconds']:.0f} and {2_000 / bad['seconds']:.0f} steps a CPU second")
    assert (good["covered"], good["last"], set(good["said"])) == (8, None, {"null"})
    assert good["on"] > 0.75
    assert bad["covered"] <= 2
    assert bad["last"] == "collapse"
    assert bad["said"].get("collapse", 0) >= 10
