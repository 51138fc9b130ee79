"""How fast does a stroke become a picture? `python tests/benchmarks/studio.py` prints a table; nothing is asserted.

A studio runs in this process, and a client sends it what the page sends after a stroke: a map of class indices, and
waits for the PNG. Beside it the same chain called from Python: what is left is the studio's own. Medians of 20, least
ones, and CPU seconds of the whole process, which tell more on a machine that is busy. And the page: its bytes, and
how long the studio takes to start.
"""

from __future__ import annotations

import io
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import httpx
import numpy as np
import torch
from PIL import Image

import artkit
from artkit.images import resize_labels
from artkit.plugins import current_registry
from artkit.spec import Kind
from artkit.studio.guard import LOCAL
from artkit.studio.page import page_files
from artkit.studio.serving import Server, listen
from artkit.studio.studio import Studio

CHAINS = ("spade", "pix2pix", "pix2pix,touchup", "semgan,pix2pix,touchup")
SIDES = (256, 512)
RUNS = 20


def timed(action: Callable[[], object]) -> str:
    """Return median and least milliseconds of an action, and the median of its CPU milliseconds."""
    action()
    walls, cpus = [], []
    for _ in range(RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    least, usual, cpu = (1000 * value for value in (min(walls), statistics.median(walls), statistics.median(cpus)))
    return f"{usual:6.0f} ms (least {least:.0f}, CPU {cpu:.0f})"


def make_map(side: int) -> artkit.Picture:
    """Return a scene's label map."""
    from artkit.data import open_dataset

    data = open_dataset("landscapes(count=1,seed=5)")
    labels = data.columns["label"].picture(data.load(0, ["label"])["label"])
    return labels.with_tensor(resize_labels(labels.tensor, (side, side)))


def encode(picture: artkit.Picture) -> bytes:
    """Return a map as the page sends it."""
    stream = io.BytesIO()
    Image.fromarray(picture.numpy().astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def measure(visitor: httpx.Client) -> None:
    """Print the table."""
    for side in SIDES:
        picture = make_map(side)
        assert picture.kind is Kind.LABELS
        data = encode(picture)
        for text in CHAINS:
            chain = artkit.Chain(text)

            def ask(text: str = text, side: int = side, data: bytes = data) -> None:
                form = {"chain": text, "labels": "index", "longest": str(side), "client": "b", "supersedes": "preview"}
                answer = visitor.post("/api/run", data=form, files={"input": data}, headers={"Accept": "image/png"})
                answer.raise_for_status()

            def call(chain: artkit.Chain = chain, picture: artkit.Picture = picture) -> None:
                chain(picture)

            print(f"{side}x{side} {text:<24} over HTTP {timed(ask)}   from Python {timed(call)}")


def start_seconds() -> float:
    """Return how long `artkit studio` takes from the command to its address."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "artkit", "studio", "--no-open", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        taken = time.perf_counter() - start
        process.terminate()
    return taken


def main() -> None:
    """Start the studio and measure it."""
    print(f"{torch.get_num_threads()} threads; the studio starts in {start_seconds():.1f} s")
    sizes = [path.stat().st_size for path in page_files().values()]
    print(f"the page: {len(sizes)} files, {sum(sizes):,} bytes")
    listener, ready = listen("127.0.0.1", 0), threading.Event()
    server = Server(Studio(current_registry()), LOCAL, ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    ready.wait()
    with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=600) as visitor:
        measure(visitor)
    server.close()
    thread.join()


if __name__ == "__main__":
    main()
