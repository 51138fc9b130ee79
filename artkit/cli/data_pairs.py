"""`artkit data pairs`: training pairs from plain pictures, with any chain as the input side."""

from __future__ import annotations

from pathlib import Path

import click

from artkit.cli.output import json_option, print_json, say
from artkit.cli.parameters import ChainText
from artkit.cli.progress import progress


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="OUT", help="Where to.")
@click.option("--from", "chain", required=True, type=ChainText(), metavar="CHAIN", help="What makes the input side.")
@click.option("--seed", type=click.IntRange(0), default=0, metavar="N", help="Seed of the first picture.  [default: 0]")
@click.option("--device", default="auto", metavar="auto|cpu|cuda|mps", help="Where to compute.")
@click.option("--precision", default="auto", metavar="auto|fp32|bf16|fp16", help="Arithmetic of the networks.")
@json_option
def pairs(folder: Path, output: Path, chain: str, seed: int, device: str, precision: str, as_json: bool) -> int:
    """Make pairs to train on: what a chain makes of each picture of DIR, and the picture.

    `--from "edges(sigma=2)"` makes sketches of photos, so that pix2pix can learn to make photos of sketches. The same
    command goes on where it was stopped.
    """
    from artkit.chain import Chain

    parsed = Chain(chain)
    with progress(f"making pairs with {parsed}") as bar:
        from artkit.data import make_pairs

        words = f"making pairs with {parsed}"
        found = make_pairs(
            folder,
            output,
            parsed,
            seed=seed,
            device=device,
            precision=precision,
            progress=lambda done, total: bar.advance(f"{words}: {done:,} of {total:,}"),
        )
    for failure in found.failures:
        say(failure)
    if as_json:
        counts = {"made": found.made, "kept": found.kept, "failures": found.failures}
        print_json({"output": str(output), "chain": str(parsed), **counts})
    else:
        kept = f", {found.kept:,} were there already" if found.kept else ""
        click.echo(f"{output}: {found.made:,} pairs made{kept}. To train: artkit train pix2pix {output} -o RUN")
    return 1 if found.failures else 0
