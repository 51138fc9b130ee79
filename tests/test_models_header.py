"""Headers: what is read, what is refused, and that reading one is cheap."""

from __future__ import annotations

import json
import os
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
from artkit.models import read_frame, read_header, save_model
from artkit.models.header import is_foreign, is_pickle
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


def table(**entry: object) -> dict:
    """Return a frame of one tensor, `weight`."""
    return {"weight": {"dtype": "F32", **entry}}


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
        (metadata_of(minimal(value_range=[1, 1])), "damaged.*value range"),
        (metadata_of(minimal(size_multiple=10**9)), "damaged"),
        ({"weight": 7}, "tensor 'weight'"),
        (table(data_offsets=[0, 64], shape=[16]), "need 64 bytes and 0 are there"),
        (table(data_offsets=[0, 0], shape=[10**9, 10**9]), r"damaged: its tensor 'weight' is F32 .* in 0 bytes"),
        (table(data_offsets=[0, 0], shape=[0] * 17), "tensor 'weight'"),
        (table(data_offsets=[0, 0], shape=[10**30]), "tensor 'weight'"),
        (table(data_offsets=[0, 0], shape=[0], dtype="C64"), "of no known type .'C64'"),
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
    arguments=st.dictionaries(st.text(max_size=5), st.integers(-(2**24), 2**24) | st.text() | st.booleans(), max_size=4)
)
def test_any_arguments_round_trip(arguments: dict) -> None:
    header = msgspec.structs.replace(HEADER, arguments=arguments)
    assert msgspec.json.decode(msgspec.json.encode(header), type=ModelHeader) == header


def deep(levels: int) -> object:
    """Return a table in a table in a table."""
    return {"scales": deep(levels - 1)} if levels else 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"scales": {"4": {"blocks": 10**18}}}, r"arguments\.scales\.4\.blocks is a number beyond"),
        ({"width": -(10**9)}, r"arguments\.width is a number beyond"),
        ({"slope": 1e300}, r"arguments\.slope is a number beyond"),
        ({"detail": [1, 2, 10**40]}, "damaged"),
        ({"norm": "x" * 20_000}, r"arguments\.norm is a text of more than"),
        ({"detail": [1] * 20_000}, "more than 10000 values"),
        ({"detail": [[]] * 20_000}, "more than 10000 values"),
        (deep(8), "nested more than 6 deep"),
    ],
)
def test_arguments_that_no_network_has_are_refused(tmp_path: Path, arguments: dict, words: str) -> None:
    path = write_frame(tmp_path / "m.safetensors", metadata_of(minimal(arguments=arguments)))
    with pytest.raises(ModelError, match=words) as caught:
        read_header(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 500


def test_arguments_are_bounded_in_code_too() -> None:
    with pytest.raises(ValueError, match=r"arguments\.width is a number beyond"):
        ModelHeader(method="m", architecture="a", inputs={}, output=Kind.IMAGE, arguments={"width": float("nan")})


def test_the_tensor_table_comes_with_the_header(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    tensors = {"a.weight": torch.zeros(2, 3), "a.count": torch.tensor(7), "b": torch.zeros(4, dtype=torch.bool)}
    save_model(path, HEADER, tensors, half=True)
    frame = read_frame(path)
    assert frame.header == HEADER
    assert frame.shapes == {"a.weight": (2, 3), "a.count": (), "b": (4,)}
    assert {name: entry.dtype for name, entry in frame.tensors.items()} == {
        "a.weight": "F16",
        "a.count": "I64",
        "b": "BOOL",
    }


def test_tensors_may_not_share_bytes(tmp_path: Path) -> None:
    entry = {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}
    path = write_frame(tmp_path / "m.safetensors", {"a": entry, "b": entry}, bytes(8))
    with pytest.raises(ModelError, match="in each other's bytes"):
        read_header(path)


def test_more_tensors_than_any_network_has_are_refused(tmp_path: Path) -> None:
    entry = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}
    path = write_frame(tmp_path / "m.safetensors", {str(index): entry for index in range(20_001)})
    with pytest.raises(ModelError, match="holds 20001 tensors"):
        read_header(path)


def test_many_classes_are_read_in_no_time_and_bounded() -> None:
    """Each class was once compared with every other: minutes, for a header of a megabyte."""
    many = tuple(LabelClass(f"c{index}", (index >> 16, index >> 8 & 255, index & 255)) for index in range(65_536))
    assert len(ClassSet("many", many)) == 65_536
    with pytest.raises(ValueError, match="more than 65536 classes"):
        ClassSet("many", (*many, LabelClass("last", (255, 0, 0))))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.safetensors")
    with pytest.raises(ModelError, match="it is a pipe or a device"):
        read_header(tmp_path / "m.safetensors")
    assert not is_foreign(tmp_path / "m.safetensors")
    with pytest.raises(ModelError, match="no file name"):
        read_header("a\0b")


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (b"PK\x03\x04", True),
        *((bytes([0x80, protocol]) + b"cposix", 2 <= protocol <= 5) for protocol in range(1, 7)),
        (b"\x80\x02" + bytes(6), False),  # safetensors, whose header is 640 bytes long
        (b"\x80", False),
    ],
)
def test_a_pickle_is_told_by_its_first_bytes(start: bytes, told: bool) -> None:
    assert is_pickle(start) is told
