"""What foreign files are refused for, said in full; and their limits, at them and past them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from artkit.errors import ModelError, OutputError, PluginError
from artkit.hookspecs import hookimpl
from artkit.models import Model
from artkit.models.foreign import import_model, reading, write_networks
from artkit.models.foreign.reading import read_checkpoint
from artkit.plugins import PluginSource, Registry, current_registry
from artkit.spec import Kind, ModelHeader
from foreign_reference import unet_state
from test_models_sentences import shelf

__all__ = ["shelf"]

TINY = {"w": torch.zeros(2)}
FOREIGN = {
    "empty table": ({}, "{} holds an empty table, not a network's tensors by name."),
    "a list": ([1], "{} holds one list, not a network's tensors by name."),
    "a table among others": ({"step": 1, "state_dict": TINY}, None),
    "more": ({"w": torch.ones(1), "step": 7}, "{} holds more than a network's tensors: 'step' is a int."),
    "several": ({"a": TINY, "b": TINY}, "{} holds several networks (a, b): save the one you want by itself."),
    "six": (
        dict.fromkeys("abcdef", TINY),
        "{} holds several networks (a, b, c, d, e): save the one you want by itself.",
    ),
    "three, one an average": (
        {"params_ema": TINY, "b": TINY, "c": TINY},
        "{} holds several networks (params_ema, b, c): save the one you want by itself.",
    ),
    "two, one an average": ({"params_ema": TINY, "params": {"v": torch.ones(1)}}, None),
    "complex": (
        {"w": torch.ones(1, dtype=torch.complex64)},
        "{}: the tensor 'w' is torch.complex64, torch.strided, on cpu.",
    ),
    "nothing in it": ({"w": torch.ones(0, 3)}, "{}: the tensor 'w' has the shape (0, 3) and not the data for it."),
    "claims": (
        {"w": torch.ones(1).expand(1000)},
        "{}: the tensor 'w' has the shape (1000,) and not the data for it.",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files(tmp_path, name):
    content, sentence = FOREIGN[name]
    path = tmp_path / "net.pth"
    torch.save(content, path)
    if sentence is None:
        assert {key: value.tolist() for key, value in read_checkpoint(path).items()} == {"w": [0, 0]}
        return
    with pytest.raises(ModelError) as caught:
        read_checkpoint(path)
    assert str(caught.value) == sentence.format(path)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            "Weights only load failed. It has weights_only: GLOBAL os.system was not allowed",
            "is refused: it is a pickle that wants to run 'os.system'. Nothing was run. artkit reads files that hold "
            "tensors alone; where you trust the file, save the network's state_dict by itself.",
        ),
        ("in Weights_Only, class a.B", None),
        ("with weights_only, builtin c.d was", None),
        ("GLOBAL os.system", "is damaged, cut short or no PyTorch file: GLOBAL os.system."),
        ("Weights only load failed", "is refused: it is a pickle of other things than tensors. Nothing was run."),
        ("\nNo end. Of it.\nno.", "is damaged, cut short or no PyTorch file: No end."),
        (" ", "is damaged, cut short or no PyTorch file: it cannot be read."),
    ],
)
def test_what_torch_says_in_half_a_page_is_said_in_half_a_line(message, sentence):
    found = reading._why(message)
    if sentence is None:
        assert found.startswith("is refused: it is a pickle that wants to run '")
        assert found.split("'")[1] in ("a.B", "c.d")
    else:
        assert found == sentence


def test_foreign_files_up_to_their_limits(tmp_path, monkeypatch):
    path = tmp_path / "net.pth"
    torch.save({"w": torch.zeros(3000), "v": torch.zeros(1)}, path)
    size = path.stat().st_size
    for name, last in (("MAX_BYTES", size), ("MAX_TENSORS", 2)):
        with monkeypatch.context() as patch:
            patch.setattr(reading, name, last)
            assert len(read_checkpoint(path)) == 2
            patch.setattr(reading, name, last - 1)
            with pytest.raises(ModelError) as caught:
                read_checkpoint(path)
            told = f"{size} bytes are more than the {size - 1} that artkit reads."
            unfolded = f"it unfolds to more than {2**32} bytes or 1 tensors."
            assert str(caught.value) == f"{path} is refused: {told if name == 'MAX_BYTES' else unfolded}"


def test_words_up_to_their_limit(tmp_path, monkeypatch):
    path = tmp_path / "net.pth"
    for legacy in (False, True):
        torch.save({"w" * 40: torch.zeros(1)}, path, _use_new_zipfile_serialization=not legacy)
        monkeypatch.setattr(reading, "MAX_WORD", 40)
        assert list(read_checkpoint(path)) == ["w" * 40]
        monkeypatch.setattr(reading, "MAX_WORD", 39)
        with pytest.raises(ModelError) as caught:
            read_checkpoint(path)
        assert str(caught.value) == f"{path} is damaged, cut short or no PyTorch file: a word of 40 characters."


class Importer:
    """A plugin whose import gives what it is told to."""

    def __init__(self, answer):
        self.answer = answer

    @hookimpl
    def import_checkpoint(self, checkpoint, method):
        return self.answer


def importing(answer):
    registry = Registry()
    registry.add(PluginSource("odd", lambda: Importer(answer)))
    return registry


@pytest.mark.parametrize(
    "answer", [("header", {}), (ModelHeader(method="a", architecture="b", inputs={}, output=Kind.IMAGE), [])]
)
def test_a_plugin_that_imports_something_else(tmp_path, answer):
    path = tmp_path / "net.pth"
    torch.save(TINY, path)
    with pytest.raises(PluginError) as caught:
        import_model(path, None, importing(answer))
    assert str(caught.value) == (
        f"Plugin 'odd' failed to import {path}: TypeError: import_checkpoint() must return (ModelHeader, tensors by "
        "name) or None."
    )


def test_a_method_that_takes_no_such_network(tmp_path, shelf):
    path = tmp_path / "net.pth"
    torch.save(unet_state(levels=5), path)
    for method, name in ((None, "no installed method"), ("alone", "alone")):
        with pytest.raises(ModelError) as caught:
            import_model(path, method, shelf)
        assert str(caught.value) == f"{path} is U-Net-32, 4 filters, batch norm: {name} does not take that."


def test_two_generators_do_not_fit_into_a_file(tmp_path):
    path = tmp_path / "net.pth"
    torch.save(unet_state(levels=5), path)
    model = import_model(path, "pix2pix", current_registry())
    both = {
        name.replace("generator", side): value
        for side in ("generator_a", "generator_b")
        for name, value in model.tensors.items()
    }
    with pytest.raises(ModelError) as caught:
        write_networks(Model(model.header, both, Path("m")), tmp_path / "out.pth")
    assert str(caught.value) == f"m holds G_A and G_B: give a folder instead of the file {tmp_path / 'out.pth'}."
    with pytest.raises(OutputError, match="exists"):
        write_networks(model, path)
    assert write_networks(model, path, overwrite=True) == [path]
    assert write_networks(model, tmp_path / "folder") == [tmp_path / "folder" / "latest_net_G.pth"]


class Evil:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return print, ("it ran",)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_nothing_is_run_even_where_torch_is_told_to_run_all(tmp_path, monkeypatch, capsys, name, legacy):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    torch.save({"w": Evil()}, tmp_path / name, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelError, match=r"is refused: it is a pickle that wants to run '.*print'\. Nothing was run\."):
        read_checkpoint(tmp_path / name)
    assert capsys.readouterr().out == ""
