"""A mask that is the alpha channel of what feeds another port."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from artkit import Chain, Kind, MethodSpec, PluginError, Port
from artkit.plugins.checks import validate_method
from plugin_kit import plugins, write_plugin

PLUGIN = """
from artkit import Kind, MethodSpec, Options, Port, Translator, hookimpl

PORTS = (
    Port("image", Kind.IMAGE, "the picture"),
    Port("edit", Kind.IMAGE, "strokes", required=False),
    Port("mask", Kind.MASK, "where they are", required=False, alpha_of="edit"),
)

class Stick(Translator):
    spec = MethodSpec(name="stick", summary="Lays one picture over another.", inputs=PORTS, output=Kind.IMAGE,
                      options=Options, translator="alpha_plugin:Stick", needs_model=False)
    def translate(self, context, *, image, edit, mask):
        return image if mask is None else image * (1 - mask) + edit * mask

@hookimpl
def register_methods():
    return [Stick.spec]
"""


@pytest.fixture
def stick(tmp_path, monkeypatch):
    file = write_plugin(tmp_path / "alpha_plugin.py", PLUGIN, monkeypatch)
    half = np.zeros((4, 6, 4), np.uint8)
    half[..., 0] = 255
    half[:, 3:, 3] = 255
    Image.fromarray(half).save(tmp_path / "strokes.png")
    Image.fromarray(half[..., :3]).save(tmp_path / "solid.png")
    with plugins(file):
        yield Chain("stick"), np.full((4, 6, 3), 0.5, np.float32), tmp_path


def test_the_alpha_channel_is_the_mask_unless_another_is_given(stick):
    chain, grey, files = stick
    made = chain(grey, edit=files / "strokes.png").tensor[0]
    assert (made[:, :, :3] == 0.5).all()
    assert (made[0, :, 3:] == 1).all()
    assert (made[1:, :, 3:] == 0).all()
    black = np.zeros((4, 6), np.float32)
    assert (chain(grey, edit=files / "strokes.png", mask=black).tensor == 0.5).all()


def test_a_picture_without_one_leaves_the_port_unfed(stick):
    chain, grey, files = stick
    assert (chain(grey, edit=files / "solid.png").tensor == 0.5).all()
    assert (chain(grey).tensor == 0.5).all()


@pytest.mark.parametrize(
    ("port", "of"),
    [
        (Port("mask", Kind.MASK, required=False, alpha_of="nobody"), "no such port"),
        (Port("mask", Kind.IMAGE, required=False, alpha_of="image"), "an image has colours"),
        (Port("mask", Kind.MASK, alpha_of="image"), "a required port must be fed"),
        (Port("mask", Kind.MASK, required=False, alpha_of="text"), "text has no alpha"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused(port, of):
    inputs = (Port("image", Kind.IMAGE), Port("text", Kind.TEXT, required=False), port)
    spec = MethodSpec(
        name="stick", summary="For tests.", inputs=inputs, output=Kind.IMAGE, translator="a:B", needs_model=False
    )
    with pytest.raises(PluginError, match="port 'mask' takes the alpha channel of"):
        validate_method(spec)
