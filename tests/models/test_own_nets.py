"""Nets and classes of the user's own: what is special in them, and what is said of them."""

import copy
import dataclasses
import json
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn

import latentia
from latentia.cli.main import main
from latentia.errors import InputError
from latentia.evaluation import runs
from latentia.models.autoencoders.autoencoder import Autoencoder
from latentia.models.autoencoders.vae import VAE
from latentia.models.clustering.dec import DEC
from latentia.models.clustering.vade import VaDE
from latentia.models.translation.srresnet import SRResNet

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
IMAGES = np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)
TABLE = np.random.default_rng(1).normal(size=(40, 5)) * [1, 2, 3, 4, 50] + 7
SHORT = {"n_components": 3, "n_epochs": 1, "batch_size": 8, "random_state": 0}


def encoder(n=3, n_in=64):
    return nn.Sequential(nn.Flatten(), nn.Linear(n_in, 8), nn.ReLU(), nn.Linear(8, n))


def decoder(shape=(1, 8, 8)):
    return nn.Sequential(nn.Linear(3, int(np.prod(shape))), nn.Unflatten(1, shape))


def autoencoder(**values):
    return Autoencoder(**SHORT | {"encoder": encoder(), "decoder": decoder()} | values)


def test_what_is_frozen_stays_and_the_rest_is_trained():
    net = encoder()
    net[1].requires_grad_(False)
    model = autoencoder(encoder=net).fit(IMAGES)
    assert torch.equal(model.encoder_[1].weight, net[1].weight)
    assert not torch.equal(model.encoder_[3].weight, net[3].weight)
    frozen = [part.requires_grad_(False) for part in (encoder(), decoder())]
    with pytest.raises(InputError, match="reconstruction has no weights to train"):
        autoencoder(encoder=frozen[0], decoder=frozen[1]).fit(IMAGES)


def test_the_given_weights_are_the_start():
    torch.manual_seed(0)
    net = encoder()
    first, second = (
        autoencoder(encoder=n, learning_rate=1e-12).fit(IMAGES) for n in (net, copy.deepcopy(net))
    )
    torch.testing.assert_close(first.encoder_.state_dict(), net.state_dict())
    assert torch.equal(first.encoder_[1].weight, second.encoder_[1].weight)
    assert torch.equal(first.decoder.state_dict()["0.weight"], first.decoder[0].weight)


def test_one_own_net_stands_beside_one_that_is_made():
    model = Autoencoder(**SHORT, encoder=encoder(), hidden=(9,)).fit(IMAGES)
    assert model.decoder_[0][0].out_features == 9
    assert type(model.encoder_[3]) is nn.Linear


def test_lazy_layers_take_their_size_from_the_data(tmp_path):
    def net():
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(3))

    model = autoencoder(encoder=net()).fit(IMAGES)
    assert model.encoder_[1].in_features == 64
    loaded = latentia.load(
        model.save(tmp_path / "m"), nets={"encoder": net(), "decoder": decoder()}
    )
    np.testing.assert_array_equal(loaded.transform(IMAGES), model.transform(IMAGES))


