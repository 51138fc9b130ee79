"""`artkit study`: ways to train, compared over several seeds, with an answer that has an interval."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from artkit.cli.output import echo, json_option, log, print_json

if TYPE_CHECKING:
    from artkit.plugins import Registry


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where to.")
@click.option("--size", metavar="NAME", help="A size of the study, such as large.  [default: the small one]")
@click.option("--seeds", type=click.IntRange(1, 1000), metavar="N", help="Runs of each arm.  [default: the study's]")
@json_option
@click.pass_obj
def study(registry: Registry, study: Path, output: Path, size: str | None, seeds: int | None, as_json: bool) -> None:
    """Compare ways to train a method, each with several seeds.

    STUDY is a study's file, or the folder of its study.toml. The same command goes on with a study that was stopped.
    """
    import msgspec

    from artkit.cli.progress import training_progress
    from artkit.studies import answer, read_study, run_study, write_page

    protocol = read_study(study).resized(size)
    protocol = msgspec.structs.replace(protocol, seeds=seeds or protocol.seeds)
    with training_progress() as reporter:
        outcome = run_study(protocol, output, note=log, reporter=reporter)
    page, answers = write_page(outcome), [answer(outcome, question) for question in protocol.questions]
    if as_json:
        print_json({"page": str(page), "answers": answers, "results": msgspec.to_builtins(outcome.results)})
        return
    for sentence in answers:
        echo(sentence)
    echo(str(page))
