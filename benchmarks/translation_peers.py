"""The peers of ``benchmarks/translation.py``: nets and steps as reference programs write them.

Each class builds its nets and optimisers and takes one training step on a batch of pairs (x, y) in
[−1, 1]. Layouts are torch's default, optimisers Adam without fusing, the discriminator is frozen
with ``requires_grad`` while the generator learns.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional


class SkipBlock(nn.Module):
    """A level of the U-Net around the level inside it."""

    def __init__(
        self, outer: int, inner: int, inside: nn.Module | None, n_in: int | None = None
    ) -> None:
        super().__init__()
        self.outermost = n_in is not None
        down = nn.Conv2d(n_in or outer, inner, 4, 2, 1, bias=False)
        up = nn.ConvTranspose2d(inner * (1 if inside is None else 2), outer, 4, 2, 1, bias=False)
        if self.outermost:
            layers = [down, inside, nn.ReLU(True), up, nn.Tanh()]
        elif inside is None:
            layers = [nn.LeakyReLU(0.2, True), down, nn.ReLU(True), up, nn.BatchNorm2d(outer)]
        else:
            first = [nn.LeakyReLU(0.2, True), down, nn.BatchNorm2d(inner)]
            layers = [*first, inside, nn.ReLU(True), up, nn.BatchNorm2d(outer)]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return the level's output, beside its input unless it is the outermost."""
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


def unet_256(width: int) -> nn.Module:
    """Return the U-Net of eight halvings."""
    block: nn.Module = SkipBlock(8 * width, 8 * width, None)
    for _ in range(3):
        block = SkipBlock(8 * width, 8 * width, block)
    for outer, inner in ((4, 8), (2, 4), (1, 2)):
        block = SkipBlock(outer * width, inner * width, block)
    return SkipBlock(3, width, block, n_in=3)


def patch_70(n_in: int, width: int, norm: type[nn.Module]) -> nn.Module:
    """Return the 70×70 PatchGAN."""
    layers: list[nn.Module] = [nn.Conv2d(n_in, width, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for n_in_, n_out, stride in ((1, 2, 2), (2, 4, 2), (4, 8, 1)):
        layers += [
            nn.Conv2d(n_in_ * width, n_out * width, 4, stride, 1, bias=False),
            norm(n_out * width),
            nn.LeakyReLU(0.2, True),
        ]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))


