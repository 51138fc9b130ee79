"""What has arrived of a download, and of which version of the file, so that another process can go on."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3
from requests import Response

from artkit import __version__
from artkit.errors import ModelError, OutputError
from artkit.files import reason_of
from artkit.models.catalogue import in_megabytes


class _Mark(msgspec.Struct):
    """Where a partial download came from; `version` is the server's mark of the file, an ETag or a date."""

    url: str
    version: str


@dataclass(frozen=True)
class Partial:
    """A file that grows at `path`, with the mark of what it is a part of in a file beside it."""

    path: Path

    def kept(self, url: str) -> tuple[int, str]:
        """Return how many bytes of `url` are here, and of which version; no bytes where that is not certain."""
        try:
            mark = msgspec.json.decode(self._mark.read_bytes(), type=_Mark)
            size = self.path.stat().st_size
        except (OSError, msgspec.MsgspecError, UnicodeError):
            return 0, ""
        return (size, mark.version) if mark.url == url and mark.version else (0, "")

    def begin(self, url: str, version: str) -> None:
        """Start empty, as a part of that version of `url`."""
        self.discard()
        self.path.write_bytes(b"")
        self._mark.write_bytes(msgspec.json.encode(_Mark(url, version)))

    def discard(self) -> None:
        """Remove the file and its mark."""
        for path in (self.path, self._mark):
            with suppress(OSError):
                path.unlink()

    @property
    def _mark(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")


CHUNK = 2**14  # bytes read at a time: as much as a stall can lose
REDIRECTS = 5
LATER = (408, 425, 429)  # statuses below 500 by which a server asks for patience
ELSEWHERE = "If you know another place that has the file: --mirror URL"


class Watcher:
    """Is told how a download goes; this one keeps it to itself."""

    def progress(self, done: int, total: int | None) -> None:
        """Hear that `done` bytes of `total` have arrived; `total` is None where the server does not say."""

    def note(self, words: str) -> None:
        """Hear what the person who waits should know."""


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds: for a connection, for the next bytes, and before the second of `attempts`.

    The pause doubles from attempt to attempt.
    """

    attempts: int = 4
    connect: float = 10.0
    stall: float = 30.0
    pause: float = 1.0


class BrokenOffError(Exception):
    """An attempt that failed in a way that another may not; the message says how."""


class LoweredError(requests.RequestException):
    """A redirect from https to http, where anybody on the way may change what is sent; the message is its target."""


class Session(requests.Session):
    """Follows redirects, but never from https to http."""

    def get_redirect_target(self, resp: Response) -> str | None:
        """See requests.Session. Raises LoweredError."""
        target = super().get_redirect_target(resp)
        if target and urlsplit(resp.url).scheme == "https" and urlsplit(target).scheme == "http":
            raise LoweredError(target)
        return target


@dataclass(frozen=True)
class Downloader:
    """Downloads a file of at most `limit` bytes; pooch calls it as `downloader(url, output_file, pooch)`.

    Raises ModelError when there is no such file, when it has more than `limit` bytes, when a redirect leads in circles,
    away from the web, or from https to http, and when the last attempt broke off: what has arrived then stays in
    `partial`, where the next call goes on. Raises OutputError when `partial` cannot be written, which is then removed.
    """

    partial: Partial
    limit: int
    watcher: Watcher
    patience: Patience

    def __call__(self, url: str, output_file: str, pooch: object = None) -> None:
        """Download `url` to `output_file`."""
        for attempt in range(1, self.patience.attempts + 1):
            try:
                self._attempt(url)
            except BrokenOffError as broken:
                if attempt == self.patience.attempts:
                    raise self._giving_up(url, broken) from None
                pause = self.patience.pause * 2 ** (attempt - 1)
                self.watcher.note(f"{broken}; trying again in {pause:g} s.")
                time.sleep(pause)
            else:
                break
        os.replace(self.partial.path, output_file)
        self.partial.discard()

    def _attempt(self, url: str) -> None:
        kept, version = self.partial.kept(shown(url))
        headers = {"User-Agent": f"artkit/{__version__}", "Accept-Encoding": "identity"}
        if kept:
            headers |= {"Range": f"bytes={kept}-", "If-Range": version}
        waits = (self.patience.connect, self.patience.stall)
        with plain_errors(url), Session() as session:
            session.max_redirects = REDIRECTS
            with session.get(url, headers=headers, stream=True, timeout=waits) as response:
                start = self._start(response, kept, version)
                rest = response.raw.length_remaining
                total = None if rest is None else start + rest
                self._check_size(url, total or 0)
                self._receive(url, response, start, total)

    def _start(self, response: Response, kept: int, version: str) -> int:
        """Return the place in the file where this answer begins; raise when it is no part of the file."""
        status = response.status_code
        if status == 200:
            return 0
        if status == 206 and _range_start(response) == kept and version_of(response) in ("", version):
            return kept
        if status in (206, 416):
            self.partial.discard()
            raise BrokenOffError(f"{_host(response.url)} cannot go on where the download broke off")
        answer = f"{status} {response.reason or ''}".strip()
        if status >= 500 or status in LATER:
            raise BrokenOffError(f"{_host(response.url)} answers '{answer}'")
        raise ModelError(f"{shown(response.url)} answers '{answer}'. {ELSEWHERE}")

    def _receive(self, url: str, response: Response, start: int, total: int | None) -> None:
        done = start
        try:
            if start == 0:
                self.partial.begin(shown(url), version_of(response))
            with open(self.partial.path, "ab") as file:
                # As requests leaves it, not decoded: the place where to go on counts the bytes that travel.
                for chunk in response.raw.stream(CHUNK):
                    done += len(chunk)
                    self._check_size(url, done)
                    file.write(chunk)
                    self.watcher.progress(done, total)
        except OSError as error:
            self.partial.discard()
            raise OutputError(f"Cannot write {self.partial.path}: {reason_of(error)}.") from error
        if total is not None and done < total:
            raise BrokenOffError(f"the connection to {_host(url)} broke off")

    def _check_size(self, url: str, size: int) -> None:
        if size > self.limit:
            self.partial.discard()
            raise ModelError(
                f"{shown(url)} is larger than the model can be: it was cut off at {in_megabytes(self.limit)}."
            )

    def _giving_up(self, url: str, broken: BrokenOffError) -> ModelError:
        kept, _ = self.partial.kept(shown(url))
        if not kept:
            self.partial.discard()
        advice = f"The first {in_megabytes(kept)} are kept: the same command goes on from there." if kept else ELSEWHERE
        return ModelError(f"Cannot download {shown(url)}: {broken}. {advice}")


def shown(url: str) -> str:
    """Return `url` as it may be shown and written down: without a name and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def version_of(response: Response) -> str:
    """Return the server's mark of this very version of the file, fit for `If-Range` (RFC 9110, 13.1.5), or nothing."""
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified", "")


def _range_start(response: Response) -> int | None:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


@contextmanager
def plain_errors(url: str) -> Iterator[None]:
    """Turn what requests and urllib3 raise into BrokenOffError, where another attempt may do, or ModelError."""
    host = _host(url)
    try:
        yield
    except requests.TooManyRedirects:
        raise ModelError(f"{shown(url)} leads in circles: it was given up after {REDIRECTS} redirects.") from None
    except (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL, requests.exceptions.MissingSchema):
        raise ModelError(f"{shown(url)} is no address on the web, or leads to one that is none.") from None
    except LoweredError as error:
        raise ModelError(
            f"{shown(url)} leads from https to {shown(str(error))}, where anybody on the way may change the file. "
            f"{ELSEWHERE}"
        ) from None
    except requests.exceptions.SSLError:
        raise ModelError(f"{host} cannot prove that it is {host}: its certificate is not valid. {ELSEWHERE}") from None
    except (requests.Timeout, urllib3.exceptions.ReadTimeoutError):
        raise BrokenOffError(f"nothing more came from {host}") from None
    except requests.ConnectionError:
        raise BrokenOffError(f"there is no connection to {host}") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError):
        raise BrokenOffError(f"the connection to {host} broke off") from None
