"""What models refuse, each in its whole sentence: every value in it is the given one."""

from types import SimpleNamespace

import numpy as np
import pytest

import latentia
from latentia.data.dataset import Dataset
from latentia.errors import InputError
from latentia.models.clustering.pretraining import FIELDS
from latentia.models.saved import load
from latentia.models.translation.next_frame import frame_errors, windows
from latentia.training.config import read_config, write_config
from tests.conftest import small_models
from tests.models.language.conftest import small_sequence_models

pytestmark = pytest.mark.filterwarnings("ignore::latentia.errors.FitWarning")
MADE = small_models() | small_sequence_models()
IMAGES = np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)
TABLE = np.random.default_rng(1).normal(size=(40, 5))
FOUR = np.arange(40) % 4
NAMES = ", ".join(map(str, range(4)))


@pytest.fixture(scope="module")
def fitted():
    """Return models that learnt: images, their classes, their conditions, texts, pieces."""
    conditions = np.random.default_rng(2).normal(size=(40, 4))
    return {
        "pca": latentia.PCA(n_components=3).fit(IMAGES),
        "table": latentia.PCA(n_components=2).fit(TABLE),
        "classes": small_models()["ConditionalVAE"].set_params(n_epochs=1).fit(IMAGES, FOUR),
        "vectors": small_models()["ConditionalVAE"].set_params(n_epochs=1).fit(IMAGES, conditions),
        "text": latentia.NGramLanguageModel(order=2).fit("abcd" * 9),
        "words": latentia.NGramLanguageModel(order=2).fit(["to", "be", "or"] * 9),
        "bicubic": latentia.Bicubic(scale=2).fit(IMAGES),
    }


def model(name, **fields):
    return type(MADE[name])(**MADE[name].get_params() | fields)


def of_samples(fitted):
    pca, table = fitted["pca"], fitted["table"]
    return {
        "X has samples of shape (5, 6); this PCA was fitted on samples of shape (8, 8)": lambda: (
            pca.transform(IMAGES[:, :5, :6])
        ),
        "Z has 2 columns; PCA has 3 latent components": lambda: pca.inverse_transform(
            np.zeros((4, 2))
        ),
        "X is text; load data by name with latentia.load_data, or give the samples themselves, in "
        "one array or tensor": lambda: pca.transform("digits"),
        "X is of type dict; give the samples themselves, in one array or tensor, or a data frame": (
            lambda: pca.transform({})
        ),
        "X[3] has shape (5, 8) and X[0] (8, 8); resize or crop the images to one size": lambda: (
            pca.transform([*IMAGES[:3], IMAGES[0, :5]])
        ),
        "X[1] has shape (3, 8, 8) and X[0] (8, 8); give all as many channels, as by "
        "convert('RGB') of Pillow's": lambda: pca.transform([IMAGES[0], np.zeros((3, 8, 8))]),
        "X[2] has shape () and X[0] (8, 8); give images alone, and labels as y": lambda: (
            pca.transform([*IMAGES[:2], np.float64(3)])
        ),
        "X is an array of datetime64[D]; give an array of numbers": lambda: pca.transform(
            np.zeros((2, 8, 8), "datetime64[D]")
        ),
        "X holds 0 images; give at least 2": lambda: pca.transform(IMAGES[:0]),
        "X has shape (40, 0, 8), images without pixels": lambda: pca.transform(IMAGES[:, :0]),
        "images are int64; give uint8, floats in [0, 1], or bool for 0 and 1": lambda: (
            pca.transform(np.zeros((2, 8, 8), np.int64))
        ),
        "image values span 0 to 2.25; give uint8, bool for 0 and 1, or finite floats in "
        "[0, 1]": lambda: pca.transform(np.full((2, 8, 8), [0, 2.25, 0, 0, 0, 0, 0, 0])),
        "image values span -1.5 to 2.25; give uint8, bool for 0 and 1, or finite floats in [0, 1], "
        "without a normalisation such as Normalize of torchvision's": lambda: pca.transform(
            np.full((2, 8, 8), [-1.5, 2.25, 0, 0, 0, 0, 0, 0])
        ),
        "X has shape (2, 64, 64, 3), its channels last: fit(X, channels='last') takes them so, and "
        "np.moveaxis(X, 3, 1) makes (n, C, H, W) of them": lambda: pca.transform(
            np.zeros((2, 64, 64, 3))
        ),
        "X has shape (1, 1, 1, 8, 8); give a table of shape (n, d), or images of shape (n, H, W) "
        "or (n, C, H, W)": lambda: pca.transform(np.zeros((1, 1, 1, 8, 8))),
        "X holds infinity in column 3, row 2: fill it in or drop those rows, or fit "
        "FactorAnalysis or ProbabilisticPCA with missing='fiml', which takes NaN as missing": (
            lambda: table.transform(np.where(np.arange(40).reshape(8, 5) == 13, np.inf, 0))
        ),
        "X holds NaN in column 1, row 4: fill it in or drop those rows, or fit FactorAnalysis or "
        "ProbabilisticPCA with missing='fiml', which takes NaN as missing": lambda: table.transform(
            np.where(np.arange(40).reshape(8, 5) == 21, np.nan, 0)
        ),
        "sample_weight has shape (3,), least value -2.0; give 40 finite numbers of at least 0": (
            lambda: latentia.FactorAnalysis(n_components=1).fit(TABLE, sample_weight=[1, -2, 3])
        ),
    }


