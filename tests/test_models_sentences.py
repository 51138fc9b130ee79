"""What this room refuses, said in full: file -> sentence; and limits, at them and past them."""

from __future__ import annotations

import json
import struct

import pytest
import torch

from artkit.errors import ModelError, UsageError
from artkit.hookspecs import hookimpl
from artkit.models import load_model, model_hash, read_frame, read_header, save_model, user_model_path
from artkit.models.building import within
from artkit.models.catalogue import find_entry, how_to_pull, in_megabytes
from artkit.models.file import check_fit, describe_differences
from artkit.models.header import is_pickle
from artkit.models.hub import Place
from artkit.models.store import find_listed, find_model
from artkit.plugins import PluginSource, Registry
from artkit.spec import Kind, MethodSpec, ModelHeader, ModelSpec

IMPORT = "For weights of another program: artkit models import {} --name NAME"
PICKLE = "{} is a pickle (.pth, .pt, .ckpt), which can run code when opened, not a model file. " + IMPORT


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def frame(table: object = None, body: bytes = b"", length: int | None = None) -> bytes:
    """Return the bytes of a safetensors file of this table."""
    text = table if isinstance(table, bytes) else json.dumps(table or {}).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def artkit(header: str | dict, **tensors: object) -> dict:
    text = header if isinstance(header, str) else json.dumps(header)
    return {"__metadata__": {"artkit": text}, **tensors}


def tensor(kind: str = "F32", shape: tuple[int, ...] = (2,), start: int = 0, end: int = 8) -> dict:
    return {"dtype": kind, "shape": shape, "data_offsets": (start, end)}


SOUND = {"method": "paint", "architecture": "unet", "inputs": {"image": "image"}, "output": "image"}
USE = "{} is not a model file artkit can use: "
DAMAGED = {
    "empty": (b"", "{} is cut short: 0 bytes are too few for a model file."),
    "seven bytes": (b"\1" * 7, "{} is cut short: 7 bytes are too few for a model file."),
    "a long header": (
        frame(b"{}", length=2**24 + 1),
        "{} is not a safetensors file: it announces a header of 16777217 b",
    ),
    "the longest header": (frame(b"{}", length=2**24), "{} is cut short: its header needs 16777216 bytes and has 2."),
    "short by a byte": (frame(b"{}", length=3), "{} is cut short: its header needs 3 bytes and has 2."),
    "words": (frame(b"hello"), USE + "its header is not JSON ("),
    "a list": (frame(b"[]"), USE + "its header is not JSON ("),
    "numbers in metadata": (frame({"__metadata__": {"a": 1}}), USE + "its metadata is not a table of strings ("),
    "no tensor": (frame({"w": 1}), USE + "tensor 'w' ("),
    "no tensor of a long name": (frame({"w" * 81: 1}), USE + f"tensor '{'w' * 80}' ("),
    "bare": (
        frame(),
        "{} holds weights but no artkit header, so nothing says which method and network they belong to. " + IMPORT,
    ),
    "header of words": (frame(artkit("hello")), USE + "its artkit header is not JSON ("),
    "format of words": (frame(artkit({"format": "x"})), USE + "its format is not a number ("),
    "header of too little": (frame(artkit({"method": "paint"})), USE + "its artkit header is damaged ("),
    "newer": (
        frame(artkit({"format": 2})),
        "{} is in model format 2 and this artkit reads up to 1. Upgrade artkit to use it.",
    ),
    "cut": (
        frame(artkit(SOUND, w=tensor()), bytes(7)),
        "{} is cut short: its tensors need 8 bytes and 7 are there.",
    ),
    "type": (
        frame(artkit(SOUND, w=tensor("F" * 30)), bytes(8)),
        "{} is damaged: its tensor 'w' is of no known type ('" + "F" * 20 + "').",
    ),
    "shape": (
        frame(artkit(SOUND, w=tensor(shape=(3,))), bytes(8)),
        "{} is damaged: its tensor 'w' is F32 [3] in 8 bytes.",
    ),
    "many sides": (
        frame(artkit(SOUND, w=tensor(shape=(1,) * 9)), bytes(8)),
        "{} is damaged: its tensor 'w' is F32 [1, 1, 1, 1, 1, 1, 1, 1] in 8 bytes.",
    ),
    "shared": (
        frame(artkit(SOUND, w=tensor(), v=tensor()), bytes(8)),
        "{} is damaged: its tensors lie in each other's bytes.",
    ),
    "pickle": (b"\x80\x02" + b"x" * 20, PICKLE),
    "archive": (b"PK\x03\x04" + b"x" * 20, PICKLE),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files(tmp_path, name):
    content, sentence = DAMAGED[name]
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_header(path)
    sentence = sentence.format(path, path)
    said = str(caught.value)
    assert said.startswith(sentence)
    if sentence.endswith("("):
        assert said.endswith(").")
    else:
        assert len(said) == len(sentence) or name == "a long header"


def test_sound_files_of_one_tensor_two_and_none(tmp_path):
    path = tmp_path / "m.safetensors"
    for tensors, body in (({}, 0), ({"w": tensor()}, 8), ({"w": tensor(), "v": tensor("U8", (2, 4), 8, 16)}, 16)):
        path.write_bytes(frame(artkit(SOUND, **tensors), bytes(body)))
        assert read_frame(path).shapes == {name: tuple(one["shape"]) for name, one in tensors.items()}


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *((kind, 1) for kind in ("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2")),
        *((kind, 2) for kind in ("U16", "I16", "F16", "BF16")),
        *((kind, 4) for kind in ("U32", "I32", "F32")),
        *((kind, 8) for kind in ("U64", "I64", "F64")),
    ],
)
def test_numbers_take_the_bytes_that_their_type_says(tmp_path, kind, size):
    path = tmp_path / "m.safetensors"
    path.write_bytes(frame(artkit(SOUND, w=tensor(kind, (3,), 0, 3 * size)), bytes(3 * size)))
    assert read_frame(path).shapes == {"w": (3,)}


