"""The page on the studio is true: every curl command on it runs, and its tables are complete."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import artkit
from artkit.cli.studio import studio as command
from artkit.studio.limits import LIMITS, MAX_PIXELS
from artkit.studio.making import FIELDS
from artkit.studio.routes import ENDPOINTS
from artkit.studio.serving import PORT
from studio_kit import open_studio

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "studio.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here: apt-get install curl")
def test_every_command_runs(tmp_path):
    map_of = artkit.read_picture(ROOT / "examples" / "semantic.png").tensor[:, :, ::4, ::4]
    artkit.read_picture(map_of).save(tmp_path / "semantic.png")
    for seed, name in enumerate(("photo.jpg", "monet.jpg")):
        noise = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), np.uint8)
        artkit.read_picture(noise).save(tmp_path / name)
    with open_studio() as visitor:
        for block in BLOCKS:
            script = block.replace("python examples/", f"{shlex.quote(sys.executable)} {ROOT}/examples/")
            script = script.replace(f"http://127.0.0.1:{PORT}", str(visitor.base_url).rstrip("/"))
            done = subprocess.run(["sh", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (block, done.stdout, done.stderr)
    for name in ("art.png", "styled.png", "dream.png", "map.png", "scene.png"):
        assert artkit.read_picture(tmp_path / name).width > 1
    assert artkit.Chain.from_recipe(tmp_path / "recipe.toml") == artkit.Chain("pix2pix")


def test_there_are_commands():
    assert sum(block.count("curl") for block in BLOCKS) >= 14


def test_fields_and_options_are_all_told():
    told = set(re.findall(r"^\| `(\w+)", PAGE, flags=re.MULTILINE))
    assert told >= FIELDS
    for option in [option for option in command.params if option.name != "verbose"]:  # which every command has
        assert any(name in PAGE for name in (*option.opts, *option.secondary_opts)), option.name
    for endpoint in ENDPOINTS:
        if endpoint.path.startswith("/api/"):
            assert endpoint.path.rpartition("/")[2].replace("{id}", "ID").replace("{name}", "examples") in PAGE


def test_limits_are_those_that_are_told():
    assert f"{LIMITS.waiting_each} pictures of one client" in PAGE
    assert f"{LIMITS.waiting} in all" in PAGE
    assert f"{LIMITS.upload // 2**20} MiB" in PAGE
    assert f"{MAX_PIXELS // 10**6} million" in PAGE
    assert (LIMITS.job_seconds, LIMITS.kept_seconds) == (600, 3600)
