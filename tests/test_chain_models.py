"""Model files whose header and tensors do not belong together: the file is named, before memory is taken."""

from __future__ import annotations

import msgspec
import pytest
import torch

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


NETWORKS = [3, [], [{"network": "edsr", "scale": 2, "width": [3], "blocks": 8}], [{"network": "unheard"}], [None]]


@pytest.mark.parametrize("networks", NETWORKS)
def test_a_bad_header_is_the_files_fault(changed, networks):
    with pytest.raises(ModelError, match=r"m\.safetensors: ") as caught:
        changed(networks=networks)(grey(9))
    assert "plugin" not in str(caught.value)


@pytest.mark.parametrize("error", [TypeError, ValueError, RuntimeError, KeyError])
def test_what_a_method_raises_over_a_header_is_told_of_the_file(changed, error, monkeypatch):
    def fail(self, *given):
        raise error("width")

    monkeypatch.setattr("artkit_superres.translator.Superres.__init__", fail)
    with pytest.raises(ModelError, match=r"m\.safetensors: its header describes no network .*width"):
        changed()(grey(9))
    monkeypatch.setenv("ARTKIT_STRICT", "1")
    with pytest.raises(error, match="width"):
        changed()(grey(9))


def test_a_network_that_the_file_does_not_hold_takes_no_memory(changed, monkeypatch):
    """Five gigabytes are not taken before the file is known not to hold them."""
    devices = set()
    draw = torch.nn.init.kaiming_uniform_

    def watched(tensor, *given, **how):
        devices.add(tensor.device.type)
        return draw(tensor, *given, **how)

    monkeypatch.setattr(torch.nn.init, "kaiming_uniform_", watched)
    with pytest.raises(ModelError, match=r"m\.safetensors does not fit .*misshaped"):
        changed(networks=[{"network": "edsr", "scale": 2, "width": 1024, "blocks": 64}])(grey(9))
    assert devices == {"meta"}
