"""One-file methods that tests of the engine run: invert, dream, mix, crash."""

from __future__ import annotations

import sys

import numpy as np

from artkit.plugins import current_registry, load_registry, use_registry

PLUGIN = '''
from artkit import Kind, MethodSpec, Options, Port, hookimpl, option
from typing import Annotated

class Blend(Options, frozen=True):
    """Options."""
    strength: Annotated[float, option("how much", ge=0, le=1)] = 0.5

IMAGE = Port("image", Kind.IMAGE, "a picture")

def spec(name, translator, inputs=(IMAGE,), options=Options):
    return MethodSpec(name=name, summary="For tests.", inputs=inputs, output=Kind.IMAGE, options=options,
                      translator=f"engine_plugin:{translator}", needs_model=False)

@hookimpl
def register_methods():
    return [
        spec("invert", "Invert"),
        spec("dream", "Dream", ()),
        spec("mix", "Mix", (IMAGE, Port("style", Kind.IMAGE, "a picture")), Blend),
        spec("crash", "Crash"),
    ]

def __getattr__(name):
    import engine_methods
    return getattr(engine_methods, name)
'''

METHODS = """
import torch
from artkit import Translator
import engine_plugin as plugin

SPECS = {spec.name: spec for spec in plugin.register_methods()}
RUNS = []

class Invert(Translator):
    spec = SPECS["invert"]
    def translate(self, context, *, image):
        return 1 - image

class Dream(Translator):
    spec = SPECS["dream"]
    def translate(self, context):
        RUNS.append(context.seeds)
        return context.normal(3, context.height, context.width).sigmoid()

class Mix(Translator):
    spec = SPECS["mix"]
    def translate(self, context, *, image, style):
        colour = style.mean((2, 3), keepdim=True)
        return image + self.options.strength * (colour - image)

class Crash(Translator):
    spec = SPECS["crash"]
    def translate(self, context, *, image):
        if float(image.mean()) > 0.5:
            raise RuntimeError("the paint ran out")
        return image
"""


def load_plugin(tmp_path, monkeypatch):
    """Make the methods known while a test runs; a fixture's function."""
    (tmp_path / "engine_plugin.py").write_text(PLUGIN)
    (tmp_path / "engine_methods.py").write_text(METHODS)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = current_registry()
    use_registry(load_registry((tmp_path / "engine_plugin.py",)))
    import engine_plugin  # noqa: F401

    yield
    use_registry(before)
    for name in ("engine_plugin", "engine_methods"):
        sys.modules.pop(name, None)


def grey(level, height=6, width=8):
    return np.full((height, width, 3), level, np.uint8)
