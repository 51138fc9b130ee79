"""A crowd: fifty clients ask at once, and each gets its own picture, or a 429."""

from __future__ import annotations

import threading
from collections import Counter

import httpx

from artkit.studio.limits import Limits
from studio_kit import WAIT, grey, open_studio, pixels_of

CLIENTS = 50


def test_fifty_clients_at_once_each_get_their_own_picture():
    answers: dict[int, httpx.Response] = {}
    together = threading.Barrier(CLIENTS, timeout=WAIT)
    with open_studio() as visitor:

        def ask(number: int) -> None:
            files = [("chain", (None, "invert")), ("client", (None, f"client{number}")), ("input", ("i", grey(number)))]
            with httpx.Client(base_url=visitor.base_url, timeout=WAIT, trust_env=False) as client:
                together.wait()
                answers[number] = client.post("/api/run", files=files, headers={"Accept": "image/png"})

        crowd = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
        for client in crowd:
            client.start()
        for client in crowd:
            client.join(WAIT)
        jobs = list(visitor.studio.desk._jobs.values())
    assert Counter(answer.status_code for answer in answers.values()) == {200: CLIENTS}
    assert all(pixels_of(answer.content)[0, 0, 0] == 255 - number for number, answer in answers.items())
    assert len(jobs) == CLIENTS
    assert all(job.work.nbytes == 0 for job in jobs)


def test_more_than_may_wait_are_refused_and_none_is_lost():
    statuses: Counter[int] = Counter()
    lock = threading.Lock()
    with open_studio(Limits(waiting=5)) as visitor:

        def ask(number: int) -> None:
            with httpx.Client(base_url=visitor.base_url, timeout=WAIT, trust_env=False) as client:
                files = [("chain", (None, "invert")), ("client", (None, f"c{number}")), ("input", ("i", grey(number)))]
                answer = client.post("/api/run", files=files, headers={"Accept": "image/png"})
            with lock:
                statuses[answer.status_code] += 1

        crowd = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for client in crowd:
            client.start()
        for client in crowd:
            client.join(WAIT)
        assert visitor.run("invert", grey(1), png=True).status_code == 200
    assert set(statuses) <= {200, 429}
    assert statuses[200] >= 5
    assert sum(statuses.values()) == 20
