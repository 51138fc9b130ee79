"""Data: tables of samples, the folders they come from, and batches drawn from them."""

from __future__ import annotations

from artkit.data.batches import Batches
from artkit.data.captions import Captions, find_captions, read_captions
from artkit.data.checking import describe
from artkit.data.dataset import Column, Dataset, Sample
from artkit.data.folder import FolderDataset
from artkit.data.layouts import Place, Table
from artkit.data.layouts.clips import BEFORE, BEFORE2, NEXT
from artkit.data.needs import find_source_and_target
from artkit.data.opening import make_dataset, open_dataset

__all__ = [
    "BEFORE",
    "BEFORE2",
    "NEXT",
    "Batches",
    "Captions",
    "Column",
    "Dataset",
    "FolderDataset",
    "Place",
    "Sample",
    "Table",
    "describe",
    "find_captions",
    "find_source_and_target",
    "make_dataset",
    "open_dataset",
    "read_captions",
]