def test_as_many_tensors_as_there_may_be_and_one_more(tmp_path, monkeypatch):
    path = tmp_path / "m.safetensors"
    path.write_bytes(frame(artkit(SOUND, w=tensor(), v=tensor(start=8, end=16)), bytes(16)))
    monkeypatch.setattr("artkit.models.header.MAX_TENSORS", 2)
    assert len(read_frame(path).tensors) == 2
    monkeypatch.setattr("artkit.models.header.MAX_TENSORS", 1)
    with pytest.raises(ModelError) as caught:
        read_frame(path)
    assert str(caught.value) == f"{path} is refused: it holds 2 tensors, and no network has over 1."


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (b"PK\x03\x04", True),
        (b"PK\x03\x05", False),
        *((bytes([0x80, protocol, *b"cdefgh"]), 2 <= protocol <= 5) for protocol in (1, 2, 3, 4, 5, 6)),
        (b"\x81\x02cdefgh", False),
        (b"\x80", False),
        (b"\x80\x02", True),
        (b"\x80\x02" + bytes(6), False),  # the length of a safetensors header of 640 bytes
    ],
)
def test_pickles_are_known_by_their_first_bytes(start, told):
    assert is_pickle(start) is told


def test_names_that_are_no_files(tmp_path):
    for call in (read_header, model_hash):
        with pytest.raises(ModelError) as caught:
            call(tmp_path / ("x" * 300))
        assert str(caught.value) == f"Cannot read the model file {tmp_path / ('x' * 300)}: File name too long."
    for name, sentence in (
        (tmp_path, f"{tmp_path} is a folder, not a model file. To export a run: artkit models export {tmp_path} FILE"),
        (tmp_path / "no", f"There is no model file {tmp_path / 'no'}. To see the models: artkit models"),
        ("a\0b", "Cannot read the model file 'a\\x00b': that is no file name."),
    ):
        with pytest.raises(ModelError) as caught:
            read_header(name)
        assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("needed", "found", "words"),
    [
        ({"a": (1,)}, {"a": (1,)}, ""),
        ({"a": (1,)}, {"a": (2,)}, "misshaped: a (2,) for (1,)"),
        (dict.fromkeys("abc", ()), {}, "missing: a, b, c"),
        (dict.fromkeys("abcd", ()), {}, "missing: a, b, c and 1 more"),
        ({}, dict.fromkeys("abcde", ()), "unexpected: a, b, c and 2 more"),
        ({"a": (), "b": (1,)}, {"b": (2,), "c": ()}, "missing: a; unexpected: c; misshaped: b (2,) for (1,)"),
    ],
)
def test_tensors_that_differ(needed, found, words):
    assert describe_differences(needed, found) == words


