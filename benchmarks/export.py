"""What exported models weigh and take: model x format -> size, largest difference, milliseconds.

    python benchmarks/export.py [NAME ...]

Models of default sizes are trained for a step on random images, which leaves sizes and speeds as
they are, and exported. A page's program runs in node, which has Chromium's engine, the others in
ONNX Runtime and torch with one thread; milliseconds are of CPU, for a batch of one, of the first
function of each model.
"""

import os

for name in ("OMP_NUM_THREADS", "LATENTIA_THREADS"):
    os.environ.setdefault(name, "1")

import json
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch

import latentia
from latentia.pages import graphs, onnx_files, program, torch_files
from latentia.pages.export import written
from latentia.pages.graphs import examples, frozen, quiet
from latentia.pages.runtime import source

ONE = {"n_epochs": 1, "batch_size": 4, "random_state": 0, "device": "cpu"}
DRAW = np.random.default_rng(0)
GREY, COLOURS = (DRAW.random(shape, dtype=np.float32) for shape in ((8, 28, 28), (4, 3, 64, 64)))
TEXT = "the quick brown fox jumps over the lazy dog. " * 20
MODELS = {
    "PCA": (latentia.PCA(n_components=8), (GREY,)),
    "FactorAnalysis": (latentia.FactorAnalysis(n_components=2), (DRAW.normal(size=(200, 9)),)),
    "VAE": (latentia.VAE(architecture="mlp", **ONE), (GREY,)),
    "VAE, convolutional": (latentia.VAE(architecture="convolutional", **ONE), (GREY,)),
    "GAN": (latentia.GAN(**ONE), (GREY,)),
    "DCGAN": (latentia.DCGAN(**ONE), (GREY,)),
    "DCGAN, lecture": (latentia.DCGAN(architecture="lecture", **ONE), (GREY,)),
    "ConditionalGAN": (latentia.ConditionalGAN(**ONE), (GREY, np.arange(8) % 4)),
    "LSTM": (latentia.LSTMLanguageModel(n_epochs=1, random_state=0, device="cpu"), (TEXT,)),
    "DCGAN, 64": (latentia.DCGAN(**ONE), (COLOURS,)),
    "pix2pix, 64, width 16": (latentia.Pix2Pix(width=16, **ONE), (COLOURS, 1 - COLOURS)),
    "CycleGAN, 64": (latentia.CycleGAN(n_blocks=3, **ONE), (COLOURS, np.arange(4) % 2)),
    "SRResNet, 32 to 64": (latentia.SRResNet(scale=2, n_blocks=4, width=32, **ONE), (COLOURS,)),
}
FORMATS = ((".json", "auto"), (".json", "single"), (".pt2", "auto"), (".onnx", "auto"))
RUN = """
const [path, name] = process.argv.slice(2), text = require("fs").readFileSync(path + ".in", "utf8");
(async () => {
  const model = await Latentia.open(JSON.parse(require("fs").readFileSync(path, "utf8")));
  const given = JSON.parse(text);
  for (let i = 0; i < 5; i++) model.run(name, given);
  const start = process.cpuUsage().user;
  let n = 0;
  for (const end = Date.now() + 400; Date.now() < end; n++) model.run(name, given);
  console.log((process.cpuUsage().user - start) / 1000 / n);
})();
"""


def traced_once():
    """Let all formats of a model have one graph; to trace it takes longest."""
    known = {}

    def remembered(model, function):
        if not known:
            known[function.name] = graphs.traced(model, function)
        return known[function.name]

    for module in (program, torch_files, onnx_files):
        module.traced = remembered


def milliseconds(run, *given):
    run(*given)
    start, n = time.process_time(), 0
    while n < 3 or time.process_time() - start < 0.3:
        run(*given)
        n += 1
    return 1000 * (time.process_time() - start) / n


def timed(path, function, given):
    """Return how long the function in a file takes."""
    tensors = [torch.from_numpy(x) for x in given]
    if path.suffix == ".onnx":
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads = 1
        session = InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs = {part.name: x for part, x in zip(session.get_inputs(), given)}
        return milliseconds(lambda: session.run(None, inputs))
    if path.suffix == ".pt2":
        with quiet(), torch.no_grad():
            graph = torch.export.load(path).module()
            return milliseconds(lambda: graph(*tensors))
    if shutil.which("node") is None:
        return float("nan")
    named = {
        q.name: {"data": x.ravel().tolist(), "shape": list(x.shape)}
        for q, x in zip(function.inputs, given)
    }
    Path(f"{path}.in").write_text(json.dumps(named))
    script = path.with_suffix(".js")
    script.write_text(source() + RUN)
    command = ["node", str(script), str(path), function.name]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    return float(found.stdout)


def main(names):
    print(
        "| model | numbers | format | size, MB | largest difference | ms |",
        "|---" * 6 + "|",
        sep="\n",
    )
    for name in names or MODELS:
        model, data = MODELS[name]
        with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
            warnings.simplefilter("ignore")
            model.fit(*data)
            traced_once()
            function = frozen(model).exported()[0]
            given = examples(function, 1, np.random.default_rng(1))
            for suffix, precision in FORMATS:
                out = Path(folder) / f"{precision}{suffix}"
                (made,) = written(model, out, [function.name], precision, False)
                row = [name, f"{model.n_parameters():,}", f"{suffix[1:]} {made.bits} bits"]
                row += [f"{out.stat().st_size / 1e6:.2f}", f"{made.differences[function.name]:.1e}"]
                print(
                    "|", " | ".join([*row, f"{timed(out, function, given):.2f}"]), "|", flush=True
                )


if __name__ == "__main__":
    main(sys.argv[1:])
