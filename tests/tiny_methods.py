"""A one-file plugin for tests of the command line: methods without weights, some of which misbehave."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Annotated

import click
import torch
from torch import Tensor

from artkit.hookspecs import hookimpl
from artkit.spec import Kind, MethodSpec, Options, Port, option
from artkit.translator import Context, Translator

IMAGE = Port("image", Kind.IMAGE, "the picture")


class FadeOptions(Options):
    by: Annotated[float, option("share of the light that is left", ge=0, le=1)] = 0.5


class InvertTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        return 1 - image


class FadeTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        return image * self.options.by


class MixTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor, style: Tensor) -> Tensor:
        return (image + style.mean(dim=(2, 3), keepdim=True)) / 2


class DreamTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor | None) -> Tensor:
        return context.normal(3, context.height, context.width).sigmoid()


class HazeTranslator(Translator):
    def translate(self, context: Context) -> Tensor:
        return context.normal(3, context.height, context.width).sigmoid()


class FailTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        raise RuntimeError("out of paint")


class DarkFailTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        if float(image.mean()) < 0.1:
            raise RuntimeError("too dark")
        return image


class NanTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        return image * float("nan")


class StallTranslator(Translator):
    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        print("stalling", flush=True)
        while True:
            time.sleep(0.05)


class SketchTranslator(Translator):
    """Shows darkening sketches, and then stalls at the second half for a bright picture."""

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        for quarter in range(1, 4):
            context.progress(quarter / 4, lambda quarter=quarter: image * (1 - quarter / 4))
            if quarter == 2 and float(image.mean()) > 0.5:
                print("stalling", flush=True)
                while True:
                    time.sleep(0.05)
        return image * 0


class LethalTranslator(Translator):
    """Inverts a picture; its process is killed at a dark one, the first time in a folder."""

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        if float(image.mean()) < 0.1 and not Path("killed").exists():
            Path("killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return 1 - image


class MortalTranslator(Translator):
    """Fades a picture in four rounds; in the third its process is killed, the first time in a folder."""

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        state = context.bookmark.read() or {"round": 0, "image": image}
        faded = state["image"]
        for number in range(state["round"], 4):
            if number == 2 and not Path("killed").exists():
                Path("killed").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            print(f"round {number}", flush=True)
            faded = faded * 0.9
            context.bookmark.write(lambda number=number, faded=faded: {"round": number + 1, "image": faded})
        return faded


TRANSLATORS = (
    ("invert", InvertTranslator, Options, (IMAGE,)),
    ("fade", FadeTranslator, FadeOptions, (IMAGE,)),
    ("mix", MixTranslator, Options, (IMAGE, Port("style", Kind.IMAGE, "whose colours to mix in"))),
    ("dream", DreamTranslator, Options, (Port("image", Kind.IMAGE, required=False),)),
    ("haze", HazeTranslator, Options, ()),
    ("fail", FailTranslator, Options, (IMAGE,)),
    ("darkfail", DarkFailTranslator, Options, (IMAGE,)),
    ("nan", NanTranslator, Options, (IMAGE,)),
    ("stall", StallTranslator, Options, (IMAGE,)),
    ("sketch", SketchTranslator, Options, (IMAGE,)),
    ("lethal", LethalTranslator, Options, (IMAGE,)),
    ("mortal", MortalTranslator, Options, (IMAGE,)),
)


def make_spec(name: str, translator: type[Translator], options: type[Options], inputs: tuple[Port, ...]) -> MethodSpec:
    spec = MethodSpec(
        name=name,
        summary=f"Test method {name}.",
        inputs=inputs,
        output=Kind.IMAGE,
        options=options,
        translator=f"{__name__}:{translator.__name__}",
        needs_model=False,
    )
    translator.spec = spec
    return spec


@hookimpl
def register_methods() -> list[MethodSpec]:
    return [make_spec(*row) for row in TRANSLATORS]


@hookimpl
def register_commands(cli: click.Group) -> None:
    @cli.command()
    def hello() -> None:
        """Say hello."""
        click.echo(f"hello from torch {torch.__version__}")

    @cli.command()
    def crash() -> None:
        """Raise what no command should."""
        raise RuntimeError("a bug")
