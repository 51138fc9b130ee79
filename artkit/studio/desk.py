"""The desk: where jobs wait for the one thread that computes, fairly between clients, and where results are kept."""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from artkit.studio.jobs import Job, State
from artkit.studio.limits import LIMITS, Limits, Refusal


class Desk:
    """Takes jobs on and hands them out; all threads may use it.

    Clients take turns: whoever asks for many pictures waits for them, and nobody else does. Results are kept until they
    are too old, or too many bytes, the oldest going first.
    """

    def __init__(self, limits: Limits = LIMITS, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits, self._clock = limits, clock
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._queues: OrderedDict[str, deque[Job]] = OrderedDict()
        self._running: Job | None = None
        self._closed = False
        self._turns = itertools.count()
        self._changed = threading.Condition(threading.RLock())

    # -- for those who ask --------------------------------------------------------------------------------------

    def draw_turn(self) -> int:
        """Return a number greater than all before: whoever asked first, though it was checked last, has the least."""
        return next(self._turns)

    def submit(self, job: Job) -> None:
        """Put a job in its client's queue; a preview takes the place of the client's last, before all others of it.

        A preview that was asked for before one that is here already is cancelled at once. Raises Refusal (429).
        """
        with self._changed:
            self._sweep()
            if job.preview and self._is_stale(job):
                self._jobs[job.id] = job
                self._put_away(job)
                return
            if job.preview and self._supersede(job):
                return
            self._check_room(job)
            self._jobs[job.id] = job
            queue = self._queues.setdefault(job.client, deque())
            queue.insert(0 if job.preview else len(queue), job)
            self._changed.notify()

    def find(self, identity: str) -> Job | None:
        """Return the job of an id, while it is kept."""
        with self._changed:
            self._sweep()
            return self._jobs.get(identity)

    def position(self, job: Job) -> int:
        """Return how many jobs come before a waiting one, the running one too; 0 for any other."""
        with self._changed:
            if job.state is not State.QUEUED:
                return 0
            return self._order().index(job) + (self._running is not None)

    def cancel(self, job: Job) -> None:
        """End a job: at once where it waits, else when whoever computes it next heeds it."""
        with self._changed:
            if job.state is State.QUEUED:
                self._withdraw(job)
            elif job.state is State.RUNNING:
                job.cancels += 1

    def abandon(self, job: Job) -> None:
        """End a job that nobody waits for any more, with nothing to show."""
        with self._changed:
            if job.state is State.QUEUED:
                self._withdraw(job)
            elif job.state is State.RUNNING:
                job.hurried = "nobody waits for it any more"
                job.wake()

    # -- for the one who computes -------------------------------------------------------------------------------

    def take(self) -> Job | None:
        """Return the next job, now running, when there is one; None when the desk is closed."""
        with self._changed:
            while not self._closed and not self._queues:
                self._changed.wait()
            if self._closed:
                return None
            client, queue = self._queues.popitem(last=False)
            job = queue.popleft()
            if queue:
                self._queues[client] = queue  # at the end: the others have their turns first
            job.state, job.began = State.RUNNING, self._clock()
            job.deadline = job.began + self.limits.job_seconds
            self._running = job
            self._wake_all()
            return job

    def finish(self, job: Job, state: State, *, error: str | None = None, fault: bool = False) -> None:
        """Note what became of the running job; `fault` is for what is nobody's but the program's."""
        with self._changed:
            job.error, job.fault, self._running = error, fault, None
            self._put_away(job, state)
            self._sweep()

    def close(self) -> None:
        """Cancel everything and let nothing more in; whoever computes stops, and those who watch are told."""
        with self._changed:
            self._closed = True
            for job in self._order():
                self._withdraw(job)
            if self._running is not None:  # it may be long before it hears of it, and nobody is to wait for that
                self._running.hurried, self._running.state = "the studio was closed", State.CANCELLED
            self._changed.notify_all()
            self._wake_all()

    @property
    def closed(self) -> bool:
        """True once nothing more is taken on."""
        return self._closed

    # -- inside; the lock is held -------------------------------------------------------------------------------

    def _order(self) -> list[Job]:
        """Return the waiting jobs in the order in which they will be taken."""
        queues = [deque(queue) for queue in self._queues.values()]
        order: list[Job] = []
        while queues:
            order += [queue.popleft() for queue in queues]
            queues = [queue for queue in queues if queue]
        return order

    def _is_stale(self, job: Job) -> bool:
        looks = [other for other in self._jobs.values() if other.preview and other.client == job.client]
        return any(other.turn > job.turn for other in looks)

    def _supersede(self, job: Job) -> bool:
        """End the last preview of a client; tell whether `job` now stands in its place in the queue.

        Whoever draws without a pause keeps the turn that the first stroke waited for.
        """
        running, queue = self._running, self._queues.get(job.client)
        if running is not None and running.preview and running.client == job.client:
            running.hurried = "another preview took its place"
        if self._closed or not queue or not queue[0].preview:
            return False
        self._check_bytes(job, besides=queue[0])
        last, queue[0] = queue[0], job
        self._jobs[job.id] = job
        self._put_away(last)
        return True

    def _withdraw(self, job: Job) -> None:
        queue = self._queues[job.client]
        queue.remove(job)
        if not queue:
            del self._queues[job.client]
        self._put_away(job)

    def _put_away(self, job: Job, state: State = State.CANCELLED) -> None:
        """Keep what became of a job, behind those that ended before it, without what it was made of.

        The last sketch stays: whoever was told of it may ask for it now.
        """
        job.state, job.ended = state, self._clock()
        job.work.drop()
        self._jobs.move_to_end(job.id)
        self._wake_all()

    def _check_room(self, job: Job) -> None:
        own, waiting = len(self._queues.get(job.client, ())), len(self._order())
        if self._closed:
            raise Refusal(429, "The studio is closing.")
        if own >= self.limits.waiting_each:
            raise Refusal(429, f"You have {own} pictures waiting; wait for one, or cancel one.")
        if waiting >= self.limits.waiting:
            raise _busy()
        self._check_bytes(job)

    def _check_bytes(self, job: Job, besides: Job | None = None) -> None:
        held = sum(other.work.nbytes for other in self._order() if other is not besides)
        if held + job.work.nbytes > self.limits.waiting_bytes:
            raise _busy()

    def _sweep(self) -> None:
        """Forget results that are too old, and the oldest while there are too many bytes of them."""
        oldest = self._clock() - self.limits.kept_seconds
        kept = sum(job.nbytes for job in self._jobs.values())
        for job in [job for job in self._jobs.values() if job.state.is_final]:
            if job.ended >= oldest and kept <= self.limits.kept_bytes and len(self._jobs) <= self.limits.kept:
                break
            kept -= job.nbytes
            del self._jobs[job.id]

    def _wake_all(self) -> None:
        """Wake all who watch any job: positions in the queue changed."""
        for job in list(self._jobs.values()):
            job.wake()


def _busy() -> Refusal:
    return Refusal(429, "The studio is busy: too many pictures wait. Try again in a moment.")
