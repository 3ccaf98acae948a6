"""Text files and ABC melodies as data, and a session with them on the command line."""

import json
import math

import pytest

import latentia
from latentia.cli.main import main
from latentia.data.text import load_text
from latentia.errors import InputError
from latentia.models.language.n_gram import NGramLanguageModel
from latentia.training.metrics_file import read_metrics
from tests.models.language.conftest import RHYME

ABC = """%%scale 0.7
X:1
T:Twinkle
C:trad.
M:4/4
L:1/4
K:C
% the first half
CCGG|AAG2|FFEE|DDC2|
"a comment" GGFF|EED2|

X:2
T:Scale
K:G
GABc|defg|
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "rhyme.txt"
    file.write_bytes(b"\xef\xbb\xbf" + (RHYME * 6).replace("\n", "\r\n").encode())
    return file


def test_a_text_in_three_parts(path):
    data = load_text(path)
    assert data.train + data.validation + data.test == RHYME * 6
    n = len(RHYME * 6)
    assert len(data.test) == n // 10
    assert len(data.validation) == (n - n // 10) // 20
    assert data.symbols == "".join(sorted(set(RHYME)))
    assert data.name == "rhyme"
    assert latentia.load_text(path) == data


def test_a_share_may_be_held_out_or_nothing(path):
    usual, whole = load_text(path), load_text(path, held_out=0)
    assert (whole.train, whole.validation) == (usual.train + usual.validation, "")
    assert whole.test == usual.test
    quarter = load_text(path, held_out=0.25)
    assert len(quarter.validation) == (len(quarter.train) + len(quarter.validation)) // 4
    for share in (-0.1, 0.6, math.nan):
        with pytest.raises(InputError, match=r"must be at least 0 and at most 0\.5"):
            load_text(path, held_out=share)


def test_hangul_is_text(tmp_path):
    file = tmp_path / "한글.txt"
    file.write_text("나 보기가 역겨워 가실 때에는\n" * 10, encoding="utf-8")
    assert "겨" in load_text(file).symbols


@pytest.mark.parametrize("encoding", ["cp949", "euc-kr", "utf-16", "utf-16-le"])
def test_text_in_an_older_encoding_is_read_and_that_is_said(tmp_path, encoding):
    text = "나 보기가 역겨워, 가실 때에는\n" * 10
    (tmp_path / "t.txt").write_bytes(text.encode(encoding))
    data = load_text(tmp_path / "t.txt")
    assert data.train + data.validation + data.test == text
    assert "was read as" in data.notes[0]


def test_tunes_are_metre_unit_key_and_notes(tmp_path):
    file = tmp_path / "tunes.abc"
    file.write_text(ABC * 3)
    data = load_text(file)
    one = 'M:4/4\nL:1/4\nK:C\nCCGG|AAG2|FFEE|DDC2|\n"a comment" GGFF|EED2|\n\nK:G\nGABc|defg|'
    assert data.train + data.validation + data.test == "\n\n".join([one] * 3) + "\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("latin.txt", "Dürer ".encode("latin-1") * 40, "not UTF-8 text: byte 0xfc at place 1"),
        ("short.txt", b"too short", "holds 9 characters; at least 100"),
        ("prose.abc", b"no tune at all\n" * 20, "no key field K:"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        load_text(tmp_path / name)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for spec in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(InputError, match="there is no text file"):
            load_text(spec)


def run(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("model", ["lstm", "rnn"])
def test_a_whole_session(model, path, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ["--n-units", "8", "--n-epochs", "2", "--window", "20", "--random-state", "1"]
    status, out, errors = run(capsys, "train", model, "--data", "rhyme.txt", "--run", "r", *small)
    assert status == 0, errors
    assert out.strip() == "r/report.html"
    assert "windows/s" in errors
    figures = json.loads((tmp_path / "r/evaluation.json").read_text())
    [beside] = figures["baselines"].values()
    for table in (figures, beside):
        assert table["bits_per_character"] == pytest.approx(
            table["nats_per_character"] / math.log(2)
        )
        assert table["perplexity"] > 1
    texts = sorted(file.name for file in (tmp_path / "r/samples").iterdir())
    assert texts == ["epoch_0001.txt", "epoch_0002.txt", "sample.txt"]
    assert "Perplexity" in (tmp_path / "r/report.html").read_text()
    assert latentia.load("r").score(RHYME) < 0
    words = ["sample", "r", "--prompt", "all", "--length", "9", "--random-state", "0"]
    status, printed, _ = run(capsys, *words)
    assert printed.startswith("all")
    assert len(printed) == 13
    assert run(capsys, *words, "--out", "s.txt")[1].strip() == "s.txt"
    assert (tmp_path / "s.txt").read_text() == printed
    status, out, _ = run(capsys, "evaluate", "r")
    assert status == 0
    assert "NGramLanguageModel, 5" in out
    assert run(capsys, "resume", "r")[0] == 0
    assert run(capsys, "train", model, "--data", "rhyme.txt", "--run", "r")[0] == 2


def test_nothing_held_out_is_so_when_resumed_and_evaluated(path, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = "model = 'lstm'\nn_units = 4\nn_epochs = 2\nrandom_state = 1\nheld_out = 0\n"
    (tmp_path / "r.toml").write_text(recipe)
    words = ["train", "--recipe", "r.toml", "--data", "rhyme.txt"]
    status, _, errors = run(capsys, *words, "--run", "r")
    assert status == 0, errors
    assert run(capsys, "resume", "r")[0] == 0
    assert {record["split"] for record in read_metrics(tmp_path / "r")} == {"train"}
    whole = load_text(path, held_out=0)
    beside = latentia.NGramLanguageModel(order=5).fit(whole.train, symbols=whole.symbols)
    nats = beside.score(whole.test)
    figures = json.loads((tmp_path / "r/evaluation.json").read_text())
    [table] = figures["baselines"].values()
    assert table["nats_per_character"] == pytest.approx(-nats)
    assert f"{-nats:.4f}" in run(capsys, "evaluate", "r")[1]
    assert run(capsys, *words, "--held-out", "0.3", "--run", "q")[0] == 0
    assert {record["split"] for record in read_metrics(tmp_path / "q")} == {"train", "validation"}


def test_a_run_from_before_the_share_was_a_choice_goes_on(path, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ["--n-units", "4", "--n-epochs", "2", "--random-state", "1"]
    assert run(capsys, "train", "lstm", "--data", "rhyme.txt", "--run", "r", *small)[0] == 0
    config = json.loads((tmp_path / "r/config.json").read_text())
    config["data"].pop("held_out", None)
    (tmp_path / "r/config.json").write_text(json.dumps(config))
    status, _, errors = run(capsys, "resume", "r")
    assert status == 0, errors
    assert run(capsys, "evaluate", "r")[0] == 0


def test_the_n_gram_is_a_command_too(path, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, errors = run(capsys, "train", "n-gram", "--data", "rhyme.txt", "--order", "4")
    assert status == 0, errors
    assert out.strip() == "runs/n-gram-rhyme-1/report.html"
    assert run(capsys, "sample", "runs/n-gram-rhyme-1", "--temperature", "0")[0] == 0


MISTAKES = [
    (["train", "lstm"], "give it with --data FILE.txt"),
    (["train", "lstm", "--data", "none.txt"], "no text file 'none.txt'"),
    (["train", "lstm", "--data", "rhyme.txt", "--devices", "2"], "takes no --devices"),
    (["train", "lstm", "--data", "rhyme.txt", "--rnn-size", "9"], "did you mean --n-units"),
    (
        ["train", "lstm", "--data", "rhyme.txt", "--held-out", "0.9"],
        "must be at least 0 and at most 0.5",
    ),
    (["train", "vae", "--held-out", "0.1"], "held_out is for models of texts, and vae is none"),
    (["train", "--recipe", "wrong.toml", "--data", "rhyme.txt"], "'a lot'; it must be a number"),
    (["train", "vae", "--data", "rhyme.txt"], "is a text: train rnn, lstm or n-gram"),
    (["sample", "g", "--prompt", "Ω"], "'Ω' at place 0"),
    (["sample", "g", "--out", "s.png"], "written as .txt or .abc"),
    (["sample", "g", "--label", "3"], "knows no classes"),
    (["evaluate", "g", "--n-importance", "9"], "gives it exactly"),
    (["reconstruct", "g"], "has no reconstruct: it predicts symbols"),
    (["compare", "--models", "lstm"], "LSTMLanguageModel learns from a text, and compare reads"),
]


def test_a_mistake_is_one_sentence(path, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "train", "n-gram", "--data", "rhyme.txt", "--run", "g")[0] == 0
    (tmp_path / "wrong.toml").write_text("model = 'lstm'\nheld_out = 'a lot'\n")
    for words, sentence in MISTAKES:
        status, out, errors = run(capsys, *words)
        assert (status, out) == (2, ""), words
        assert len(errors.splitlines()) == 1
        assert sentence in errors


def test_the_baseline_reads_the_training_text_whatever_is_measured(
    path, tmp_path, capsys, monkeypatch
):
    """Whatever is measured, also a text that it would predict far better, had it learnt that."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.txt").write_text("all the king's men had a great fall. " * 20)
    small = ["--n-units", "4", "--n-epochs", "1", "--random-state", "1"]
    assert run(capsys, "train", "lstm", "--data", "rhyme.txt", "--run", "r", *small)[0] == 0
    learnt, other = load_text("rhyme.txt"), load_text("other.txt")
    expected = NGramLanguageModel(order=5).fit(learnt.train, **learnt.beside).score(other.test)
    status, out, errors = run(capsys, "evaluate", "r", "--data", "other.txt")
    assert status == 0, errors
    (line,) = [line for line in out.splitlines() if line.startswith("−log p a character")]
    assert float(line.split()[-2]) == pytest.approx(-expected, abs=1e-4)
    for change, words in (
        (lambda: (tmp_path / "rhyme.txt").write_text(RHYME + "!" * 200), "rhyme has changed"),
        (lambda: (tmp_path / "rhyme.txt").unlink(), "r was trained on "),
    ):
        change()
        status, out, errors = run(capsys, "evaluate", "r", "--data", "other.txt")
        assert status == 0, errors
        assert "NGramLanguageModel" not in out
        assert f"Without the 5-gram on the same training text: {words}" in out
    out = run(capsys, "evaluate", "r/model", "--data", "other.txt")[1]
    assert "r/model does not say what it was trained on" in out


@pytest.mark.parametrize("verb", ["reconstruct", "sample"])
def test_a_verb_that_a_model_of_texts_lacks_says_why(verb, path, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "train", "n-gram", "--data", "rhyme.txt", "--run", "r")[0] == 0
    status, _, errors = run(capsys, verb, "r")
    assert (status == 0) == (verb == "sample")
    if verb == "reconstruct":
        assert "has no reconstruct: it predicts symbols" in errors
