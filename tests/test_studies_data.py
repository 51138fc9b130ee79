"""The data of studies: made once and whole, with columns that chains make."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from PIL import Image

import artkit
from artkit.data import open_dataset
from artkit.errors import UsageError
from artkit.studies import data
from artkit.studies.data import make_all_data
from artkit.studies.protocol import Data, Made, Study

STUDY = Study("Edges", "claim", "against", "pix2pix", "more", arms={}, scores=(), questions=())
WITH_EDGES = Data(
    "landscapes", {"count": 11, "size": [24, 16]}, {"edge-lines": Made("photo", "edges(sigma=0.5),blur(sigma=1)")}
)


SPLITS = {"train": [*range(9), 10], "val": [9]}


def of(**made):
    return msgspec.structs.replace(STUDY, data=made)


def test_data_that_were_not_finished_are_made_anew(tmp_path, monkeypatch):
    def make(name, folder, options):
        folder.mkdir(parents=True)
        (folder / name).write_text(str(options))

    left = tmp_path / "data" / ".more.part" / "half"
    left.parent.mkdir(parents=True)
    left.write_text("")
    monkeypatch.setattr(data, "make_dataset", make)
    notes = []
    make_all_data(of(more=Data("some", {"count": 3})), tmp_path, notes.append)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["more"]
    assert (tmp_path / "data" / "more" / "some").read_text() == "{'count': 3}"
    assert not (tmp_path / "data" / "more" / "half").exists()
    make_all_data(of(more=Data("some"), new=Data("some")), tmp_path, notes.append)  # of the new, nothing was begun
    assert (tmp_path / "data" / "new" / "some").is_file()
    assert (tmp_path / "data" / "more" / "some").read_text() == "{'count': 3}"
    assert notes == ["data more", "data new"]


def test_a_chain_makes_a_column_of_every_split(tmp_path):
    make_all_data(of(more=WITH_EDGES), tmp_path, print)
    folder = tmp_path / "data" / "more"
    names = {split: [f"{index:05d}.png" for index in indices] for split, indices in SPLITS.items()}
    for split, files in names.items():
        assert sorted(path.name for path in (folder / split / "edge-lines").iterdir()) == files
        for file in files:
            drawn = artkit.Chain("edges(sigma=0.5),blur(sigma=1)")(folder / split / "photo" / file)
            stored = np.asarray(Image.open(folder / split / "edge-lines" / file).convert("RGB"))
            assert np.array_equal(stored, np.asarray(drawn.to_pil().convert("RGB")))
    pictures = open_dataset(str(folder), "train")
    assert pictures.load(0, ["edge-lines"])["edge-lines"].shape == (3, 16, 24)


@pytest.mark.parametrize("columns", [{"edges": Made("foto", "edges")}, {"photo": Made("painting", "edges")}])
def test_a_column_that_cannot_be_made_is_named(columns, tmp_path):
    with pytest.raises(UsageError) as error:
        make_all_data(of(more=msgspec.structs.replace(WITH_EDGES, columns=columns)), tmp_path, print)
    ((name, made),) = columns.items()
    told = f"the column '{name}' cannot be made of '{made.of}': the data have label, painting, photo."
    assert str(error.value) == told
    assert not (tmp_path / "data" / "more").exists()
