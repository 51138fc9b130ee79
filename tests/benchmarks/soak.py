"""Fifty clients at once: `python tests/benchmarks/soak.py [SECONDS]` prints what became of their jobs, and the memory.

Each client asks the real studio, a process of its own, for small pictures one after the other until the time is up, and
waits for each; a client that is refused (429) waits a moment. A job is lost where the studio took it on and no picture
comes of it. Nothing is asserted here; `tests/studio/test_studio_crowd.py` asserts it of a small crowd.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

CLIENTS = 50
CHAINS = ("posterise", "pix2pix", "pix2pix,touchup", "grey")
PATIENCE = 300.0


def grey(level: int, side: int = 64) -> bytes:
    """Return a map of one class, which is a dark picture as well."""
    stream = io.BytesIO()
    Image.fromarray(np.full((side, side), level, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def memory(pid: int) -> float:
    """Return the resident megabytes of a process."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


class Crowd:
    """What the clients saw, together."""

    def __init__(self, address: str, seconds: float) -> None:
        self.address, self.end = address, time.monotonic() + seconds
        self.counts: Counter[str] = Counter()
        self.slowest = {"answer": 0.0, "picture": 0.0}
        self._lock = threading.Lock()

    def note(self, what: str, **seconds: float) -> None:
        """Count something, and remember the slowest."""
        with self._lock:
            self.counts[what] += 1
            for name, taken in seconds.items():
                self.slowest[name] = max(self.slowest[name], taken)

    def visit(self, number: int) -> None:
        """Be one client."""
        limits = httpx.Limits(max_connections=1)
        with httpx.Client(base_url=self.address, timeout=PATIENCE, trust_env=False, limits=limits) as visitor:
            while time.monotonic() < self.end:
                self.ask(visitor, number)

    def ask(self, visitor: httpx.Client, number: int) -> None:
        """Ask for a picture and wait for it."""
        chain, began = CHAINS[number % len(CHAINS)], time.monotonic()
        form = {"chain": chain, "client": f"client{number}"} | ({"labels": "index"} if "pix2pix" in chain else {})
        answer = visitor.post("/api/run", data=form, files={"input": grey(number % 12)})
        self.note("sent", answer=time.monotonic() - began)
        if answer.status_code == 429:
            self.note("refused")
            time.sleep(0.5)
            return
        if answer.status_code != 202:
            self.note(f"answered {answer.status_code}")
            return
        with visitor.stream("GET", answer.json()["events"]) as events:
            last = [line for line in events.iter_lines() if line.startswith("event:")][-1:]
        picture = visitor.get(f"/api/jobs/{answer.json()['job']}/picture")
        done = last == ["event: done"] and picture.status_code == 200
        self.note("done" if done else "lost", picture=time.monotonic() - began)


def main() -> None:
    """Start a studio, let the clients in, and print what came of it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    command = [sys.executable, "-m", "artkit", "studio", "--no-open", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://[\w.:]+", process.stdout.readline())
        assert found
        crowd = Crowd(found[0], seconds)
        for number in range(len(CHAINS)):  # so that all networks are loaded when memory is first looked at
            with httpx.Client(base_url=found[0], timeout=PATIENCE, trust_env=False) as visitor:
                crowd.ask(visitor, number)
        crowd.counts.clear()
        before, began = memory(process.pid), time.monotonic()
        crowd.end = began + seconds
        clients = [threading.Thread(target=crowd.visit, args=(number,)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        print(f"{CLIENTS} clients for {time.monotonic() - began:.0f} s: {dict(crowd.counts)}")
        print(f"the server's memory: {before:.0f} MB before, {memory(process.pid):.0f} MB after")
        print(", ".join(f"slowest {name} {taken:.2f} s" for name, taken in crowd.slowest.items()))
        process.terminate()


if __name__ == "__main__":
    main()
