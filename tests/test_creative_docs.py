"""The commands of docs/creative.md run as written, on small photos, and the recipe does what it says."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import torch

import artkit
from artkit.chain import plan_chain, read_recipe
from artkit.cli import main
from artkit.images import read_picture
from artkit.plugins import current_registry, use_registry

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "creative.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S) for line in block.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with photos in which the page's commands have run, one after another."""
    folder = tmp_path_factory.mktemp("creative")
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / "photos").mkdir()
    for index, name in enumerate(("photo.png", "photos/a.png", "photos/b.png")):
        noise = torch.rand(3, 40, 60, generator=torch.Generator().manual_seed(index))
        artkit.read_picture(noise).save(folder / name)
    installed = current_registry()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in COMMANDS:
            words = shlex.split(command)
            assert words[0] == "artkit"
            assert main(words[1:]) == 0, command
    use_registry(installed)
    return folder


def test_every_command_writes_what_it_names(folder):
    assert read_picture(folder / "art.png").size == (40, 60)
    assert len(list((folder / "several").iterdir())) == 2
    assert read_picture(folder / "strip.jpg").width > 3 * 512


def test_the_dream_is_enlarged_from_256_to_512(folder):
    kept = {path.name: read_picture(path).size for path in (folder / "steps").iterdir()}
    on_the_way = re.compile(r"art\.1-nst\.\d+\.png")  # as many as there was time for
    assert {name: size for name, size in kept.items() if not on_the_way.fullmatch(name)} == {
        "art.1-nst.style.1-can.png": (256, 256),
        "art.1-nst.style.2-superres.png": (512, 512),
        "art.1-nst.png": (40, 60),
    }


def test_a_style_of_its_own_makes_another_painting(folder):
    for name in ("a.png", "b.png"):
        shared, own = (read_picture(folder / which / name).tensor for which in ("shared", "own"))
        assert float((shared - own).abs().mean()) > 0.02


def test_the_recipe_starts_from_noise_and_compares_gram_matrices():
    chain = read_recipe(ROOT / "examples" / "creative.toml").chain
    (step,) = plan_chain(chain, current_registry(), has_input=True).steps
    assert (step.options.start, step.options.loss, step.options.optimiser) == ("noise", "gram", "lbfgs")
