"""`artkit models pull` and `push`: models from the catalogue and the hub, and to the hub."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from artkit.cli.output import echo, json_option, log, print_json
from artkit.cli.progress import on_terminal
from artkit.errors import UsageError

if TYPE_CHECKING:
    from artkit.models.fetching import Watcher
    from artkit.models.pulling import Pulled
    from artkit.plugins import Registry


def _complete_entries(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from artkit.models.catalogue import list_entries

    names = {spec.name for spec in list_entries(ctx.find_root().obj)}
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]


@click.command()
@click.argument("name", shell_complete=_complete_entries)
@click.option("--mirror", metavar="URL", help="Folder on another server that holds the file.")
@click.option("--sha256", metavar="DIGITS|FILE", help="What the download must have: 64 digits, or sha256sum's file.")
@click.option("--overwrite", is_flag=True, help="Download a model that is here already once more.")
@json_option
@click.pass_obj
def pull(registry: Registry, name: str, mirror: str | None, sha256: str | None, overwrite: bool, as_json: bool) -> None:
    """Download a model of the catalogue: NAME or METHOD/NAME; or one of the Hugging Face hub: hf:USER/REPO[@REV].

    `artkit models list --all` lists the catalogue.
    """
    if name.startswith("hf:"):
        if mirror or sha256:
            raise UsageError(
                "--mirror and --sha256 are for the catalogue; a model of the hub is pinned by hf:...@COMMIT."
            )
        pulled = _pull_from_hub(name, registry, overwrite=overwrite, hidden=as_json)
        _tell(pulled, registry, as_json=as_json)
        return
    from artkit.models.catalogue import find_entry
    from artkit.models.pulling import mirrored, pull_model

    spec = find_entry(name, registry)
    digits = sha256 and _digits(sha256, mirrored(spec, mirror).rpartition("/")[2])
    with _pull_progress(spec.name, hidden=as_json) as watcher:
        pulled = pull_model(spec, registry, mirror=mirror, sha256=digits, overwrite=overwrite, watcher=watcher)
    _tell(pulled, registry, as_json=as_json)


@click.command()
@click.argument("name")
@click.argument("place", metavar="hf:USER/REPO")
@click.option(
    "--sample",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PNG",
    help="A picture that the model made, by artkit run: it and its record are shown with the model.",
)
@json_option
@click.pass_obj
def push(registry: Registry, name: str, place: str, sample: Path, as_json: bool) -> None:
    """Publish a model on the Hugging Face hub, with a card of what its header says: NAME, METHOD/NAME or a file.

    Who you are there is what `hf auth login` or HF_TOKEN says.
    """
    from artkit.exporting import push_model
    from artkit.models.store import find_listed

    path = Path(name) if Path(name).is_file() else find_listed(name, registry).path
    pushed = push_model(path, place, sample)
    if as_json:
        print_json({"place": pushed.place, "files": list(pushed.files)})
    else:
        echo(pushed.place)


def _pull_from_hub(text: str, registry: Registry, *, overwrite: bool, hidden: bool) -> Pulled:
    from artkit.models.hub import pull_from_hub

    with _pull_progress(text, hidden=hidden) as watcher:
        pulled = pull_from_hub(text, registry, overwrite=overwrite, watcher=watcher)
    log(f"this is {pulled.spec.source}")
    return pulled


def _tell(pulled: Pulled, registry: Registry, *, as_json: bool) -> None:
    if as_json:
        print_json(_record(pulled))
    else:
        _print_pulled(pulled, registry)


def _digits(text: str, download: str) -> str:
    """Return the digits in `text`, or those a file of sha256sum's names for `download` (its only ones will do)."""
    if not os.path.isfile(text):
        return text
    try:
        lines = [line.split() for line in Path(text).read_text().splitlines() if line.strip()]
    except (OSError, UnicodeError):
        lines = []
    of_download = [words[0] for words in lines if words[-1].lstrip("*").rpartition("/")[2] == download]
    found = of_download or [words[0] for words in lines if len(lines) == 1]
    if len(set(found)) != 1:
        raise UsageError(f"--sha256 {text}: no line of this file is about {download}.")
    return found[0]


def _print_pulled(pulled: Pulled, registry: Registry) -> None:
    spec = pulled.spec
    if not pulled.fresh:
        log(f"'{spec.name}' is here already.")
    elif not pulled.checked:
        log(f"nobody published a checksum for this file. Its SHA-256, noted in the model: {pulled.sha256}")
    if pulled.fresh:
        method = registry.methods.get(spec.method)
        chosen = f'"{spec.method}(model={spec.name})"' if method is None or method.has_models else spec.method
        log(f"to use it: artkit run PICTURE --chain {chosen}")
    echo(str(pulled.path))


def _record(pulled: Pulled) -> dict[str, Any]:
    return {
        "name": pulled.spec.name,
        "method": pulled.spec.method,
        "model": str(pulled.path),
        "sha256": pulled.sha256,
        "fresh": pulled.fresh,
        "checked": pulled.checked,
    }


@contextmanager
def _pull_progress(name: str, *, hidden: bool) -> Iterator[Watcher]:
    """Show a bar of bytes while the block runs, on a terminal only; notes go to stderr in any case."""
    from artkit.models.fetching import Watcher

    class Notes(Watcher):
        def note(self, words: str) -> None:
            log(words)

    if hidden or not on_terminal():
        yield Notes()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = [TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()]
    drawn = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    with drawn:
        task = drawn.add_task(name, total=None)

        class Bar(Notes):
            def progress(self, done: int, total: int | None) -> None:
                drawn.update(task, completed=done, total=total)

        yield Bar()
