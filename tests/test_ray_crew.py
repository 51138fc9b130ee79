"""The crew of `--engine ray` beside a stand-in for Ray, in which workers die where a test says: who is given what."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from artkit.engine import on_ray
from artkit.engine.job import Job
from artkit.engine.stream import JobResult
from artkit.errors import ModelError, UsageError

JOBS = [Job(Path(f"{index}.png"), Path(f"out/{index}.png"), 0, Path(f"{index}.png")) for index in range(40)]
SETUP = SimpleNamespace(device="cpu")


class RayError(Exception):
    """What Ray raises for a worker that died, or what was not ready in time."""


class RayTaskError(RayError):
    """What Ray raises for an exception in a worker."""

    def __init__(self, cause: Any) -> None:
        super().__init__(str(cause))
        self.cause = cause


@dataclass(eq=False)
class Ref:
    """What will hold an answer: it is worked out when it is waited for."""

    actor: Actor
    work: Any
    answer: Any = None

    def settle(self) -> None:
        if self.answer is None:
            if self.actor.dead:
                self.answer = RayError("it died\nThe actor is dead.")
            else:
                self.answer = self.work()
            self.actor.dead |= isinstance(self.answer, RayError)


@dataclass(eq=False)
class Actor:
    """A worker: `lots` are what it was given, with their stamps and whether another had them before."""

    ray: StandIn
    options: dict[str, Any]
    given: tuple[Any, ...]
    dead: bool = False
    lots: list[tuple[list[Job], list[Any], list[bool]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start = SimpleNamespace(remote=lambda: Ref(self, lambda: self.ray.starting(self)))
        self.make = SimpleNamespace(remote=self._make)

    def _make(self, *lot: Any) -> Ref:
        self.lots.append(lot)
        deadly = any(job.source.name in self.ray.deadly for job in lot[0])
        return Ref(self, lambda: RayError("it died") if deadly else [JobResult(job) for job in lot[0]])


class StandIn(ModuleType):
    """Ray, as far as a crew sees it. What is waited for is ready in its order, or with `backwards` against it."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)
        self.actors: list[Actor] = []
        self.killed: list[Actor] = []
        self.deadly: set[str] = set()
        self.starting = lambda actor: ("cpu", "fp32")
        self.asleep: list[float] = []
        self.slow, self.backwards = 0, False

    def nodes(self) -> list[dict[str, Any]]:
        return [{"NodeID": "one", "Alive": True, "Resources": {"CPU": 8.0}}]

    def remote(self, kind: type) -> Any:
        assert kind is on_ray.Worker

        def hire(options: dict[str, Any], *given: Any) -> Actor:
            self.actors.append(Actor(self, options, given))
            return self.actors[-1]

        return SimpleNamespace(options=lambda **options: SimpleNamespace(remote=lambda *given: hire(options, *given)))

    def wait(self, refs: list[Ref], timeout: float | None = None) -> tuple[list[Ref], list[Ref]]:
        if timeout is not None and self.slow:
            self.slow -= 1
            self.asleep.append(timeout)
            return [], refs
        *rest, first = refs if self.backwards else refs[::-1]
        first.settle()
        return [first], rest

    def get(self, ref: Ref, timeout: float | None = None) -> Any:
        if timeout is None:
            ref.settle()
        answer = RayError("not ready") if ref.answer is None else ref.answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def kill(self, actor: Actor) -> None:
        actor.dead = True
        self.killed.append(actor)


@pytest.fixture
def ray(monkeypatch):
    stand_in, strategies = StandIn(), ModuleType("ray.util.scheduling_strategies")
    strategies.NodeAffinitySchedulingStrategy = lambda node, soft: (node, soft)
    for name, module in (("ray", stand_in), ("ray.util", ModuleType("ray.util")), (strategies.__name__, strategies)):
        monkeypatch.setitem(sys.modules, name, module)
    return stand_in


def names(jobs):
    return [int(job.source.stem) for job in jobs]


def test_every_worker_has_two_lots_and_they_become_smaller(ray):
    crew = on_ray.run_on_ray(SETUP, JOBS, {JOBS[1].target: "a stamp"})
    assert sorted(names(result.job for result in crew)) == list(range(40))
    assert crew.machines == {("cpu", "fp32")}
    first, _ = ray.actors
    assert (first.options, first.given) == (
        {"num_cpus": 4, "num_gpus": 0, "scheduling_strategy": ("one", True), "max_restarts": 0},
        (SETUP, 2),
    )
    sizes = [len(lot) for lot, _, _ in first.lots]
    assert sizes[:3] == [8, 8, 6]  # never more than eight, then a quarter of what is left: two lots for two workers
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 1
    lot, stamps, again = first.lots[0]
    assert (names(lot), stamps[:3], again) == (list(range(8)), [None, "a stamp", None], [False] * 8)
    assert ray.killed == ray.actors


def test_lots_are_shared_out_in_turn_and_two_at_once(ray, monkeypatch):
    slots = [on_ray.Slot("one", 1, 0, 2)] * 2
    crew = on_ray.Crew(SETUP, slots, JOBS, {})
    for hand in crew._hands:
        hand.starting = None
    crew._share_out()
    crew._share_out()
    given = [[names(lot)[0] for lot, _, _ in actor.lots] for actor in ray.actors]
    assert given == [[0, 16], [8, 22]]
    busy, idle = crew._hands
    del busy.lots[next(iter(busy.lots))]
    idle.lots.clear()
    crew._share_out()
    given = [[names(lot)[0] for lot, _, _ in actor.lots[2:]] for actor in ray.actors]
    assert given == [[31], [27, 34]]  # who has nothing is served first
    card = on_ray.Crew(SETUP, [on_ray.Slot("one", 1, 1, 1)], JOBS * 5, {})
    assert len(card._lot(card._hands[0].slot.most)) == 64


