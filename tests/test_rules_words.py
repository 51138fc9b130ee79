"""Committed files speak of the project alone, never of the place where somebody worked on it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Written in halves, so that this file passes its own test.
PLACES = [b"../" + b"shared", b"/wo" + b"rk/"]


def test_no_committed_file_names_a_workplace():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name.decode() for name in listing.stdout.split(b"\0") if name]
    naming = [str(path) for path in files if path.is_file() and any(place in path.read_bytes() for place in PLACES)]
    assert not naming
