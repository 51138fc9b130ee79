"""Headers: what is read, what is refused, and that reading one is cheap."""

from __future__ import annotations

import json
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import torch
from hypothesis import given, strategies as st

from artkit.errors import ModelError
from artkit.models import read_header, save_model
from artkit.spec import ClassSet, Kind, LabelClass, ModelHeader

SKY = ClassSet("sky", (LabelClass("sky", (110, 170, 220)), LabelClass("cloud", (235, 235, 240))))
HEADER = ModelHeader(
    method="paint",
    name="small",
    architecture="unet",
    arguments={"width": 32, "norms": ["instance", "none"], "depth": 4.5},
    inputs={"input": Kind.LABELS},
    output=Kind.IMAGE,
    classes=SKY,
    conditions={"style": ("monet", "cezanne"), "time": ("dawn", "noon", "dusk")},
    size_multiple=16,
    size_minimum=32,
    training={"steps": 100, "scores": {"psnr": 21.5}},
    licence="CC0-1.0",
    artkit="0.1.0",
)


def write_frame(path: Path, frame: dict | bytes, body: bytes = b"", length: int | None = None) -> Path:
    """Write the bytes of a safetensors file by hand."""
    text = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + body)
    return path


def metadata_of(header: dict | str) -> dict:
    """Return a frame without tensors around a header."""
    return {"__metadata__": {"artkit": header if isinstance(header, str) else json.dumps(header)}}


def minimal(**more: object) -> dict:
    """Return the least a header must hold, as JSON would have it."""
    return {"method": "paint", "architecture": "unet", "inputs": {"input": "labels"}, "output": "image", **more}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a sound model file of one tensor."""
    path = tmp_path / "model.safetensors"
    save_model(path, HEADER, {"weight": torch.arange(6.0).reshape(2, 3)})
    return path


def test_header_survives_the_file(model: Path) -> None:
    header = read_header(model)
    assert header == HEADER
    assert isinstance(header.output, Kind)
    assert header.classes == SKY


def test_defaults(tmp_path: Path) -> None:
    header = read_header(write_frame(tmp_path / "m.safetensors", metadata_of(minimal())))
    assert (header.format, header.value_range, header.size_multiple, header.classes) == (1, (-1.0, 1.0), 1, None)


def test_unknown_keys_are_tolerated(tmp_path: Path) -> None:
    frame = metadata_of(minimal(mood="blue", format=1))
    assert read_header(write_frame(tmp_path / "m.safetensors", frame)).method == "paint"


def test_reading_imports_no_torch(model: Path) -> None:
    code = (
        "import sys; from artkit.models import read_header, find_model, list_models; read_header(sys.argv[1]);"
        "print([name for name in ('torch', 'numpy', 'PIL', 'skimage', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(model)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


DAMAGED = {
    "empty": (b"", "cut short"),
    "three bytes": (b"abc", "cut short"),
    "wrong length": (struct.pack("<Q", 900) + b"{}", "cut short"),
    "exabyte header": (struct.pack("<Q", 2**60) + b"{}", "announces a header of 1152921504606846976 bytes"),
    "not JSON": (struct.pack("<Q", 5) + b"hello", "not JSON"),
    "not UTF-8": (struct.pack("<Q", 8) + b'{"\xff\xfe": 1', "not JSON"),
    "JSON list": (struct.pack("<Q", 2) + b"[]", "not JSON"),
    "deep JSON": (struct.pack("<Q", 400_000) + b"[" * 400_000, "not a model file"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a safetensors file"),
    "text": (b"just a note to myself", "not a safetensors file"),
    "pickle": (pickle.dumps({"weight": [1.0] * 40}), "pickle"),
    "zip": (b"PK\x03\x04" + bytes(60), "pickle"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_named_in_one_line(tmp_path: Path, name: str) -> None:
    content, words = DAMAGED[name]
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=words) as caught:
        read_header(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({}, "no artkit header"),
        ({"__metadata__": {"format": "pt"}}, "no artkit header"),
        ({"__metadata__": {"artkit": 3}}, "not a table of strings"),
        ({"__metadata__": []}, "not a table of strings"),
        (metadata_of("{"), "artkit header is not JSON"),
        (metadata_of({"method": "paint"}), "damaged.*architecture"),
        (metadata_of(minimal(output="smell")), "damaged.*smell"),
        (metadata_of(minimal(size_multiple=0)), "damaged"),
        (metadata_of(minimal(format="one")), "format is not a number"),
        ({"weight": 7}, "tensor 'weight'"),
        ({"weight": {"data_offsets": [0, 64]}}, "need 64 bytes and 0 are there"),
    ],
)
def test_wrong_headers_are_named(tmp_path: Path, frame: dict, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        read_header(write_frame(tmp_path / "m.safetensors", frame))


def test_newer_format_says_to_upgrade(tmp_path: Path) -> None:
    """Even where a newer header no longer fits today's fields."""
    frame = metadata_of({"format": 2, "inputs": ["a", "b"]})
    with pytest.raises(ModelError, match=r"format 2 .* up to 1\. Upgrade"):
        read_header(write_frame(tmp_path / "m.safetensors", frame))


def test_every_truncation_is_refused(model: Path) -> None:
    whole = model.read_bytes()
    for length in range(0, len(whole), 7):
        model.write_bytes(whole[:length])
        with pytest.raises(ModelError):
            read_header(model)


@given(content=st.binary(max_size=200))
def test_random_bytes_never_break_out(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError):
        read_header(path)


@pytest.mark.parametrize("length", [0x280, 0x380, 0x480])
def test_header_length_that_looks_like_a_pickle_is_read(tmp_path: Path, length: int) -> None:
    """The first two bytes of these lengths are those of a pickle."""
    text = json.dumps(metadata_of(minimal())).encode()
    path = write_frame(tmp_path / "m.safetensors", text.ljust(length))
    assert path.read_bytes()[:1] == b"\x80"
    assert read_header(path).method == "paint"


def test_torch_checkpoint_is_a_pickle(tmp_path: Path) -> None:
    for legacy in (False, True):
        path = tmp_path / "net.pth"
        torch.save({"weight": torch.ones(3)}, path, _use_new_zipfile_serialization=not legacy)
        with pytest.raises(ModelError, match=r"pickle.*artkit models import"):
            read_header(path)


def test_folder_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"folder.*artkit models export"):
        read_header(tmp_path)
    with pytest.raises(ModelError, match="no model file"):
        read_header(tmp_path / "none.safetensors")


@given(
    arguments=st.dictionaries(st.text(max_size=5), st.integers(-(2**53), 2**53) | st.text() | st.booleans(), max_size=4)
)
def test_any_arguments_round_trip(arguments: dict) -> None:
    header = msgspec.structs.replace(HEADER, arguments=arguments)
    assert msgspec.json.decode(msgspec.json.encode(header), type=ModelHeader) == header
