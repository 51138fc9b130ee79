"""README and docs are true: every command and every Python block in them runs, every link leads somewhere."""

from __future__ import annotations

import re
import runpy
import shlex
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artkit.cli import main
from artkit.models import read_header
from artkit.plugins import current_registry, resolve, use_registry
from artkit.training.run import split_values
from clip_kit import make_clip

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
RUN = {
    "README.md",
    "a-film.md",
    "can.md",
    "cli.md",
    "clusters.md",
    "cyclegan.md",
    "data.md",
    "filters.md",
    "following.md",
    "funit.md",
    "igan.md",
    "map-to-painting.md",
    "nextframe.md",
    "same-bits.md",
    "semgan.md",
    "spade.md",
    "stackgan.md",
    "studies.md",
    "trainers.md",
    "training.md",
    "video.md",
    "your-painter.md",
}
"""Pages whose blocks are run here, in order; the others' are run by their own tests."""


@pytest.mark.parametrize("page", [page for page in PAGES if page.name in RUN], ids=lambda page: page.name)
def test_every_block_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    if page.name != "README.md":  # a reader of the README has what is there, no more
        shutil.copy(ROOT / "examples" / "semantic.png", tmp_path)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)).save(tmp_path / "photo.jpg")
    make_clip(tmp_path / "clip.gif", 2)
    installed = current_registry()
    try:
        for language, file, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            if file:
                Path(file).write_text(text)
            elif language == "python":
                Path("block.py").write_text(text)
                runpy.run_path("block.py", run_name="__main__")
            elif language == "sh":
                run_commands(text)
            use_registry(installed)
    finally:
        use_registry(installed)


def run_commands(text: str) -> None:
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        assert words[0] == "artkit", line
        assert main(words[1:]) == 0, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


def test_the_tutorial_tells_each_class_and_its_colour():
    classes = read_header(ROOT / "plugins" / "artkit_pix2pix" / "weights" / "landscape.safetensors").classes
    page = (ROOT / "docs" / "map-to-painting.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"(\w+) \| `(#[0-9a-f]{6})`", page))
    assert told == {item.name: "#{:02x}{:02x}{:02x}".format(*item.colour) for item in classes.classes}


def test_the_settings_table_is_complete():
    from artkit.spec import describe_options
    from artkit.training.trainer import Settings

    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    for row in describe_options(Settings):
        default = str(row.default).lower()
        line = f"| `{row.name}` | {default} | {row.summary}".replace("|  |", "| |")
        assert line in page, line


@pytest.mark.parametrize("recipe", sorted((ROOT / "examples" / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_recipes_hold_values_that_training_takes(recipe):
    values = tomllib.loads(recipe.read_text(encoding="utf-8"))
    spec = current_registry().method(values.pop("method"))
    assert values.pop("data")
    split_values(spec, resolve(spec.trainer, spec.name), values)