class ResnetBlock(nn.Module):
    """Two convolutions beside which the input passes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width),
            nn.ReLU(True),
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        return x + self.block(x)


def resnet_generator(width: int, n_blocks: int) -> nn.Module:
    """Return CycleGAN's generator."""
    layers: list[nn.Module] = [
        nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), nn.InstanceNorm2d(width), nn.ReLU(True)
    ]  # fmt: skip
    for n_in in (width, 2 * width):
        conv = nn.Conv2d(n_in, 2 * n_in, 3, 2, 1)
        layers += [conv, nn.InstanceNorm2d(2 * n_in), nn.ReLU(True)]
    layers += [ResnetBlock(4 * width) for _ in range(n_blocks)]
    for n_in in (4 * width, 2 * width):
        conv = nn.ConvTranspose2d(n_in, n_in // 2, 3, 2, 1, output_padding=1)
        layers += [conv, nn.InstanceNorm2d(n_in // 2), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh())


class PlainBlock(nn.Module):
    """SRResNet's residual block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.PReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum."""
        return x + self.block(x)


class SRResNetGenerator(nn.Module):
    """SRGAN's generator for a scale of 4."""

    def __init__(self, width: int, n_blocks: int) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(3, width, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(
            *(PlainBlock(width) for _ in range(n_blocks)),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )
        steps: list[nn.Module] = []
        for _ in range(2):
            steps += [nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()]
        self.tail = nn.Sequential(*steps, nn.Conv2d(width, 3, 9, padding=4))

    def forward(self, x: Tensor) -> Tensor:
        """Return images four times larger."""
        h = self.head(x)
        return self.tail(h + self.body(h))


def srgan_judge(width: int, side: int) -> nn.Module:
    """Return SRGAN's discriminator."""
    layers: list[nn.Module] = []
    n_in = 3
    for index in range(8):
        n_out = width * 2 ** (index // 2)
        layers.append(nn.Conv2d(n_in, n_out, 3, 1 + index % 2, 1))
        layers += [nn.BatchNorm2d(n_out)] * (index > 0) + [nn.LeakyReLU(0.2, True)]
        n_in = n_out
    n_features = n_in * (side // 16) ** 2
    hidden = nn.Linear(n_features, 16 * width)
    return nn.Sequential(
        *layers, nn.Flatten(), hidden, nn.LeakyReLU(0.2, True), nn.Linear(16 * width, 1)
    )


def frozen(nets: Iterable[nn.Module], *, still: bool) -> None:
    """Set whether nets collect gradients."""
    for net in nets:
        for parameter in net.parameters():
            parameter.requires_grad = not still


def adam(nets: Iterable[nn.Module], rate: float) -> torch.optim.Optimizer:
    """Return Adam over nets as these programs make it."""
    parameters = itertools.chain(*(net.parameters() for net in nets))
    return torch.optim.Adam(parameters, lr=rate, betas=(0.5, 0.999))


def crossed(logits: Tensor, target: float) -> Tensor:
    """Return the cross-entropy with a target."""
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def squared(verdict: Tensor, target: float) -> Tensor:
    """Return the least-squares loss."""
    return functional.mse_loss(verdict, torch.full_like(verdict, target))


class ReferencePix2Pix:
    """U-Net-256 against the 70×70 PatchGAN, with L1."""

    def __init__(self, width: int = 64) -> None:
        self.generator, self.judge = unet_256(width), patch_70(6, width, nn.BatchNorm2d)
        self.optimizers = adam([self.generator], 2e-4), adam([self.judge], 2e-4)

    def step(self, x: Tensor, y: Tensor) -> None:
        """Move the discriminator, then the generator."""
        fake = self.generator(x)
        frozen([self.judge], still=False)
        self.optimizers[1].zero_grad()
        verdict = crossed(self.judge(torch.cat([x, fake.detach()], 1)), 0)
        ((verdict + crossed(self.judge(torch.cat([x, y], 1)), 1)) / 2).backward()
        self.optimizers[1].step()
        frozen([self.judge], still=True)
        self.optimizers[0].zero_grad()
        adversarial = crossed(self.judge(torch.cat([x, fake], 1)), 1)
        (adversarial + 100 * functional.l1_loss(fake, y)).backward()
        self.optimizers[0].step()


class ReferenceCycleGAN:
    """Two ResNet generators against two 70×70 PatchGANs."""

    def __init__(self, width: int = 64, n_blocks: int = 9) -> None:
        self.generators = [resnet_generator(width, n_blocks) for _ in range(2)]
        self.judges = [patch_70(3, width, nn.InstanceNorm2d) for _ in range(2)]
        self.optimizers = adam(self.generators, 2e-4), adam(self.judges, 2e-4)

    def step(self, a: Tensor, b: Tensor) -> None:
        """Move the generators, then the discriminators."""
        to_b, to_a = self.generators
        judge_a, judge_b = self.judges
        fake_b, fake_a = to_b(a), to_a(b)
        cycle_a, cycle_b = to_a(fake_b), to_b(fake_a)
        frozen(self.judges, still=True)
        self.optimizers[0].zero_grad()
        l1 = functional.l1_loss
        identity = 5 * (l1(to_b(b), b) + l1(to_a(a), a))
        cycle = 10 * (l1(cycle_a, a) + l1(cycle_b, b))
        (squared(judge_b(fake_b), 1) + squared(judge_a(fake_a), 1) + cycle + identity).backward()
        self.optimizers[0].step()
        frozen(self.judges, still=False)
        self.optimizers[1].zero_grad()
        for judge, real, fake in ((judge_a, a, fake_a), (judge_b, b, fake_b)):
            ((squared(judge(real), 1) + squared(judge(fake.detach()), 0)) / 2).backward()
        self.optimizers[1].step()


class ReferenceSRGAN:
    """SRResNet against SRGAN's discriminator, with a content loss of pixels."""

    def __init__(self, width: int = 64, n_blocks: int = 16, side: int = 96) -> None:
        self.generator, self.judge = SRResNetGenerator(width, n_blocks), srgan_judge(width, side)
        self.optimizers = adam([self.generator], 1e-4), adam([self.judge], 1e-4)

    def step(self, small: Tensor, sharp: Tensor) -> None:
        """Move the discriminator, then the generator."""
        fake = self.generator(small)
        self.optimizers[1].zero_grad()
        (crossed(self.judge(sharp), 1) + crossed(self.judge(fake.detach()), 0)).backward()
        self.optimizers[1].step()
        self.optimizers[0].zero_grad()
        adversarial = 1e-3 * crossed(self.judge(fake), 1)
        (functional.mse_loss(fake, sharp) + adversarial).backward()
        self.optimizers[0].step()
