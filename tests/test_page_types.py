"""The page's modules are typed in JSDoc, and TypeScript finds no fault; they keep the house's sizes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from page_kit import PAGE

MODULES = sorted(PAGE.glob("*.js"))
TSC = os.environ.get("TSC") or next(
    (str(path) for path in [Path(sys.prefix) / "node" / "node_modules" / ".bin" / "tsc"] if path.exists()),
    shutil.which("tsc"),
)


@pytest.mark.skipif(
    not TSC, reason="THE STUDIO'S PAGE IS NOT TYPE-CHECKED: no tsc (npm install -g typescript, or TSC=)"
)
def test_typescript_finds_no_fault():
    checked = subprocess.run([TSC, "-p", PAGE], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_is_checked_and_says_what_it_is(module):
    lines = module.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "// @ts-check"
    assert lines[1].startswith("/**")
    assert len(lines) <= 250
