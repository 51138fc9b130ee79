"""The command line: `main` is what `artkit` and `python -m artkit` run; `make_cli` builds its commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

    from artkit.plugins import Registry

HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage"
"""There where Linux hands out memory in large pages too."""


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 (something failed) or 2 (asked for wrongly), 130 (Ctrl-C).

    `args` defaults to the process's own. Never raises for what a user can cause (see `artkit.cli.output`).
    """
    try:
        from artkit.cli.output import guarded  # with click, most of a start: Ctrl-C may well come here
    except KeyboardInterrupt:
        print("artkit: stopped.", file=sys.stderr)
        return 130
    _ask_for_huge_pages()
    args = list(sys.argv[1:] if args is None else args)
    return guarded(lambda: _invoke(args), as_json="--json" in args)


def _ask_for_huge_pages() -> None:
    """Have torch ask Linux for memory in large pages: one by one, small ones take longer to get than a photo to read.

    torch looks once, when it first takes memory. What the user has set stays.
    """
    if os.path.isdir(HUGE_PAGES):
        os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


COMMANDS = {
    "run": ("artkit.cli.run:run", "Run a chain on pictures, or let it dream."),
    "train": ("artkit.cli.train:train", "Train a method on data."),
    "runs": ("artkit.cli.runs:runs", "List training runs; show, report or compare them."),
    "evaluate": ("artkit.cli.evaluate:evaluate", "Score a chain on the held-out pairs of a dataset."),
    "study": ("artkit.cli.study:study", "Compare ways to train a method, each with several seeds."),
    "studio": ("artkit.cli.studio:studio", "Open the studio, a page in the browser."),
    "methods": ("artkit.cli.methods:methods", "List the methods, or say everything about one."),
    "models": ("artkit.cli.models:models", "List models, show one; pull, push, import or export one."),
    "data": ("artkit.cli.data:data", "List datasets, make one, or check a folder."),
    "plugins": ("artkit.cli.plugins:plugins", "List plugins, write a new one, or check one."),
    "doctor": ("artkit.cli.doctor:doctor", "Say what is here, wrong, or slow."),
    "completion": ("artkit.cli.group:completion", "Print the completion script of a shell."),
}
"""Core's commands, the most used first: where each is, and its short help, so that `--help` imports none of them."""


def make_cli(registry: Registry) -> click.Group:
    """Build the `artkit` command with core's commands and those of the plugins in `registry`."""
    from artkit.cli.group import LateCommand, accept_verbose, make_group

    cli = make_group(registry)
    for name, (reference, short_help) in COMMANDS.items():
        cli.add_command(LateCommand(name, reference, short_help))
    cli.seal()
    if registry.hook_impls("register_commands"):
        cli.load_all()
        registry.call("register_commands", cli=cli)
    accept_verbose(cli)
    return cli


def _invoke(args: list[str]) -> int:
    from artkit.plugins import load_registry, use_registry

    files, args = hoist_plugins(args)
    registry = load_registry(files)
    use_registry(registry)
    code = make_cli(registry).main(args, prog_name="artkit", standalone_mode=False)
    return code if isinstance(code, int) else 0


def hoist_plugins(args: Sequence[str]) -> tuple[tuple[Path, ...], list[str]]:
    """Return the files of every `--plugin FILE` and the other arguments.

    Plugins are read before the command line is, because they bring commands and methods of their own; so `--plugin`
    may stand anywhere.
    """
    files: list[Path] = []
    rest: list[str] = []
    remaining = iter(args)
    for argument in remaining:
        if argument == "--":
            rest.extend((argument, *remaining))
        elif argument == "--plugin" and (value := next(remaining, None)) is not None:
            files.append(Path(value))
        elif argument.startswith("--plugin="):
            files.append(Path(argument.removeprefix("--plugin=")))
        else:
            rest.append(argument)
    return tuple(files), rest
