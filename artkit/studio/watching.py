"""Waiting for jobs without holding anything up: from the thread that computes to the loop that answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import msgspec
from starlette.requests import Request

from artkit.studio.answers import JobInfo
from artkit.studio.desk import Desk
from artkit.studio.jobs import Job, State

PAUSE = 0.04
"""Seconds between two events of a job, at least."""
HEARTBEAT = 15.0
"""Seconds after which a stream in which nothing happened shows that it lives."""


@contextmanager
def watched(job: Job) -> Iterator[asyncio.Event]:
    """Set the event whenever the job changes, while the block runs; other threads may change it."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(changed.set)

    job.watchers.append(wake)
    try:
        yield changed
    finally:
        job.watchers.remove(wake)


async def wait_for(job: Job, desk: Desk, request: Request) -> None:
    """Return once nothing more happens to a job; where the client goes away before, the job is given up."""
    with watched(job) as changed:
        gone = asyncio.ensure_future(_gone(request))
        try:
            while not job.state.is_final:
                turn = asyncio.ensure_future(changed.wait())
                await asyncio.wait({turn, gone}, return_when=asyncio.FIRST_COMPLETED)
                turn.cancel()
                changed.clear()
                if gone.done():
                    desk.abandon(job)
                    return
        finally:
            gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def describe_job(job: Job, desk: Desk) -> JobInfo:
    """Return how a job stands."""
    place = f"/api/jobs/{job.id}"
    return JobInfo(
        state=job.state.value,
        share=round(job.share, 4),
        step=job.step,
        position=desk.position(job),
        error=job.error,
        picture=f"{place}/picture" if job.picture is not None else None,
        sketch=f"{place}/sketch?n={job.sketches}" if job.sketch is not None and not job.ended else None,
        seconds=None if job.seconds is None else round(job.seconds, 3),
        steps=job.steps,
        recipe=job.work.recipe(),
    )


async def events(job: Job, desk: Desk) -> AsyncIterator[bytes]:
    """Yield a job's server-sent events (HTML standard, section 9.2) until its last one."""
    sketches = 0
    with watched(job) as changed:
        while True:
            changed.clear()
            info = describe_job(job, desk)
            if info.sketch and job.sketches > sketches:
                sketches = job.sketches
                yield _event("sketch", {"sketch": info.sketch})
            yield _event("progress" if not State(info.state).is_final else info.state, info)
            if State(info.state).is_final:
                return
            while not changed.is_set():
                try:
                    await asyncio.wait_for(changed.wait(), HEARTBEAT)
                except TimeoutError:
                    yield b": still here\n\n"
            if not job.state.is_final:
                await asyncio.sleep(PAUSE)


def _event(name: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))
