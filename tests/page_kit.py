"""A studio, a real Chromium, and the page in it, for tests of what a person sees and does."""

from __future__ import annotations

import base64
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PAGE = Path(__file__).parents[1] / "artkit" / "studio" / "page"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = [
    *([] if importlib.util.find_spec("playwright") else ["playwright (pip install -e '.[test]')"]),
    *([] if CHROMIUM else ["chromium (apt-get install chromium, or CHROMIUM=/path/to/it)"]),
]
TIMEOUT = 120.0
"""Seconds that anything may take on a busy machine before a test fails."""
needs_browser = pytest.mark.skipif(bool(MISSING), reason=f"THE STUDIO'S PAGE IS NOT TESTED: no {', no '.join(MISSING)}")
"""Browser tests carry this; without a browser they are skipped, and say what to install."""

_LABELS = """async () => {
  const { sheet } = await (await import("/page/app.js")).studio;
  let text = "";
  for (const label of sheet.map.data) text += String.fromCharCode(label);
  return [sheet.map.height, sheet.map.width, btoa(text)];
}"""
_PLACES = """async points => {
  const { view } = await (await import("/page/app.js")).studio;
  const frame = document.getElementById("map").getBoundingClientRect();
  return points.map(([x, y]) => view.toFrame(x, y)).map(at => [frame.left + at.x, frame.top + at.y]);
}"""


def start_studio(port: str = "0", *more: str) -> tuple[subprocess.Popen, str]:
    """Start `artkit studio`, at a free port unless one is named; return the process and its address."""
    command = [sys.executable, "-m", "artkit", "studio", "--port", port, *more]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    environment.pop("DISPLAY", None)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://[\w.:]+", line)
    assert found, line
    return process, found[0]


@contextmanager
def studio(*more: str) -> Iterator[str]:
    """Run `artkit studio`, with more options, while the block runs; give its address."""
    process, address = start_studio("0", *more)
    try:
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=30)


@contextmanager
def chromium() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Page:
    """The studio's page in a tab, worked with as a person does."""

    def __init__(self, tab, address: str) -> None:
        self.tab, self.address = tab, address
        self.problems: list[str] = []
        self.requests: list[str] = []
        tab.on("pageerror", lambda error: self.problems.append(str(error)))
        tab.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.set_default_timeout(TIMEOUT * 1000)

    def open(self, query: str = "") -> Page:
        """Open the page and wait until it is there."""
        self.tab.goto(f"{self.address}/{query}")
        self.tab.wait_for_selector("html[data-ready]")
        return self

    def labels(self) -> np.ndarray:
        """Return the map on the canvas."""
        height, width, text = self.tab.evaluate(_LABELS)
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width)

    def place(self, x: int, y: int) -> tuple[float, float]:
        """Return where a pixel of the map is on the screen."""
        return tuple(self.tab.evaluate(_PLACES, [[x, y]])[0])

    def drag(self, *points: tuple[int, int]) -> None:
        """Press at the first pixel of the map, move through the others, let go at the last."""
        places = self.tab.evaluate(_PLACES, points)
        self.tab.mouse.move(*places[0])
        self.tab.mouse.down()
        for place in places[1:]:
            self.tab.mouse.move(*place)
        self.tab.mouse.up()

    def click(self, x: int, y: int) -> None:
        self.tab.mouse.click(*self.place(x, y))

    def tool(self, name: str) -> None:
        self.tab.click(f"[data-tool={name}]")

    def paint_class(self, name: str) -> None:
        self.tab.get_by_role("radio", name=name, exact=True).click()

    def brush(self, size: int) -> None:
        """Choose the brush's size, as its keys do."""
        self.tab.evaluate("async size => (await (await import('/page/app.js')).studio).toolbox.resize(size)", size)

    def give(self, opener: str, picture: Image.Image | Path, name: str = "file.png") -> None:
        """Choose a file where clicking `opener` asks for one."""
        with self.tab.expect_file_chooser() as chooser:
            self.tab.click(opener)
        if isinstance(picture, Path):
            chooser.value.set_files(picture)
        else:
            buffer = BytesIO()
            picture.save(buffer, "PNG")
            chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": buffer.getvalue()})

    def drop(self, picture: bytes, name: str, target: str = "body", kind: str = "image/png") -> None:
        """Drop a file on the page."""
        script = """([text, name, type]) => {
          const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type }));
          return transfer;
        }"""
        transfer = self.tab.evaluate_handle(script, [base64.b64encode(picture).decode(), name, kind])
        self.tab.dispatch_event(target, "drop", {"dataTransfer": transfer})

    def wait_until(self, script: str, arg: object = None) -> None:
        """Wait until a function of the page says yes; Playwright's own waiting takes a promise for a yes."""
        end = time.monotonic() + TIMEOUT
        while not self.tab.evaluate(script, arg):
            assert time.monotonic() < end, f"{script}\nThe page says: {self.says()}"
            self.tab.wait_for_timeout(20)

    def says(self) -> str:
        """Return what the page says of the picture, and every error that it met."""
        return " | ".join([self.tab.inner_text("#status"), self.tab.inner_text("#toast"), *self.problems])

    def wait_for_labels(self, shape: tuple[int, int]) -> None:
        script = """async ([height, width]) => {
          const { map } = (await (await import("/page/app.js")).studio).sheet;
          return map.height === height && map.width === width;
        }"""
        self.wait_until(script, list(shape))

    def wait_for_card(self, number: int) -> None:
        """Wait until so many pictures were made at full size."""
        self.wait_until("n => document.getElementById('gallery').dataset.count >= n", number)

    def text(self) -> str:
        """Return the chain, as its text field has it."""
        return self.tab.eval_on_selector("#chain-text", "field => field.value")


def axe(tab) -> list[tuple[str, list[str]]]:
    """Return what axe finds wrong, or skip where it is not installed."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None:
        pytest.skip("THE STUDIO'S PAGE IS NOT CHECKED BY AXE: pip install -e '.[test]'")
    script = Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8")
    tab.evaluate(script + "; null")
    violations = tab.evaluate("async () => (await axe.run()).violations")
    return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in violations]


def small_map(height: int = 48, width: int = 64) -> Image.Image:
    """A landscape's label map in the colours of its classes: sky above grass, a pond and a house."""
    colours = {0: (110, 170, 220), 6: (140, 190, 80), 7: (50, 95, 160), 10: (180, 80, 60)}
    labels = np.zeros((height, width), np.uint8)
    labels[height // 2 :] = 6
    labels[height * 5 // 8 : height * 7 // 8, width // 8 : width // 2] = 7
    labels[height * 3 // 8 : height * 5 // 8, width * 5 // 8 : width * 7 // 8] = 10
    picture = np.zeros((height, width, 3), np.uint8)
    for label, colour in colours.items():
        picture[labels == label] = colour
    return Image.fromarray(picture)
