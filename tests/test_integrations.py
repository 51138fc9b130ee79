"""The packages of examples/integrations: their wheels, unpacked beside artkit, pass their own tests."""

from __future__ import annotations

import importlib.util
import re

import pytest

from author_kit import ROOT, build_wheel, install_artkit, run_python, unpack

PROJECTS = {"artkit-spandrel": "spandrel", "artkit-diffusers": "diffusers", "artkit-comfyui": None}
"""The package that each is tested with, where it needs one: ComfyUI is none."""


@pytest.mark.parametrize("project", PROJECTS)
def test_its_own_tests_pass_where_it_is_installed(project, tmp_path):
    needed = PROJECTS[project]
    if needed and importlib.util.find_spec(needed) is None:
        pytest.skip(f"{project} is tested where {needed} is: pip install {needed}")
    folder = ROOT / "examples" / "integrations" / project
    site = tmp_path / "site"
    unpack(build_wheel(folder, tmp_path / "dist"), site)
    install_artkit(site)
    (tmp_path / "tests").symlink_to(folder / "tests")
    done = run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", site=site, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d+ passed(, \d+ warnings?)? in ", done.stdout, re.MULTILINE), done.stdout  # none skipped
