"""Every hook: documented with its exact signature, tested, and with an example that works as written."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from artkit import hookspecs
from artkit.plugins import Registry, load_registry, resolve
from artkit.plugins.checks import HOOK_NAMES
from artkit.spec import StepEvent, TrainingEvent

DOCS = (Path(__file__).parents[1] / "docs" / "hooks.md").read_text()

Load = Callable[[str], tuple[Registry, ModuleType]]


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Return a function that loads the example of a hook's docstring as a plugin file."""
    monkeypatch.setenv("ARTKIT_PLUGINS", "")
    monkeypatch.setenv("ARTKIT_STRICT", "1")

    def load(hook: str) -> tuple[Registry, ModuleType]:
        path = tmp_path / "my_plugin.py"
        path.write_text(source_of_example(hook))
        return load_registry((path,)), sys.modules["my_plugin"]

    yield load
    sys.modules.pop("my_plugin", None)


def source_of_example(hook: str) -> str:
    """Return the code after `Example::` in a hook's docstring."""
    return dedent((inspect.getdoc(getattr(hookspecs, hook)) or "").partition("Example::\n")[2]).strip()


def signature(hook: str) -> str:
    """Return a hook's signature as the docs write it."""
    return hook + str(inspect.signature(getattr(hookspecs, hook))).replace("'", "")


@pytest.mark.parametrize("hook", HOOK_NAMES)
def test_hook_is_documented_and_tested(hook: str) -> None:
    assert f"\n## `{signature(hook)}`\n" in DOCS
    assert f"```python\n{source_of_example(hook)}\n```" in DOCS
    assert f"test_hook_{hook}" in globals()


def test_docs_have_no_other_hooks() -> None:
    assert re.findall(r"^## `(\w+)\(.*->", DOCS, flags=re.MULTILINE) == list(HOOK_NAMES)


def test_hook_register_methods(example: Load) -> None:
    import torch

    found, _ = example("register_methods")
    spec = found.method("negative")
    translator = resolve(spec.translator, found.origin("negative"))(spec.options(), None)
    output = translator.run({"image": torch.full((1, 3, 5, 7), 0.25)}, seeds=(0,), size=(5, 7))
    assert torch.equal(output, torch.full((1, 3, 5, 7), 0.75))


def test_hook_register_models(example: Load) -> None:
    found, _ = example("register_models")
    assert [(model.method, model.name) for model in found.models] == [("pix2pix", "winter")]


def test_hook_register_datasets(example: Load) -> None:
    import torch

    found, module = example("register_datasets")
    spec = found.dataset("stripes")
    dataset = resolve(spec.factory, found.origin("stripes"))(module.StripeOptions(width=4), "test")
    image = dataset.load(3, ["image"])["image"]
    assert len(dataset) == 100
    assert (image.shape, image.dtype) == ((3, 64, 32), torch.uint8)
    assert torch.equal(image, dataset.load(3, ["image"])["image"])


def test_hook_register_metrics(example: Load) -> None:
    import torch

    found, _ = example("register_metrics")
    measure = resolve(found.metric("brightness_gap").function, found.origin("brightness_gap"))
    pictures = torch.zeros(2, 3, 4, 4)
    assert measure([*pictures], [*pictures + 0.5]) == 0.5


def test_hook_import_checkpoint(example: Load, tmp_path: Path) -> None:
    import torch

    from artkit.models.foreign import import_model

    found, _ = example("import_checkpoint")
    torch.save({"blur.kernel": torch.ones(1, 1, 5, 5)}, tmp_path / "blur.pth")
    for method in (None, "blur"):
        model = import_model(tmp_path / "blur.pth", method, found)
        assert (model.header.method, model.header.summary) == ("blur", "a blur of 5 pixels")
        assert torch.allclose(model.tensors["kernel"], torch.tensor(0.04))


def test_hook_register_commands(example: Load) -> None:
    found, _ = example("register_commands")
    cli = click.Group()
    found.call("register_commands", cli=cli)
    assert CliRunner().invoke(cli, ["hello"]).output == "Hello, painter.\n"


def test_hook_before_step(example: Load, capsys: pytest.CaptureFixture[str]) -> None:
    found, _ = example("before_step")
    found.call("before_step", step=StepEvent(1, "pix2pix", 7))
    assert capsys.readouterr().out == "step 2: pix2pix, seed 7\n"


def test_hook_after_step(example: Load) -> None:
    found, module = example("after_step")
    for seconds in (0.5, 0.25):
        found.call("after_step", step=StepEvent(0, "semgan", 7, seconds))
    assert module.seconds_by_method == {"semgan": 0.75}


def test_hook_training_event(example: Load, tmp_path: Path) -> None:
    found, _ = example("training_event")
    found.call("training_event", event=TrainingEvent("start", tmp_path, 0))
    found.call("training_event", event=TrainingEvent("step", tmp_path, 5, {"l1": 0.5}))
    assert (tmp_path / "losses.jsonl").read_text() == '{"step": 5, "l1": 0.5}\n'
