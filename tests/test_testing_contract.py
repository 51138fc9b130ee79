"""The contract kit: a sound method passes, and each broken promise is named."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pytest

from artkit.errors import ChainError
from artkit.spec import Kind, MethodSpec, Options, Port, SizeRule, option
from artkit.testing import check_spec, spec_faults

ROOT = '"""A method that darkens."""\n'
TRANSLATOR = """
from artkit.translator import Translator

class Darken(Translator):
    def translate(self, context, *, image, mask):
        return image * mask
"""
TRAINER = """
from artkit.training import Trainer

class DarkenTrainer(Trainer):
    def training_step(self, batch): ...
    def preview(self, batch): ...
    def export(self): ...
"""


class DarkenOptions(Options):
    """Options of the method under test."""

    amount: Annotated[float, option("how dark", ge=0, le=1)] = 0.5


SPEC = MethodSpec(
    name="darken",
    summary="Darkens a picture.",
    inputs=(Port("image", Kind.IMAGE, "what to darken"), Port("mask", Kind.MASK, "where", required=False)),
    output=Kind.IMAGE,
    options=DarkenOptions,
    translator="darken_plugin.translator:Darken",
    trainer="darken_plugin.trainer:DarkenTrainer",
    training_options=DarkenOptions,
)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that writes the plugin's package, with other sources where given."""

    def write_package(root: str = ROOT, translator: str = TRANSLATOR, trainer: str = TRAINER) -> None:
        package = tmp_path / "darken_plugin"
        package.mkdir()
        for name, source in (("__init__", root), ("translator", translator), ("trainer", trainer)):
            (package / f"{name}.py").write_text(source)

    monkeypatch.syspath_prepend(tmp_path)
    yield write_package
    for name in [name for name in sys.modules if name.partition(".")[0] == "darken_plugin"]:
        del sys.modules[name]


def test_a_sound_method_passes(write: Callable[..., None]) -> None:
    write()
    assert spec_faults(SPEC) == []
    check_spec(SPEC)


def test_all_faults_come_at_once(write: Callable[..., None]) -> None:
    write(root="import numpy", trainer="")
    with pytest.raises(AssertionError) as caught:
        check_spec(replace(SPEC, summary="", size=SizeRule(0)))
    lines = str(caught.value).splitlines()
    assert lines[0] == "the method 'darken' breaks the contract:"
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("signature", "shown"),
    [
        ("self, context, *, image", "(self, context, *, image)"),
        ("self, context, *, image, mask, depth", "(self, context, *, image, mask, depth)"),
        ("self, context, *, picture: int, mask", "(self, context, *, picture, mask)"),
        ("self, context, image, mask", "(self, context, image, mask)"),
        ("self, *, image, mask", "(self, *, image, mask)"),
        ("self, context, **ports", "(self, context, **ports)"),
    ],
)
def test_ports_and_signature_must_agree(write: Callable[..., None], signature: str, shown: str) -> None:
    write(translator=TRANSLATOR.replace("self, context, *, image, mask", signature))
    assert spec_faults(SPEC) == [
        f"Darken.translate takes {shown}, but its ports ask for (self, context, *, image, mask)"
    ]


def test_ports_in_another_order_are_fine(write: Callable[..., None]) -> None:
    write(translator=TRANSLATOR.replace("image, mask", "mask=None, image"))
    assert spec_faults(SPEC) == []


@pytest.mark.parametrize("heavy", ["numpy", "PIL", "rich"])
def test_heavy_root_is_named(write: Callable[..., None], heavy: str) -> None:
    write(root=f"import {heavy}")
    (fault,) = spec_faults(SPEC)
    assert fault.startswith("importing darken_plugin also imports")
    assert heavy in fault


def test_root_that_fails_is_named(write: Callable[..., None]) -> None:
    write(root="import sys; assert 'pytest' in sys.modules, 'outside of pytest'")
    assert spec_faults(SPEC) == ["importing darken_plugin fails: AssertionError: outside of pytest"]


def test_one_file_plugin_may_import_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "darken_file.py").write_text("import torch" + TRANSLATOR)
    assert spec_faults(replace(SPEC, translator="darken_file:Darken", trainer=None, training_options=Options)) == []


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ({"translator": "class Darken: pass"}, "translator is no artkit.Translator"),
        ({"translator": "Darken = 3"}, "translator is no artkit.Translator: 3"),
        ({"translator": ""}, "has no attribute 'Darken'"),
        ({"translator": "1 / 0"}, "division by zero"),
        ({"trainer": TRAINER.replace("def export", "def exports")}, "trainer DarkenTrainer lacks export"),
        ({"trainer": "class DarkenTrainer: pass"}, "trainer is no artkit.Trainer"),
    ],
)
def test_wrong_classes_are_named(write: Callable[..., None], sources: dict[str, str], words: str) -> None:
    write(**sources)
    (fault,) = spec_faults(SPEC)
    assert words in fault


class Undescribed(Options):
    """An option without a description."""

    amount: float = 0.5


class Impossible(Options):
    """A default outside its limits."""

    amount: Annotated[float, option("how dark", ge=0, le=1)] = 3.0


class Demanding(Options):
    """An option that must be given."""

    amount: Annotated[float, option("how dark")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"options": Undescribed}, "option 'amount' has no description"),
        ({"options": Impossible}, "default of its options .* <= 1"),
        ({"options": Demanding}, "option 'amount' has no default"),
        ({"training_options": Impossible}, "default of its training options"),
        ({"trainer": None}, "training options but no trainer"),
        ({"summary": " "}, "the method has no summary"),
        ({"summary": "two\nlines"}, "more than one line"),
        ({"inputs": (*SPEC.inputs[:1], Port("mask", Kind.MASK))}, "port 'mask' has no summary"),
        ({"size": SizeRule(multiple=0)}, "size rule"),
        ({"output": Kind.TEXT}, "output is text"),
        ({"name": "dark-en"}, "not a plain word"),
        ({"inputs": (*SPEC.inputs, Port("amount", Kind.MASK, "again"))}, "'amount' twice"),
        ({"api": 99}, "plugin API 99"),
    ],
)
def test_faults_of_a_declaration_are_named(write: Callable[..., None], changes: dict, words: str) -> None:
    write()
    faults = [fault for fault in spec_faults(replace(SPEC, **changes)) if not fault.startswith("Darken.translate")]
    assert len(faults) == 1
    assert re.search(words, faults[0])


def test_the_test_in_the_docs_checks_a_method() -> None:
    page = (Path(__file__).parents[1] / "docs" / "hooks.md").read_text(encoding="utf-8")
    (block,) = [text for text in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "artkit.testing" in text]
    written: dict[str, Any] = {}
    exec(block.replace("my_method", "blur"), written)
    written["test_contract"]()
    exec(block, written)
    with pytest.raises(ChainError, match="my_method"):
        written["test_contract"]()
