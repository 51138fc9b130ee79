"""`artkit run --skip-existing`, and what counts as the same picture; sizes given as one number."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from artkit.images import read_picture, read_provenance, write_picture
from cli_kit import open_shell, pixels_of

shell = pytest.fixture(open_shell)
RUN = ("run", "in", "--chain", "fade", "--seed", "1", "--size", "20", "-o", "out", "--skip-existing")


@pytest.fixture
def made(shell):
    """A shell beside a folder of two pictures that a run has been over, and a third that came later."""
    for name, level in (("a", 200), ("b", 100)):
        shell.paint(f"in/{name}.png", level)
    assert shell(*RUN).lines() == ["out/a.png", "out/b.png"]
    shell.paint("in/c.png", 50)
    return shell


def test_what_is_there_is_left_out(made):
    before = Path("out/a.png").stat().st_mtime_ns
    outcome = made(*RUN)
    assert (outcome.code, outcome.lines()) == (0, ["out/c.png"])
    assert outcome.err == "artkit: 2 of 3 are there already.\n"
    assert Path("out/a.png").stat().st_mtime_ns == before
    nothing = made(*RUN)
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "artkit: 3 of 3 are there already.\n")


def test_dry_run_says_what_is_left(made):
    outcome = made(*RUN, "--dry-run")
    assert outcome.lines()[-1] == "in/c.png -> out/c.png"
    assert "in/a.png" not in outcome.out


def test_all_there_as_json(made):
    made(*RUN)
    assert json.loads(made(*RUN, "--json").out)["results"] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("--chain", "invert"), "was made by fade, not by invert"),
        (("--seed", "2"), "was made under seed 1, not 2"),
        (("--size", "10"), "has another size"),
        (("--size", "16x16"), "has another size"),
    ],
)
def test_a_picture_made_otherwise_is_refused(made, change, words):
    outcome = made(*RUN, *change)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == (
        f"artkit: out/a.png exists already and {words} (1 more differ, too). "
        "Add --overwrite, or name another place with -o.\n"
    )
    assert not Path("out/c.png").exists()
    assert made(*RUN, *change, "--overwrite").lines() == ["out/a.png", "out/b.png", "out/c.png"]


def test_another_input_of_the_same_name_is_refused(made):
    made.paint("in/a.png", 7)
    assert "out/a.png exists already and was made from another input." in made(*RUN).err
    again = made(*RUN, "--overwrite")
    assert again.lines() == ["out/a.png", "out/c.png"]
    assert pixels_of("out/a.png")[5, 5, 0] in (3, 4)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"models": {"fade/default": "0" * 12}}, "was made with other models"),
        ({"stopped_at": 0.5}, "was stopped before it was done"),
        ({"port_hashes": ["0" * 64]}, "was made with other files for its ports"),
        (None, "was not made by artkit"),
    ],
)
def test_the_record_decides(made, record, words):
    whole = read_provenance("out/a.png")
    picture = read_picture("out/a.png")
    write_picture(picture, "out/a.png", overwrite=True, provenance=record and whole | record)
    if record is None:
        Image.open("out/a.png").convert("L").save("out/a.png")
    assert f"out/a.png exists already and {words}." in made(*RUN).err


def test_another_file_of_the_same_name_for_a_port_is_refused(shell):
    shell.paint("in/a.png", 200)
    shell.paint("style.png", 100)
    for run in (
        ("run", "in", "--chain", "mix", "-i", "style=style.png", "-o", "out", "--skip-existing"),
        ("run", "in", "--chain", "mix(style='style.png')", "-o", "text", "--skip-existing"),
    ):
        shell.paint("style.png", 100)
        assert len(shell(*run).lines()) == 1
        assert "1 of 1 are there" in shell(*run).err
        shell.paint("style.png", 50)
        assert "was made with other files for its ports." in shell(*run).err


def test_formats_without_a_record_are_there_when_they_are(shell):
    shell.paint("in/a.jpg")
    assert shell(*RUN).lines() == ["out/a.jpg"]
    assert shell(*RUN).out == ""
    shell.paint("out/a.jpg", 9)
    assert shell(*RUN, "--chain", "invert").out == ""


def test_models_are_compared_by_their_hash(shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "semgan")
    dream = ("run", "--chain", "semgan", "--size", "16", "-n", "2", "-o", "d", "--skip-existing")
    assert len(shell(*dream).lines()) == 2
    assert shell(*dream).err == "artkit: 2 of 2 are there already.\n"


@pytest.mark.parametrize(
    ("size", "written"), [("10", (10, 6)), ("40", (40, 24)), ("10x10", (10, 10))], ids=lambda value: str(value)
)
def test_one_number_is_the_longest_side(shell, size, written):
    shell.paint("a.png", size=(20, 12))
    assert shell("run", "a.png", "--chain", "invert", "--size", size, "-o", "b.png").code == 0
    assert pixels_of("b.png").shape[1::-1] == written
    assert read_provenance("b.png")["size"] == list(written)
    assert shell("run", "--recipe", "b.png", "-o", "again.png").code == 0
    assert Path("again.png").read_bytes() == Path("b.png").read_bytes()


def test_one_number_keeps_tall_pictures_tall_and_dreams_wide(shell):
    shell.paint("a.png", size=(12, 20))
    shell("run", "a.png", "--chain", "invert", "--size", "10", "-o", "b.png")
    assert pixels_of("b.png").shape == (10, 6, 3)
    shell("run", "--chain", "dream", "--size", "40", "-o", "d.png")
    assert pixels_of("d.png").shape == (30, 40, 3)
    shell.paint("line.png", size=(400, 1))
    shell("run", "line.png", "--chain", "invert", "--size", "10", "-o", "l.png")
    assert pixels_of("l.png").shape == (1, 10, 3)