def of_labels(fitted):
    classes, vectors = fitted["classes"], fitted["vectors"]
    new = lambda: model("ConditionalVAE")  # noqa: E731
    return {
        f"y holds 9, which was not in fit; the classes are {NAMES}": lambda: classes.transform(
            IMAGES[:2], [1, 9]
        ),
        "y has shape (3,); give a label for each of 2 rows": lambda: classes.transform(
            IMAGES[:2], [1, 2, 3]
        ),
        "y has shape (2, 3) and type float64; give 2 rows of 4 numbers, as in fit": lambda: (
            vectors.transform(IMAGES[:2], np.zeros((2, 3)))
        ),
        "y holds NaN or infinity in row 1; fill it in": lambda: vectors.transform(
            IMAGES[:2], [[0.0, 0, 0, 0], [0, 0, np.nan, 0]]
        ),
        "the model was fitted on conditions of 4 numbers and does not know how these are "
        "distributed: give y, of shape (6, 4) or (4,)": lambda: vectors.sample(6),
        "y holds 40 different values of type <U2 in 40 rows; give whole numbers or names of at "
        "least 2 classes, with 2 rows each on average, or conditions as (n, d) floats": lambda: (
            new().fit(IMAGES, np.arange(40).astype("U2"))
        ),
        "y has shape (40, 2) and type <U1; give 40 labels, or 40 rows of floats": lambda: new().fit(
            IMAGES, np.full((40, 2), "a")
        ),
        "y holds values of type int, str; give whole numbers, or names": lambda: new().fit(
            IMAGES, np.array([*"ab", *range(38)], dtype=object)
        ),
        "validation is a tuple of 3; give X, or (X, y)": lambda: model("VAE").fit(
            IMAGES, validation=(IMAGES, FOUR, FOUR)
        ),
        "ConditionalVAE needs a label for each sample: give y, of shape (n,), or conditions, "
        "(n, d) floats": lambda: new().fit(IMAGES),
        "ConditionalVAE needs a label for each sample: give y, of shape (n,)": lambda: (
            classes.transform(IMAGES[:2])
        ),
        f"mine has the class '7', which the model was not trained on; its classes are {NAMES}": (
            lambda: classes._renumbered(Dataset("mine", IMAGES, FOUR, IMAGES[:2], np.array([7, 0])))
        ),
        "patience is 2, and counts epochs without a better held-out value: give held-out data with "
        "validation, or leave patience out": lambda: model("VAE", patience=2).fit(IMAGES),
    }


