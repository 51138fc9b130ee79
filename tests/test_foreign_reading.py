"""Files that are read without trusting them: nothing runs, and every refusal is one line."""

from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path
from unittest.mock import Mock

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings, strategies as st

from artkit.errors import ModelError
from artkit.models.foreign import read_checkpoint, reading as module
from artkit.models.header import is_foreign
from foreign_reference import resnet_state

STATE = {"a.weight": torch.arange(6.0).view(2, 3), "b": torch.ones(4)}


class Payload:
    """A pickle that makes a file where it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as raised:
        read_checkpoint(path)
    message = str(raised.value)
    assert str(path) in message
    assert "\n" not in message
    assert len(message) < 600
    return message


@pytest.mark.parametrize("legacy", [False, True])
def test_tensors_come_back_bit_for_bit(tmp_path, legacy):
    path = tmp_path / "net.pth"
    torch.save(OrderedDict(STATE), path, _use_new_zipfile_serialization=not legacy)
    assert is_foreign(path)
    read = read_checkpoint(path)
    assert list(read) == list(STATE)
    assert all(torch.equal(read[name], STATE[name]) for name in STATE)


def test_safetensors_of_other_programs_are_read(tmp_path):
    path = tmp_path / "net.safetensors"
    safetensors.torch.save_file(STATE, path)
    assert is_foreign(path)
    assert torch.equal(read_checkpoint(path)["a.weight"], STATE["a.weight"])
    path.write_bytes(path.read_bytes()[:-1])
    told = refusal(path)
    assert told.startswith(f"{path} is damaged or no file of weights: ")
    assert told.endswith(".")


def test_parameters_and_metadata_do_not_matter(tmp_path):
    network = torch.nn.Linear(2, 2)
    state = network.state_dict(keep_vars=True)
    torch.save(state, tmp_path / "net.pth")
    assert not read_checkpoint(tmp_path / "net.pth")["weight"].requires_grad


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("wrap", [lambda bad: bad, lambda bad: {**STATE, "c": bad}, lambda bad: [bad]])
def test_code_is_never_run(tmp_path, legacy, wrap):
    target = tmp_path / "harm"
    path = tmp_path / "net.pth"
    torch.save(wrap(Payload(target)), path, _use_new_zipfile_serialization=not legacy)
    message = refusal(path)
    assert "is refused: it is a pickle that wants to run" in message
    assert "mkdir" in message
    assert not target.exists()
    torch.load(path, weights_only=False)
    assert target.exists(), "the payload is harmless: the test proves nothing"


def test_a_bare_pickle_is_refused(tmp_path):
    path = tmp_path / "net.pth"
    path.write_bytes(pickle.dumps(Payload(tmp_path / "harm")))
    refusal(path)
    assert not (tmp_path / "harm").exists()


def test_a_whole_module_is_refused(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "net.pth")
    assert "torch.nn.modules.linear.Linear" in refusal(tmp_path / "net.pth")


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
def test_files_cut_short_are_refused(tmp_path, legacy, share):
    path = tmp_path / "net.pth"
    torch.save(resnet_state(blocks=1), path, _use_new_zipfile_serialization=not legacy)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert "cut short" in refusal(path)


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({}, "an empty table"),
        ([torch.ones(2)], "one list"),
        (torch.ones(2), "one Tensor"),
        ({"a": torch.ones(2), "epoch": 7}, "'epoch' is a int"),
        ({1: torch.ones(2)}, "more than a network's tensors"),
        ({"net_G": STATE, "net_D": STATE}, r"several networks (net_G, net_D)"),
        ({"a": torch.ones(2, 0)}, "not the data for it"),
        ({"a": torch.ones(1).expand(10**6)}, "not the data for it"),
        ({"a": torch.ones(2, dtype=torch.complex64)}, "complex64"),
        ({"a": torch.eye(3).to_sparse()}, "sparse"),
        ({"a": torch.ones(2, device="meta")}, "meta"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_contents_that_are_no_network_are_refused(tmp_path, contents, words):
    torch.save(contents, tmp_path / "net.pth")
    assert words in refusal(tmp_path / "net.pth")


def test_one_table_inside_is_the_network(tmp_path):
    torch.save({"epoch": 3, "state_dict": STATE, "optimizer": {"state": {}, "lr": 0.1}}, tmp_path / "net.pth")
    assert list(read_checkpoint(tmp_path / "net.pth")) == list(STATE)


def test_an_archive_that_grows_is_refused(tmp_path):
    path = tmp_path / "net.pth"
    torch.save(STATE, path)
    with zipfile.ZipFile(path) as stored:
        entries = {entry.filename: stored.read(entry) for entry in stored.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for name, data in entries.items():
            bomb.writestr(name, data)
    assert refusal(path) == (
        f"{path} is no PyTorch file: 'net/data.pkl' in it is compressed, which PyTorch never does."
    )


def test_of_a_long_name_in_an_archive_80_letters_are_told(tmp_path):
    path = tmp_path / "net.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("n" * 81, bytes(1000))
    told = f"is no PyTorch file: '{'n' * 80}' in it is compressed, which PyTorch never does."
    assert refusal(path) == f"{path} {told}"


def test_an_archive_whose_list_cannot_be_read_is_damaged(tmp_path, monkeypatch):
    torch.save(STATE, tmp_path / "net.pth")
    monkeypatch.setattr(zipfile, "is_zipfile", Mock(side_effect=ValueError("out of order")))
    assert refusal(tmp_path / "net.pth") == f"{tmp_path / 'net.pth'} is damaged: ValueError: out of order."


def saved(legacy: bool) -> bytes:
    stream = io.BytesIO()
    torch.save(STATE, stream, _use_new_zipfile_serialization=not legacy)
    return stream.getvalue()


WHOLE = [saved(legacy) for legacy in (False, True)]


@settings(max_examples=150)
@given(st.sampled_from(WHOLE), st.data())
def test_damaged_files_are_read_or_refused(tmp_path_factory, whole, data):
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    path = tmp_path_factory.getbasetemp() / "damaged.pth"
    path.write_bytes(damaged)
    message = ""
    try:
        read_checkpoint(path)
    except ModelError as error:
        message = str(error)
    assert "\n" not in message


@pytest.mark.parametrize(
    "data", [b"PK\x03\x04", b"PK\x03\x04" + bytes(100), b"\x80\x02", b"\x80\x04K\x01.", bytes(8), b""]
)
def test_rubbish_is_refused(tmp_path, data):
    (tmp_path / "net.pth").write_bytes(data)
    refusal(tmp_path / "net.pth")


def test_what_is_too_large_or_missing_is_refused(tmp_path, monkeypatch):
    torch.save(STATE, tmp_path / "net.pth")
    refusal(tmp_path / "none.pth")
    assert refusal(tmp_path) == f"Cannot read {tmp_path}: Is a directory."
    monkeypatch.setattr(module, "MAX_TENSORS", 1)
    assert "unfolds" in refusal(tmp_path / "net.pth")
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    assert "more than the 100" in refusal(tmp_path / "net.pth")


def test_one_storage_many_times_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    weight = torch.ones(1000)
    torch.save({str(index): weight for index in range(100)}, tmp_path / "net.pth")
    assert "unfolds" in refusal(tmp_path / "net.pth")


def test_pipes_and_devices_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "net.pth")
    assert "it is a pipe or a device" in refusal(tmp_path / "net.pth")
    assert "it is a pipe or a device" in refusal(Path("/dev/zero"))


def test_a_bare_pickle_is_refused_in_plain_words(tmp_path):
    path = tmp_path / "net.pth"
    path.write_bytes(pickle.dumps(Payload(tmp_path / "made")))
    assert "is refused: it is a pickle" in refusal(path)
    assert not (tmp_path / "made").exists()


def test_an_archive_of_several_disks_is_damaged(tmp_path):
    """Python's own look at the end of an archive raises there, instead of saying no."""
    end = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 0, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 2)
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
    (tmp_path / "net.pth").write_bytes(b"PK\x03\x04" + bytes(60) + end + locator + record)
    assert "is damaged" in refusal(tmp_path / "net.pth")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("word", ["(" * 30_000, "\u00e9" * 30_000])
def test_a_long_name_in_a_pickle_does_not_take_hours(tmp_path, zipped, word):
    """PyTorch looks through its own refusal with a pattern that is quadratic in the name's length."""
    torch.save({"a": torch.ones(2)}, tmp_path / "net.pth", _use_new_zipfile_serialization=zipped)
    pickled = b"\x80\x02c" + word.encode() + b"\n" + word.encode() + b"\n."
    if zipped:
        with zipfile.ZipFile(tmp_path / "net.pth") as archive:
            entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        with zipfile.ZipFile(tmp_path / "net.pth", "w") as archive:
            for name, content in entries.items():
                archive.writestr(name, pickled if name.endswith("data.pkl") else content)
    else:
        (tmp_path / "net.pth").write_bytes(pickled)
    assert "is damaged" in refusal(tmp_path / "net.pth")


def test_what_pytorch_quotes_of_a_file_is_cut_short(tmp_path):
    path = tmp_path / "net.pth"
    path.write_bytes(b"\x80\x02F" + b"z" * 20_000 + b"\n.")  # PyTorch's error holds the whole of this number
    assert "could not convert string to float" in refusal(path)
