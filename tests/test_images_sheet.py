"""Sheets, the terminal, and what importing costs."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
import torch

from artkit.images import Picture, fold_rows, make_grid, make_strip, sheet, show
from artkit.spec import ClassSet, Kind, LabelClass

RED = (200, 0, 0)
CLASSES = ClassSet("one", (LabelClass("a", RED),))


def plain(height: int, width: int) -> Picture:
    return Picture(torch.zeros(1, 3, height, width))


def test_a_strip_holds_every_picture_at_its_size() -> None:
    red = Picture(torch.zeros(1, 48, 64, dtype=torch.int64), Kind.LABELS, CLASSES)
    strip = make_strip([[(plain(48, 64), "input"), (red, "semgan")]])
    pixels = strip.numpy().reshape(-1, 3)
    assert (pixels == RED).all(1).sum() == 48 * 64
    assert (pixels == 0).all(1).sum() == 48 * 64
    assert strip.width > 2 * 64
    assert strip.height > 48


def test_pictures_lie_in_the_middle_of_their_cells() -> None:
    """Cells are 64 x 48 with gaps of 4; labels are enlarged into theirs without new colours."""
    labels = torch.tensor([[[0, 1], [1, 0]]]).repeat_interleave(12, 1).repeat_interleave(16, 2)
    map_ = Picture(labels, Kind.LABELS, ClassSet("two", (LabelClass("a", RED), LabelClass("b", (0, 0, 200)))))
    strip = make_strip([[(plain(48, 64), ""), (plain(48, 20), "")], [(plain(12, 64), ""), (map_, "")]])
    expected = np.full((108, 140, 3), (250, 249, 246), np.uint8)
    expected[4:52, 4:68] = expected[4:52, 94:114] = expected[74:86, 4:68] = 0
    expected[56:104, 72:136] = (0, 0, 200)
    expected[56:80, 72:104] = expected[80:104, 104:136] = RED
    np.testing.assert_array_equal(strip.numpy(), expected)


def test_a_caption_stands_under_its_picture_in_a_band_that_every_row_has() -> None:
    strip = make_strip([[(plain(48, 64), "jolly"), (plain(48, 64), "")], [(plain(48, 64), ""), (plain(48, 64), "")]])
    band = (strip.height - 4) // 2 - 52
    inked = (strip.numpy() < 200).any(-1)
    for down, across in np.ndindex(2, 2):
        top, left = 4 + down * (52 + band), 4 + across * 68
        assert inked[top : top + 48, left : left + 64].all()
        inked[top : top + 48, left : left + 64] = False
    rows, columns = np.nonzero(inked)
    assert len(rows)
    assert 54 <= rows.min() < rows.max() < 54 + band
    assert 4 <= columns.min() < columns.max() < 68


def test_captions_are_drawn_and_cut_to_their_cell() -> None:
    bare = make_strip([[(plain(64, 64), "")]]).numpy()
    long = make_strip([[(plain(64, 64), "a very long caption " * 20)]]).numpy()
    assert long.shape[0] > bare.shape[0]
    assert long.shape[1] == bare.shape[1]
    right_margin = long[:, -2:]
    assert (right_margin == right_margin[0, 0]).all()


def test_a_caption_fills_its_cell_to_the_last_pixel() -> None:
    class Even:
        """A font whose letters are a pixel wide each."""

        getlength = staticmethod(len)

    assert sheet._cut("abcd", 4, Even()) == "abcd"
    assert sheet._cut("abcde", 4, Even()) == "abc…"


def test_large_pictures_are_fitted_and_rows_may_differ() -> None:
    strip = make_strip([[(plain(400, 100), "a")], [(plain(50, 100), "b"), (plain(1, 1), "c")]], cell=80)
    assert strip.width < 200
    assert strip.height < 300


def test_many_rows_are_folded_into_a_sheet() -> None:
    dreams = [[(plain(24, 32), f"seed {seed}")] for seed in range(12)]
    assert [len(row) for row in fold_rows(dreams)] == [3, 3, 3, 3]
    assert [caption for row in fold_rows(dreams) for _, caption in row] == [f"seed {seed}" for seed in range(12)]
    assert fold_rows(dreams[:2]) == dreams[:2]
    chains = [[(plain(24, 32), "a"), (plain(24, 32), "b"), (plain(24, 32), "c")]] * 9
    assert fold_rows(chains) == chains
    assert fold_rows([]) == []


def test_a_grid_is_nearly_square() -> None:
    grid = make_grid([plain(32, 32)] * 9)
    assert grid.width == grid.height
    assert make_grid([plain(32, 32)] * 3, columns=3).width > make_grid([plain(32, 32)] * 3, columns=3).height
    with pytest.raises(ValueError, match="at least one"):
        make_strip([])


def test_alpha_lets_the_paper_through() -> None:
    clear = Picture(torch.zeros(1, 3, 20, 20), alpha=torch.zeros(1, 1, 20, 20))
    assert make_grid([clear]).numpy().min() > 200


@pytest.mark.filterwarnings("ignore:Image.Image.getdata:DeprecationWarning")
def test_half_blocks_without_a_terminal() -> None:
    stream = io.StringIO()
    show(Picture(torch.tensor([200 / 255, 0, 0]).reshape(1, 3, 1, 1).expand(1, 3, 8, 8).contiguous()), stream, width=4)
    assert "▀" in stream.getvalue()
    assert "38;2;200;0;0" in stream.getvalue()


@pytest.mark.filterwarnings("ignore:Image.Image.getdata:DeprecationWarning")
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 600), (600, 1)])
def test_thin_pictures_are_shown_too(height: int, width: int) -> None:
    stream = io.StringIO()
    show(plain(height, width), stream)
    assert "▀" in stream.getvalue()


def test_importing_the_room_loads_nothing_heavy() -> None:
    code = (
        "import sys, artkit.images, artkit.images.classes, artkit.files, artkit.images.provenance, "
        "artkit.images.terminal\n"
        "print(sorted({'torch', 'numpy', 'PIL', 'rich', 'skimage', 'tifffile'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_public_name_loads() -> None:
    import artkit.images

    for name in artkit.images.__all__:
        assert getattr(artkit.images, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = artkit.images.nothing
    assert callable(artkit.images.convert)
    assert isinstance(make_grid([plain(8, 8)]).numpy(), np.ndarray)
