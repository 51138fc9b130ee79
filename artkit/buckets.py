"""Buckets: files of an object store by their address, `s3://photos/in/a.png`, through fsspec.

As much of `pathlib` as a run over many pictures needs. Credentials are the business of the environment in which a
process runs; none is read from an address, and no message quotes what a store's own library says, which may hold some.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

from artkit.errors import ImageError, OutputError, UsageError
from artkit.files import digest_of, open_regular

STORES = {"s3": "s3fs", "memory": "fsspec"}
"""The schemes of addresses, and the package that each needs."""
MOST_BYTES = 2**31  # of one object that is read: it is taken into memory whole
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


@dataclass(frozen=True)
class BucketPath:
    """An object in a bucket, or all of those whose names begin so: `scheme` is the store, `key` the rest."""

    scheme: str
    key: str

    def __str__(self) -> str:
        """Return the address."""
        return f"{self.scheme}://{self.key}"

    def __truediv__(self, name: Path | str) -> BucketPath:
        """Return what is called `name` below this."""
        return BucketPath(self.scheme, f"{self.key}/{Path(name).as_posix()}")

    @property
    def parent(self) -> BucketPath:
        """What this is called below: the bucket itself for an object in it."""
        return BucketPath(self.scheme, self.key.rpartition("/")[0])

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return Path(self.name).stem

    @property
    def suffix(self) -> str:
        """The end of the name, `.png`."""
        return Path(self.name).suffix

    def is_file(self) -> bool:
        """Tell whether there is an object of exactly this name."""
        with _told(self, "read", OutputError):
            return bool(_store(self.scheme).isfile(self.key))

    def read(self) -> bytes:
        """Return the object's bytes. Raises ImageError, also for more than `MOST_BYTES`."""
        with _told(self, "read", ImageError):
            data: bytes = _store(self.scheme).cat_file(self.key, end=MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ImageError(f"{self} has more than {MOST_BYTES:,} bytes, and pictures in buckets are read whole.")
        return data

    def write(self, data: bytes, *, overwrite: bool = False) -> None:
        """Make the object, whole or not at all: a store shows what is put into it when it has all of it.

        So nothing is written to another name and moved: a store cannot move, only copy. Raises OutputError where it is
        there already, unless `overwrite`.
        """
        with _told(self, "write", OutputError):
            _store(self.scheme).pipe_file(self.key, data, mode="overwrite" if overwrite else "create")

    def open(self) -> IO[bytes]:
        """Open the object for reading some of it. Raises OutputError: it is asked of results."""
        with _told(self, "read", OutputError):
            opened: IO[bytes] = _store(self.scheme).open(self.key, "rb")
            return opened

    def below(self, suffixes: Collection[str]) -> list[str]:
        """Return what the objects below are called, seen from here, those that end in one of `suffixes`.

        Hidden ones, with a part that begins with a dot, are left out, and so are those with an empty part: as names of
        files they would lead out of the folder that they are written to. Raises ImageError.
        """
        with _told(self, "list", ImageError):
            keys: list[str] = _store(self.scheme).find(self.key)
        names = [key.lstrip("/")[len(self.key) + 1 :] for key in keys]
        return [name for name in names if _is_plain(name) and os.path.splitext(name)[1].lower() in suffixes]


Place: TypeAlias = Path | BucketPath
"""Where a picture lies or goes: a file, or an object in a bucket."""
Stamp: TypeAlias = tuple[Any, ...]
"""What tells a file from the one that lay there before."""


def to_place(text: str) -> Place:
    """Return what a path or an address names; `file://` is a path.

    Raises UsageError for another store, and for an address that holds a password, which is not repeated.
    """
    found = _SCHEME.match(text)
    if found is None:
        return Path(text)
    scheme, key = found[1].lower(), text[found.end() :].strip("/")
    if scheme == "file":
        return Path(text[found.end() :])
    if scheme not in STORES:
        known = ", ".join(f"{one}://" for one in ("file", *STORES))
        raise UsageError(f"artkit knows no {scheme}:// addresses of pictures, only {known}.")
    if not key:
        raise UsageError(f"{scheme}:// names no bucket: write {scheme}://BUCKET/FOLDER.")
    if "@" in key.partition("/")[0]:
        raise UsageError(
            f"the {scheme}:// address has an @ in its bucket: names and passwords do not belong there. Leave them "
            "to the environment, AWS_PROFILE, or to the machine's role."
        )
    return BucketPath(scheme, key)


def open_place(place: Place) -> IO[bytes]:
    """Open a file or an object for reading bytes. Raises OSError for a file, OutputError for an object."""
    return place.open() if isinstance(place, BucketPath) else open_regular(place)


def digest_at(source: Place | bytes | None) -> str | None:
    """Return the SHA-256 of a file, an object or bytes; None for nothing, or no readable file."""
    return digest_of(source.read() if isinstance(source, BucketPath) else source)


def stamp_of(place: Place) -> Stamp | None:
    """Return the stamp of what is there, or None."""
    if isinstance(place, BucketPath):
        with _told(place, "read", OutputError):
            store = _store(place.scheme)
            return _stamp(store.info(place.key)) if store.exists(place.key) else None
    try:
        found = os.lstat(place)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def stamps_of(places: Iterable[Place]) -> dict[Place, Stamp]:
    """Return the stamps of those of `places` that are there; buckets are asked once a folder."""
    found: dict[Place, Stamp] = {}
    listed: dict[BucketPath, dict[str, Stamp]] = {}
    for place in places:
        if isinstance(place, BucketPath):
            folder = place.parent
            if folder not in listed:
                listed[folder] = _listing(folder)
            stamp = listed[folder].get(place.name)
        else:
            stamp = stamp_of(place)
        if stamp is not None:
            found[place] = stamp
    return found


def _listing(folder: BucketPath) -> dict[str, Stamp]:
    with _told(folder, "list", OutputError):
        try:
            entries = _store(folder.scheme).ls(folder.key, detail=True)
        except FileNotFoundError:
            return {}
        return {entry["name"].rpartition("/")[2]: _stamp(entry) for entry in entries if entry["type"] == "file"}


def _stamp(entry: dict[str, Any]) -> Stamp:
    return entry["size"], entry.get("ETag")


def _is_plain(name: str) -> bool:
    return all(part and not part.startswith(".") for part in name.split("/"))


def _store(scheme: str) -> Any:
    """Return fsspec's file system of a scheme, which asks anew each time it is asked. Raises UsageError without it."""
    try:
        import fsspec

        return fsspec.filesystem(scheme, use_listings_cache=False)
    except ImportError:
        raise UsageError(f"{scheme}:// needs a package that is not here: pip install {STORES[scheme]}") from None


@contextmanager
def _told(place: BucketPath, verb: str, kind: Callable[[str], Exception]) -> Iterator[None]:
    """Turn what a store raises into an error of our kind, of one line."""
    try:
        yield
    except FileNotFoundError:
        raise kind(f"Cannot {verb} {place}: there is no such object.") from None
    except FileExistsError:
        raise kind(f"{place} exists. Add --overwrite (in Python: overwrite=True) to replace it.") from None
    except PermissionError:
        raise kind(f"Cannot {verb} {place}: permission denied.") from None
    except UsageError:
        raise
    except Exception as error:  # each store has exceptions of its own, and some of their messages hold credentials
        raise kind(f"Cannot {verb} {place}: {type(error).__name__}. Is it there, and who may {verb} it?") from None