class Tied(nn.Module):
    """A net in which two layers are one."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.last = nn.Linear(3, 64)

    def forward(self, z):
        return self.last(self.second(self.first(z))).view(-1, 1, 8, 8)


def test_layers_that_are_tied_stay_so_also_on_average():
    model = autoencoder(decoder=Tied(), ema_decay=0.5, n_epochs=2).fit(IMAGES)
    assert torch.equal(model.decoder_.first.weight, model.decoder_.second.weight)
    last = autoencoder(decoder=copy.deepcopy(model.decoder), n_epochs=2)
    last.set_params(encoder=model.encoder).fit(IMAGES)
    assert not torch.equal(model.decoder_.first.weight, last.decoder_.first.weight)


def test_a_net_in_double_precision_is_trained_in_single_and_scores_tables_in_double():
    nets = {"encoder": encoder(n_in=5).double(), "decoder": decoder((5,))}
    model = Autoencoder(**SHORT, **nets).fit(TABLE)
    assert model.encoder_[1].weight.dtype == torch.float32
    assert nets["encoder"][1].weight.dtype == torch.float64
    assert model.transform(TABLE).dtype == np.float64


class Pair(nn.Module):
    def forward(self, x):
        return x, x


class Uncopied(nn.Module):
    def __deepcopy__(self, memo):
        raise RuntimeError("only leaves\ncan be copied")


class Cast(nn.Module):
    """Gives another kind of numbers, or another shape, in training or in use."""

    def __init__(self, change, n_out=3):
        super().__init__()
        self.net, self.change = encoder(n_out), change

    def forward(self, x):
        return self.change(self.net(x))


class Watched(nn.Module):
    """Fails where it is tried as if it were trained: batch norm would take its moments."""

    def __init__(self):
        super().__init__()
        self.net, self.tried = encoder(), []

    def forward(self, x):
        self.tried.append((self.training, torch.is_grad_enabled(), x.dtype, len(x)))
        return self.net(x)


def test_a_net_is_tried_once_in_use_and_without_gradients_and_is_left_to_be_trained():
    model = autoencoder(encoder=Watched()).fit(IMAGES)
    tried = model.encoder_.tried
    assert tried[0] == (False, False, torch.float32, 2)
    assert (True, True) in {moment[:2] for moment in tried[1:]}
    assert model.encoder.tried == []
    # What it keeps of batches is of data alone.
    counted = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 3))
    steps = autoencoder(encoder=counted).fit(IMAGES).history_["step"][-1]
    again = autoencoder(encoder=counted).fit(IMAGES)
    assert again.encoder_[1].num_batches_tracked == steps


def test_nets_of_ones_own_see_images_in_the_usual_layout():
    """torch's channels-last layout is for nets that are known to take it."""
    seen = []

    class Seen(nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, 3)

        def forward(self, x):
            seen.append(self.convolution.weight.is_contiguous())
            return self.last(self.convolution(x).view(len(x), -1))

    colour = np.random.default_rng(0).random((20, 3, 8, 8), dtype=np.float32)
    Autoencoder(**SHORT, encoder=Seen(), architecture="convolutional").fit(colour)
    assert all(seen)
    assert len(seen) > 2


SHARED = encoder()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"encoder": Pair()}, "encoder gives a tuple; Autoencoder needs a tensor"),
        (
            {"encoder": Uncopied()},
            "encoder cannot be copied and hooked: only leaves can be copied$",
        ),
        ({"encoder": Cast(torch.Tensor.double)}, "encoder gives torch.float64; .* torch.float32"),
        ({"encoder": Cast(torch.Tensor.long)}, "encoder gives torch.int64; .* torch.float32"),
        (
            {"encoder": Cast(lambda x: x[..., None])},
            r"gives \(2, 3, 1\); .* needs \(2, 3\): the code",
        ),
        ({"encoder": Cast(lambda x: x[0])}, r"gives \(3,\); .* needs \(2, 3\): the code"),
        ({"encoder": Cast(torch.sum)}, r"gives \(\); .* needs \(2, 3\): the code"),
        ({"encoder": SHARED, "decoder": SHARED}, "encoder and decoder share weights"),
        ({"decoder": nn.Sequential(decoder(), nn.Sigmoid())}, "ends in a Sigmoid.*logits.*leave"),
        ({"encoder": "mlp"}, "encoder is 'mlp'; it must be a torch Module or none"),
        ({"encoder": encoder(4)}, r"gives \(2, 4\); .* \(2, 3\): the code of 3 components$"),
    ],
)
def test_a_net_that_cannot_serve_is_refused(values, sentence):
    with pytest.raises(InputError, match=sentence):
        autoencoder(**values).fit(IMAGES)


def test_the_last_layer_is_minded_where_it_matters():
    squashed = nn.Sequential(nn.Linear(3, 5), nn.Sigmoid())
    Autoencoder(**SHORT, encoder=encoder(n_in=5), decoder=squashed).fit(TABLE)
    for kind, judge in (("GAN", "discriminator"), ("WGAN", "critic"), ("DCGAN", "discriminator")):
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.Sigmoid())
        with pytest.raises(InputError, match=f"{judge} ends in a Sigmoid; {kind} needs a .* real"):
            getattr(latentia, kind)(**SHORT, **{judge: net}).fit(IMAGES)
    bright = nn.Sequential(decoder(), nn.ReLU())
    with pytest.raises(InputError, match=r"ends in a ReLU; GAN needs an image in \[-1, 1\]"):
        latentia.GAN(**SHORT, generator=bright).fit(IMAGES)


