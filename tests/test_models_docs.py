"""The examples of docs/models.md run, and its table is the header."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import msgspec
import pytest

from artkit.cli import main
from artkit.spec import ModelHeader

PAGE = (Path(__file__).parents[1] / "docs" / "models.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_example_runs(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "docs/models.md", "exec"), {"__name__": "example"})


@pytest.mark.parametrize(
    "command", re.findall(r"^artkit .*", "".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)), re.M)
)
def test_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if ".onnx" in command:
        pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)[1:]) == 0


def test_table_names_every_key_of_the_header() -> None:
    rows = re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(rows)) == [field.name for field in msgspec.structs.fields(ModelHeader)]
