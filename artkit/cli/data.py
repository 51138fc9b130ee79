"""`artkit data`: datasets made, folders checked, pairs from a chain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from artkit.cli.output import echo, json_option, log, print_columns, print_json
from artkit.cli.parameters import Assignment, ChainText, Size, collect_settings
from artkit.cli.progress import progress
from artkit.errors import UsageError

if TYPE_CHECKING:
    from artkit.plugins import Registry
    from artkit.spec import DatasetSpec


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
        echo("")
        echo("To train:")
        print_columns((f"  {method['command']}", f"# {method['learns']}") for method in found["methods"])
    if found["unmet"]:
        echo("")
        echo("To train others:")
        print_columns((f"  {name}", f"needs {missing}") for name, missing in found["unmet"].items())
    if found["advice"]:
        echo("")
        echo("Worth knowing:")
    for words in found["advice"]:
        echo(f"  {words}")
    if found["problems"]:
        echo("")
        echo("Wrong:")
    for problem in found["problems"]:
        echo(f"  {problem}")


def _count(count: int | dict[str, int]) -> str:
    if isinstance(count, int):
        return f"{count:,}"
    return "(" + ", ".join(f"{number:,} {name}" for name, number in count.items()) + ")"


def _sizes(sizes: dict[str, int]) -> str:
    shown = [f"{size} ({count:,} files)" for size, count in list(sizes.items())[:MAX_SIZES]]
    return ", ".join(shown) + (f", and {len(sizes) - MAX_SIZES} more" if len(sizes) > MAX_SIZES else "")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="OUT", help="Where to.")
@click.option("--from", "source", type=ChainText(), metavar="CHAIN", help="What makes the input side.")
@click.option("--to", "target", type=ChainText(), metavar="CHAIN", help="What makes the target side.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, metavar="N", help="Random seed of the first one.  [default: 0]"
)
@click.option("--device", default="auto", metavar="auto|cpu|cuda|mps", help="Where to compute.")
@click.option("--precision", default="auto", metavar="auto|fp32|bf16|fp16", help="Arithmetic of the networks.")
@json_option
def pairs(
    folder: Path,
    output: Path,
    source: str | None,
    target: str | None,
    seed: int,
    device: str,
    precision: str,
    as_json: bool,
) -> int:
    """Make pairs to train on: each picture of DIR, and what a chain makes of it.

    `--from "edges(sigma=2)"` makes sketches of photos, so that pix2pix can learn to make photos of sketches. `--to
    "nst(style='monet.jpg')"` paints photos, so that pix2pix can learn to paint. The same command goes on where it was
    stopped.
    """
    from artkit.chain import Chain

    text, side = _made_side(source, target)
    parsed = Chain(text)
    with progress(f"making pairs with {parsed}") as bar:
        from artkit.pairing import make_pairs

        words = f"making pairs with {parsed}"
        found = make_pairs(
            folder,
            output,
            parsed,
            side=side,
            seed=seed,
            device=device,
            precision=precision,
            progress=lambda done, total: bar.advance(f"{words}: {done:,} of {total:,}"),
        )
    for failure in found.failures:
        log(failure)
    if as_json:
        counts = {"made": found.made, "kept": found.kept, "failures": found.failures}
        print_json({"output": str(output), "chain": str(parsed), **counts})
    else:
        kept = f", {found.kept:,} were there already" if found.kept else ""
        echo(f"{output}: {found.made:,} pairs made{kept}. To train: artkit train pix2pix {output} -o RUN")
    return 1 if found.failures else 0


def _made_side(source: str | None, target: str | None) -> tuple[str, Literal["input", "target"]]:
    """Return the one chain that was given, and which side of the pairs it makes."""
    if source is not None and target is None:
        return source, "input"
    if target is not None and source is None:
        return target, "target"
    raise UsageError("say which side of the pairs a chain makes: --from CHAIN the input, or --to CHAIN the target.")


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
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Random seed.")
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
        echo(str(output))


def _list(registry: Registry, as_json: bool) -> None:
    specs = [spec for spec in registry.datasets.values() if spec.factory]
    if as_json:
        print_json([_record(spec) for spec in specs])
    elif specs:
        print_columns((spec.name, spec.summary) for spec in specs)
        echo("")
        echo(f"Make one: artkit data make {specs[0].name} --count 500 -o data/")
    else:
        echo("No plugin offers a dataset. To check a folder of your own: artkit data check DIR")


def _record(spec: DatasetSpec) -> dict[str, Any]:
    from dataclasses import asdict

    from artkit.spec import describe_options

    options = [asdict(option) for option in describe_options(spec.options)]
    return {"name": spec.name, "summary": spec.summary, "options": options}
