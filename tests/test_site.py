"""The site of docs/ builds without a warning, and has every method and every public name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from artkit.plugins import load_registry

pytest.importorskip("sphinx", reason="THE SITE IS NOT BUILT: pip install -c constraints.txt '.[docs]'")
ROOT = Path(__file__).parents[1]
NAMES = [line for line in (ROOT / "docs/public_names.txt").read_text().splitlines() if line.startswith("artkit")]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site from a copy of the pages, as `make docs` does."""
    work = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", work / "docs", ignore=shutil.ignore_patterns("reference"))
    shutil.copytree(ROOT / "examples", work / "examples", ignore=shutil.ignore_patterns("*.safetensors", "plugin-*"))
    flags = ["--fail-on-warning", "--keep-going", "--quiet", "--builder", "html"]
    command = [sys.executable, "-m", "sphinx", *flags, "docs", "site"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return work / "site"


def test_every_method_has_a_section(site):
    page = (site / "reference" / "methods.html").read_text()
    for spec in load_registry().methods.values():
        assert f"<h2>{spec.name}<" in page
        assert spec.summary in unescape(page)


def test_every_public_name_has_a_section(site):
    for name in NAMES:
        module, _, last = name.rpartition(".")
        assert f'<span class="pre">{last}</span></code><a' in (site / "reference" / f"{module}.html").read_text(), name


def test_every_page_is_reached_from_the_first(site):
    first = (site / "index.html").read_text()
    for page in sorted((ROOT / "docs").rglob("*.md")):
        name = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        if name != "index.html" and not name.startswith("reference/"):
            assert f'href="{name}"' in first, name
