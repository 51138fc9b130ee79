"""The desk: turns, previews, limits, and what is kept for how long."""

from __future__ import annotations

import pytest

from artkit.studio.answers import RecipeInfo
from artkit.studio.desk import Desk
from artkit.studio.jobs import Job, State, Stopped
from artkit.studio.limits import Limits, Refusal
from artkit.studio.worker import compute


class FakeWork:
    """Work of so many bytes that does what it is told."""

    def __init__(self, nbytes: int = 0, act=lambda job: b"") -> None:
        self.nbytes, self.act = nbytes, act

    def compute(self, job: Job) -> bytes:
        return self.act(job)

    def drop(self) -> None:
        self.nbytes = 0

    def recipe(self) -> RecipeInfo:
        return RecipeInfo("invert", 0, None, "", "")


def put(desk: Desk, client: str = "a", *, preview: bool = False, nbytes: int = 0, act=lambda job: b"") -> Job:
    job = Job(FakeWork(nbytes, act), client, preview)
    desk.submit(job)
    return job


def run_one(desk: Desk) -> Job:
    job = desk.take()
    assert job is not None
    compute(desk, job)
    return job


def test_clients_take_turns():
    desk = Desk()
    jobs = [put(desk, client) for client in "aaabbc"]
    assert [desk.position(job) for job in jobs] == [0, 3, 5, 1, 4, 2]
    order = [run_one(desk) for _ in jobs]
    assert [job.client for job in order] == list("abcaba")
    assert [job for job in order if job.client == "a"] == jobs[:3]


def test_who_comes_later_waits_for_one_picture_of_each_other_client_at_most():
    desk = Desk()
    for _ in range(5):
        put(desk, "greedy")
    run_one(desk)
    late = put(desk, "late")
    assert desk.position(late) == 1
    run_one(desk)
    assert desk.take() is late


def test_the_running_job_comes_before_those_that_wait():
    desk = Desk()
    put(desk)
    waiting = put(desk)
    desk.take()
    assert desk.position(waiting) == 1


def test_a_preview_takes_the_place_of_the_clients_last_one_alone():
    desk = Desk()
    first, other, whole = put(desk, preview=True), put(desk, "b", preview=True), put(desk)
    second = put(desk, preview=True)
    assert (first.state, other.state, whole.state) == (State.CANCELLED, State.QUEUED, State.QUEUED)
    assert [run_one(desk) for _ in range(3)] == [second, other, whole]


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.DONE])
def test_a_preview_that_was_asked_for_earlier_does_not_take_the_place_of_a_later_one(state):
    desk = Desk()
    turns = [desk.draw_turn() for _ in range(3)]
    newer = Job(FakeWork(0, lambda job: b""), "a", True, turn=turns[1])
    desk.submit(newer)
    if state is not State.QUEUED:
        desk.take()
    if state is State.DONE:
        compute(desk, newer)
    older, other = Job(FakeWork(0, print), "a", True, turn=turns[0]), Job(FakeWork(0, print), "b", True, turn=turns[0])
    desk.submit(older)
    desk.submit(other)
    assert (older.state, newer.state, newer.hurried, other.state) == (State.CANCELLED, state, None, State.QUEUED)
    assert desk.find(older.id) is older
    newest = Job(FakeWork(0, print), "a", True, turn=turns[2])
    desk.submit(newest)
    assert newest.state is State.QUEUED


def test_a_look_comes_before_the_clients_own_whole_pictures():
    desk = Desk()
    whole = [put(desk), put(desk)]
    look = put(desk, preview=True)
    assert [run_one(desk) for _ in range(3)] == [look, *whole]


def test_who_draws_without_a_pause_keeps_the_turn():
    desk = Desk()
    put(desk, "a", preview=True)
    for _ in range(3):
        put(desk, "b")
        last = put(desk, "a", preview=True)
    assert run_one(desk) is last


def test_a_running_preview_ends_when_it_next_tells_how_far_it_is():
    desk = Desk()
    told = []

    def act(job: Job) -> bytes:
        job.tell(0.25)
        told.append(put(desk, preview=True))
        job.tell(0.5)
        raise AssertionError("it went on")

    job = put(desk, preview=True, act=act)
    assert run_one(desk) is job
    assert (job.state, job.picture, job.error) == (State.CANCELLED, None, None)
    assert told[0].state is State.QUEUED


def test_a_preview_that_ends_before_it_hears_of_it_shows_nothing():
    desk = Desk()
    job = put(desk, preview=True, act=lambda job: put(desk, preview=True) and b"old")
    run_one(desk)
    assert (job.state, job.picture) == (State.CANCELLED, None)


def test_cancelling_keeps_what_a_step_has_to_show():
    desk = Desk()

    def act(job: Job) -> bytes:
        job.tell(0.5)
        desk.cancel(job)
        with pytest.raises(KeyboardInterrupt):
            job.tell(0.75)
        job.tell(0.8)  # the steps after it go on
        return b"sketch"

    job = put(desk, act=act)
    run_one(desk)
    assert (job.state, job.picture, job.share) == (State.CANCELLED, b"sketch", 0.8)