@pytest.mark.parametrize(("jobs", "workers"), [(0, 1), (1, 1), (2, 2), (9, 2)])
def test_there_are_no_more_workers_than_pictures(ray, jobs, workers):
    on_ray.run_on_ray(SETUP, JOBS[:jobs], {})
    assert len(ray.actors) == workers


def test_who_is_under_suspicion_is_tried_alone_and_the_rest_goes_on(ray, caplog):
    ray.deadly = {"1.png"}
    crew = on_ray.Crew(SETUP, [on_ray.Slot("one", 4, 0, 1)], JOBS[:8], {})
    results = {names([result.job])[0]: result for result in crew}
    assert sorted(results) == list(range(8))
    assert [name for name, result in results.items() if result.error] == [1]
    assert str(results[1].error) == "1.png: 3 workers died over it. Is memory short?"
    assert caplog.messages == ["a worker died; another takes its place."] * 3
    first, second, third, fourth = ray.actors
    assert [names(lot) for lot, _, _ in first.lots] == [[0, 1, 2, 3], [4, 5]]
    assert [(names(lot), again) for lot, _, again in second.lots[:2]] == [([0], [True]), ([1], [True])]
    assert [names(lot) for lot, _, _ in third.lots[:2]] == [[3], [1]]  # it waits behind the others under suspicion
    seen = [(name, again) for actor in ray.actors[1:] for lot, _, flags in actor.lots for name, again in
            zip(names(lot), flags, strict=True)]  # fmt: skip
    assert {name for name, again in seen if again} == {0, 1, 2, 3, 4, 5}
    assert {name for name, again in seen if not again} == {6, 7}
    rest = [names(lot) for lot, _, _ in fourth.lots]
    assert [name for lot in rest for name in lot] == sorted(name for lot in rest for name in lot)
    assert ray.killed == ray.actors


def test_what_a_dead_worker_had_finished_is_not_made_again(ray):
    crew = on_ray.Crew(SETUP, [on_ray.Slot("one", 4, 0, 1)], JOBS[:8], {})
    hand = crew._hands[0]
    hand.starting = None
    crew._share_out()
    ready, lost = hand.lots
    ready.settle()
    lost.answer = RayError("it died")
    results = list(crew._replace(hand, lost.answer))
    assert names(result.job for result in results) == [0, 1, 2, 3]
    assert names(crew._again) == [4, 5]
    assert names(crew._todo) == [6, 7]
    assert hand.actor.dead


def test_workers_that_never_start_in_one_place_leave_the_work_to_others(ray, caplog):
    slots = [on_ray.Slot("good", 4, 0, 1), on_ray.Slot("bad", 4, 0, 1)]
    ray.backwards = True  # all that fails does before the first picture is there
    ray.starting = lambda actor: (
        RayError("no artkit") if actor.options["scheduling_strategy"][0] == "bad" else ("cpu", "bf16")
    )
    crew = on_ray.Crew(SETUP, slots, JOBS, {})
    assert sorted(names(result.job for result in crew)) == list(range(40))
    places = [actor.options["scheduling_strategy"][0] for actor in ray.actors]
    assert (places.count("bad"), places.count("good"), caplog.messages) == (3, 1, [])
    assert crew.machines == {("cpu", "bf16")}


def test_where_none_can_start_the_last_reason_is_told(ray):
    ray.starting = lambda actor: RayError("Traceback:\n  in a file\nValueError: no artkit here.\n")
    crew = on_ray.Crew(SETUP, [on_ray.Slot("bad", 4, 0, 1)] * 2, JOBS, {})
    told = r"no worker can start\. Has each node this artkit\? The last one said: ValueError: no artkit here\.$"
    with pytest.raises(UsageError, match=told):
        list(crew)
    assert len(ray.actors) == 4  # two that began, and two more: three in one place are enough
    ray.starting = lambda actor: RayError("x" * 500)
    with pytest.raises(UsageError) as caught:
        list(on_ray.Crew(SETUP, [on_ray.Slot("bad", 4, 0, 1)], JOBS, {}))
    assert len(str(caught.value)) < 300


def test_an_error_of_a_worker_is_raised_and_all_are_ended(ray):
    ray.starting = lambda actor: RayTaskError(ModelError("a node has other models"))
    with pytest.raises(ModelError, match="other models"):
        list(on_ray.run_on_ray(SETUP, JOBS, {}))
    assert ray.killed == ray.actors
    ray.starting = lambda actor: RayTaskError("no exception")  # what cannot be sent has a text for a cause
    with pytest.raises(RayTaskError, match="no exception"):
        list(on_ray.run_on_ray(SETUP, JOBS, {}))


def test_it_is_said_when_nothing_begins(ray, caplog):
    crew = on_ray.run_on_ray(SETUP, JOBS[:2], {})
    ray.slow = 1
    list(crew)
    assert ray.asleep == [60]
    told = "no worker has started for a minute: do other runs hold the cluster's cores and GPUs?"
    assert caplog.messages == [told]
    caplog.clear()
    crew = on_ray.run_on_ray(SETUP, JOBS[:2], {})
    crew._hands[0].starting = None  # one works: the others may well wait
    ray.slow = 1
    list(crew)
    assert (ray.asleep, caplog.messages) == ([60, 60], [])
