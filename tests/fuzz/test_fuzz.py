"""A short fuzzing of every reader, and the fuzzing itself: what it must notice. `make fuzz` goes on for an hour."""

from __future__ import annotations

import random
from io import BytesIO

import pytest

pytest.importorskip("resource", reason="memory is bounded on Unix alone")

import fuzz_driver
import fuzz_mutation
from fuzz_targets import TARGETS
from PIL import Image

from artkit.errors import ArtkitError

CASES = 1000


def test_damaged_files_are_read_or_refused_in_a_line(tmp_path, capsys):
    count, failures = fuzz_driver.drive("fuzz_targets", [], CASES, 5, tmp_path / "kept")
    assert (count, failures) == (CASES, 0), capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("error", "ZeroDivisionError"),
        ("lines", "a refusal of 7 characters"),
        ("memory", "MemoryError"),
        ("death", "ended the process with 9"),
    ],
)
def test_faults_are_noticed_and_their_files_kept(tmp_path, capsys, target, words):
    count, failures = fuzz_driver.drive("fuzz_bad_targets", [target], 2, 1, tmp_path / "kept")
    assert (count, failures) == (2, 2)
    assert words in capsys.readouterr().out
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_slow_and_large_files_are_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz_driver, "SLOW", 0.0)
    assert "s of computing" in fuzz_driver.try_one(lambda path: sum(range(10**6)), tmp_path, OSError)
    monkeypatch.setattr(fuzz_driver, "SLOW", 1e9)
    peaks = iter((0, 2 << 30, 2 << 30))
    monkeypatch.setattr(fuzz_driver, "_peak", lambda: next(peaks))
    assert "2.1 GB of memory" in fuzz_driver.try_one(lambda path: None, tmp_path, OSError)


def test_the_same_case_is_the_same_file():
    seeds = [b"0 sky 1 2 3\n", b"1 grass"]
    first, again = ([fuzz_mutation.mutate(seeds, random.Random(n)) for n in range(50)] for _ in range(2))
    assert first == again
    assert len(set(first)) > 40


def test_repaired_pngs_are_read():
    stream = BytesIO()
    Image.new("RGB", (4, 3)).save(stream, "PNG")
    data = stream.getvalue()
    broken = data[:29] + b"\0\0\0\0" + data[33:]
    assert fuzz_mutation.repair_png(broken) == data


FOUND = {
    "recipe": (b'[[steps]]\nmethod = "p' + b"{" * 30_000 + b'"\n', r"'p\{+\.\.\. is not a name"),
    "classes": (b"0 " + b'{"a":' * 30_000 + b" 300 0 0\n", r"line 1: class '[^']{57}\.\.\.' has a colour outside"),
    "chain": (b"pix-\r\nr", r"^The chain cannot be read at column 1 of line 1: pix- r is no step; .*\n.*\n *\^$"),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_a_stranger_wrote_is_quoted_in_a_few_words_of_one_line(name, tmp_path):
    """An hour of `make fuzz` found these: refusals of 30,000 and of 150,000 characters, and one of a line too many."""
    data, wanted = FOUND[name]
    target = TARGETS[name]
    path = tmp_path / f"case.{target.suffix}"
    path.write_bytes(data)
    with pytest.raises(ArtkitError, match=wanted) as refused:
        target.read(path)
    assert len(str(refused.value)) < 400 + len(str(path))
    assert str(refused.value).count("\n") < target.lines
