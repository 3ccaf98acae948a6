"""The peers of ``benchmarks/training.py``, each written as its users would write it.

Every function trains from scratch on (n, 28, 28) uint8 images and returns the nets' view of a
batch: for a VAE, data in [0, 1] to decoder logits, mean and log-variance; for the denoising
autoencoder, data to reconstructions.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn, optim
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

Outputs = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]
HIDDEN, LATENT = 400, 20


class OneImage(Dataset):
    """Images one by one, each through Pillow to a float tensor."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        picture = Image.fromarray(self.images[index])
        return torch.from_numpy(np.array(picture, np.float32) / 255).unsqueeze(0)


class ScriptVAE(nn.Module):
    """784-400-20 with a sigmoid at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(784, HIDDEN)
        self.fc21 = nn.Linear(HIDDEN, LATENT)
        self.fc22 = nn.Linear(HIDDEN, LATENT)
        self.fc3 = nn.Linear(LATENT, HIDDEN)
        self.fc4 = nn.Linear(HIDDEN, 784)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = functional.relu(self.fc1(x.view(-1, 784)))
        return self.fc21(h), self.fc22(h)

    def logits(self, z: Tensor) -> Tensor:
        return self.fc4(functional.relu(self.fc3(z)))

    def outputs(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.encode(x)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.logits(z), mean, log_variance


def kl_of(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the KL summed over a batch."""
    return -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())


def script_vae(images: np.ndarray, batch_size: int, n_epochs: int) -> Outputs:
    """Train as the much copied script does: DataLoader, sigmoid, binary cross-entropy, Adam."""
    torch.manual_seed(0)
    model = ScriptVAE()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(OneImage(images), batch_size=batch_size, shuffle=True)
    for _ in range(n_epochs):
        total = 0.0
        for x in loader:
            optimizer.zero_grad()
            logits, mean, log_variance = model.outputs(x)
            reconstruction = functional.binary_cross_entropy(
                torch.sigmoid(logits), x.view(-1, 784), reduction="sum"
            )
            loss = (reconstruction + kl_of(mean, log_variance)) / len(x)
            loss.backward()
            total += loss.item()
            optimizer.step()
    return model.outputs


def memory_vae(images: np.ndarray, batch_size: int, n_epochs: int) -> Outputs:
    """Train in memory: batches by index, cross-entropy on logits, torch's fused Adam."""
    torch.manual_seed(0)
    model = ScriptVAE()
    optimizer = optim.Adam(model.parameters(), lr=1e-3, fused=True)
    data = torch.from_numpy(images)
    for _ in range(n_epochs):
        order = torch.randperm(len(data))
        for first in range(0, len(data) - batch_size + 1, batch_size):
            x = data[order[first : first + batch_size]].float().div_(255).view(-1, 784)
            logits, mean, log_variance = model.outputs(x)
            reconstruction = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
            loss = (reconstruction + kl_of(mean, log_variance)) / len(x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.outputs


def library_vae(images: np.ndarray, batch_size: int, n_epochs: int) -> Outputs:
    """Train pythae's VAE by pythae's trainer, with nets of the same sizes.

    Raises
    ------
    ImportError
        If pythae is not installed.
    """
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.pipelines import TrainingPipeline
    from pythae.trainers import BaseTrainerConfig

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            BaseEncoder.__init__(self)
            self.layer = nn.Linear(784, HIDDEN)
            self.mean, self.log_variance = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)

        def forward(self, x: Tensor) -> Any:
            h = functional.relu(self.layer(x.reshape(-1, 784)))
            return ModelOutput(embedding=self.mean(h), log_covariance=self.log_variance(h))

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            BaseDecoder.__init__(self)
            self.layers = nn.Sequential(
                nn.Linear(LATENT, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 784)
            )

        def forward(self, z: Tensor) -> Any:
            return ModelOutput(reconstruction=self.layers(z).sigmoid().reshape(-1, 1, 28, 28))

    torch.manual_seed(0)
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
    model = VAE(config, encoder=Encoder(), decoder=Decoder())
    with tempfile.TemporaryDirectory() as folder:
        training = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=n_epochs,
            learning_rate=1e-3,
            per_device_train_batch_size=batch_size,
            no_cuda=True,
        )
        data = images[:, None].astype(np.float32) / 255
        TrainingPipeline(model=model, training_config=training)(train_data=data)

    def outputs(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        found = model.encoder(x)
        mean, log_variance = found.embedding, found.log_covariance
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return model.decoder.layers(z), mean, log_variance

    return outputs


def script_denoiser(
    images: np.ndarray, batch_size: int, n_epochs: int
) -> Callable[[Tensor], Tensor]:
    """Train the lecture's convolutional denoising autoencoder from a DataLoader."""
    torch.manual_seed(0)
    encoder = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=0), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Flatten(), nn.Linear(288, 128), nn.ReLU(), nn.Linear(128, 4),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 288), nn.ReLU(), nn.Unflatten(1, (32, 3, 3)),
        nn.ConvTranspose2d(32, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1),
        nn.BatchNorm2d(8), nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1, output_padding=1), nn.Sigmoid(),
    )  # fmt: skip
    optimizer = optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
    loader = DataLoader(OneImage(images), batch_size=batch_size, shuffle=True)
    for _ in range(n_epochs):
        total = 0.0
        for x in loader:
            noisy = (x + 0.3 * torch.randn(x.shape)).clip(0, 1)
            loss = functional.mse_loss(decoder(encoder(noisy)), x, reduction="sum") / len(x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
    encoder.eval()
    decoder.eval()
    return lambda x: decoder(encoder(x))
