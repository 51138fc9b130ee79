"""Bookmarks: what is written is read, damage starts anew, and writing never takes long."""

from __future__ import annotations

import os

import pytest
import torch

from artkit.engine.bookmarks import FileBookmark, fingerprint, forget


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path))
    return tmp_path / "unfinished"


STATE = {"pass": 3, "picture": torch.rand(3, 4, 5), "optimiser": {"state": [torch.zeros(2), {"step": 1.5}]}}


def test_what_is_written_is_read_by_the_next_process(home):
    FileBookmark(lambda: "x").write(lambda: STATE)
    found = FileBookmark(lambda: "x").read()
    assert torch.equal(found["picture"], STATE["picture"])
    assert found["optimiser"]["state"][1] == {"step": 1.5}
    assert FileBookmark(lambda: "y").read() is None
    assert [path.name for path in home.iterdir()] == ["x.pt"]


def test_removing_leaves_nothing_and_may_be_done_twice(home):
    bookmark = FileBookmark(lambda: "x")
    bookmark.remove()
    bookmark.write(lambda: STATE)
    bookmark.remove()
    bookmark.remove()
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"nonsense", "cut"])
def test_a_damaged_bookmark_starts_anew(home, damage):
    FileBookmark(lambda: "x").write(lambda: STATE)
    path = home / "x.pt"
    path.write_bytes(path.read_bytes()[:300] if damage == "cut" else damage)
    assert FileBookmark(lambda: "x").read() is None
    assert not path.exists()


def test_a_bookmark_runs_no_code(home):
    home.mkdir()
    torch.save({"pass": print}, home / "x.pt")
    assert FileBookmark(lambda: "x").read() is None


def test_writing_takes_a_small_part_of_the_time():
    now, written = [0.0], []

    def state():
        written.append(now[0])
        now[0] += 2.0
        return {}

    bookmark = FileBookmark(lambda: "x", clock=lambda: now[0])
    while now[0] < 200:
        bookmark.write(state)
        now[0] += 1.0
    assert len(written) == 5


def test_a_folder_that_cannot_be_written_stops_nobody(home):
    home.parent.joinpath("unfinished").write_text("a file")
    FileBookmark(lambda: "x").write(lambda: STATE)


def test_a_bookmark_that_cannot_be_replaced_stops_nobody(home):
    (home / "x.pt" / "in the way").mkdir(parents=True)
    FileBookmark(lambda: "x").write(lambda: STATE)
    assert (home / "x.pt" / "in the way").exists()


def test_old_bookmarks_go(home):
    home.mkdir()
    thirty_days = 30 * 24 * 60 * 60
    for name, age in (("old", thirty_days + 10), ("new", thirty_days - 10)):
        (home / name).touch()
        os.utime(home / name, (10**9 - age,) * 2)
    forget(home, now=lambda: 10**9)
    assert [path.name for path in home.iterdir()] == ["new"]


def test_fingerprints_tell_parts_apart():
    one = torch.zeros(2, 3)
    parts = [(one,), (one.T,), (one.double(),), (one + 1,), (one, None), ("a", "b"), ("ab",), (("a", "b"),)]
    assert len({fingerprint(part) for part in parts}) == len(parts)
    assert fingerprint((1, 23)) != fingerprint((12, 3))
    assert fingerprint((one, "a")) == fingerprint((one.clone(), "a"))
