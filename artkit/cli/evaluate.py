"""`artkit evaluate`: a chain scored against the pairs of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from artkit.cli.output import json_option
from artkit.cli.parameters import ChainText

if TYPE_CHECKING:
    from artkit.plugins import Registry


@click.command()
@click.argument("data")
@click.option("--chain", required=True, type=ChainText(), metavar="TEXT", help="Steps in order.")
@json_option
@click.pass_obj
def evaluate(registry: Registry, data: str, chain: str, as_json: bool) -> None:
    """Score a chain on the held-out pairs of DATA."""
    raise NotImplementedError
