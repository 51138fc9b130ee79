"""The thumbnail below the progress bar: what it shows, and how seldom."""

from __future__ import annotations

import io

import numpy as np
from rich.console import Console, Group

from artkit.cli import progress as progress_module
from artkit.cli.progress import COLUMNS, ROWS, Thumbnail, progress
from artkit.engine.step import ProgressEvent
from artkit.images import read_picture
from artkit.images.terminal import half_blocks


def picture(height: int, width: int):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2] = (255, 0, 0)
    return read_picture(pixels)


def test_a_character_shows_two_pixels():
    text = half_blocks(picture(2, 3), 40, 20)
    assert text.plain == "▀▀▀\n"
    assert text.spans[0].style.color.triplet == (255, 0, 0)
    assert text.spans[0].style.bgcolor.triplet == (0, 0, 0)


def test_a_narrower_terminal_cuts_lines_off_and_breaks_none():
    stream = io.StringIO()
    Console(file=stream, width=5).print(Group(half_blocks(picture(4, 8), 40, 20)))
    assert stream.getvalue().split() == ["▀" * 5] * 2


def test_any_picture_fits():
    for size in ((1, 1), (1, 4000), (4000, 1), (900, 1200)):
        lines = half_blocks(picture(*size), COLUMNS, ROWS).plain.splitlines()
        assert 1 <= len(lines) <= ROWS
        assert 1 <= max(map(len, lines)) <= COLUMNS


def test_drawing_takes_a_small_part_of_the_time():
    now, drawn = [0.0], []

    def slow():
        drawn.append(now[0])
        now[0] += 2.0
        return picture(4, 4)

    thumbnail = Thumbnail(clock=lambda: now[0])
    while now[0] < 200:
        thumbnail.draw(slow)
        now[0] += 1.0
    assert len(drawn) == 5


def test_few_colours_show_nothing():
    thumbnail = Thumbnail(shown=False)
    thumbnail.draw(lambda: picture(4, 4))
    assert thumbnail.text is None


def test_it_is_drawn_below_the_bar(monkeypatch):
    stream = io.StringIO()
    terminal = Console(file=stream, force_terminal=True, color_system="truecolor", width=80)
    monkeypatch.setattr("rich.console.Console", lambda **_: terminal)
    monkeypatch.setattr(progress_module, "on_terminal", lambda: True)
    with progress("nst") as bar:
        bar.within(ProgressEvent(0, "nst", 0.5, lambda: picture(4, 4)))
    written = stream.getvalue()
    assert written.index("nst 50%") < written.rindex("▀")
    assert "38;2;255;0;0" in written