def test_cancelling_twice_keeps_nothing():
    desk = Desk()

    def act(job: Job) -> bytes:
        desk.cancel(job)
        with pytest.raises(KeyboardInterrupt):
            job.tell(0.5)
        desk.cancel(job)
        with pytest.raises(Stopped):
            job.tell(0.6)
        raise Stopped("cancelled")

    job = put(desk, act=act)
    run_one(desk)
    assert (job.state, job.picture) == (State.CANCELLED, None)


def test_cancelling_what_waits_and_what_is_done():
    desk = Desk()
    first, second = put(desk), put(desk)
    desk.cancel(first)
    assert first.state is State.CANCELLED
    assert run_one(desk) is second
    desk.cancel(second)
    assert second.state is State.DONE


def test_a_job_without_anything_to_show_ends_as_at_ctrl_c():
    desk = Desk()

    def act(job: Job) -> bytes:
        desk.cancel(job)
        job.tell(0.5)
        return b"no"

    job = put(desk, act=act)
    run_one(desk)
    assert (job.state, job.picture) == (State.CANCELLED, None)


def test_a_job_that_takes_too_long_fails():
    now = [0.0]
    desk = Desk(Limits(job_seconds=-1.0))
    job = put(desk, act=lambda job: job.tell(0.5))
    run_one(desk)
    assert job.state is State.FAILED
    assert "longer than" in str(job.error)
    assert now == [0.0]


def test_a_bug_in_a_job_is_told_and_the_worker_lives(capsys):
    desk = Desk()
    job = put(desk, act=lambda job: 1 // 0)
    run_one(desk)
    assert (job.state, job.fault) == (State.FAILED, True)
    assert "ZeroDivisionError" in str(job.error)
    assert "ZeroDivisionError" in capsys.readouterr().err
    put(desk)
    assert run_one(desk).state is State.DONE


def test_limits_of_one_client_and_of_all():
    desk = Desk(Limits(waiting=3, waiting_each=2, waiting_bytes=100))
    put(desk, "a")
    put(desk, "a")
    with pytest.raises(Refusal, match="You have 2 pictures waiting"):
        put(desk, "a")
    put(desk, "b")
    with pytest.raises(Refusal, match="busy"):
        put(desk, "c")
    run_one(desk)
    with pytest.raises(Refusal, match="busy"):
        put(desk, "c", nbytes=101)
    put(desk, "c", nbytes=100, preview=True)
    with pytest.raises(Refusal, match="busy"):
        put(desk, "c", nbytes=101, preview=True)
    put(desk, "c", nbytes=99, preview=True)
    assert Refusal(429, "busy").status == 429


def test_a_client_that_only_previews_is_never_refused():
    desk = Desk(Limits(waiting=1, waiting_each=1))
    for _ in range(5):
        last = put(desk, preview=True)
    assert run_one(desk) is last


def test_results_are_forgotten_when_they_are_old():
    now = [100.0]
    desk = Desk(Limits(kept_seconds=10), clock=lambda: now[0])
    job = put(desk)
    run_one(desk)
    now[0] = 110.0
    assert desk.find(job.id) is job
    now[0] = 110.1
    assert desk.find(job.id) is None


def test_the_oldest_results_go_where_there_are_too_many_bytes_or_jobs():
    desk = Desk(Limits(kept_bytes=25, kept=100))
    jobs = []
    for _ in range(4):
        jobs.append(put(desk, act=lambda job: bytes(10)))
        run_one(desk)
    assert [desk.find(job.id) is not None for job in jobs] == [False, False, True, True]
    desk = Desk(Limits(kept=2))
    jobs = [put(desk) for _ in range(4)]
    for _ in jobs:
        run_one(desk)
    assert [desk.find(job.id) is not None for job in jobs] == [False, False, True, True]


def test_what_waits_is_never_forgotten():
    desk = Desk(Limits(kept=0, kept_bytes=0, kept_seconds=-1))
    job = put(desk)
    assert desk.find(job.id) is job
    run_one(desk)
    assert desk.find(job.id) is None


def test_a_job_that_is_over_holds_no_uploads():
    desk = Desk()
    done, cancelled = put(desk, nbytes=5), put(desk, nbytes=5)
    desk.cancel(cancelled)
    run_one(desk)
    assert (done.work.nbytes, cancelled.work.nbytes) == (0, 0)


def test_closing_cancels_all_and_lets_nothing_in():
    desk = Desk()
    woken = []

    def act(job: Job) -> bytes:
        desk.close()
        job.tell(0.5)
        return b"no"

    running, waiting = put(desk, act=act), put(desk)
    waiting.watchers.append(lambda: woken.append(waiting.state))
    run_one(desk)
    assert (running.state, waiting.state) == (State.CANCELLED, State.CANCELLED)
    assert State.CANCELLED in woken
    assert desk.take() is None
    with pytest.raises(Refusal):
        put(desk)


def test_ids_cannot_be_guessed():
    ids = {put(Desk()).id for _ in range(100)}
    assert len(ids) == 100
    assert all(len(identity) >= 22 for identity in ids)