def of_pictures(fitted):
    small = np.zeros((4, 8, 8), np.float32)
    bicubic = fitted["bicubic"]
    return {
        "Pix2Pix translates images; X is a table of shape (n, 5)": lambda: model("Pix2Pix").fit(
            TABLE, TABLE
        ),
        "Pix2Pix takes sides of at least 8 pixels; these are (7, 8)": lambda: model("Pix2Pix").fit(
            IMAGES[:, :7], IMAGES[:, :7]
        ),
        "y has shape (40, 5); Pix2Pix learns from images of shape (n, H, W) or (n, C, H, W)": (
            lambda: model("Pix2Pix").fit(IMAGES, TABLE)
        ),
        "there are 40 images in X and 30 in y; pair them": lambda: model("Pix2Pix").fit(
            IMAGES, IMAGES[:30]
        ),
        "the images of X have sides (8, 8) and those of y (7, 8); they must agree": lambda: model(
            "Pix2Pix"
        ).fit(IMAGES, IMAGES[:, :7]),
        "predictions of (1, 2, 3, 4) need that shape, not (1, 2, 3, 5)": lambda: frame_errors(
            np.zeros((1, 2, 3, 4)), np.zeros((1, 2, 3, 5))
        ),
        "films have shape (1, 2, 3, 4) and n_seen is 2; give (n, t, H, W) with n_seen from 1 to "
        "t − 1": lambda: windows(np.zeros((1, 2, 3, 4)), 2),
        "SRResNet of scale 2 learns from sides of at least 8 pixels; these are (7, 8)": lambda: (
            model("SRResNet").fit(IMAGES[:, :7])
        ),
        "SRResNet enlarges images; X is a table of shape (n, 5)": lambda: model("SRResNet").fit(
            TABLE
        ),
        "overlap is 3, and counts only beside a tile; give one": lambda: bicubic.transform(
            small, overlap=3
        ),
        "tile is 'a'; it must be a whole number or none": lambda: bicubic.transform(
            small, tile="a"
        ),
        "X has shape (4, 3, 8, 8), of 3 channels; this Bicubic was fitted on 1": lambda: (
            bicubic.transform(np.zeros((4, 3, 8, 8), np.float32))
        ),
        "X has shape (4, 8); Bicubic takes images of shape (n, H, W) or (n, C, H, W)": lambda: (
            bicubic.transform(small[0, :4])
        ),
        "X has shape (5,); Bicubic takes images of shape (n, H, W) or (n, C, H, W)": lambda: (
            bicubic.transform(np.zeros(5, np.float32))
        ),
        "scale is 5; it must be one of 2, 3, 4, 6, 8": lambda: latentia.Bicubic(scale=5).fit(
            IMAGES
        ),
        "DCGAN learns images; the data are a table of shape (n, 5)": lambda: model("DCGAN").fit(
            TABLE
        ),
        "DCGAN takes sides of 8 to 256 pixels; these are (4, 8)": lambda: model("DCGAN").fit(
            IMAGES[:, :4]
        ),
        "augmentation is 'colour', which disturbs images; the data are a table: leave it 'none'": (
            lambda: model("GAN", augmentation="colour").fit(TABLE)
        ),
        "minibatch_discrimination is 2 and has no effect: a batch of batch_size = 3 with packing = "
        "3 gives the judge one verdict, and there is no other to compare it with": lambda: model(
            "GAN", minibatch_discrimination=2, batch_size=3, packing=3
        ).fit(IMAGES),
        "r1_penalty is 0.5 and minibatch_discrimination 3, by which the judge sees a batch "
        "together, so that no sample has a gradient of its own: set one of them to 0, or take "
        "packing=2 against collapse": lambda: model(
            "GAN", r1_penalty=0.5, minibatch_discrimination=3
        ).fit(IMAGES),
        "packing is 9; it must be at least 1 and at most 7": lambda: model(
            "GAN", packing=9, batch_size=7
        ).fit(IMAGES),
        "SqueezeNet takes images of at least 21 pixels a side; these patches have (8, 8)": lambda: (
            of_features().fit(IMAGES)
        ),
    }


def of_features():
    """Return an SRGAN with a feature network that takes no small images."""
    network = SimpleNamespace(name="SqueezeNet", smallest=21)
    found = model("SRGAN", patch=16)
    found._feature_network = lambda: network
    return found


def of_texts(fitted):
    text, words = fitted["text"], fitted["words"]
    return {
        "the text has 'x' at place 2, which the model does not know: it was fitted on 4 other "
        "symbols": lambda: text.score("abx"),
        "the text is str; the model was fitted on a list of symbols": lambda: words.score("to be"),
        "the text is list; the model was fitted on a string": lambda: text.score(["a", "b"]),
        "the text holds 1 symbols; give at least 2": lambda: latentia.NGramLanguageModel().fit("a"),
        "the text holds 3 symbols, fewer than the order 5": lambda: latentia.NGramLanguageModel(
            order=5
        ).fit("abc"),
        "there is not enough memory for 3 texts of 1000000000000000 symbols": lambda: text.sample(
            3, length=10**15
        ),
        "n-gram takes no --image-size, --crop or --fit: it learns a text": lambda: text.load_data(
            "a.txt", 8, None
        ),
    }


