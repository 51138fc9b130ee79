"""Data: tables of samples, the folders they come from, and batches drawn from them."""

from __future__ import annotations

from artkit.data.batches import Batches
from artkit.data.checking import describe
from artkit.data.dataset import Column, Dataset, Sample
from artkit.data.folder import FolderDataset
from artkit.data.making import make_dataset
from artkit.data.opening import open_dataset

__all__ = ["Batches", "Column", "Dataset", "FolderDataset", "Sample", "describe", "make_dataset", "open_dataset"]
