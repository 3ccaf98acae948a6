"""A model whose training can be followed by hand."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from latentia.models.gradient import GradientModel
from latentia.training import draws
from latentia.training.updates import Loss, Update, sgd


@dataclass(eq=False, repr=False, kw_only=True)
class Slope(GradientModel):
    """Make the mean of w·x as small as it will go: the gradient is the batch's mean row.

    It notes what each call of its loss, of its preview and of its checkup was given and saw.
    """

    learning_rate: float = 0.5
    batch_size: int = 4
    device: str = "cpu"

    def build(self, shape):
        self.line_ = nn.Sequential(nn.Flatten(), nn.LazyLinear(1, bias=False))
        self.line_(torch.zeros(1, *shape))
        self.calls, self.held_out, self.previews, self.checkups = [], [], [], []

    def updates(self):
        kind = partial(sgd, learning_rate=self.learning_rate, momentum=0.0)
        return [Update("slope", self.loss, [self.line_], optimizer=kind)]

    def note(self, *batch):
        return {
            "x": batch[0].clone(),
            "beside": [part.clone() for part in batch[1:]],
            "w": self.line_[1].weight.detach().clone(),
            "training": self.line_.training,
            "noise": float(draws.normal(1, (1,))[0, 0]),
        }

    def loss(self, *batch):
        (self.calls if self.line_.training else self.held_out).append(self.note(*batch))
        total = self.line_(batch[0]).mean()
        return Loss(total, {"twice": 2 * total})

    def epoch_picture(self, *batch):
        self.previews.append(self.note(*batch))
        return [("x", batch[0])]

    def checkup(self, *batch, means, earlier, epoch):
        told = {"means": dict(means), "earlier": list(earlier), "epoch": epoch}
        self.checkups.append(self.note(*batch) | told | {"grad": torch.is_grad_enabled()})
        return {"slope": float(self.checkups[-1]["w"].norm())}, f"epoch {epoch} was steep: ski"