def test_a_clustering_starts_from_an_autoencoder_of_the_same_nets(tmp_path, monkeypatch):
    monkeypatch.setattr("latentia.models.clustering.base.STARTS", 1)
    nets = {"encoder": encoder(), "decoder": decoder()}
    start = autoencoder(**nets).fit(IMAGES)
    start.save(tmp_path / "start")
    settings = SHORT | nets | {"n_clusters": 2, "pretrained": str(tmp_path / "start")}
    model = DEC(**settings, learning_rate=1e-12).fit(IMAGES)
    torch.testing.assert_close(model.encoder_.state_dict(), start.encoder_.state_dict())
    vade = VaDE(**settings, learning_rate=1e-12).fit(IMAGES)
    np.testing.assert_allclose(vade.transform(IMAGES), start.transform(IMAGES), atol=1e-5)
    other = DEC(**settings | {"encoder": nn.Sequential(*encoder(), nn.Linear(3, 3))})
    with pytest.raises(InputError, match="was saved with another encoder: Sequential of layers"):
        other.fit(IMAGES)


def test_tiles_need_to_know_how_far_an_own_net_looks():
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2))
    model = SRResNet(scale=2, upscaler=net, n_epochs=1, random_state=0).fit(IMAGES)
    whole = model.transform(IMAGES[:2])
    with pytest.raises(InputError, match="give it an attribute reach"):
        model.transform(IMAGES[:2], tile=4)
    net.reach = 1
    model.fit(IMAGES)
    whole = model.transform(IMAGES[:2])
    np.testing.assert_allclose(model.transform(IMAGES[:2], tile=6), whole, atol=1e-6)


class Sparse(VAE):
    """A VAE whose codes are sparse."""

    sparsity: float = 0.1
    """Weight of the codes' absolute values."""

    def loss(self, x, *targets):
        return super().loss(x, *targets) + self.sparsity * self.encode(x).abs().sum(1).mean()


class AsInScikitLearn(VAE):
    def __init__(self, n_components=2, width=5):
        super().__init__(n_components=n_components, n_epochs=1, random_state=0)
        self.width = width


def test_a_loss_of_ones_own_does_what_it_says(tmp_path):
    weak, strong = (
        Sparse(**SHORT | {"n_epochs": 8}, sparsity=s).fit(IMAGES, run=tmp_path / str(s))
        for s in (0.0, 300.0)
    )
    sums = [np.abs(model.transform(IMAGES)).sum() for model in (weak, strong)]
    assert sums[1] < 0.5 * sums[0]
    line = json.loads((tmp_path / "0.0" / "metrics.jsonl").read_text().splitlines()[0])
    assert {"loss", "loss/reconstruction", "loss/kl"} <= line["values"].keys()


def test_a_class_of_ones_own_is_called_as_the_others_are():
    with pytest.raises(InputError, match="Sparse has no parameter 'sparse'; did you mean 'spars"):
        Sparse(sparse=1)
    assert repr(Sparse(sparsity=2.0)) == "Sparse(sparsity=2.0)"
    with pytest.raises(InputError, match="sparsity is 'much'; it must be a number"):
        Sparse(sparsity="much").fit(IMAGES)
    plain = AsInScikitLearn(width=4)
    assert clone(plain).get_params() == {"n_components": 2, "width": 4}
    assert clone(plain).fit(IMAGES).transform(IMAGES).shape == (40, 2)
    unspoken = type("Unspoken", (VAE,), {"__module__": __name__})
    assert "of your own" in unspoken.__doc__


