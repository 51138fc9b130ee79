"""`artkit run`: a chain over pictures, or dreams from a seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.output import json_option, print_json
from artkit.cli.parameters import Assignment, ChainText, Size, collect_assignments

if TYPE_CHECKING:
    from artkit.chain import Plan
    from artkit.cli.files import Task
    from artkit.cli.request import Flags, Request
    from artkit.plugins import Registry

OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("inputs", nargs=-1, metavar="[INPUT]...", type=click.Path(allow_dash=True)),
    click.option("--chain", type=ChainText(), metavar="TEXT", help="Steps in order: semgan,touchup(strength=0.8)."),
    click.option(
        "--recipe",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A chain with its settings: a TOML file, or a PNG that artkit wrote. Other options win over it.",
    ),
    click.option("-o", "--output", metavar="FILE|DIR|-", help="Where the result goes; - is standard output."),
    click.option(
        "-i",
        "ports",
        type=Assignment("PORT=PATH", "style=monet.jpg"),
        multiple=True,
        metavar="PORT=PATH",
        help="A picture for another port of a step. Repeatable.",
    ),
    click.option(
        "-n", "count", type=click.IntRange(1), metavar="COUNT", help="How many pictures, with seeds N, N+1, ..."
    ),
    click.option("--seed", type=click.IntRange(0), metavar="N", help="Where chance starts from (0)."),
    click.option("--size", type=Size(), metavar="WxH", help="Size of a dream; an input is resized to it."),
    click.option("--device", default="auto", metavar="auto|cpu|cuda|mps", help="Where to compute."),
    click.option("--precision", default="auto", metavar="auto|fp32|bf16|fp16", help="Arithmetic of the networks."),
    click.option(
        "--keep-steps", type=click.Path(path_type=Path), metavar="DIR", help="Write the picture after every step too."
    ),
    click.option(
        "--strip", type=click.Path(path_type=Path), metavar="FILE", help="Write input, steps and result side by side."
    ),
    click.option("--show", is_flag=True, help="Show the result in the terminal."),
    click.option("--overwrite", is_flag=True, help="Replace existing results (inputs are never replaced)."),
    click.option("--dry-run", is_flag=True, help="Check everything, print the plan, compute nothing."),
    json_option,
)


def run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give `function` the options of `artkit run`, in the order of OPTIONS."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


@click.command("run")
@run_options
@click.pass_obj
def run(registry: Registry, **typed: Any) -> int:
    """Run a chain on pictures, or let it dream.

    INPUT is a picture, several, a folder (then -o DIR) or - for standard input. Without INPUT, a chain that starts
    with a source (semgan, say) dreams: -n 9 --seed 7 -o dreams/.
    """
    from artkit.chain import plan_chain
    from artkit.cli.request import Flags, make_request

    flags = Flags(**typed)
    request = make_request(
        flags.inputs,
        flags.chain,
        flags.recipe,
        seed=flags.seed,
        size=flags.size,
        count=flags.count,
        ports=collect_assignments(flags.ports, "-i"),
    )
    plan = plan_chain(request.chain, registry, has_input=bool(request.inputs), ports=request.ports)
    tasks = _plan_tasks(plan, request, flags)
    if flags.dry_run:
        _print_plan(plan, tasks, as_json=flags.as_json)
        return 0
    from artkit.cli.delivery import perform

    return perform(plan, tasks, request, flags)


def _plan_tasks(plan: Plan, request: Request, flags: Flags) -> list[Task]:
    """Name every result, and check the places before anything is computed."""
    from artkit.cli.files import STDIN, Namer, check_suffix, collect_sources, refuse_overwriting
    from artkit.errors import UsageError
    from artkit.images import LABEL_SUFFIXES, WRITABLE_SUFFIXES
    from artkit.spec import Kind

    sources = collect_sources(request.inputs, Path(flags.output) if flags.output else None)
    seeds = [request.seed + index for index in range(request.count)]
    name = "-".join(step.method for step in request.chain)
    suffixes = LABEL_SUFFIXES if plan.output is Kind.LABELS else WRITABLE_SUFFIXES
    folder = any(text != STDIN and Path(text).is_dir() for text in request.inputs)
    tasks = Namer(name, flags.output, suffixes).tasks(sources, seeds, folder=folder)
    if flags.as_json and tasks[0].target is None:
        raise UsageError("--json and -o - both want standard output; write the picture to a file.")
    targets = [task.target for task in tasks if task.target]
    if flags.strip:
        check_suffix(flags.strip)
        targets.append(flags.strip)
    inputs = [source.path for source in sources if source.path]
    refuse_overwriting(targets, [*inputs, *plan.files()], overwrite=flags.overwrite)
    return tasks


def _print_plan(plan: Plan, tasks: list[Task], *, as_json: bool) -> None:
    results = [
        {"input": task.source and str(task.source), "seed": task.seed, "output": task.target and str(task.target)}
        for task in tasks
    ]
    if as_json:
        print_json({"plan": plan.as_json(), "results": results})
        return
    for line in plan.describe():
        click.echo(line)
    for task in tasks:
        click.echo(f"{task.label} -> {task.target or 'standard output'}")
