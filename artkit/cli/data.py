"""`artkit data`: list the datasets that plugins make, and make one; its other commands are in `data_*.py`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.data_check import check
from artkit.cli.data_pairs import pairs
from artkit.cli.output import json_option, print_columns, print_json
from artkit.cli.parameters import Assignment, Size, collect_settings
from artkit.cli.progress import progress

if TYPE_CHECKING:
    from artkit.plugins import Registry
    from artkit.spec import DatasetSpec


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def data(ctx: click.Context, as_json: bool) -> None:
    """List datasets, make one, or check a folder."""
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


data.add_command(check)
data.add_command(pairs)


@data.command()
@click.argument("name")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where to.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="How many samples.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Where chance starts from.")
@click.option("--size", type=Size(), metavar="WxH", help="Size of the pictures.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Processes at work.  [default: one a core]")
@click.option(
    "--set",
    "settings",
    type=Assignment("KEY=VALUE", "style=swirl"),
    multiple=True,
    metavar="KEY=VALUE",
    help="Another option of the dataset (`artkit data --json` lists them). Repeatable.",
)
@json_option
@click.pass_obj
def make(
    registry: Registry,
    name: str,
    output: Path,
    jobs: int | None,
    settings: tuple[tuple[str, str], ...],
    as_json: bool,
    **flags: Any,
) -> None:
    """Write a dataset to a folder: NAME is one that `artkit data` lists."""
    from artkit.spec import parse_options

    spec = registry.dataset(name)
    options: dict[str, Any] = {**collect_settings(settings)}
    options |= {key: value for key, value in flags.items() if value is not None}
    total = getattr(parse_options(spec.options, options, name), "count", None)
    with progress(f"making {name}", total=total) as bar:
        from artkit.data import make_dataset

        make_dataset(name, output, options, jobs=jobs, progress=lambda: bar.advance(f"making {name}"))
    if as_json:
        print_json({"dataset": name, "output": str(output), "options": options})
    else:
        click.echo(str(output))


def _list(registry: Registry, as_json: bool) -> None:
    specs = [spec for spec in registry.datasets.values() if spec.factory]
    if as_json:
        print_json([_record(spec) for spec in specs])
    elif specs:
        print_columns((spec.name, spec.summary) for spec in specs)
        click.echo(f"\nMake one: artkit data make {specs[0].name} --count 500 -o data/")
    else:
        click.echo("No plugin offers a dataset. To check a folder of your own: artkit data check DIR")


def _record(spec: DatasetSpec) -> dict[str, Any]:
    from dataclasses import asdict

    from artkit.spec import describe_options

    options = [asdict(option) for option in describe_options(spec.options)]
    return {"name": spec.name, "summary": spec.summary, "options": options}
