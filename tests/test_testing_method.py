"""The contract kit runs a method: each broken promise is named, and what the plugin raises is a fault too."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from artkit.plugins import load_registry
from artkit.testing import check_method
from cli_kit import forget_module

PLUGIN = '''
"""One method under test."""
import torch
from artkit import Kind, MethodSpec, Port, Tiling, Translator, hookimpl

class Tried(Translator):
    spec = MethodSpec(
        name="tried",
        summary="Is tried.",
        inputs=(Port("image", Kind.IMAGE, "a picture"),),
        output=Kind.IMAGE,
        translator="tried_plugin:Tried",
        needs_model=False,
        tiling=Tiling.{tiling},
    )
    calls = 0

    def translate(self, context, *, image):
        Tried.calls += 1
{body}

@hookimpl
def register_methods():
    return [Tried.spec]
'''


@pytest.fixture
def try_method(tmp_path, monkeypatch):
    """Return a function that checks a method whose `translate` has this body, and gives the faults as text."""
    forget_module(monkeypatch, "tried_plugin")

    def run(body, tiling="NONE"):
        file = tmp_path / "tried_plugin.py"
        file.write_text(PLUGIN.format(body=indent(dedent(body), " " * 8), tiling=tiling))
        check_method("tried", load_registry((file,)), sizes=((5, 7), (16, 16)))

    return run


def test_a_sound_method_passes(try_method):
    try_method("return 1 - image")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("return image[..., 1:]", "was due: the plugin breaks the contract"),
        ("return image + 0.001 * Tried.calls", "the same call gave other bits"),
        ("return image - image.mean()", "depends on the rest of its batch"),
        ("raise ZeroDivisionError('by zero')", "it raised"),
        ("return torch.full_like(image, float('nan'))", "it raised"),
    ],
)
def test_broken_promises_are_named(try_method, body, fault):
    with pytest.raises(AssertionError, match=fault) as caught:
        try_method(body)
    assert "tried breaks the contract" in str(caught.value)
    assert "image at 16x16" in str(caught.value)


def test_a_promise_of_tiles_has_to_be_kept(try_method):
    with pytest.raises(AssertionError, match="says tiling=exact, but computes every picture as a whole"):
        try_method("return 1 - image", "EXACT")


def test_a_halo_that_is_too_small_is_noticed(try_method):
    body = """
        from artkit.nn import in_tiles
        from torch.nn.functional import avg_pool2d
        return in_tiles(lambda x: avg_pool2d(x, 5, 1, 2, count_include_pad=False), image, halo=1)
    """
    with pytest.raises(AssertionError, match="a halo or a multiple is too small"):
        try_method(body, "EXACT")


def test_a_method_that_cannot_be_loaded_is_a_fault():
    with pytest.raises(AssertionError, match="it cannot be loaded: There is no method 'triedd'"):
        check_method("triedd", load_registry())
