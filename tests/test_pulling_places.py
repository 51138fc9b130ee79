"""Where downloads come from and where they lie meanwhile: mirrors, checksums, pages, limits and workshops."""

from __future__ import annotations

import logging

import pooch
import pytest

from artkit.errors import ModelError, OutputError, UsageError
from artkit.models import pulling
from artkit.models.fetching import Patience, Watcher
from artkit.models.pulling import mirrored, workshop
from artkit.plugins import Registry
from artkit.spec import ModelSpec
from test_pulling_edges import ELSEWHERE, PLAIN, RED, URL, home, said

__all__ = ["home"]


@pytest.mark.parametrize(
    ("mirror", "url"),
    [
        (None, URL),
        ("http://m.org", "http://m.org/red.pth"),
        ("https://m.org/a//", "https://m.org/a/red.pth"),
        *((wrong, None) for wrong in ("ftp://m.org", "m.org", "https://", "/folder")),
    ],
)
def test_mirrors(mirror, url):
    if url:
        assert mirrored(RED, mirror) == url
    else:
        assert said(lambda: mirrored(RED, mirror), UsageError) == (
            f"--mirror {mirror}: give the http or https address of a folder that holds the file."
        )


@pytest.mark.parametrize(
    ("digits", "told"), [("a" * 64, False), ("A" * 64, False), ("a" * 63, True), ("a" * 65, True), ("g" * 64, True)]
)
def test_checksums(digits, told):
    if told:
        assert said(lambda: pulling._checked_digits(digits), UsageError) == (
            f"--sha256 {digits}: a SHA-256 has 64 digits from 0 to f."
        )
    else:
        assert pulling._checked_digits(digits) == "a" * 64
    assert pulling._checked_digits(None) is None


@pytest.mark.parametrize(
    ("start", "page"), [(b"<html>", True), (b"\xef\xbb\xbf \r\n\t<", True), (b"x<", False), (b"", False)]
)
def test_pages_are_known_by_how_they_begin(tmp_path, start, page):
    (tmp_path / "x").write_bytes(start)
    assert pulling._is_page(tmp_path / "x") is page
    if page:
        told = said(lambda: pulling.read_download(RED, URL, tmp_path / "x", Registry(), Watcher()), ModelError)
        assert told == f"{PLAIN} gave a web page, not a model. {ELSEWHERE}"


@pytest.mark.parametrize(
    ("size", "url", "limit", "name"),
    [
        (None, "https://a.org/red.pth", 4 * 2**30, "red.pth"),
        (700, "https://a.org/red.pth", 1400, "red.pth"),
        (700, "https://a.org/x.safetensors", 1400, "red.safetensors"),
        (700, "https://a.org/safetensors", 1400, "red.pth"),
    ],
)
def test_a_download_may_be_twice_as_large_as_its_entry_says(tmp_path, monkeypatch, size, url, limit, name):
    told = []

    def retrieve(*about, downloader):
        told.append((*about, downloader.limit, downloader.partial.path))
        assert pooch.get_logger().level == logging.WARNING  # its own notes are not for whoever waits
        return tmp_path / "got"

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    spec = ModelSpec(name="red", method="paint", summary="", url=url, size=size)
    (tmp_path / name).touch()
    assert pulling.download(spec, url, "digest", tmp_path, Watcher(), Patience()) == tmp_path / "got"
    assert told == [(url, "digest", name, tmp_path, limit, tmp_path / "download.part")]
    assert not (tmp_path / name).exists()  # what an earlier pull left is not taken for the download


def test_another_checksum_is_told(tmp_path, monkeypatch):
    def retrieve(*_, **__):
        raise ValueError("SHA256 hash differs.")

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    told = said(lambda: pulling.download(RED, URL, "x", tmp_path, Watcher(), Patience()), ModelError)
    assert told == f"What came from {PLAIN} is not what was expected. SHA256 hash differs."


def test_a_workshop_is_swept_and_goes_when_it_is_empty(home):
    folder = home / "pulls" / "paint-red"
    folder.mkdir(parents=True)
    (folder / "tmpabc").touch()
    with workshop(RED) as inside:
        assert inside == folder
        assert list(folder.iterdir()) == []
    assert not folder.exists()
    with workshop(RED):
        (folder / "download.part").touch()
    assert [path.name for path in folder.iterdir()] == ["download.part"]


def test_a_workshop_that_cannot_be_made(home):
    (home / "pulls").touch()
    told = said(lambda: workshop(RED).__enter__(), OutputError)
    assert told.startswith(f"Cannot write to {home / 'pulls' / 'paint-red'}: ")
    told = said(lambda: pulling.alone(RED, Watcher()).__enter__(), OutputError)
    assert told.startswith(f"Cannot write {home / 'pulls' / 'paint-red.lock'}: ")


def test_a_download_that_is_gone_by_then_is_told_for_what_it_is(monkeypatch, tmp_path):
    def lose(file):
        file.unlink()
        raise ModelError("it is gone")

    (tmp_path / "arrived").touch()
    monkeypatch.setattr(pulling, "download", lambda *_: tmp_path / "arrived")
    monkeypatch.setattr(pulling, "digest_of_download", lose)
    assert said(lambda: pulling.pull_model(RED, Registry()), ModelError) == "it is gone"
