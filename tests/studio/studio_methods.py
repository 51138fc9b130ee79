"""A one-file plugin for tests of the studio: methods that wait for the test, and ones that fail."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Annotated, Literal

import msgspec
import torch
from torch import Tensor

from artkit import Context, Kind, MethodSpec, OptionError, Options, Port, Translator, hookimpl, option

IMAGE = Port("image", Kind.IMAGE, "the picture")
STYLE = Port("style", Kind.IMAGE, "whose colours to mix in")
WORDS = Port("words", Kind.TEXT, "what is said of it")

GATE = threading.Semaphore(0)
"""Each round of `slow` waits for one release."""
BEGUN: list[float] = []
"""The first level of every picture that `slow` began with, in order."""

STARTED = threading.Event()
"""Set once `slow` has begun."""
WENT_ON: list[str] = []
"""What `silent` came to after it waited for a release."""


class AllOptions(Options, frozen=True):
    """One option of every type."""

    amount: Annotated[float, option("how much", ge=0, le=1)] = 0.5
    count: Annotated[Annotated[int, msgspec.Meta(ge=1)] | None, option("how many")] = None
    way: Annotated[Literal["up", "down"], option("which way")] = "up"
    scale: Annotated[Literal[2, 4] | None, option("how often")] = None
    hard: Annotated[bool, option("whether")] = False
    words: Annotated[str | None, option("what")] = None
    fill: Annotated[Annotated[int, msgspec.Meta(ge=0, le=255)] | str, option("a level or a word")] = "mirror"
    mix: Annotated[tuple[float, ...], option("shares")] = ()


class InvertTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        return 1 - image


class MixTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor, style: Tensor) -> Tensor:
        return (image + style.mean(dim=(2, 3), keepdim=True)) / 2


class AverageTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor, style: list[Tensor]) -> Tensor:
        return torch.stack([image, *style]).mean(0)


class SayTranslator(Translator):
    """Each letter is a level of light, and so is what nobody said."""

    def translate(self, context: Context, *, image: Tensor, words: tuple[str, ...] | None) -> Tensor:
        return 0 * image + (1 if words is None else len(words[0])) / 255


class ReciteTranslator(Translator):
    def translate(self, context: Context, *, words: tuple[str, ...]) -> Tensor:
        return torch.full((1, 3, context.height, context.width), len(words[0]) / 255)


class SlowTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        BEGUN.append(round(float(image[0, 0, 0, 0]) * 255))
        STARTED.set()
        for part in range(4):
            if not GATE.acquire(timeout=60):
                raise TimeoutError("the test never let this go on")
            context.progress((part + 1) / 4, lambda: image * 0.5)
        return image


class SilentTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        STARTED.set()
        if not GATE.acquire(timeout=60):
            raise TimeoutError("the test never let this go on")
        image = image * 1
        WENT_ON.append("silent")
        return image


class FailTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        raise RuntimeError("out of\npaint")


class RefuseTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        raise OptionError("refuse: not this picture.")


class DreamTranslator(Translator):
    def translate(self, context: Context) -> Tensor:
        return context.normal(3, context.height, context.width).sigmoid()


ROWS = (
    ("invert", InvertTranslator, Options, (IMAGE,)),
    ("everything", InvertTranslator, AllOptions, (IMAGE,)),
    ("mixture", MixTranslator, Options, (IMAGE, STYLE)),
    ("average", AverageTranslator, Options, (IMAGE, replace(STYLE, many=True))),
    ("say", SayTranslator, Options, (IMAGE, WORDS)),
    ("whisper", SayTranslator, Options, (IMAGE, replace(WORDS, required=False))),
    ("recite", ReciteTranslator, Options, (WORDS,)),
    ("slow", SlowTranslator, Options, (IMAGE,)),
    ("silent", SilentTranslator, Options, (IMAGE,)),
    ("fail", FailTranslator, Options, (IMAGE,)),
    ("refuse", RefuseTranslator, Options, (IMAGE,)),
    ("fancy", DreamTranslator, Options, ()),
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    return [_spec(*row) for row in ROWS]


def _spec(name: str, translator: type[Translator], options: type[Options], inputs: tuple[Port, ...]) -> MethodSpec:
    class Own(translator):  # type: ignore[misc, valid-type]
        pass

    globals()[f"{name.title()}Own"] = Own
    Own.spec = MethodSpec(
        name=name,
        summary=f"Test method {name}.",
        inputs=inputs,
        output=Kind.IMAGE,
        options=options,
        translator=f"{__name__}:{name.title()}Own",
        needs_model=False,
    )
    return Own.spec
