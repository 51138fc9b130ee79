"""Model files whose header and tensors do not belong together: the file is named, before memory is taken."""

from __future__ import annotations

import msgspec
import pytest

import artkit
from artkit import Chain, ModelError
from artkit.models import load_model, save_model
from engine_kit import grey


@pytest.fixture
def changed(tmp_path):
    """Return a function that writes the shipped sharp model with other arguments in its header."""

    def write(**arguments):
        model = load_model(artkit.models()["superres/sharp"].path)
        header = msgspec.structs.replace(model.header, arguments=model.header.arguments | arguments)
        save_model(tmp_path / "m.safetensors", header, model.tensors)
        return Chain(f"superres(model='{tmp_path / 'm.safetensors'}')")

    return write


@pytest.mark.parametrize("scales", [3, {"2": {"width": [3]}}, {"2": {"unheard": 1}}, {"2": None}, {"two": {}}])
def test_a_bad_header_is_the_files_fault(changed, scales):
    with pytest.raises(ModelError, match=r"m\.safetensors.*header") as caught:
        changed(scales=scales)(grey(9))
    assert "plugin" not in str(caught.value)


def test_a_network_that_the_file_does_not_hold_takes_no_memory(changed):
    """A width of a million would take terabytes."""
    scales = load_model(artkit.models()["superres/sharp"].path).header.arguments["scales"]
    scale, arguments = next(iter(scales.items()))
    wide = {name: 10**6 if name == "width" else value for name, value in arguments.items()}
    with pytest.raises(ModelError, match=r"m\.safetensors does not fit .*misshaped"):
        changed(scales={scale: wide})(grey(9))