def test_a_class_that_bears_the_name_of_anothers_is_refused(tmp_path):
    kind = type("PCA", (VAE,), {"__module__": __name__})
    with pytest.raises(InputError, match="the class PCA of your own bears the name of one of Lat"):
        kind(**SHORT).fit(IMAGES, run=tmp_path / "run")
    with pytest.raises(InputError, match="give it another name"):
        kind(**SHORT).fit(IMAGES).save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"classes": Sparse}, "classes is .*Sparse.*; give a list of classes"),
        (
            {"classes": ["Sparse"]},
            r"give a list of classes that derive from Latentia's, such as \[",
        ),
        ({"classes": [nn.Linear]}, "give a list of classes"),
        ({"nets": {"encoder": nn.Identity()}}, "nets holds 'encoder', .* in .*: it has none"),
    ],
)
def test_what_a_model_is_loaded_with_must_be_of_it(more, sentence, tmp_path):
    path = latentia.PCA(n_components=2).fit(TABLE).save(tmp_path / "model")
    with pytest.raises(InputError, match=sentence):
        latentia.load(path, **more)
    model = autoencoder().fit(IMAGES)
    path, nets = model.save(tmp_path / "own"), {"encoder": encoder(), "decoder": decoder()}
    with pytest.raises(InputError, match=r"'critic', .* takes {'decoder': Sequential\(...\), 'enc"):
        latentia.load(path, nets=nets | {"critic": encoder()})
    with pytest.raises(InputError, match=r"another encoder: Sequential of .* there, Sequential of"):
        latentia.load(path, nets=nets | {"encoder": encoder(4)})
    assert (
        latentia.load(path, nets=nets, classes=[Sparse]).get_params()["encoder"] is nets["encoder"]
    )


def few_digits():
    """Return some of the scanned digits, as commands know them."""
    data = latentia.load_data("digits")
    train, test = slice(0, 96), slice(0, 40)
    y_train, y_test = data.y_train[train], data.y_test[test]
    parts = {"x_train": data.x_train[train], "x_test": data.x_test[test]}
    return dataclasses.replace(data, y_train=y_train, y_test=y_test, **parts)


def test_commands_run_no_code_of_the_users_and_say_what_does(tmp_path, capsys):
    data = few_digits()
    own = autoencoder()
    runs.fit_in_run(own, data, tmp_path / "nets", measured=False)
    runs.fit_in_run(Sparse(**SHORT), data, tmp_path / "class", measured=False)
    said = {
        ("resume", "nets"): "Autoencoder(decoder=Sequential(...), encoder=Sequential(...)), nets",
        ("resume", "class"): "If Sparse is a class of your own, go on in Python",
        ("sample", "nets"): "nets={'decoder': Sequential(...), 'encoder': Sequential(...)})",
        ("evaluate", "class"): "classes=[Sparse]",
    }
    for (command, run), sentence in said.items():
        assert main([command, str(tmp_path / run)]) == 2
        assert sentence in capsys.readouterr().err
    config = json.loads((tmp_path / "nets" / "config.json").read_text())
    assert config["parameters"]["encoder"]["own_net"] == "Sequential"
    assert len(config["parameters"]["encoder"]["layers"]) == 16


def test_a_run_of_ones_own_is_measured_and_reported(tmp_path):
    data = few_digits()
    page = runs.fit_in_run(Sparse(**SHORT, encoder=encoder(6)), data, tmp_path / "run")
    text = page.read_text()
    assert "A VAE whose codes are sparse. It derives from VAE." in text
    assert "Kingma" in text
    assert "own_net" in text
    assert "in_features" not in text
    table = json.loads((tmp_path / "run" / "evaluation.json").read_text())
    assert table["negative_elbo"] > 0
    figures = {name: value for name, value in table.items() if name != "seconds"}
    model = latentia.load(tmp_path / "run", classes=[Sparse], nets={"encoder": encoder(6)})
    assert latentia.evaluate(model, data.hold_out()[0]) == pytest.approx(figures)


def test_a_net_made_by_another_process_must_be_the_same_to_go_on(tmp_path):
    autoencoder().fit(IMAGES, run=tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        autoencoder(n_epochs=2).fit(IMAGES, run=tmp_path / "run", resume=True)
    longer = nn.Sequential(*encoder(), nn.Tanh())
    with pytest.raises(InputError, match=r"another parameters: encoder {'own_net': 'Sequential"):
        autoencoder(n_epochs=2, encoder=longer).fit(IMAGES, run=tmp_path / "run", resume=True)


def test_nets_are_given_by_name_when_a_model_is_loaded(tmp_path):
    path = autoencoder(encoder=encoder()).fit(IMAGES).save(tmp_path / "model")
    with pytest.raises(InputError, match=r"^nets is \[Sequential.*; give them by name, as"):
        latentia.load(path, nets=[encoder()])