def test_weights_that_are_no_numbers_are_neither_written_nor_read(tmp_path):
    path, header = tmp_path / "m.safetensors", ModelHeader(method="a", architecture="b", inputs={}, output=Kind.IMAGE)
    with pytest.raises(ModelError) as caught:
        save_model(path, header, {"w": torch.tensor([7e4])}, half=True)
    assert str(caught.value) == f"Cannot save {path}: tensor 'w' holds NaN or infinite weights."
    assert not path.exists()
    save_model(path, header, {"w": torch.ones(1)})
    content = bytearray(path.read_bytes())
    content[-4:] = struct.pack("<f", float("nan"))
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_model(path)
    assert str(caught.value) == f"{path} is damaged: tensor 'w' holds NaN or infinite weights."


def test_a_network_that_does_not_fit():
    with pytest.raises(ModelError) as caught:
        check_fit(torch.nn.Linear(2, 1), {"weight": (1, 2)}, "m")
    assert str(caught.value) == "m does not fit the network its header describes; missing: bias."


@pytest.mark.parametrize(("what", "limit"), [("parameters", 1_002), ("numbers", 2**20 + 2), ("modules", 8_016)])
def test_a_network_may_have_twice_what_its_file_has_and_some_to_spare(what, limit):
    """One tensor of one number: 2 x 1 + 1000 parameters, 8 modules each, and 2 x 1 + 2^20 numbers."""

    def build(count):
        network = torch.nn.Module()
        if what == "modules":
            for _ in range(count):
                network.add_module("part", torch.nn.Module())
        for _ in range(count if what == "parameters" else 0):
            network.register_parameter("weight", torch.nn.Parameter(torch.empty(0)))
        if what == "numbers":
            network.register_parameter("weight", torch.nn.Parameter(torch.empty(count, dtype=torch.bfloat16)))

    with within({"w": (1,)}, "m"):
        build(limit)
    with pytest.raises(ModelError) as caught, within({"w": (1,)}, "m"):
        build(limit + 1)
    assert str(caught.value) == (
        f"m does not fit the network its header describes: that has more than {limit} {what}, "
        "and the file holds 1 tensors."
    )
    build(limit + 1)


def test_what_is_not_there_or_meta_counts_for_nothing():
    with within({"w": (1,)}, "m"):
        torch.nn.Linear(1, 1, bias=False)
        torch.nn.Linear(2**11, 2**11, device="meta")


class Shelf:
    """Three methods and the models of the catalogue."""

    @hookimpl
    def register_methods(self):
        ways = {"inputs": (), "output": Kind.IMAGE, "translator": "a:B"}
        return [
            MethodSpec("alone", "A.", **ways),
            MethodSpec("taught", "T.", **ways, trainer="a:C"),
            MethodSpec("other", "O.", **ways),
        ]

    @hookimpl
    def register_models(self):
        web = {"summary": "", "url": "https://example.org/a.pth"}
        return [
            ModelSpec("lake", "alone", "", file="nowhere_at_all:a.safetensors"),
            ModelSpec("sea", "alone", **web, size=45_650_000),
            ModelSpec("sea", "taught", **web),
            ModelSpec("hill", "taught", **web),
        ]


@pytest.fixture(scope="module")
def shelf():
    registry = Registry()
    registry.add(PluginSource("shelf", Shelf))
    return registry


def models(home, *names):
    for name in names:
        save_model(
            home / "models" / f"{name}.safetensors",
            ModelHeader(method=name.partition("/")[0], architecture="a", inputs={}, output=Kind.IMAGE),
            {},
        )


FINDING = {
    "none": (("alone", None), "alone has no default model; name one: alone(model=NAME). Known: lake, sea."),
    "none, trained": (
        ("taught", None),
        "taught has no default model; name one: taught(model=NAME). Known: hill, sea. "
        "To train one: artkit train taught DATA -o runs/taught",
    ),
    "none at all": (("other", None), "other has no default model; name one: other(model=NAME)."),
    "unknown": (
        ("alone", "lakes"),
        "alone has no model 'lakes': looked for {home}/models/alone/lakes.safetensors and among the plugins' models. "
        "Did you mean 'lake'?",
    ),
    "lost": (
        ("alone", "lake"),
        "The model 'lake' of alone is missing from its plugin: no file nowhere_at_all/a.safete",
    ),
    "to pull": (
        ("alone", "sea"),
        "The model 'sea' of alone is not here yet. To download it (45.6 MB): artkit models pull alone/sea",
    ),
    "to pull, size unknown": (
        ("taught", "hill"),
        "The model 'hill' of taught is not here yet. To download it: artkit models pull hill",
    ),
    "bad name": (
        ("alone", "a b"),
        "'a b' is no model name: use letters, digits, '_' and '-', 100 at most, or give a path to a file.",
    ),
    "path": (("alone", "/no/a.safetensors"), "There is no model file /no/a.safetensors."),
}


