"""`artkit data check`: what a folder of pictures is, what is wrong with it, and what can be trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from artkit.cli.output import json_option, print_columns, print_json
from artkit.cli.progress import progress

MAX_SIZES = 6


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
def check(folder: Path, as_json: bool) -> int:
    """Say what a folder holds, what is wrong with it, and what can be trained on it.

    Every file is read. The exit code is 1 when something is wrong.
    """
    with progress(f"checking {folder}") as bar:
        from artkit.data import describe

        found = describe(folder, lambda done, total: bar.advance(f"checking {folder}: {done:,} of {total:,} files"))
    if as_json:
        print_json(found)
    else:
        _print(found)
    return 1 if found["problems"] else 0


def _print(found: dict[str, Any]) -> None:
    held_out = "; val chosen by content" if found["splits"] == "by content" else ""
    rows = [("folder", found["folder"]), ("layout", found["layout"])]
    rows += [("samples", ", ".join(f"{split} {_count(count)}" for split, count in found["samples"].items()) + held_out)]
    rows += [("columns", ", ".join(f"{name} ({words})" for name, words in found["columns"].items()))]
    print_columns([*rows, ("sizes", _sizes(found["sizes"]))])
    if found["methods"]:
        click.echo("\nTo train:")
        print_columns((f"  {method['command']}", f"# {method['learns']}") for method in found["methods"])
    if found["unmet"]:
        click.echo("\nTo train others:")
        print_columns((f"  {name}", f"needs {missing}") for name, missing in found["unmet"].items())
    if found["advice"]:
        click.echo("\nWorth knowing:")
    for words in found["advice"]:
        click.echo(f"  {words}")
    if found["problems"]:
        click.echo("\nWrong:")
    for problem in found["problems"]:
        click.echo(f"  {problem}")


def _count(count: int | dict[str, int]) -> str:
    if isinstance(count, int):
        return f"{count:,}"
    return "(" + ", ".join(f"{number:,} {name}" for name, number in count.items()) + ")"


def _sizes(sizes: dict[str, int]) -> str:
    shown = [f"{size} ({count:,} files)" for size, count in list(sizes.items())[:MAX_SIZES]]
    return ", ".join(shown) + (f", and {len(sizes) - MAX_SIZES} more" if len(sizes) > MAX_SIZES else "")
