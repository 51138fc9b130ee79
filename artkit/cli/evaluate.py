"""`artkit evaluate`: a chain scored against the held-out pairs of a dataset, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from artkit.cli.output import json_option, print_columns, print_json
from artkit.cli.parameters import ChainText
from artkit.cli.progress import progress

if TYPE_CHECKING:
    from artkit.chain import Plan
    from artkit.cli.scoring import Pairs, Scores
    from artkit.plugins import Registry
    from artkit.spec import MetricSpec


@click.command()
@click.argument("data")
@click.option("--chain", required=True, type=ChainText(), metavar="TEXT", help="Steps in order.")
@click.option("--metrics", metavar="A,B", help="Scores to compute.  [default: those that fit the output]")
@click.option("--source", metavar="COLUMN", help="Where the chain starts.  [default: the first column that fits]")
@click.option("--target", metavar="COLUMN", help="What it should give.  [default: the first other column that fits]")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N", help="Seed of the first pair."
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
    seed: int,
    device: str,
    precision: str,
    as_json: bool,
) -> None:
    """Score a chain on the held-out pairs of a dataset.

    DATA is a folder, or a dataset that `artkit data` lists. The pictures after every step are compared with the target
    as they would be written, in 8 bits; `input` is what the chain started from.
    """
    from artkit.chain import Chain, plan_chain

    plan = plan_chain(Chain(chain), registry, has_input=True, ports={})
    specs = _choose_metrics(plan, metrics, registry)
    with progress("loading the models"):
        from artkit.cli.scoring import Pairs, run_pairs
        from artkit.data import open_dataset
        from artkit.engine.runner import Runner

        pairs = Pairs(open_dataset(data, "val"), plan.output, source, target)
        runner = Runner(plan, device=device, precision=precision)
        runner.load()
    with progress(chain, total=len(pairs)) as bar:
        scores = run_pairs(runner, pairs, seed, bar)
    table = scores.table(specs, registry)
    if as_json:
        print_json(_document(str(plan.chain), data, pairs, specs, table))
    else:
        _print_table(scores, pairs, specs, table)


def _choose_metrics(plan: Plan, text: str | None, registry: Registry) -> list[MetricSpec]:
    from artkit.spec import Kind

    if text is not None:
        return [registry.metric(name.strip()) for name in text.split(",") if name.strip()]
    fitting = ("pixel_accuracy",) if plan.output is Kind.LABELS else ("rgb_distance", "psnr", "ssim", "patch_distance")
    return [registry.metric(name) for name in fitting]


def _document(
    chain: str, data: str, pairs: Pairs, specs: list[MetricSpec], table: dict[str, list[float]]
) -> dict[str, Any]:
    scores = {stage: dict(zip((spec.name for spec in specs), row, strict=True)) for stage, row in table.items()}
    return {
        "chain": chain,
        "data": data,
        "source": pairs.source.name,
        "target": pairs.target.name,
        "pairs": len(pairs),
        "scores": list(scores.values())[-1],
        "stages": scores,
    }


def _print_table(scores: Scores, pairs: Pairs, specs: list[MetricSpec], table: dict[str, list[float]]) -> None:
    click.echo(f"{len(pairs)} pairs, {pairs.source.name} -> {pairs.target.name}")
    arrows = {"lower": "↓", "higher": "↑"}
    header = ["", *(f"{spec.name} {arrows[spec.better]}" for spec in specs)]
    print_columns([header, *([stage, *(f"{value:.4g}" for value in row)] for stage, row in table.items())])
