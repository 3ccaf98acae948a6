"""A folder, or a list, of pictures through a model on a Ray cluster, or on this machine's cores.

    pip install "ray[data]"
    python examples/clusters/translate_ray.py zoo:pix2pix-maps PHOTOGRAPHS --out DIR [--actors 8]

Each actor loads the model once and makes batches of pictures, as ``latentia translate`` and
``latentia upscale`` do: the same bytes under the same names, whole or not there. Every machine must
see the pictures and DIR, as on a shared disk or at addresses (``s3://...``). ``--skip-existing``
goes on; Ray itself gives the batches of a lost machine to another.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import ray
import ray.data

from latentia.cli.parser import in_a_folder, saved_model
from latentia.data.manifests import Ledger
from latentia.data.picture_files import Order, order
from latentia.data.remote import Location, located
from latentia.models.saved import load
from latentia.models.translation.files import Cut, translate, upscale
from latentia.models.translation.super_resolution import SuperResolution

PICTURES_A_BATCH = 200


class Maker:
    """What an actor holds: the model, loaded once."""

    def __init__(self, run: str, out: str) -> None:
        self.model = load(in_a_folder(saved_model(run)))
        self.out = located(out)

    def __call__(self, batch):
        """Make a batch's pictures; return where each is, or why it could not be used."""
        sources, targets = (list(map(located, batch[name])) for name in ("source", "target"))
        # Batches of a lost actor come again: what it has written is replaced by the same.
        work = Order(dict(zip(sources, targets)), "replace", out=self.out)
        if isinstance(self.model, SuperResolution):
            outcome = upscale(self.model, work, Cut(), None, progress=False)
        else:
            outcome = translate(self.model, work, Cut(), progress=False)
        return {
            "source": list(batch["source"]),
            "path": [str(outcome.made.get(source, "")) for source in sources],
            "error": [outcome.failed.get(str(source), "") for source in sources],
        }


def whole(path: Location) -> str:
    """Return a path from the root on, since actors work in folders of their own."""
    return str(path.absolute() if isinstance(path, Path) else path)


def main() -> None:
    """Plan the work here, have the actors do it, and keep the manifest."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", help="a run directory, a saved model or zoo:NAME")
    parser.add_argument("images", nargs="*", help="pictures, folders of them, or addresses")
    parser.add_argument("--out", required=True, help="a folder or an address")
    parser.add_argument("--manifest", type=Path, help="a list of pictures")
    parser.add_argument("--manifest-out", type=Path, default=Path("made.jsonl"))
    parser.add_argument("--failures", type=Path, default=Path("failures.jsonl"))
    parser.add_argument("--skip-existing", action="store_true")
    parser.add_argument("--actors", type=int, default=2)
    given = parser.parse_args()
    ledger = Ledger(given.manifest_out, given.failures)
    existing = "skip" if given.skip_existing else "refuse"
    work = order(given.images, given.out, existing, manifest=given.manifest, ledger=ledger)
    rows = [{"source": whole(s), "target": whole(t)} for s, t in work.targets.items()]
    out = whole(work.out)
    made = ray.data.from_items(rows).map_batches(
        Maker,
        fn_constructor_args=(given.run, out),
        batch_size=PICTURES_A_BATCH,
        compute=ray.data.ActorPoolStrategy(size=given.actors),
        num_cpus=1,
    )
    with ledger:
        for path, why in work.bad:
            ledger.failed(path, why)
        for source, path in work.there.items():
            ledger.made(source, path, work.out)
        for row in made.iter_rows() if rows else ():
            if row["error"]:
                ledger.failed(row["source"], row["error"])
            else:
                ledger.made(located(row["source"]), located(row["path"]), located(out))


if __name__ == "__main__":
    main()
