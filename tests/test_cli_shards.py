"""`artkit run --shard I/N`: who makes which picture, and that all of them together make what one run makes."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from artkit.cli.sharding import Shard
from artkit.images import read_provenance
from cli_kit import open_shell
from clip_kit import make_clip
from plugin_kit import write_plugin
from test_ports_previous import PLUGIN

shell = pytest.fixture(open_shell)
SHARDS = [Shard(index, 4) for index in range(1, 5)]


def home(name: str, count: int = 4, step: int = 0) -> int:
    """Return the one shard that takes a picture."""
    (found,) = [index for index in range(1, count + 1) if Shard(index, count).takes(name, step)]
    return found


@given(st.text(), st.integers(1, 40), st.integers(0, 1000))
def test_every_name_is_in_one_shard(name, count, step):
    assert 1 <= home(name, count, step) <= count


def test_a_picture_stays_in_its_shard_for_ever():
    """Worked out by `printf NAME | sha256sum`: another version of artkit goes on with what this one began."""
    known = {"a.png": 0x7F071235805FBF58, "sub/b.png": 0x75E5A71E997DF603, "ä.png": 0x278A578354EEFCFD}
    for name, digits in known.items():
        assert home(name, 7) == digits % 7 + 1
        assert home(name, 7, 5) == (digits + 5) % 7 + 1


def test_shards_are_of_about_one_size():
    counts = [sum(shard.takes(f"photos/{index}.jpg") for index in range(4000)) for shard in SHARDS]
    assert min(counts) > 900
    assert sum(counts) == 4000


def results(plan: list[str]) -> list[str]:
    """Return the lines of a plan that tell of results, which follow those of the steps."""
    return [line for line in plan if line.startswith(("in/", "seed ", "a.png"))]


def planned(shell, *arguments) -> list[list[str]]:
    """Return what each of four shards would do, line by line."""
    return [results(shell(*arguments, "--shard", str(shard), "--dry-run").lines()) for shard in SHARDS]


def test_files_that_come_later_move_none(shell):
    for index in range(12):
        shell.paint(f"in/sub{index % 3}/{index}.png")
    run = ("run", "in", "--chain", "fade", "-o", "out")
    before = planned(shell, *run)
    whole = results(shell(*run, "--dry-run").lines())
    assert sorted(chain(*before)) == sorted(whole)
    assert all(before)
    for name in ("in/0.png", "in/sub0/00.png", "in/zz/1.png"):
        shell.paint(name)
    after = planned(shell, *run)
    assert sum(map(len, after)) == 15
    assert all(set(old) <= set(new) for old, new in zip(before, after, strict=True))


def test_dreams_and_variations_take_turns(shell):
    dreams = planned(shell, "run", "--chain", "dream", "-n", "9", "--seed", "3", "-o", "d/")
    assert dreams[1] == ["seed 4 -> d/dream-4.png", "seed 8 -> d/dream-8.png"]
    assert sorted(map(len, dreams)) == [2, 2, 2, 3]
    assert sorted(chain(*dreams)) == sorted(f"seed {seed} -> d/dream-{seed}.png" for seed in range(3, 12))
    shell.paint("a.png")
    assert sorted(map(len, planned(shell, "run", "a.png", "--chain", "dream", "-n", "9", "-o", "d/"))) == [2, 2, 2, 3]


def test_sentences_by_what_their_pictures_are_called(shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "stackgan")
    names = [f"{index}.png" for index in range(9)]
    Path("told.tsv").write_text("file\tcaption\n" + "".join(f"{name}\ta lake at noon\n" for name in names))
    for shard in SHARDS:
        run = ("run", "told.tsv", "--chain", "stackgan", "-o", "out/", "-n", "2", "--dry-run", "--shard", str(shard))
        mine = [Path(name).stem for name in names if shard.takes(Path(name).stem)]
        outcome = shell(*run)
        wanted = [f"seed {seed} -> out/{name}/stackgan-{seed}.png" for name in mine for seed in (0, 1)]
        assert results(outcome.lines()) == wanted
        assert outcome.err == f"artkit: shard {shard} has {len(mine)} of 9 sentences.\n"


def test_all_shards_together_make_what_one_run_makes(shell):
    for index in range(8):
        shell.paint(f"in/{index}.png", 20 * index)
    run = ("run", "in", "--chain", "fade", "--seed", "4", "-n", "2", "-o")
    made = [line for shard in SHARDS for line in shell(*run, "out", "--shard", str(shard)).lines()]
    assert len(set(made)) == len(made) == 16
    assert len(shell(*run, "whole").lines()) == 16
    for path in Path("whole").iterdir():
        assert (Path("out") / path.name).read_bytes() == path.read_bytes()


def test_a_shard_says_what_it_has_and_goes_on(shell):
    names = [f"{index}.png" for index in range(16)]
    for name in names:
        shell.paint(f"in/{name}")
    run = ("run", "in", "--chain", "fade", "-o", "out", "--shard", "2/4", "--skip-existing")
    mine = [f"out/{name}" for name in names if home(Path(name).stem) == 2]
    assert len(mine) > 1
    outcome = shell(*run)
    assert (outcome.code, outcome.lines()) == (0, mine)
    assert outcome.err == f"artkit: shard 2/4 has {len(mine)} of the pictures.\n"
    Path(mine[0]).unlink()
    again = shell(*run)
    assert again.lines() == mine[:1]
    assert f"{len(mine) - 1} of {len(mine)} are there already." in again.err
    assert shell(*run).out == ""


def test_a_shard_without_pictures_is_done(shell):
    shell.paint("in/a.png")
    empty = next(shard for shard in SHARDS if not shard.takes("a"))
    outcome = shell("run", "in", "--chain", "fade", "-o", "out", "--shard", str(empty))
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == f"artkit: shard {empty} has 0 of the pictures.\n"


@pytest.mark.parametrize("count", ["1", "2"])
def test_what_would_become_one_file_is_in_one_shard_which_refuses_it(shell, count):
    """Else two shards would write the file, each as if it were alone."""
    for name in ("a.png", "a.bmp", "b.png", "c.png"):
        shell.paint(f"in/{name}")
    runs = [shell("run", "in", "--chain", "fade", "-o", "out", "-n", count, "--shard", str(shard)) for shard in SHARDS]
    refused = [run for run in runs if run.code == 2]
    assert len(refused) == (1 if count == "1" else 4)
    assert all("would both become out/a" in run.err for run in refused)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0/4", "there is no shard 0/4: parts are counted from 1"),
        ("5/4", "there is no shard 5/4"),
        ("1/0", "there is no shard 1/0"),
        ("1/2000000", "there is no shard 1/2000000"),
        ("3", "'3' is no shard; write the part and how many there are, as in 3/16."),
        ("-1/4", "'-1/4' is no shard"),
        ("1/4/2", "'1/4/2' is no shard"),
        ("٣/٤", "is no shard"),
    ],
)
def test_what_is_no_shard_is_refused(shell, text, words):
    shell.paint("a.png")
    outcome = shell("run", "a.png", "--chain", "fade", "--shard", text)
    assert outcome.code == 2
    assert words in outcome.err


def test_every_shard_writes_to_the_folder(shell):
    shell.paint("a.png")
    outcome = shell("run", "a.png", "--chain", "fade", "--shard", "1/1")
    assert outcome.code == 2
    assert "--shard need a folder to write to (1 picture): -o FOLDER/" in outcome.err
    assert shell("run", "a.png", "--chain", "fade", "--shard", "1/1", "-o", "out").lines() == ["out/a.png"]
    Path("empty").mkdir()
    assert "has no pictures in it" in shell("run", "empty", "--chain", "fade", "-o", "o", "--shard", "1/9").err


def test_what_is_made_in_one_piece_is_refused(shell):
    make_clip(Path("clip.gif"), 2)
    outcome = shell("run", "clip.gif", "--chain", "fade", "-o", "b.gif", "--shard", "1/4")
    assert outcome.code == 2
    assert "--shard shares out pictures, and a clip is made in one piece" in outcome.err
    shell.paint("a.png")
    outcome = shell("run", "a.png", "--chain", "fade", "-o", "o/", "--strip", "s.png", "--shard", "1/4")
    assert outcome.code == 2
    assert "--strip is one sheet" in outcome.err


def test_pictures_of_other_shards_are_looked_back_at(shell, monkeypatch):
    """A picture whose chain looks at the one before it sees that, whoever makes it."""
    plugin = write_plugin(shell.folder / "previous_plugin.py", PLUGIN, monkeypatch)
    for index in range(6):
        shell.paint(f"in/{index}.png", 40 * index)
    run = ("run", "in", "--plugin", plugin, "--chain", "before", "-o")
    assert shell(*run, "whole").code == 0
    for shard in SHARDS:
        assert shell(*run, "out", "--shard", str(shard)).code == 0
    for path in Path("whole").iterdir():
        other = Path("out") / path.name
        assert other.read_bytes() == path.read_bytes()
        assert (read_provenance(other) or {}).get("before") == (read_provenance(path) or {}).get("before")
