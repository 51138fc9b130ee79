"""Files: regular ones alone are opened, and what is written is on the disk before it has its name."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from artkit.errors import OutputError
from artkit.files import open_regular, write_atomically


def test_a_regular_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes(b"hello")
    (tmp_path / "link").symlink_to("note")
    for name in ("note", "link"):
        with open_regular(tmp_path / name) as stream:
            assert stream.read() == b"hello"
            assert stream.seek(0) == 0


def test_nothing_else_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for path in ("pipe", "/dev/zero", "socket"):
            with pytest.raises(OSError, match="it is a pipe or a device, not a file"):
                open_regular(path)
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")


def test_a_file_that_becomes_a_pipe_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    seen = os.stat(tmp_path / "file")
    monkeypatch.setattr(os, "stat", lambda path: seen)
    with pytest.raises(OSError, match="it is a pipe or a device, not a file"):
        open_regular(tmp_path / "pipe")


@pytest.fixture
def deeds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what happens to the disk, in order."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor: int) -> None:
        done.append("sync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync file")
        fsync(descriptor)

    def note_replace(part: Path, target: Path) -> None:
        done.append("rename")
        replace(part, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    return done


def test_file_then_name_then_folder_reach_the_disk(tmp_path: Path, deeds: list[str]) -> None:
    write_atomically(tmp_path / "model", b"weights")
    assert deeds == ["sync file", "rename", "sync folder"]
    assert (tmp_path / "model").read_bytes() == b"weights"


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def refuse_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(22, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    write_atomically(tmp_path / "model", b"weights")
    assert (tmp_path / "model").read_bytes() == b"weights"


def test_a_failed_sync_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="Input/output error"):
        write_atomically(tmp_path / "model", b"new", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model").read_bytes() == b"old"


def test_the_old_file_stays_whole_until_the_new_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").write_bytes(b"old")
    seen = []
    replace = os.replace

    def look(part: Path, target: Path) -> None:
        seen.append((Path(target).read_bytes(), Path(part).read_bytes()))
        replace(part, target)

    monkeypatch.setattr(os, "replace", look)
    write_atomically(tmp_path / "model", b"new", overwrite=True)
    assert seen == [(b"old", b"new")]
