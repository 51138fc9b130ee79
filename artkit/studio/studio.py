"""The studio's parts together, as its endpoints use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from artkit.plugins import Registry
from artkit.studio.chain_work import Runners
from artkit.studio.desk import Desk
from artkit.studio.jobs import Job
from artkit.studio.limits import LIMITS, Limits, Refusal
from artkit.studio.warming import warm_up
from artkit.studio.worker import Worker

T = TypeVar("T")


class Studio:
    """The plugins, the desk where jobs wait, and the thread that computes them."""

    def __init__(self, registry: Registry, limits: Limits = LIMITS, device: str = "auto") -> None:
        self.registry, self.limits = registry, limits
        self.desk = Desk(limits)
        self.worker = Worker(self.desk)
        self.runners = Runners(device)
        self.watchers = 0
        warm_up(registry)

    def find(self, identity: str) -> Job:
        """Return the job of an id. Raises Refusal, the same for every id that there is not."""
        job = self.desk.find(identity)
        if job is None:
            raise nothing_here()
        return job


def studio_of(request: Request) -> Studio:
    """Return the studio that a request was sent to."""
    studio: Studio = request.app.state.studio
    return studio


async def aside(action: Callable[[], T]) -> T:
    """Run what takes a while (reading headers of models, say) beside the loop that answers."""
    return await run_in_threadpool(action)


def nothing_here() -> Refusal:
    """Return the refusal of what is not there, or not any more, or not for those who ask."""
    return Refusal(404, "There is nothing here.")
