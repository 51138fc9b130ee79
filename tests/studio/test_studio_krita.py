"""The script for Krita: its client against a running studio, its layer against a stand-in for Krita."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from artkit.images import read_provenance
from artkit.studio.guard import Access
from cli_kit import environment
from studio_kit import encode, grey, open_studio, pixels_of

SCRIPT = Path(__file__).parents[2] / "examples" / "krita_artkit.py"
LAYER = np.random.default_rng(0).integers(0, 256, (5, 7, 4), np.uint8)


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("krita_artkit", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def visitor():
    with open_studio() as visitor:
        yield visitor


def address(visitor) -> str:
    return str(visitor.base_url)


def test_it_uses_the_standard_library_alone(script):
    code = f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import krita_artkit"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def test_a_picture_goes_and_comes(script, visitor):
    made = script.paint(grey(200), "invert", address=address(visitor))
    assert pixels_of(made)[0, 0].tolist() == [55, 55, 55]


def test_the_seed_is_sent(script, visitor):
    made = script.paint(grey(9), "invert", 7, address(visitor))
    assert read_provenance(io.BytesIO(made))["seed"] == 7


def test_a_token_is_sent(script):
    with open_studio(access=Access(token="secret")) as visitor:
        with pytest.raises(script.Refused, match="token"):
            script.paint(grey(1), "invert", address=address(visitor))
        assert script.paint(grey(1), "invert", address=address(visitor), token="secret")


def test_refusals_are_one_line(script, visitor):
    with pytest.raises(script.Refused, match="invrt"):
        script.paint(grey(1), "invrt", address=address(visitor))
    with pytest.raises(script.Refused, match="artkit studio"):
        script.paint(grey(1), "invert", address="http://127.0.0.1:9")


def test_a_layer_becomes_a_png_on_white(script):
    found = pixels_of(script.png_of(7, 5, LAYER.tobytes()))
    colours, alpha = LAYER[:, :, 2::-1].astype(int), LAYER[:, :, 3:].astype(int)
    assert np.array_equal(found, (colours * alpha + 255 * (255 - alpha)) // 255)


def test_the_layer_of_krita_gets_the_picture_above_it(script, visitor, monkeypatch):
    added = []
    node = SimpleNamespace(setPixelData=lambda *given: added.append(given))
    parent = SimpleNamespace(addChildNode=lambda *given: added.append(given))
    layer = SimpleNamespace(pixelData=lambda *box: LAYER.tobytes(), parentNode=lambda: parent)
    document = SimpleNamespace(
        activeNode=lambda: layer, width=lambda: 7, height=lambda: 5, createNode=lambda *given: node,
        refreshProjection=lambda: added.append("refreshed"),
    )  # fmt: skip
    krita = SimpleNamespace(Krita=SimpleNamespace(instance=lambda: SimpleNamespace(activeDocument=lambda: document)))
    qt = ModuleType("PyQt5.QtGui")
    qt.QImage = Image
    monkeypatch.setitem(sys.modules, "PyQt5", ModuleType("PyQt5"))
    monkeypatch.setitem(sys.modules, "PyQt5.QtGui", qt)
    monkeypatch.setattr(script.paint, "__defaults__", ("invert", 0, address(visitor), ""))
    script.paint_layer(krita)
    pixels, *box = added[0]
    want = 255 - pixels_of(script.png_of(7, 5, LAYER.tobytes()))
    assert np.array_equal(np.frombuffer(pixels, np.uint8).reshape(5, 7, 4)[:, :, 2::-1], want)
    assert box == [0, 0, 7, 5]
    assert added[1:] == [(node, layer), "refreshed"]


class Image:
    """As much of Qt's picture as the script uses, with the bytes that Qt has in ARGB32 on usual processors."""

    Format_ARGB32 = "ARGB32"

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels

    @classmethod
    def fromData(cls, data: bytes) -> Image:
        return cls(pixels_of(data))

    def convertToFormat(self, name: str) -> Image:
        opaque = np.full((*self.pixels.shape[:2], 1), 255, np.uint8)
        return Image(np.concatenate([self.pixels[:, :, ::-1], opaque], 2))

    def scaled(self, width: int, height: int) -> Image:
        assert self.pixels.shape[:2] == (height, width)
        return self

    def byteCount(self) -> int:
        return self.pixels.nbytes

    def constBits(self) -> Bits:
        return Bits(self.pixels)


class Bits:
    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels

    def setsize(self, size: int) -> None:
        assert size == self.pixels.nbytes

    def __bytes__(self) -> bytes:
        return self.pixels.tobytes()


def test_from_a_shell_it_paints_a_file(visitor, tmp_path):
    (tmp_path / "a.png").write_bytes(encode(np.full((4, 4, 3), 200, np.uint8)))
    command = [sys.executable, str(SCRIPT), "a.png", "b.png", "--chain", "invert", "--address", address(visitor)]
    subprocess.run(command, cwd=tmp_path, env=environment(), check=True)
    assert pixels_of((tmp_path / "b.png").read_bytes())[0, 0, 0] == 55
    command[5] = "no"
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
