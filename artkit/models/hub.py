"""Models on the Hugging Face hub: `hf:USER/REPO`, pulled as any stranger's file.

Pulling needs no library of the hub's: its files have addresses. What is pulled is named by the hash of its revision,
which the model's header keeps.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from artkit import __version__
from artkit.errors import ModelError, UsageError
from artkit.models.fetching import BrokenOffError, Patience, Session, Watcher, plain_errors, shown
from artkit.models.pulling import Pulled, alone, digest_of_download, download, place, read_download, workshop
from artkit.models.store import list_models, user_model_path
from artkit.spec import ModelSpec

if TYPE_CHECKING:
    from artkit.plugins import Registry

SCHEME = "hf:"
FILE, CARD, SAMPLE = "model.safetensors", "README.md", "sample.png"
MOST_TOLD = 4 * 2**20  # bytes of what the hub says of a repository
_PLACE = re.compile(r"hf:([A-Za-z0-9][\w.-]{0,95})/([A-Za-z0-9][\w.-]{0,95})(?:@([\w./-]{1,200}))?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Place:
    """A repository of the hub, and a revision of it: a branch, a tag or a commit."""

    user: str
    repo: str
    revision: str

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read `hf:USER/REPO` or `hf:USER/REPO@REV`. Raises UsageError."""
        match = _PLACE.fullmatch(text)
        if match is None or ".." in text:
            raise UsageError(f"'{text}' is no place on the hub: write hf:USER/REPO, or hf:USER/REPO@REV.")
        return cls(match[1], match[2], match[3] or "main")

    @property
    def repo_id(self) -> str:
        """USER/REPO, as the hub calls it."""
        return f"{self.user}/{self.repo}"

    def at(self, revision: str) -> str:
        """Return how people write a revision of it."""
        return f"{SCHEME}{self.repo_id}@{revision}"

    @property
    def model_name(self) -> str:
        """What a model of it is called in the store."""
        return re.sub(r"[^A-Za-z0-9_-]+", "-", self.repo)


class Lfs(msgspec.Struct):
    """What the hub knows of a large file."""

    sha256: str | None = None


class Sibling(msgspec.Struct):
    """A file of a repository."""

    rfilename: str
    size: int | None = None
    lfs: Lfs | None = None


class Told(msgspec.Struct):
    """What the hub tells of a revision."""

    sha: str
    siblings: list[Sibling] = []


def hub_address() -> str:
    """Return where the hub is: `HF_ENDPOINT`, or the public one."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def pull_from_hub(
    text: str,
    registry: Registry,
    *,
    overwrite: bool = False,
    watcher: Watcher | None = None,
    patience: Patience | None = None,
) -> Pulled:
    """Bring the model of `hf:USER/REPO[@REV]` into the store, as REPO, unless that revision of it is there.

    Its header gains the hash of the revision and of the file. Raises UsageError for what is no place; ModelError where
    there is no such model, where it is no sound model file of a method that is here, and where, without `overwrite`,
    another one has its name; ModelError and OutputError as Downloader does.
    """
    place_there, watcher, patience = Place.parse(text), watcher or Watcher(), patience or Patience()
    told = _ask(place_there, patience)
    file = _choose(told, place_there)
    source = place_there.at(told.sha)
    url = f"{hub_address()}/{place_there.repo_id}/resolve/{told.sha}/{quote(file.rfilename)}"
    if not overwrite and (here := _find_here(source, url, registry)):
        return here
    wanted = ModelSpec(name=place_there.model_name, method="hub", summary="", url=url, size=file.size, source=source)
    expected = file.lfs.sha256 if file.lfs else None
    with alone(wanted, watcher), workshop(wanted) as folder:
        arrived = download(wanted, url, expected, folder, watcher, patience)
        try:
            digest = digest_of_download(arrived)
            spec = _named(wanted, arrived, registry)
            target = user_model_path(spec.method, spec.name)
            if target.is_file() and not overwrite:
                raise ModelError(f"{spec.method} has another model '{spec.name}'. To replace it, add --overwrite.")
            place(read_download(spec, url, arrived, registry, watcher), spec, url, digest, target)
        finally:
            arrived.unlink(missing_ok=True)
    return Pulled(spec, target, digest, fresh=True, checked=expected is not None)


def _find_here(source: str, url: str, registry: Registry) -> Pulled | None:
    """Return the model that was pulled from a revision before, where it is still here."""
    for one in list_models(registry):
        if one.header and one.header.training.get("source") == source:
            spec = ModelSpec(name=one.name, method=one.method, summary="", url=url, source=source)
            return Pulled(spec, one.path, one.header.training.get("sha256"), fresh=False, checked=True)
    return None


def _named(wanted: ModelSpec, file: Path, registry: Registry) -> ModelSpec:
    """Return the entry of what was downloaded, whose header tells the method. Raises ModelError."""
    from artkit.models.header import read_header

    try:
        header = read_header(file)
    except ModelError as error:
        problem = f"What came from {shown(wanted.url or '')} cannot be used: {error}"
        raise ModelError(problem.replace(str(file), "it")) from None
    if header.method not in registry.methods:
        raise ModelError(f"{wanted.source} is a model of '{header.method}', and no plugin here has that method.")
    return replace(wanted, method=header.method)


def _choose(told: Told, place_there: Place) -> Sibling:
    """Return the file of a repository that is its model. Raises ModelError."""
    files = [one for one in told.siblings if one.rfilename.endswith(".safetensors") and "/" not in one.rfilename]
    named = [one for one in files if one.rfilename == FILE] or files
    if len(named) != 1:
        many = f"{len(named)} .safetensors files" if named else "no .safetensors file"
        raise ModelError(
            f"{place_there.at(place_there.revision)} is no model of artkit's: it has {many}, and no {FILE}."
        )
    return named[0]


def _ask(place_there: Place, patience: Patience) -> Told:
    """Return what the hub tells of a revision. Raises ModelError."""
    name = place_there.at(place_there.revision)
    url = f"{hub_address()}/api/models/{place_there.repo_id}/revision/{quote(place_there.revision, safe='')}?blobs=true"
    with _plainly(name), plain_errors(url), Session() as session:
        waits = (patience.connect, patience.stall)
        with session.get(url, headers={"User-Agent": f"artkit/{__version__}"}, stream=True, timeout=waits) as answer:
            if answer.status_code in (401, 403, 404):
                raise ModelError(f"there is no {name} on the hub, or it is private.")
            if answer.status_code != 200:
                raise ModelError(f"the hub answers '{answer.status_code} {answer.reason or ''}'.".replace(" '.", "'."))
            text = answer.raw.read(MOST_TOLD, decode_content=True)
    try:
        told = msgspec.json.decode(text, type=Told)
    except (msgspec.MsgspecError, UnicodeError):
        raise ModelError(f"what {shown(hub_address())} tells of {name} is not what a hub tells.") from None
    if not _COMMIT.fullmatch(told.sha):
        raise ModelError(f"what {shown(hub_address())} tells of {name} is not what a hub tells.")
    return told


@contextmanager
def _plainly(name: str) -> Iterator[None]:
    try:
        yield
    except BrokenOffError as broken:
        raise ModelError(f"cannot ask the hub for {name}: {broken}.") from None
