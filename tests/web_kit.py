"""A web server on this machine for the tests of pulling: it serves files, and misbehaves as it is told."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import torch

from artkit.models import save_model
from artkit.spec import Kind, ModelHeader

Answer = Callable[["Visit"], None]


class Asked(NamedTuple):
    """One request as it arrived."""

    path: str
    range: str | None
    encoding: str | None


class Visit(BaseHTTPRequestHandler):
    """Answers a request with the next planned misbehaviour, else with the file."""

    protocol_version = "HTTP/1.1"
    web: Web

    def do_GET(self) -> None:
        self.close_connection = True
        self.web.asked.append(Asked(self.path, self.headers["Range"], self.headers["Accept-Encoding"]))
        answer = self.web.plan.pop(0) if self.web.plan else serve
        # Who is cut off closes the connection while the server still writes.
        with suppress(ConnectionError):
            answer(self)

    def head(self, status: int, **headers: str | int) -> None:
        """Send a status and headers; `_` stands for `-` in their names."""
        self.send_response(status)
        for name, value in {**headers, "Connection": "close"}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""


class Web:
    """The server: `files` by path, `plan` of answers to come, `asked` as a log; `release` ends every stall."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.plan: list[Answer] = []
        self.asked: list[Asked] = []
        self.stalled, self.release = threading.Event(), threading.Event()
        self.mark: Callable[[bytes], dict[str, str]] = lambda body: {"ETag": etag(body)}
        handler = type("Handler", (Visit,), {"web": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def open_web() -> Iterator[Web]:
    """Run a server while the block runs."""
    web = Web()
    thread = threading.Thread(target=web.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        web.release.set()
        web.server.shutdown()
        web.server.server_close()
        thread.join()


def etag(body: bytes) -> str:
    return f'"{hash(body):x}"'


DATE = "Sat, 28 Nov 2026 10:00:00 GMT"


def serve(visit: Visit) -> None:
    """Serve the file, or the rest of it where that is asked for and it is still the same file."""
    body = visit.web.files.get(visit.path)
    if body is None:
        return visit.head(404, Content_Length=0)
    marks = visit.web.mark(body)
    wanted = re.fullmatch(r"bytes=(\d+)-", visit.headers["Range"] or "")
    strong = {mark for mark in marks.values() if not mark.startswith("W/")}
    if wanted and visit.headers["If-Range"] in strong:
        start = int(wanted[1])
        extent = f"bytes {start}-{len(body) - 1}/{len(body)}"
        visit.head(206, Content_Length=len(body) - start, Content_Range=extent, **marks)
        visit.wfile.write(body[start:])
    else:
        visit.head(200, Content_Length=len(body), **marks)
        visit.wfile.write(body)


def break_off(after: int) -> Answer:
    """Announce the whole file and hang up after some bytes of it."""

    def answer(visit: Visit) -> None:
        body = visit.web.files[visit.path]
        marks = visit.web.mark(body)
        visit.head(200, Content_Length=len(body), **marks)
        visit.wfile.write(body[:after])

    return answer


def stall(after: int) -> Answer:
    """Announce the whole file, send some bytes of it, and then nothing more."""

    def answer(visit: Visit) -> None:
        break_off(after)(visit)
        visit.wfile.flush()
        visit.web.stalled.set()
        visit.web.release.wait(60)

    return answer


def call_it_packed(visit: Visit) -> None:
    """Send the file as it is, under a header that has browsers unpack it."""
    body = visit.web.files[visit.path]
    visit.head(200, Content_Length=len(body), Content_Encoding="gzip")
    visit.wfile.write(body)


def hold(visit: Visit) -> None:
    """Answer as usual, but only when released."""
    visit.web.stalled.set()
    visit.web.release.wait(60)
    serve(visit)


def trickle(visit: Visit) -> None:
    """Send the file so slowly that it takes until it is released, and never so slowly that it stalls."""
    body = visit.web.files[visit.path]
    visit.head(200, Content_Length=len(body))
    visit.web.stalled.set()
    sent = 0
    while not visit.web.release.wait(0.05) and sent < len(body):
        visit.wfile.write(body[sent : sent + 1])
        sent += 1
    visit.wfile.write(body[sent:])


def status(code: int) -> Answer:
    return lambda visit: visit.head(code, Content_Length=0)


def redirect(to: str) -> Answer:
    return lambda visit: visit.head(302, Location=to, Content_Length=0)


def announce(length: int) -> Answer:
    """Say that the file has `length` bytes, then send it as it is."""

    def answer(visit: Visit) -> None:
        visit.head(200, Content_Length=length)
        visit.wfile.write(visit.web.files[visit.path])

    return answer


def endless(visit: Visit) -> None:
    """Send without saying how much, until whoever listens hangs up."""
    visit.head(200)
    while not visit.web.release.is_set():
        visit.wfile.write(bytes(2**16))


def page(visit: Visit) -> None:
    """Send what a server sends for a file that has moved: a page that says so, under status 200."""
    body = b"<!DOCTYPE html><html><body>We have moved.</body></html>"
    visit.head(200, Content_Length=len(body), Content_Type="text/html")
    visit.wfile.write(body)


def model_bytes(folder: Path, method: str = "paint", values: int = 20_000) -> bytes:
    """Return a small sound model file."""
    header = ModelHeader(method=method, architecture="net", inputs={"image": Kind.IMAGE}, output=Kind.IMAGE)
    path = folder / "made.safetensors"
    save_model(path, header, {"weight": torch.arange(values).float()})
    data = path.read_bytes()
    path.unlink()
    return data
