"""A studio on a port of its own in this process, and a client for it."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import httpx
import numpy as np
from PIL import Image

import studio_methods
from artkit.plugins import PluginSource, Registry, current_registry, load_registry, use_registry
from artkit.studio.guard import LOCAL, Access
from artkit.studio.jobs import Job
from artkit.studio.limits import LIMITS, Limits
from artkit.studio.serving import Server, listen
from artkit.studio.studio import Studio

WAIT = 60.0  # seconds after which a test that waits for ever fails


@lru_cache
def registry() -> Registry:
    """Return all installed plugins, and the tests' own."""
    found = load_registry()
    found.add(PluginSource("studio_methods", lambda: studio_methods))
    return found


class Visitor(httpx.Client):
    """A client of a studio, whose insides a test may look at."""

    def __init__(self, studio: Studio, url: str) -> None:
        super().__init__(base_url=url, timeout=WAIT, trust_env=False)
        self.studio = studio

    def run(self, chain: str, picture: bytes | None = None, *, png: bool = False, **fields: Any) -> httpx.Response:
        """Ask for a run; fields that hold bytes are pictures for ports."""
        files = {} if picture is None else {"input": ("input", picture)}
        files |= {name: (name, value) for name, value in fields.items() if isinstance(value, bytes)}
        data = {name: str(value) for name, value in fields.items() if not isinstance(value, bytes)} | {"chain": chain}
        headers = {"Accept": "image/png"} if png else {}
        parts = [(name, (None, value)) for name, value in data.items()] + list(files.items())
        return self.post("/api/run", files=parts, headers=headers)

    def job(self, chain: str, picture: bytes | None = None, **fields: Any) -> Job:
        """Ask for a run and return its job."""
        answer = self.run(chain, picture, **fields)
        assert answer.status_code == 202, answer.text
        job = self.studio.desk.find(answer.json()["job"])
        assert job is not None
        return job

    def state(self, job: Job) -> dict[str, Any]:
        """Return how a job stands, as the studio answers."""
        answer = self.get(f"/api/jobs/{job.id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def open_studio(limits: Limits = LIMITS, access: Access = LOCAL) -> Iterator[Visitor]:
    """Serve a studio while the block runs."""
    listener, started = listen("127.0.0.1", 0), threading.Event()
    before = current_registry()
    use_registry(registry())
    studio = Studio(registry(), limits)
    server = Server(studio, access, started.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        assert started.wait(WAIT)
        with Visitor(studio, f"http://127.0.0.1:{listener.getsockname()[1]}") as visitor:
            yield visitor
    finally:
        server.close()
        thread.join(WAIT)
        listener.close()
        use_registry(before)
    assert not thread.is_alive()


def wait_until(job: Job, is_so: Callable[[Job], bool]) -> None:
    """Return once something holds of a job."""
    changed = threading.Event()
    job.watchers.append(changed.set)
    while not is_so(job):
        assert not job.state.is_final, f"the job is {job.state}: {job.error}"
        assert changed.wait(WAIT), f"the job stays {job.state} at {job.share}"
        changed.clear()
    job.watchers.remove(changed.set)


def wait_for_end(job: Job) -> None:
    """Return once nothing more happens to a job."""
    wait_until(job, lambda job: job.state.is_final)


def grey(level: int, size: tuple[int, int] = (16, 12)) -> bytes:
    """Return a PNG of one level."""
    return encode(np.full((size[1], size[0], 3), level, np.uint8))


def encode(pixels: np.ndarray, kind: str = "PNG") -> bytes:
    """Return pixels as a picture's bytes."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def pixels_of(data: bytes) -> np.ndarray:
    """Return a picture's pixels, as they are stored."""
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image)


def events_of(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of a stream: names and data."""
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
