"""Many pictures on the nodes of a Ray cluster: which workers there are, who makes what, and what becomes of the dead.

Plain actors rather than Ray Data: pictures are read and written where they are made, so that there is no data to
stream, and every job must be accounted for by itself when a worker dies. See docs/clusters.md.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from artkit.buckets import Place, Stamp
from artkit.engine.job import Job
from artkit.engine.stream import JobResult
from artkit.engine.worker import Setup, Worker
from artkit.errors import PluginError, UsageError, excerpt

CORES = 4
"""Of a worker on a CPU: the networks of one picture gain little from more, and each worker takes its own memory."""
ON_CPU, ON_GPU = 8, 64
"""Jobs that a worker is given at once, at most: between two such lots reading and writing do not overlap computing."""
AHEAD = 2
"""Lots that a worker has at once, at most: the one it makes and the next."""
LIVES = 3
"""Workers that may die over one picture, or at the start in one place, before that is given up."""
PATIENCE = 60.0  # seconds until it is said that nothing begins

logger = logging.getLogger("artkit")


@dataclass(frozen=True)
class Slot:
    """A place for a worker: a GPU with a core beside it, or cores, of a node that has room for `neighbours` of them."""

    node: str
    cpus: int
    gpus: int
    neighbours: int

    @property
    def most(self) -> int:
        """How many jobs its worker gets at once."""
        return ON_GPU if self.gpus else ON_CPU


@dataclass
class Hand:
    """A worker as the driver sees it: `lots` are the jobs it was given, by what will hold their results, in order."""

    slot: Slot
    actor: Any
    starting: Any
    lots: dict[Any, list[Job]] = field(default_factory=dict)

    def awaited(self) -> list[Any]:
        """Return what to wait for: that it is ready, or what it is making."""
        return [self.starting] if self.starting is not None else list(self.lots)


def connect() -> None:
    """Join the cluster that RAY_ADDRESS or this machine names, or begin one of this machine. Raises UsageError."""
    try:
        import ray
    except ImportError:
        raise UsageError("--engine ray needs a package that is not here: pip install 'artkit-images[ray]'") from None
    from ray._private import worker

    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    # Ray tells of dead workers on stdout, which is for results; there is no public way to have it silent.
    worker._worker_logs_enabled = False


def find_slots(nodes: Sequence[Mapping[str, Any]], device: str) -> list[Slot]:
    """Return the places for workers on `nodes` (`ray.nodes()`): its GPUs where a node has some, else its cores.

    With `device` cpu, cores alone; with cuda, GPUs alone. GPUs come first. Raises UsageError where there is no place.
    """
    slots = []
    for node in nodes:
        if node["Alive"]:
            cpus, gpus = (int(node["Resources"].get(name, 0)) for name in ("CPU", "GPU"))
            slots += _slots_of(str(node["NodeID"]), cpus, gpus if device != "cpu" else 0, device.startswith("cuda"))
    if not slots:
        raise UsageError("the cluster has no node with a GPU: use --device auto or --device cpu.")
    return sorted(slots, key=lambda slot: -slot.gpus)


def _slots_of(node: str, cpus: int, gpus: int, only_gpus: bool) -> list[Slot]:
    if gpus:
        return [Slot(node, min(1, cpus // gpus), 1, gpus)] * gpus
    if not cpus or only_gpus:
        return []
    count = max(1, cpus // CORES)
    return [Slot(node, cpus // count, 0, count)] * count


def run_on_ray(setup: Setup, jobs: Sequence[Job], stamps: Mapping[Place, Stamp]) -> Crew:
    """Return the crew that makes `jobs`, its workers starting. `stamps` are those of the targets that are there."""
    import ray

    slots = find_slots(ray.nodes(), setup.device)
    return Crew(setup, slots[: max(1, len(jobs))], jobs, stamps)


class Crew:
    """The workers of a run. Iterating yields one result a job, as they come, each exactly once.

    `machines` are the devices and precisions of those that started.
    """

    def __init__(self, setup: Setup, slots: Sequence[Slot], jobs: Sequence[Job], stamps: Mapping[Place, Stamp]) -> None:
        self._setup, self._stamps = setup, stamps
        self._todo, self._again = deque(jobs), deque[Job]()
        self._touched: set[Job] = set()
        self._deaths: dict[Job, int] = {}
        self._stillborn: dict[Slot, int] = {}
        self._hands = [self._hire(slot) for slot in slots]
        self.machines: set[tuple[str, str]] = set()

    def __iter__(self) -> Iterator[JobResult]:
        """Yield results until all jobs have theirs. Raises ArtkitError where no worker can start."""
        import ray

        try:
            while self._todo or self._again or any(hand.lots for hand in self._hands):
                self._share_out()
                hand, done = self._next()
                try:
                    answer = ray.get(done)
                except ray.exceptions.RayTaskError as error:
                    raise (error.cause if isinstance(error.cause, Exception) else error) from None
                except ray.exceptions.RayError as error:  # it died, or what it held is lost
                    yield from self._replace(hand, error)
                    continue
                if done == hand.starting:
                    self.machines.add(answer)
                    hand.starting = None
                    continue
                del hand.lots[done]
                yield from answer
        finally:
            for hand in self._hands:
                ray.kill(hand.actor)

    def _hire(self, slot: Slot) -> Hand:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        where = NodeAffinitySchedulingStrategy(slot.node, soft=True)
        options = {"num_cpus": slot.cpus, "num_gpus": slot.gpus, "scheduling_strategy": where, "max_restarts": 0}
        actor = ray.remote(Worker).options(**options).remote(self._setup, slot.neighbours)
        return Hand(slot, actor, actor.start.remote())

    def _share_out(self) -> None:
        """Give every worker that is ready as many lots as it may have, smaller ones towards the end."""
        for number in range(AHEAD):
            for hand in self._hands:
                if hand.starting is None and len(hand.lots) <= number and (lot := self._lot(hand.slot.most)):
                    stamps = [self._stamps.get(job.target) for job in lot if job.target]
                    again = [job in self._touched for job in lot]
                    hand.lots[hand.actor.make.remote(lot, stamps, again)] = lot

    def _lot(self, most: int) -> list[Job]:
        """Take jobs for one worker; one over which another died is taken alone, so that it endangers no other."""
        if self._again:
            return [self._again.popleft()]
        count = min(most, -(-len(self._todo) // (2 * len(self._hands))))
        return [self._todo.popleft() for _ in range(count)]

    def _next(self) -> tuple[Hand, Any]:
        """Wait for what is ready next."""
        import ray

        owner = {awaited: hand for hand in self._hands for awaited in hand.awaited()}
        done, _ = ray.wait(list(owner), timeout=PATIENCE)
        if not done:
            if all(hand.starting is not None for hand in self._hands):
                logger.warning("no worker has started for a minute: do other runs hold the cluster's cores and GPUs?")
            done, _ = ray.wait(list(owner))
        return owner[done[0]], done[0]

    def _replace(self, hand: Hand, error: Exception) -> Iterator[JobResult]:
        """Put another worker in the place of one that died, and take back its jobs.

        Those of the first lot that it did not finish are under suspicion; yield results of what it did finish, and for
        those that too many died over.
        """
        import ray

        yield from _finished(hand)
        ray.kill(hand.actor)
        self._hands.remove(hand)
        if hand.starting is None:
            logger.warning("a worker died; another takes its place.")
        for number, lot in enumerate(hand.lots.values()):
            self._touched.update(lot)
            if number:
                self._todo.extendleft(reversed(lot))
                continue
            for job in lot:
                self._deaths[job] = self._deaths.get(job, 0) + 1
                if self._deaths[job] < LIVES:
                    self._again.append(job)
                else:
                    yield JobResult(
                        job, error=PluginError(f"{job.label}: {LIVES} workers died over it. Is memory short?")
                    )
        if hand.starting is None or self._count_stillborn(hand.slot) < LIVES:
            self._hands.append(self._hire(hand.slot))
        elif not self._hands:
            raise UsageError(f"no worker can start. Has each node this artkit? The last one said: {_last_line(error)}.")

    def _count_stillborn(self, slot: Slot) -> int:
        self._stillborn[slot] = self._stillborn.get(slot, 0) + 1
        return self._stillborn[slot]


def _finished(hand: Hand) -> Iterator[JobResult]:
    """Yield the results of lots that a worker finished before it died, and take them from it."""
    import ray

    for lot in list(hand.lots):
        try:
            answer = ray.get(lot, timeout=0)
        except ray.exceptions.RayError:  # not finished, and never will be
            continue
        del hand.lots[lot]
        yield from answer


def _last_line(error: Exception) -> str:
    """Return what Ray says last, after a traceback."""
    return excerpt(str(error).strip().splitlines()[-1], 200).rstrip(".")
