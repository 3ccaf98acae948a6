"""Data: named sets, files and folders, all as one `Dataset`; nothing here imports torch."""

from __future__ import annotations

from latentia.data.dataset import Dataset, Description
from latentia.data.named import describe, fetch, load, names

__all__ = ["Dataset", "Description", "describe", "fetch", "load", "names"]