@pytest.mark.parametrize("kind", [of_samples, of_labels, of_pictures, of_texts])
def test_every_refusal_names_what_was_given(kind, fitted):
    for sentence, asked in kind(fitted).items():
        with pytest.raises(InputError) as refused:
            asked()
        assert str(refused.value) == sentence


def test_every_refusal_of_a_saved_model_names_what_is_there(fitted, tmp_path):
    pca, saved = fitted["pca"], tmp_path / "saved"
    pca.save(saved)
    mine, alien = tmp_path / "mine", tmp_path / "alien"
    mine.mkdir()
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (mine / "notes.txt").touch()
    alien.mkdir()
    write_config(alien, {**read_config(saved), "model": "Ours"})
    strange = tmp_path / "strange"
    strange.mkdir()
    write_config(strange, {"model": "PCAA"})
    changed = latentia.PCA(n_components=3).fit(IMAGES).set_params(n_components=2)
    for sentence, asked in {
        f"{saved} exists: choose another folder, or pass overwrite=True": lambda: pca.save(saved),
        f"{mine} holds notes.txt, and only a saved model is replaced: choose another": (
            lambda: pca.save(mine, overwrite=True)
        ),
        f"the run in {run} is not finished: 'latentia resume {run}' first": lambda: load(run),
        f"{alien} holds no known model: 'Ours'. If it is of your own, give the class: "
        "classes=[Ours]": lambda: load(alien),
        f"{strange} holds no known model: 'PCAA'; did you mean 'PCA'?": lambda: load(strange),
        "n_components was 3 in the fit and is 2 now: fit again, or set it back, before the model "
        "is saved": lambda: changed.save(tmp_path / "other"),
    }.items():
        with pytest.raises(InputError) as refused:
            asked()
        assert str(refused.value) == sentence


def test_every_refusal_of_an_autoencoder_to_begin_with_names_both(fitted, tmp_path):
    fields = {"n_components": 3, "hidden": (8,), "n_epochs": 1, "random_state": 0}
    rows = np.abs(TABLE) / np.abs(TABLE).max()
    for name, kind, X in (
        ("images", latentia.Autoencoder(**fields), IMAGES),
        ("unit", latentia.Autoencoder(**fields), rows),
        ("measured", latentia.Autoencoder(**fields), 9 * TABLE),
        ("other", latentia.Autoencoder(**fields | {"hidden": (7,)}), IMAGES),
    ):
        kind.fit(X).save(tmp_path / name)
    fitted["classes"].save(tmp_path / "classes")

    def shown(model):
        values = model.get_params()
        told = ", ".join(f"{name}={values[name]!r}" for name in FIELDS if name in values)
        return f"{type(model).__name__}({told})"

    other = latentia.Autoencoder(**fields | {"hidden": (7,)})
    for start, X, sentence in (
        ("images", TABLE, "was trained on samples of shape (8, 8); X has samples of shape (5,)"),
        ("unit", 9 * TABLE, "was trained on data in [0, 1]; X lies outside it"),
        ("measured", rows, "was trained on data outside [0, 1]; X lies in it"),
        (
            "other",
            IMAGES,
            f"has other nets than this DEC: {shown(other)} there, "
            f"{shown(latentia.DEC(**fields))} here",
        ),
    ):
        dec = latentia.DEC(n_clusters=2, pretrained=str(tmp_path / start), **fields)
        with pytest.raises(InputError) as refused:
            dec.fit(X)
        assert str(refused.value) == f"the autoencoder in {tmp_path / start} {sentence}"
    dec = latentia.DEC(n_clusters=2, pretrained=str(tmp_path / "classes"), **fields)
    with pytest.raises(InputError) as refused:
        dec.fit(IMAGES)
    assert str(refused.value) == (
        f"{tmp_path / 'classes'} holds a ConditionalVAE; pretrained must name an autoencoder that "
        "knows no classes, such as Autoencoder or DenoisingAutoencoder"
    )
