"""Pulling a model of the catalogue: download, check, import, place in the store."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from filelock import FileLock, Timeout

from artkit.errors import ModelError, OutputError, UsageError
from artkit.files import reason_of
from artkit.models.fetching import ELSEWHERE, Downloader, Partial, Patience, Watcher, shown
from artkit.models.header import is_foreign, read_header
from artkit.models.opening import open_model
from artkit.models.store import SUFFIX, data_home, user_model_path
from artkit.spec import ModelSpec

if TYPE_CHECKING:
    from artkit.models.file import Model
    from artkit.plugins import Registry

SLACK = 2  # a download may be this much larger than its entry says
LIMIT = 4 * 2**30  # bytes, where the entry says nothing


@dataclass(frozen=True)
class Pulled:
    """A model that is here: `fresh` when it was downloaded just now, `checked` when its SHA-256 was known before."""

    spec: ModelSpec
    path: Path
    sha256: str | None
    fresh: bool
    checked: bool


def pull_model(
    spec: ModelSpec,
    registry: Registry,
    *,
    mirror: str | None = None,
    sha256: str | None = None,
    overwrite: bool = False,
    watcher: Watcher | None = None,
    patience: Patience | None = None,
) -> Pulled:
    """Bring a model of the catalogue into the store, unless it is there.

    `mirror` is the address of another folder that holds the file. `sha256`, 64 hex digits, is what the download must
    have; else the entry's is checked, else none is, and the one seen is noted in the model's header. With `overwrite`
    the model is downloaded whether or not it is there. A process that pulls the same model at the same time is waited
    for. A download that broke off is kept and resumed. Raises ModelError and OutputError as Downloader does, and
    ModelError for a wrong checksum or a file that is no such model, which is deleted; UsageError for a `mirror` or
    `sha256` that is none.
    """
    target = user_model_path(spec.method, spec.name)
    url = mirrored(spec, mirror)
    expected = _checked_digits(sha256) or spec.sha256
    watcher = watcher or Watcher()
    if target.is_file() and not overwrite:
        return _at_hand(spec, target, expected)
    with alone(spec, watcher):
        if target.is_file() and not overwrite:  # by now
            return _at_hand(spec, target, expected)
        with workshop(spec) as folder:
            file = download(spec, url, expected, folder, watcher, patience or Patience())
            try:
                digest = digest_of_download(file)
                place(read_download(spec, url, file, registry, watcher), spec, url, digest, target)
            finally:
                file.unlink(missing_ok=True)
    return Pulled(spec, target, digest, fresh=True, checked=expected is not None)


def mirrored(spec: ModelSpec, mirror: str | None) -> str:
    """Return from where a model is downloaded: the entry's URL, or its file's name in the folder `mirror`."""
    url = spec.url or ""
    if mirror is None:
        return url
    parts = urlsplit(mirror)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"--mirror {mirror}: give the http or https address of a folder that holds the file.")
    return f"{mirror.rstrip('/')}/{url.rpartition('/')[2]}"


def _checked_digits(sha256: str | None) -> str | None:
    if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise UsageError(f"--sha256 {sha256}: a SHA-256 has 64 digits from 0 to f.")
    return sha256 and sha256.lower()


@contextmanager
def alone(spec: ModelSpec, watcher: Watcher) -> Iterator[None]:
    """Keep other processes from pulling this model meanwhile; wait for one that does."""
    lock = FileLock(data_home() / "pulls" / f"{spec.method}-{spec.name}.lock")
    try:
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            watcher.note(f"another artkit is pulling '{spec.name}': waiting for it.")
            lock.acquire()
    except OSError as error:
        raise OutputError(f"Cannot write {lock.lock_file}: {reason_of(error)}.") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def workshop(spec: ModelSpec) -> Iterator[Path]:
    """Give the folder where the download grows; in the end it goes, unless a partial download stays in it."""
    folder = data_home() / "pulls" / f"{spec.method}-{spec.name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for forgotten in folder.glob("tmp*"):  # pooch's, of a process that was killed: whoever holds the lock is alone
            forgotten.unlink()
        yield folder
    except OSError as error:
        raise OutputError(f"Cannot write to {folder}: {reason_of(error)}.") from error
    finally:
        with suppress(OSError):
            folder.rmdir()


def _at_hand(spec: ModelSpec, path: Path, expected: str | None) -> Pulled:
    try:
        seen = read_header(path).training.get("sha256")
    except ModelError as error:
        raise ModelError(f"{error} To pull it again, add --overwrite.") from None
    if expected is not None and seen != expected:
        made_from = f"from a download with the SHA-256 {seen}" if seen else "and nothing says from which download"
        raise ModelError(f"{path} is here already, {made_from}. To pull it again, add --overwrite.")
    return Pulled(spec, path, seen, fresh=False, checked=expected is not None)


def download(
    spec: ModelSpec, url: str, expected: str | None, folder: Path, watcher: Watcher, patience: Patience
) -> Path:
    """Return the file that was downloaded into a workshop; `expected` is the SHA-256 that it must have.

    Raises ModelError and OutputError as Downloader does, ModelError for another SHA-256.
    """
    import pooch

    limit = SLACK * spec.size if spec.size else LIMIT
    downloader = Downloader(Partial(folder / "download.part"), limit, watcher, patience)
    name = f"{spec.name}{SUFFIX if url.endswith(SUFFIX) else '.pth'}"
    (folder / name).unlink(missing_ok=True)
    try:
        with _quiet(pooch.get_logger()):
            return Path(pooch.retrieve(url, expected, name, folder, downloader=downloader))
    except ValueError as error:
        raise ModelError(f"What came from {shown(url)} is not what was expected. {error}") from None


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def read_download(spec: ModelSpec, url: str, file: Path, registry: Registry, watcher: Watcher) -> Model:
    """Read a download: one of artkit's own model files, or a checkpoint that the method knows how to import."""
    if _is_page(file):
        raise ModelError(f"{shown(url)} gave a web page, not a model. {ELSEWHERE}")
    try:
        model = open_model(file, spec.method, registry)
    except ModelError as error:
        raise ModelError(f"What came from {shown(url)} cannot be used: {error}".replace(str(file), "it")) from None
    if model.header.method != spec.method:
        raise ModelError(f"{shown(url)} is a model of {model.header.method}, not of {spec.method}.")
    if is_foreign(file):
        watcher.note(f"'{spec.name}' is {model.header.summary}")
    return model


def _is_page(file: Path) -> bool:
    with file.open("rb") as stream:
        return stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def digest_of_download(file: Path) -> str:
    """Return the SHA-256 of what was downloaded."""
    import pooch

    digest: str = pooch.file_hash(str(file))
    return digest


def place(model: Model, spec: ModelSpec, url: str, digest: str, target: Path) -> None:
    """Write the model into the store; its header gains what the catalogue knows and where the download came from."""
    from artkit.models.file import save_model

    facts: dict[str, Any] = {"data": spec.trained_on, "source": spec.source, "url": shown(url), "sha256": digest}
    header = msgspec.structs.replace(
        model.header,
        name=spec.name,
        summary=spec.summary or model.header.summary,
        licence=spec.licence or model.header.licence,
        training=model.header.training | {key: value for key, value in facts.items() if value},
    )
    save_model(target, header, model.tensors)
