"""Sentences as input: a table of captions, or a text of a sentence a line, is a run for each of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from artkit.cli.files import STDOUT, refuse_overwriting
from artkit.cli.output import INTERRUPTED, log
from artkit.errors import DataError, ImageError, OptionError, UsageError
from artkit.files import make_folder, open_regular

if TYPE_CHECKING:
    from artkit.cli.request import Request
    from artkit.plugins import Registry

OPTION = "text"
"""The option that takes a sentence."""
COLUMNS = ("caption", "text", "sentence")
"""Columns of a table that sentences are looked for in first; else they are in the first of words."""
TABLES, LINES = (".tsv", ".csv"), ".txt"
MOST_BYTES = 2**24  # of a text
LONGEST_NAME = 60  # letters, of up to four bytes each: file systems take 255 bytes

Told = tuple[str, str]
"""What a picture is called, and its sentence."""


def find_sentences(request: Request, registry: Registry) -> list[Told] | None:
    """Return the sentences that the input holds; None where the chain begins with no method that paints sentences.

    The input is a table with a column of file names, a folder with such a table, or a text. Raises UsageError for
    another input, or for a chain that says its sentence itself; DataError where there is no sentence.
    """
    spec = registry.method(request.chain[0].method)
    if not request.inputs or spec.inputs or OPTION not in spec.options.__struct_fields__:
        return None
    path = Path(request.inputs[0])
    if len(request.inputs) > 1 or not (path.is_dir() or path.suffix.lower() in (*TABLES, LINES)):
        raise UsageError(
            f"{spec.name} paints sentences, and {path} is none: write {spec.name}({OPTION}='...'), or give one table "
            "or text of them, captions.tsv or sentences.txt."
        )
    if OPTION in request.chain[0].options:
        raise UsageError(f"{path} has the sentences: leave {OPTION}=... out of {spec.name}(...).")
    told = _read_lines(path) if path.suffix.lower() == LINES else _read_table(path)
    if not told:
        raise DataError(f"there is no sentence in {path}: a table needs columns 'file' and 'caption', a text lines.")
    return told


def run_each(request: Request, told: list[Told], run: Callable[[Request], int]) -> int:
    """Run every sentence, as the `text` of the first step, and return the exit code.

    One that cannot be painted is told of, and the others go on. Raises UsageError where there is no folder to write to,
    DataError where two rows would become one file, OutputError for files that are there.
    """
    if not _is_folder(request.output) or request.as_json or request.strip:
        raise UsageError(
            f"{request.inputs[0]} has {len(told)} sentences: give a folder to write to, -o FOLDER/, without --json and "
            "--strip."
        )
    _refuse_clashes(request.inputs[0], told)
    runs = list(_each(replace(request, shard=None), _take_shard(told, request)))
    _check_places(runs, request)
    if not request.dry_run:
        make_folder(Path(str(request.output)))
    code = 0
    for name, one in runs:
        try:
            code = max(code, run(one))
        except (OptionError, ImageError) as error:
            log(f"{name}: {error}")
            code = max(code, 1)
        if code == INTERRUPTED:
            break
    return code


def _take_shard(told: list[Told], request: Request) -> list[Told]:
    """Return the sentences of the request's shard, by what their pictures are called."""
    shard = request.shard
    if shard is None:
        return told
    taken = [(name, sentence) for name, sentence in told if shard.takes(name)]
    log(f"shard {shard} has {len(taken):,} of {len(told):,} sentences.")
    return taken


def _refuse_clashes(table: str, told: list[Told]) -> None:
    seen: set[str] = set()
    for name, _ in told:
        if name in seen:
            raise DataError(f"two rows of {table} would both become {name}.png: give each a name of its own.")
        seen.add(name)


def _check_places(runs: list[tuple[str, Request]], request: Request) -> None:
    """Refuse what could not be written, before anything is computed; the runs of -n refuse for themselves."""
    if request.count == 1:
        targets = [Path(str(one.output)) for _, one in runs]
        kept = request.overwrite or request.skip_existing
        refuse_overwriting(targets, [Path(request.inputs[0])], overwrite=kept)


def _is_folder(output: str | None) -> bool:
    if output is None:
        return False
    return output.endswith(("/", os.sep)) or os.path.isdir(output) or (not Path(output).suffix and output != STDOUT)


def _each(request: Request, told: list[Told]) -> Iterator[tuple[str, Request]]:
    """Yield each picture's name and request; with -n it is a folder."""
    from artkit.chain import Chain, Step

    first, *others = request.chain
    for name, sentence in told:
        place = f"{Path(str(request.output)) / name}{'/' if request.count > 1 else '.png'}"
        said = Step(first.method, {**first.options, OPTION: sentence})
        yield name, replace(request, inputs=(), chain=Chain([said, *others]), output=place)


def _read_lines(path: Path) -> list[Told]:
    try:
        with open_regular(path) as stream:
            lines = stream.read(MOST_BYTES).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text: {error}.") from None
    except OSError as error:
        raise DataError(f"cannot read the sentences {path}: {error.strerror or error}.") from None
    said = [line.strip() for line in lines if line.strip()]
    return [(f"{number:0{len(str(len(said)))}d}", line) for number, line in enumerate(said, 1)]


def _read_table(path: Path) -> list[Told]:
    from artkit.data import find_captions, read_captions

    found = find_captions(path) if path.is_dir() else read_captions(path)
    if found is None or not found.names:
        return []
    column = next((name for name in COLUMNS if name in found.names), found.names[0])
    return [(_safe(name), row[column]) for name, row in found.rows.items() if row[column].strip()]


def _safe(name: str) -> str:
    """Return a picture's name without what leads out of a folder or no file is called: a table is a stranger's."""
    parts = (part for part in PurePosixPath(name).parts if part not in ("/", "..", "."))
    return "".join(letter if letter.isprintable() else "-" for letter in "-".join(parts))[:LONGEST_NAME] or "picture"
