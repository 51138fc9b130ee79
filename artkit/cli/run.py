"""`artkit run`: a chain over pictures, or dreams from a seed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.clusters import ENGINES, LOCAL, RAY, execute_on_ray, refuse_alone
from artkit.cli.output import echo, json_option, log, print_json
from artkit.cli.parameters import LONGEST, Assignment, ChainText, ShardText, Size
from artkit.errors import UsageError
from artkit.seeds import MAX_COUNT

if TYPE_CHECKING:
    from artkit.buckets import Place
    from artkit.chain import Plan
    from artkit.cli.files import Source
    from artkit.cli.request import Request
    from artkit.engine import Job
    from artkit.plugins import Registry

MOST_RESULTS = 1_000_000  # pictures of one run whose -n is more than 1

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
        help="A picture for another port of a step. Repeatable; twice for one port gives it both, where it takes many.",
    ),
    click.option(
        "-n",
        "count",
        type=click.IntRange(1, MAX_COUNT),
        metavar="COUNT",
        help="How many pictures, with seeds N, N+1, ...",
    ),
    click.option("--seed", type=click.IntRange(0), metavar="N", help="Random seed (0)."),
    click.option(
        "--size",
        type=Size(one=LONGEST),
        metavar="WxH|N",
        help="Size of a dream; an input is resized to it. One number is the longest side: proportions stay.",
    ),
    click.option(
        "--fps",
        type=click.FloatRange(0.01, 1000),
        metavar="N",
        help="Frames a second of a clip made of a folder of frames (25).",
    ),
    click.option(
        "--steady",
        type=click.FloatRange(0, 1),
        metavar="0..1",
        help="How much the frames of a clip are steadied; 0 leaves each as it is (0.5 for chains that would flicker).",
    ),
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
    click.option(
        "--skip-existing",
        is_flag=True,
        help="Leave out results that the same chain, seed and models made of the same input.",
    ),
    click.option(
        "--shard",
        type=ShardText(),
        metavar="I/N",
        help="Make part I of N alone, 1/N to N/N; each picture is in one of them, by its name. See docs/clusters.md.",
    ),
    click.option(
        "--engine",
        type=click.Choice(ENGINES),
        default=LOCAL,
        help="What runs it: this process, or a Ray cluster, which takes buckets too, s3://BUCKET/FOLDER.",
    ),
    click.option(
        "--check", is_flag=True, help="Say what is other here than where the --recipe was made; compute nothing."
    ),
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

    INPUT is a picture, several, a folder (then -o DIR) or - for standard input; or an animation (GIF, APNG, WebP) or
    movie, which stays one, or becomes frames with -o DIR/; a folder of frames becomes one with -o NAME.gif. For a
    chain that paints sentences it is a table or text of them: captions.tsv, sentences.txt. Without INPUT, a chain that
    starts with a source (semgan, say) dreams: -n 9 --seed 7 -o dreams/.
    """
    from artkit.cli.request import make_request
    from artkit.cli.sentences import find_sentences, run_each

    if typed.pop("check"):
        from artkit.cli.comparing import compare

        return compare(typed, registry)
    request = make_request(typed)
    if request.engine == RAY:
        refuse_alone(request)
    act = partial(_run, registry, typed["steady"] is not None)
    told = find_sentences(request, registry)
    if told is not None and request.engine == RAY:
        raise UsageError("each sentence is a run of its own: leave out --engine ray, and share them out with --shard.")
    return act(request) if told is None else run_each(request, told, act)


