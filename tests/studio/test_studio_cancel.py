"""Over HTTP: cancelling, previews that take each other's place, clients that leave, turns, and the end."""

from __future__ import annotations

import io
import socket
import threading

import httpx
import numpy as np
import pytest

from artkit.chain import Chain
from artkit.images import read_provenance
from artkit.studio import making
from artkit.studio.chain_work import ChainWork, Runners
from artkit.studio.jobs import Job
from artkit.studio.limits import Limits
from studio_kit import WAIT, encode, events_of, grey, open_studio, pixels_of, registry, wait_for_end, wait_until
from studio_methods import BEGUN, GATE, STARTED, WENT_ON


@pytest.fixture(autouse=True)
def closed_gate():
    while GATE.acquire(blocking=False):
        pass
    BEGUN.clear()
    WENT_ON.clear()
    STARTED.clear()


@pytest.fixture
def visitor():
    with open_studio(Limits(waiting_each=3, waiting=5)) as visitor:
        yield visitor
        GATE.release(100)  # whatever still waits ends


def begin(visitor, level: int = 200, **fields):
    """Ask for a slow picture, and return its job once it is begun."""
    job = visitor.job("slow", grey(level), **fields)
    assert STARTED.wait(WAIT)
    return job


def test_cancelling_keeps_what_there_is(visitor):
    job = begin(visitor)
    assert visitor.delete(f"/api/jobs/{job.id}").json()["state"] == "running"
    GATE.release()
    wait_for_end(job)
    found = visitor.state(job)
    assert found["state"] == "cancelled"
    assert found["share"] < 1
    picture = visitor.get(found["picture"]).content
    assert pixels_of(picture)[0, 0, 0] == 100
    assert read_provenance(io.BytesIO(picture))["stopped_at"] == 0.25


def test_the_steps_after_a_cancelled_one_go_on(visitor):
    job = visitor.job("slow,invert", grey(200))
    assert STARTED.wait(WAIT)
    visitor.delete(f"/api/jobs/{job.id}")
    GATE.release()
    wait_for_end(job)
    assert pixels_of(job.picture or b"")[0, 0, 0] == 155


def test_cancelling_again_keeps_nothing(visitor):
    job = begin(visitor)
    for _ in range(2):
        visitor.delete(f"/api/jobs/{job.id}")
    GATE.release()
    wait_for_end(job)
    found = visitor.state(job)
    assert (found["state"], found["picture"], found["error"]) == ("cancelled", None, None)


def silently(visitor, end, **fields) -> Job:
    """Let a step that tells nothing run into the end that `end` puts to its job."""
    job = visitor.job("silent,invert", grey(200), **fields)
    assert STARTED.wait(WAIT)
    end(job)
    GATE.release()
    wait_for_end(job)
    return job


def test_a_step_that_tells_nothing_ends_between_two_operations(visitor):
    job = silently(visitor, lambda job: visitor.delete(f"/api/jobs/{job.id}"))
    assert (job.state, job.picture, job.error, WENT_ON) == ("cancelled", None, None, [])
    assert visitor.run("invert", grey(200), png=True).status_code == 200


def test_so_does_one_whose_place_another_preview_takes_or_whose_time_is_up(visitor):
    look = {"client": "tab", "supersedes": "preview"}
    job = silently(visitor, lambda job: visitor.job("invert", grey(1), **look), **look)
    assert (job.state, WENT_ON) == ("cancelled", [])
    STARTED.clear()
    job = silently(visitor, lambda job: setattr(job, "deadline", 0.0))
    assert (job.state, "longer than" in str(job.error), WENT_ON) == ("failed", True, [])


@pytest.mark.parametrize("chain", ["pix2pix", "cyclegan(model=monet)", "superres", "semgan", "touchup", "blur"])
def test_methods_of_artkit_heed_often(visitor, chain):
    picture = encode(np.full((16, 16), 3, np.uint8)) if chain == "pix2pix" else grey(200)
    work = ChainWork(Chain(chain), registry(), Runners("cpu"), picture=picture, indices=chain == "pix2pix")
    job, heeded = Job(work, "a"), []
    job.heed = lambda: heeded.append(1)
    work.compute(job)
    assert len(heeded) > 20


def test_what_waits_is_cancelled_at_once(visitor):
    begin(visitor)
    waiting = visitor.job("slow", grey(1))
    assert visitor.state(waiting)["position"] == 1
    assert visitor.delete(f"/api/jobs/{waiting.id}").json()["state"] == "cancelled"
    assert visitor.delete(f"/api/jobs/{waiting.id}").json()["state"] == "cancelled"
    with visitor.stream("GET", f"/api/jobs/{waiting.id}/events") as answer:
        assert [name for name, _ in events_of(answer.iter_lines())] == ["cancelled"]


