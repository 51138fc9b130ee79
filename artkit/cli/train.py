"""`artkit train`: a model from data, watched on a terminal, resumable."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.output import echo, json_option, log, print_json
from artkit.cli.parameters import Assignment, collect_settings, complete_methods
from artkit.errors import UsageError
from artkit.files import open_regular

if TYPE_CHECKING:
    from artkit.plugins import Registry
    from artkit.spec import Options


class TrainCommand(click.Command):
    """A command that knows the settings which are typed as `--set NAME=VALUE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; fail with `--set` for an option that is a setting."""
        typed = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            option = error.option_name
            name = option.lstrip("-").replace("-", "_")
            if name not in _settings(ctx.obj):
                raise
            after = [*typed[typed.index(option) + 1 :], "VALUE"][0] if option in typed else "VALUE"
            value = "VALUE" if after.startswith("-") else after
            raise click.UsageError(f"{option} is a setting: type --set {name}={value}.", ctx) from None


def _settings(registry: Registry) -> set[str]:
    """Return the names of all settings of training, and of the training options of every method."""
    from artkit.training import Settings

    options: list[type[Options]] = [Settings, *(spec.training_options for spec in registry.methods.values())]
    return {name for one in options for name in one.__struct_fields__}


@click.command(cls=TrainCommand)
@click.argument("method", required=False, shell_complete=complete_methods)
@click.argument("data", required=False)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="RUN", help="The run's folder.")
@click.option(
    "--recipe",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A TOML file with method, data and settings. What is typed wins over it.",
)
@click.option(
    "--set",
    "settings",
    type=Assignment("KEY=VALUE", "learning_rate=1e-4"),
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting, or an option of the method (`artkit methods METHOD`). Repeatable.",
)
@click.option("--steps", type=click.IntRange(1), metavar="N", help="Updates of the generator.")
@click.option("--batch", type=click.IntRange(1), metavar="N", help="Pictures at once.")
@click.option("--accumulate", type=click.IntRange(1), metavar="N", help="Batches a step, one after another.")
@click.option("--crop", type=click.IntRange(1), metavar="N", help="Side of the square crops, in pixels.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Random seed.")
@click.option("--device", metavar="auto|cpu|cuda|mps", help="Where to compute.")
@click.option("--precision", metavar="auto|fp32|bf16", help="Arithmetic of the networks.")
@click.option("--best", metavar="METRIC", help="Keep the model with the best held-out score: ssim, say.")
@click.option("--patience", type=click.IntRange(0), metavar="N", help="End after N checkpoints without a better one.")
@click.option("--resume", is_flag=True, help="Go on from the run's last checkpoint.")
@json_option
@click.pass_obj
def train(
    registry: Registry,
    method: str | None,
    data: str | None,
    output: Path,
    recipe: Path | None,
    settings: tuple[tuple[str, str], ...],
    resume: bool,
    as_json: bool,
    **flags: int | str | None,
) -> None:
    """Train a method on data.

    DATA is a folder, or a dataset that `artkit data` lists.
    Ctrl-C writes a checkpoint; the same command with --resume goes on from there.
    RUN/report.html shows how it goes; `artkit runs` lists what there is.
    """
    values: dict[str, Any] = _read_recipe(recipe) if recipe else {}
    recorded = _recorded(output) if resume else (None, None)
    method = _given("METHOD", method, values.pop("method", None), recorded[0])
    data = _given("DATA", data, values.pop("data", None), recorded[1])
    registry.method(method)
    values |= collect_settings(settings)
    values |= {name: value for name, value in flags.items() if value is not None}
    began = time.monotonic()
    model = _train(method, data, output, values, resume)
    if as_json:
        seconds = round(time.monotonic() - began, 1)
        print_json({"method": method, "data": data, "run": str(output), "model": str(model), "seconds": seconds})
    else:
        echo(str(model))


def _train(method: str, data: str, output: Path, values: dict[str, Any], resume: bool) -> Path:
    from artkit.cli.progress import training_progress
    from artkit.training import train as run_training

    try:
        with training_progress() as reporter:
            return run_training(method, data, output, values=values, resume=resume, reporter=reporter)
    except KeyboardInterrupt:
        log(f"to go on: artkit train -o {output} --resume")
        raise


def _recorded(run: Path) -> tuple[str, str]:
    from artkit.runs import read_record

    record = read_record(run)
    return record.method, record.data


def _read_recipe(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        with open_regular(path) as file:
            return tomllib.load(file)
    except OSError as error:
        raise UsageError(f"the recipe {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UsageError(f"the recipe {path} is not valid TOML: {error}.") from None


def _given(name: str, *values: str | None) -> str:
    value = next((value for value in values if value is not None), None)
    if value is None:
        raise UsageError(f"{name} is missing: artkit train METHOD DATA -o RUN. `artkit methods` lists the methods.")
    return value
