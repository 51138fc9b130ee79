"""`artkit evaluate`: a chain scored against the held-out pairs of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from artkit.cli.output import echo, json_option, print_columns, print_json
from artkit.cli.parameters import Assignment, ChainText, gather_assignments
from artkit.cli.progress import progress

if TYPE_CHECKING:
    from artkit.plugins import Registry


@click.command()
@click.argument("data")
@click.option("--chain", required=True, type=ChainText(), metavar="TEXT", help="Steps in order.")
@click.option(
    "--metrics", metavar="A,B", help="Scores to compute.  [default: those that fit the output and need no extra]"
)
@click.option("--source", metavar="COLUMN", help="Where the chain starts.  [default: the first column that fits]")
@click.option("--target", metavar="COLUMN", help="What it should give.  [default: the first other column that fits]")
@click.option(
    "-i",
    "ports",
    type=Assignment("PORT=COLUMN", "style=partner"),
    multiple=True,
    metavar="PORT=COLUMN",
    help="A column for another port of a step. Repeatable; twice for one port gives it both, where it takes many.",
)
@click.option("-n", "limit", type=click.IntRange(1), metavar="COUNT", help="Take that many pairs.  [default: all]")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N", help="Random seed of the first pair."
)
@click.option("--device", default="auto", metavar="auto|cpu|cuda|mps", help="Where to compute.")
@click.option("--precision", default="auto", metavar="auto|fp32|bf16|fp16", help="Arithmetic of the networks.")
@json_option
@click.pass_obj
def evaluate(
    registry: Registry,
    data: str,
    chain: str,
    metrics: str | None,
    source: str | None,
    target: str | None,
    ports: tuple[tuple[str, str], ...],
    limit: int | None,
    seed: int,
    device: str,
    precision: str,
    as_json: bool,
) -> None:
    """Score a chain on the held-out pairs of a dataset.

    DATA is a folder, or a dataset that `artkit data` lists.
    """
    from artkit.chain import Chain

    parsed = Chain(chain)
    names = [name.strip() for name in metrics.split(",")] if metrics else None
    with progress(f"scoring {parsed}", total=limit) as bar:
        from artkit.metrics.evaluating import evaluate as score

        found = score(
            data,
            parsed,
            names,
            source=source,
            target=target,
            ports=gather_assignments(ports),
            limit=limit,
            seed=seed,
            device=device,
            precision=precision,
            progress=lambda: bar.advance(f"scoring {parsed}"),
        )
    if as_json:
        compared = {"source": found.source, "target": found.target, "count": found.count}
        print_json({"chain": str(parsed), "data": data, **compared, "scores": found.scores})
        return
    echo(
        f"{found.count} pairs, {found.source} -> {found.target}"
        if found.source
        else f"dreamt {found.count} beside {found.target}"
    )
    print_columns((name, f"{value:.4g}", registry.metric(name).summary) for name, value in found.scores.items())
