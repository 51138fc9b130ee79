"""Files: reading regular ones alone, and whole-or-nothing writes."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

from artkit.errors import OutputError, UsageError

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than allowed here",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the disk is read-only",
    errno.ENAMETOOLONG: "the name is too long",
}


def to_path(value: Any, what: str) -> Path:
    """Return a path given as text or Path; UsageError, which calls it `what`, for anything else."""
    if not isinstance(value, str | PathLike) or isinstance(os.fspath(value), bytes):
        raise UsageError(f"{what} is a path, as text or Path, not {type(value).__name__}.")
    return Path(value)


_NOT_BLOCKING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)  # Windows has neither


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a regular file for reading bytes; a pipe, a device or a socket, which may never end, is no file.

    Raises OSError, with a `strerror` fit for people, for these and for whatever `open` refuses.
    """
    _check_regular(os.stat(path).st_mode, path)
    stream = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NOT_BLOCKING))  # noqa: SIM115
    try:
        _check_regular(os.fstat(stream.fileno()).st_mode, path)  # it may have changed since
    except BaseException:
        stream.close()
        raise
    return stream


def _check_regular(mode: int, path: str | os.PathLike[str]) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", os.fspath(path))


@contextmanager
def atomic_file(path: Path, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """Open `path` for writing so that it appears complete or not at all.

    What is written goes to `.NAME.xxxxxxxx.part` beside it, reaches the disk, then takes the final name, which reaches
    the disk too. Any exception, KeyboardInterrupt included, removes the temporary file; only a killed process can leave
    one. A symbolic link is written through. Raises OutputError: `path` exists and `overwrite` is false, is a folder or
    a device, its folder is missing, permission, full disk.
    """
    path = Path(path)
    with writing(path):
        target = Path(os.path.realpath(path))
        part = target.with_name(f".{target.name[:200]}.{os.urandom(4).hex()}.part")
        check_target(path, overwrite)
        with _removed_on_failure(part), open(part, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            # Inside the clean-up, so that a failed rename leaves nothing either.
            stream.close()
            os.replace(part, target)
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Bring a folder's new names to the disk, where the system can: else a power cut may take them back."""
    with suppress(OSError):  # the file is whole either way; some file systems and Windows sync no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError in the block into an OutputError that says why `path` cannot be written."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {reason_of(error)}.") from error
    except ValueError as error:
        if "\0" in str(path):
            raise OutputError(f"Cannot write {str(path)!r}: that is no file name.") from error
        raise
    except RuntimeError as error:
        # torch.save hides what went wrong with the stream behind an error of its own.
        if isinstance(error.__context__, OSError):
            raise OutputError(f"Cannot write {path}: {reason_of(error.__context__)}.") from error
        raise


def reason_of(error: OSError) -> str:
    """Say in plain words why writing failed."""
    return _REASONS.get(error.errno or 0, error.strerror or str(error))


def write_atomically(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write `data` to `path`, whole or not at all. Raises OutputError as `atomic_file` does."""
    with atomic_file(path, overwrite=overwrite) as stream:
        stream.write(data)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, unless it is there. Raises OutputError saying what stands in the way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "a file has that name" if isinstance(error, FileExistsError) else reason_of(error)
        raise OutputError(f"Cannot make the folder {folder}: {reason}.") from None


def digest_of(source: Path | bytes | None) -> str | None:
    """Return the SHA-256 of a file or of bytes, as provenance records it; None for nothing, or no readable file."""
    import hashlib  # late: the command line's first answer does not wait for it

    if source is None:
        return None
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    try:
        with open_regular(source) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def check_target(path: Path, overwrite: bool) -> None:
    """Raise OutputError where `path` cannot become a file: a folder or device, or there already, or in no folder."""
    if path.is_dir():
        raise OutputError(f"Cannot write {path}: it is a folder. Name a file in it, such as {path / 'picture.png'}.")
    if path.exists() and not path.is_file():
        raise OutputError(f"Cannot write {path}: it is not a regular file.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists. Add --overwrite (in Python: overwrite=True) to replace it.")
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"Cannot write {path}: the folder {folder} does not exist. Make it: mkdir -p {folder}")


@contextmanager
def _removed_on_failure(part: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
