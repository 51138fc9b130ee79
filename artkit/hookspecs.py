"""The hooks a plugin may implement. Mark a function of the same name with `@artkit.hookimpl`.

Registration hooks return lists of frozen specs. Event hooks are called while the core works and return nothing.
A function may take fewer arguments than its hook offers, never others.
"""
# mypy: disable-error-code="empty-body"

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click
    from torch import Tensor

    from artkit.spec import (
        Checkpoint,
        DatasetSpec,
        MethodSpec,
        MetricSpec,
        ModelHeader,
        ModelSpec,
        StepEvent,
        TrainingEvent,
    )

hookspec = pluggy.HookspecMarker("artkit")
hookimpl = pluggy.HookimplMarker("artkit")


@hookspec
def register_methods() -> list[MethodSpec]:
    """Offer methods: steps for chains, and things to train.

    Called once, when plugins are loaded. `translator` is text and imported on first use: in a package, keep the class
    in a module of its own, because `Translator` brings torch, and every command imports the plugin's root.

    Example::

        from artkit import Kind, MethodSpec, Port, Translator, hookimpl

        SPEC = MethodSpec(
            name="negative",
            summary="Turn light into dark and dark into light.",
            inputs=(Port("image", Kind.IMAGE, "the picture to turn"),),
            output=Kind.IMAGE,
            translator=f"{__name__}:Negative",
            needs_model=False,
        )


        @hookimpl
        def register_methods():
            return [SPEC]


        class Negative(Translator):
            spec = SPEC

            def translate(self, context, image):
                return 1 - image
    """


@hookspec
def register_models() -> list[ModelSpec]:
    """Offer models: trained weights inside the plugin's package, or to be pulled.

    Called once, when plugins are loaded. The method may belong to another plugin.

    Example::

        from artkit import ModelSpec, hookimpl


        @hookimpl
        def register_models():
            return [
                ModelSpec(
                    name="winter",
                    method="pix2pix",
                    summary="Snowy landscapes from label maps.",
                    file="my_plugin:weights/winter.safetensors",
                    licence="CC0-1.0",
                )
            ]
    """


@hookspec
def register_datasets() -> list[DatasetSpec]:
    """Offer datasets: to train on by name, `stripes(width=4)`, and for `artkit data make stripes`.

    Called once, when plugins are loaded. `factory` is called with the options and the split ("train", "val" or
    "test"), and returns an `artkit.data.Dataset`. A spec with a `layout` teaches artkit to recognise folders: see
    docs/data.md.

    Example::

        from typing import Annotated

        from artkit import DatasetSpec, Kind, Options, hookimpl, option


        class StripeOptions(Options):
            width: Annotated[int, option("pixels of a stripe", ge=1)] = 8


        @hookimpl
        def register_datasets():
            summary = "Stripes of random colours."
            return [DatasetSpec("stripes", summary, f"{__name__}:make_stripes", options=StripeOptions)]


        def make_stripes(options, split):
            import torch

            from artkit.data import Column, Dataset

            class Stripes(Dataset):
                name = "stripes"
                columns = {"image": Column("image", Kind.IMAGE)}

                def __len__(self):
                    return 1000 if split == "train" else 100

                def load(self, index, names):
                    colours = torch.Generator().manual_seed(index + (0 if split == "train" else 10**6))
                    stripes = torch.randint(256, (3, 1, 8), generator=colours, dtype=torch.uint8)
                    return {"image": stripes.repeat_interleave(options.width, dim=2).expand(3, 64, -1)}

            return Stripes()
    """


@hookspec
def register_metrics() -> list[MetricSpec]:
    """Offer metrics for `artkit evaluate --metrics NAME`.

    Called once, when plugins are loaded. `function` takes two lists of pictures, outputs and targets, as those of
    `artkit.metrics` do, and returns a number. A metric that needs more than artkit brings says so in `needs`, one that
    asks what is said of each target in `facts`, and then takes that as its third list; both are computed only when they
    are named.

    Example::

        from artkit import MetricSpec, hookimpl


        @hookimpl
        def register_metrics():
            return [MetricSpec("brightness_gap", "Difference of mean brightness.", f"{__name__}:brightness_gap")]


        def brightness_gap(outputs, targets):
            gaps = [abs(output.mean() - target.mean()) for output, target in zip(outputs, targets, strict=True)]
            return float(sum(gaps) / len(gaps))
    """


@hookspec
def import_checkpoint(checkpoint: Checkpoint, method: str | None) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Make a model of another program's weights, so that `method(model="their.pth")` runs them as they are.

    Called when a step or `artkit models import` names a file that is no model file of artkit's, until a plugin takes
    it. Return None for whatever is not yours: another `method` (None when nobody said one), other tensors. Each of
    `checkpoint.files` has its `path`, its `tensors` by name, already read safely, and in `recognised` the network of
    pytorch-CycleGAN-and-pix2pix or CUT that core takes it for, if any. `checkpoint.hints` is what the user said:
    direction, size, classes. Raise ModelError for a file that is yours and cannot be used.

    Example::

        from artkit import Kind, ModelHeader, hookimpl


        @hookimpl
        def import_checkpoint(checkpoint, method):
            tensors = checkpoint.files[0].tensors
            if method not in (None, "blur") or "blur.kernel" not in tensors:
                return None
            kernel = tensors["blur.kernel"]
            header = ModelHeader(
                method="blur",
                summary=f"a blur of {kernel.shape[-1]} pixels",
                architecture="blur",
                inputs={"image": Kind.IMAGE},
                output=Kind.IMAGE,
            )
            return header, {"kernel": kernel / kernel.sum()}
    """


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to the command line, which is a click group.

    Called when the command line starts: import what is heavy inside the command, not at the top of the module.

    Example::

        import click

        from artkit import hookimpl


        @hookimpl
        def register_commands(cli):
            @cli.command(help="Greet the painter.")
            def hello():
                click.echo("Hello, painter.")
    """


@hookspec
def before_step(step: StepEvent) -> None:
    """Look on just before a step of a chain computes.

    Example::

        from artkit import hookimpl


        @hookimpl
        def before_step(step):
            print(f"step {step.index + 1}: {step.method}, seed {step.seed}")
    """


@hookspec
def after_step(step: StepEvent) -> None:
    """Look on just after a step of a chain computed; `step.seconds` is how long it took.

    Example::

        from artkit import hookimpl

        seconds_by_method = {}


        @hookimpl
        def after_step(step):
            seconds_by_method[step.method] = seconds_by_method.get(step.method, 0.0) + step.seconds
    """


@hookspec
def training_event(event: TrainingEvent) -> None:
    """Follow a training run: its start and end, steps that are logged, held-out scores, sample sheets and checkpoints.

    Example::

        import json

        from artkit import hookimpl


        @hookimpl
        def training_event(event):
            if event.kind == "step":
                with open(event.run / "losses.jsonl", "a") as log:
                    log.write(json.dumps({"step": event.step, **event.losses}) + chr(10))
    """