def test_a_stroke_takes_the_place_of_the_one_before(visitor):
    look = {"client": "tab", "supersedes": "preview"}
    first = begin(visitor, 10, **look)
    second, third = (visitor.job("slow", grey(level), **look) for level in (20, 30))
    other = visitor.job("slow", grey(40), client="other", supersedes="preview")
    assert second.state == "cancelled"
    GATE.release(1)
    wait_for_end(first)
    assert (first.state, first.picture) == ("cancelled", None)
    GATE.release(8)
    wait_for_end(third)
    wait_for_end(other)
    assert (third.state, other.state) == ("done", "done")
    assert BEGUN == [10, 30, 40]


def test_a_stroke_whose_check_takes_longer_does_not_take_the_place_of_the_next(visitor, monkeypatch):
    look = {"client": "tab", "supersedes": "preview"}
    arrived, let_go, read = threading.Event(), threading.Event(), making.read_chain

    def read_chain(text, registry):
        if text == "invert":
            arrived.set()
            assert let_go.wait(WAIT)
        return read(text, registry)

    monkeypatch.setattr(making, "read_chain", read_chain)
    late: list[Job] = []
    overtaken = threading.Thread(target=lambda: late.append(visitor.job("invert", grey(1), **look)))
    overtaken.start()
    assert arrived.wait(WAIT)
    newer = begin(visitor, 2, **look)
    let_go.set()
    overtaken.join(WAIT)
    GATE.release(8)
    wait_for_end(newer)
    assert (late[0].state, newer.state) == ("cancelled", "done")


def test_a_superseded_preview_that_somebody_waits_for_is_a_conflict(visitor):
    answers: list[httpx.Response] = []
    look = {"client": "tab", "supersedes": "preview"}
    waiting = threading.Thread(target=lambda: answers.append(visitor.run("slow", grey(1), png=True, **look)))
    waiting.start()
    first_job(visitor)
    visitor.job("slow", grey(2), **look)
    GATE.release(1)
    waiting.join(WAIT)
    assert answers[0].status_code == 409
    assert set(answers[0].json()) == {"error"}


def test_who_leaves_is_not_worked_for(visitor):
    body = visitor.build_request("POST", "/api/run", data={"chain": "slow"}, files={"input": grey(7)})
    head = {**body.headers, "accept": "image/png"}
    with socket.create_connection((visitor.base_url.host, visitor.base_url.port), WAIT) as line:
        lines = [f"{name}: {value}" for name, value in head.items()]
        line.sendall("\r\n".join(["POST /api/run HTTP/1.1", *lines, "", ""]).encode() + body.read())
        job = first_job(visitor)
    wait_until(job, lambda job: job.hurried is not None)
    GATE.release(1)
    wait_for_end(job)
    assert (job.state, job.picture) == ("cancelled", None)


def first_job(visitor) -> Job:
    """Return the job that runs, once one does."""
    assert STARTED.wait(WAIT)
    (job,) = visitor.studio.desk._jobs.values()
    return job


def test_clients_take_turns_and_have_their_limits(visitor):
    begin(visitor, 1, client="greedy")
    jobs = [visitor.job("slow", grey(level), client="greedy") for level in (2, 3, 4)]
    answer = visitor.run("slow", grey(5), client="greedy")
    assert (answer.status_code, "You have 3" in answer.json()["error"]) == (429, True)
    modest = visitor.job("slow", grey(9), client="modest")
    visitor.job("slow", grey(8), client="third")
    assert visitor.run("slow", grey(7), client="fourth").status_code == 429
    assert [visitor.state(job)["position"] for job in (*jobs, modest)] == [1, 4, 5, 2]
    GATE.release(24)
    wait_for_end(jobs[-1])
    assert BEGUN == [1, 2, 9, 8, 3, 4]


def test_watchers_have_a_limit():
    with open_studio(Limits(watchers=0)) as visitor:
        job = visitor.job("invert", grey(1))
        assert visitor.get(f"/api/jobs/{job.id}/events").status_code == 429


def test_closing_the_studio_ends_jobs_and_streams():
    seen = []
    with open_studio() as visitor:
        running = begin(visitor)
        waiting = visitor.job("slow", grey(1))
        with visitor.stream("GET", f"/api/jobs/{waiting.id}/events") as answer:
            events = events_of(answer.iter_lines())
            next(events)
            visitor.studio.desk.close()
            GATE.release()
            seen = [name for name, _ in events]
        assert visitor.run("invert", grey(1)).status_code == 429
        wait_for_end(running)
    assert seen[-1] == "cancelled"
    assert not visitor.studio.worker._thread.is_alive()
