"""Data: tables of samples, the folders they come from, and batches drawn from them."""

from __future__ import annotations

from artkit.data.batches import Batches
from artkit.data.checking import describe
from artkit.data.dataset import Column, Dataset, Sample
from artkit.data.folder import FolderDataset
from artkit.data.layouts import Place, Table
from artkit.data.making import make_dataset
from artkit.data.needs import find_source_and_target
from artkit.data.opening import open_dataset
from artkit.data.pairing import Pairing, make_pairs

__all__ = [
    "Batches",
    "Column",
    "Dataset",
    "FolderDataset",
    "Pairing",
    "Place",
    "Sample",
    "Table",
    "describe",
    "find_source_and_target",
    "make_dataset",
    "make_pairs",
    "open_dataset",
]
