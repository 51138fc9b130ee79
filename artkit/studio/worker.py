"""The one thread that computes."""

from __future__ import annotations

import sys
import threading
import traceback

from artkit.errors import ArtkitError
from artkit.reporting import one_line, sentence
from artkit.studio.desk import Desk
from artkit.studio.jobs import Job, State, Stopped

FAULT = "this is a fault in artkit or in a plugin, not in what you asked for; the studio's terminal shows where."


class Worker:
    """Computes the jobs of a desk, one after the other, in a thread of its own, until the desk is closed."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._thread = threading.Thread(target=self._work, name="artkit-studio", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait for the job at hand, after the desk was closed."""
        self._thread.join(timeout)

    def _work(self) -> None:
        while (job := self.desk.take()) is not None:
            compute(self.desk, job)


def compute(desk: Desk, job: Job) -> None:
    """Compute a job and tell the desk what became of it; nothing that a job does ends the thread."""
    try:
        picture = job.work.compute(job)
    except Stopped as stopped:
        state = State.CANCELLED if job.hurried or job.cancels else State.FAILED
        desk.finish(job, state, error=None if state is State.CANCELLED else sentence(one_line(stopped)))
    except KeyboardInterrupt:
        desk.finish(job, State.CANCELLED)
    except ArtkitError as error:
        desk.finish(job, State.FAILED, error=sentence(one_line(error)))
    except BaseException as error:
        traceback.print_exception(error, file=sys.stderr)
        desk.finish(job, State.FAILED, error=f"{one_line(error)}: {FAULT}", fault=True)
    else:
        if not job.hurried:
            job.picture, job.share = picture, job.share if job.heeded else 1.0
        desk.finish(job, State.CANCELLED if job.hurried or job.cancels else State.DONE)