@pytest.mark.parametrize("name", FINDING)
def test_models_that_are_not_found(shelf, home, name):
    (method, wanted), sentence = FINDING[name]
    with pytest.raises(ModelError) as caught:
        find_model(method, wanted, shelf, None)
    if name == "lost":
        assert str(caught.value).startswith(sentence)
    else:
        assert str(caught.value) == sentence.format(home=home)


def test_a_default_model_stands_in_where_none_is_named(shelf, home):
    models(home, "alone/mine", "alone/yours")
    assert find_model("alone", None, shelf, "mine") == user_model_path("alone", "mine")
    assert find_model("alone", "yours", shelf, "mine") == user_model_path("alone", "yours")


def test_models_are_listed_by_method_and_name(shelf, home):
    models(home, "other/b", "alone/b", "alone/c")
    assert find_listed("alone/b", shelf).method == "alone"
    assert find_listed("c", shelf).path == user_model_path("alone", "c")
    for name, sentence in (
        ("b", "several methods have a model 'b': say 'alone/b' or 'other/b'."),
        ("d", "there is no model 'd'. To see the models: artkit models"),
        ("taught/sea", "The model 'sea' of taught is not here yet. To download it: artkit models pull taught/sea"),
        (
            "sea",
            "Several methods have a model 'sea'. Type `artkit models pull alone/sea` or `artkit models pull taught/",
        ),
    ):
        with pytest.raises(ModelError) as caught:
            find_listed(name, shelf)
        assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("lake", "The model 'lake' comes with its plugin: there is nothing to pull."),
        ("alone/lake", "The model 'alone/lake' comes with its plugin: there is nothing to pull."),
        ("hills", "There is no model 'hills' to pull. Did you mean 'hill'?"),
        ("taught/hull", "There is no model 'taught/hull' to pull. Did you mean 'taught/hill' or 'taught/sea'?"),
        ("zzzz", "There is no model 'zzzz' to pull. To see those there are: artkit models list --all"),
    ],
)
def test_entries_that_the_catalogue_does_not_have(shelf, name, sentence):
    with pytest.raises(ModelError) as caught:
        find_entry(name, shelf)
    assert str(caught.value) == sentence


def test_entries_that_the_catalogue_has(shelf):
    assert find_entry("hill", shelf).method == "taught"
    assert find_entry("alone/sea", shelf).size == 45_650_000
    assert in_megabytes(1_260_000) == "1.3 MB"
    assert how_to_pull(find_entry("alone/sea", shelf), shelf).endswith("(45.6 MB): artkit models pull alone/sea")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("hf:a/b", ("a", "b", "main")),
        ("hf:a.b-c/d_e@v1.0/x", ("a.b-c", "d_e", "v1.0/x")),
        (f"hf:{'a' * 96}/{'b' * 96}@{'c' * 200}", ("a" * 96, "b" * 96, "c" * 200)),
        *((text, None) for text in ("a/b", "hf:a", "hf:a/b/c", "hf:-a/b", "hf:a/.b", "hf:a/b@", "hf:a/b..c")),
        (f"hf:{'a' * 97}/b", None),
        (f"hf:a/{'b' * 97}", None),
        (f"hf:a/b@{'c' * 201}", None),
    ],
)
def test_places_on_the_hub(text, place):
    if place:
        found = Place.parse(text)
        assert (found.user, found.repo, found.revision) == place
        assert found.at("x") == f"hf:{place[0]}/{place[1]}@x"
        return
    with pytest.raises(UsageError) as caught:
        Place.parse(text)
    assert str(caught.value) == f"'{text}' is no place on the hub: write hf:USER/REPO, or hf:USER/REPO@REV."
