"""The page on chains: its examples work as written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from artkit.chain import Chain, read_recipe

PAGE = (Path(__file__).parents[1] / "docs" / "chains.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", blocks("chain"))
def test_chain_is_read(text: str) -> None:
    assert Chain(str(Chain(text))) == Chain(text)


@pytest.mark.parametrize("text", blocks("toml"))
def test_recipe_is_read(text: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    assert str(read_recipe(path).chain).startswith("semgan,")


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code: str) -> None:
    exec(code, {})


def test_values_mean_what_the_table_says() -> None:
    written = re.findall(r"^\| (`.*`) \| (?!Means)", PAGE, flags=re.MULTILINE)
    values = [value for cell in written for value in re.findall(r"`(.+?)`", cell)]
    assert len(values) >= 10
    for value in values:
        assert Chain(f"m(x={value})")[0].options["x"] != value or value == "landscape"