def _run(registry: Registry, steady: bool, request: Request) -> int:
    """Do what a request asks for, and return the exit code; `steady` tells whether --steady was typed."""
    from artkit.chain import plan_chain
    from artkit.cli.clips import find_clip, run_clip
    from artkit.cli.request import check_files

    plan = plan_chain(request.chain, registry, has_input=bool(request.inputs), ports=request.ports)
    check_files(plan, request)
    task = find_clip(plan, request)
    if task is not None and request.shard is not None:
        raise UsageError("--shard shares out pictures, and a clip is made in one piece: leave it out.")
    if task is not None and request.engine == RAY:
        raise UsageError("--engine ray shares out pictures, and a clip is made in one piece: leave it out.")
    if task is not None:
        return run_clip(task, plan, request)
    if request.shard is not None and request.strip:
        raise UsageError("--strip is one sheet, and every shard would write it: leave it out with --shard.")
    if steady:
        raise UsageError("--steady is for clips: an animation, a movie, or -o NAME.gif, .apng, .webp or .mp4.")
    request = replace(request, steady=None)
    jobs, kept = _plan_jobs(plan, request)
    if kept:
        log(f"{kept:,} of {kept + len(jobs):,} are there already.")
    if request.dry_run:
        _print_plan(plan, jobs, as_json=request.as_json)
        return 0
    from artkit.cli.delivery import execute

    return (execute_on_ray if request.engine == RAY and jobs else execute)(plan, jobs, request)


def _plan_jobs(plan: Plan, request: Request) -> tuple[list[Job], int]:
    """Name every result, and check the places before anything is computed; count those that are there and stay."""
    from artkit.cli.files import check_format, refuse_overwriting
    from artkit.cli.sharding import take_shard
    from artkit.images import WRITABLE_SUFFIXES

    sources, jobs = _name_jobs(plan, request)
    if request.as_json and any(job.target is None for job in jobs):
        raise UsageError("--json and -o - both want standard output; write the picture to a file.")
    if request.shard is not None:
        jobs = take_shard(jobs, request.shard, request.seed)
    count = len(jobs)
    if request.skip_existing and request.engine != RAY:  # whose workers look for themselves
        from artkit.cli.skipping import skip_existing

        jobs = skip_existing(jobs, plan, request)
    targets: list[Place] = [job.target for job in jobs if job.target]
    if request.strip:
        check_format(request.strip, WRITABLE_SUFFIXES)
        targets.append(request.strip)
    inputs = [source for source, _ in sources if not isinstance(source, bytes)]
    kept = request.overwrite or (request.engine == RAY and request.skip_existing)
    refuse_overwriting(targets, [*inputs, *plan.files()], overwrite=kept)
    return jobs, count - len(jobs)


def _name_jobs(plan: Plan, request: Request) -> tuple[list[Source], list[Job]]:
    """Return the pictures that are read, and a job for each result."""
    from artkit.cli.files import Namer, collect_sources, is_folder
    from artkit.engine import look_back
    from artkit.images import LABEL_SUFFIXES, WRITABLE_SUFFIXES
    from artkit.spec import Kind

    stdin, shard = bytes if request.dry_run else sys.stdin.buffer.read, request.shard
    early = request.count == 1 and not plan.look_back  # a million names are a gigabyte
    sources = collect_sources(request.inputs, request.output, stdin, shard.holds if shard and early else None)
    if request.inputs and not sources:  # the pictures of other shards
        return [], []
    if request.count > 1 and len(sources) * request.count > MOST_RESULTS:
        pictures = f"{len(sources):,} inputs and -n {request.count} make {len(sources) * request.count:,} pictures"
        raise UsageError(f"{pictures}; a run makes at most {MOST_RESULTS:,} with -n.")
    seeds = range(request.seed, request.seed + request.count)
    name = "-".join(step.method for step in request.chain)
    suffixes = LABEL_SUFFIXES if plan.output is Kind.LABELS else WRITABLE_SUFFIXES
    folder = shard is not None or any(map(is_folder, request.inputs))
    jobs = list(look_back(Namer(name, request.output, suffixes).jobs(sources, seeds, folder=folder), plan.look_back))
    return sources, [replace(job, before=request.before) for job in jobs] if request.before else jobs


def _print_plan(plan: Plan, jobs: list[Job], *, as_json: bool) -> None:
    from artkit.cli.files import describe_job

    if as_json:
        print_json({"plan": plan.as_json(), "results": [describe_job(job) for job in jobs]})
        return
    for line in plan.describe():
        echo(line)
    for job in jobs:
        echo(f"{job.label} -> {job.target or 'standard output'}")
