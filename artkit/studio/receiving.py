"""What arrives: JSON and forms, read no further than the limits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from artkit.spec.calls import MAX_LENGTH
from artkit.studio.limits import Limits, Refusal

T = TypeVar("T")
JSON_BYTES = 2**16
FIELD_BYTES = 4 * MAX_LENGTH
"""What a chain may have in UTF-8."""
NAME_LENGTH = 100


@dataclass(frozen=True)
class Form:
    """The fields and files of a form, each once; `names` are what the files are called, where they are."""

    fields: dict[str, str]
    files: dict[str, bytes]
    names: dict[str, str] = field(default_factory=dict)

    def refuse_unknown(self, fields: set[str], files: set[str] | None = None) -> None:
        """Raise Refusal for a field that nobody reads, or such a file where the files are known."""
        for kind, known, given in (("field", fields, self.fields), ("file", files, self.files)):
            for name in given:
                if known is not None and name not in known:
                    raise Refusal(422, f"There is no {kind} '{name[:40]}' here; there are: {', '.join(sorted(known))}.")


async def read_json(request: Request, kind: type[T], limits: Limits) -> T:
    """Return the body as what `kind` declares. Raises Refusal."""
    body = bytearray()
    async with _in_time(limits.upload_seconds):
        async for chunk in _stream(request, JSON_BYTES):
            body += chunk
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(422, f"The JSON is not what is asked for: {str(error)[:200]}.") from None


async def read_form(request: Request, limits: Limits) -> Form:
    """Return the parts of a multipart form, kept in memory. Raises Refusal."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise Refusal(415, "Send a form: multipart/form-data, as curl does with -F.")
    stream = _stream(request, limits.upload)
    parser = MultiPartParser(
        request.headers, stream, max_files=limits.files, max_fields=limits.fields, max_part_size=FIELD_BYTES
    )
    parser.spool_max_size = limits.upload + 1  # what is sent is never written to a disk
    try:
        async with _in_time(limits.upload_seconds):
            parts = (await parser.parse()).multi_items()
    except MultiPartException as error:
        raise Refusal(400, f"The form cannot be read: {error.message}") from None
    form = Form({}, {})
    try:
        for name, value in parts:
            if name in form.fields or name in form.files:
                raise Refusal(422, f"'{name[:40]}' comes twice.")
            if isinstance(value, UploadFile):
                form.files[name] = await value.read()
                form.names[name] = file_name(value.filename)
            else:
                form.fields[name] = value
    finally:
        for _, value in parts:
            if isinstance(value, UploadFile):
                await value.close()
    return form


def file_name(given: str | None) -> str:
    """Return what a stranger calls a file, as words to show alone: without folders, and all of it printable."""
    last = re.split(r"[/\\]", given or "")[-1]
    return "".join(letter for letter in last if letter.isprintable())[:NAME_LENGTH]


@asynccontextmanager
async def _in_time(seconds: float) -> AsyncIterator[None]:
    """Raise Refusal where what is done inside takes longer, or the client goes away meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Refusal(408, f"Sending took longer than {seconds:g} seconds.") from None
    except ClientDisconnect:
        raise Refusal(400, "The client went away.") from None


async def _stream(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield the body as it comes. Raises Refusal once it is, or says that it will be, longer than `limit` bytes."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:20]) > limit:
        raise _too_large(limit)
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > limit:
            raise _too_large(limit)
        yield chunk


def _too_large(limit: int) -> Refusal:
    return Refusal(413, f"That is more than {limit:,} bytes, the most that a request may have.")
