"""Pictures remember how they were made, and the studio opens them again."""

from __future__ import annotations

import base64
import hashlib
import io

import numpy as np
import pytest

from artkit.images import read_provenance
from artkit.images.provenance import add_provenance
from studio_kit import encode, grey, open_studio, pixels_of, wait_for_end

MAP = np.kron(np.arange(12, dtype=np.uint8).reshape(3, 4), np.ones((8, 8), np.uint8))


@pytest.fixture(scope="module")
def visitor():
    with open_studio() as visitor:
        yield visitor


def restore(visitor, picture: bytes):
    return visitor.post("/api/restore", files={"picture": picture})


def test_a_picture_comes_back_with_its_map(visitor):
    first = visitor.run("pix2pix(condition=dusk)", encode(MAP), png=True, labels="index", seed=4, size="40x30")
    found = restore(visitor, first.content).json()
    assert (found["chain"], found["seed"], found["size"]) == ("pix2pix(condition=dusk)", 4, "40x30")
    assert found["inputs"]["input"]["sha256"] == hashlib.sha256(encode(MAP)).hexdigest()
    head, _, data = found["inputs"]["input"]["map"].partition(",")
    assert head == "data:image/png;base64"
    again = base64.b64decode(data)
    assert np.array_equal(pixels_of(again), MAP)
    second = visitor.run(found["chain"], again, png=True, labels="index", seed=4, size=found["size"])
    assert np.array_equal(pixels_of(first.content), pixels_of(second.content))


def test_a_look_carries_no_map_and_a_photo_none(visitor):
    look = visitor.run("pix2pix", encode(MAP), png=True, labels="index", longest=16)
    assert restore(visitor, look.content).json()["inputs"]["input"]["map"] is None
    photo = visitor.run("invert", grey(3), png=True)
    assert restore(visitor, photo.content).json()["inputs"]["input"]["map"] is None


def test_side_pictures_are_known_by_what_they_held(visitor):
    made = visitor.run("mixture", grey(3), png=True, style=grey(4))
    inputs = restore(visitor, made.content).json()["inputs"]
    assert {port: one["sha256"] for port, one in inputs.items()} == {
        "input": hashlib.sha256(grey(3)).hexdigest(),
        "style": hashlib.sha256(grey(4)).hexdigest(),
    }


def sent(visitor, **names: str):
    """Return a picture made of files of such names."""
    files = [("chain", (None, "mixture")), ("input", (names["input"], grey(3))), ("style", (names["style"], grey(4)))]
    answer = visitor.post("/api/run", files=files, headers={"Accept": "image/png"})
    assert answer.status_code == 200, answer.text
    return answer.content


def test_pictures_know_the_names_of_what_they_were_made_of(visitor):
    found = restore(visitor, sent(visitor, input="cat.png", style="monet.jpg")).json()
    assert {port: one["name"] for port, one in found["inputs"].items()} == {"input": "cat.png", "style": "monet.jpg"}
    assert found["recipe"]["command"] == ("artkit run INPUT.png --chain mixture --seed 0 -i style=STYLE.png -o art.png")
    assert 'chain = "mixture"' in found["recipe"]["toml"]


def test_of_a_name_only_what_can_be_shown_is_kept(visitor):
    picture = sent(visitor, input="../../etc/pass\u202ewd", style="C:\\a\\" + "x" * 200)
    inputs = restore(visitor, picture).json()["inputs"]
    assert (inputs["input"]["name"], inputs["style"]["name"]) == ("passwd", "x" * 100)
    record = {
        "chain": "mixture",
        "input": "/home/me/a\u202e.png",
        "ports": {"style": "b/monet.jpg"},
        "input_hash": "0" * 64,
    }
    inputs = restore(visitor, add_provenance(grey(1), record)).json()["inputs"]
    assert inputs["input"] == {"sha256": "0" * 64, "name": "a.png", "map": None}
    assert inputs["style"] == {"sha256": None, "name": "monet.jpg", "map": None}


def test_a_look_at_a_photo_says_how_large_it_is(visitor):
    look = visitor.run("invert", grey(3, (40, 20)), png=True, longest=10)
    assert restore(visitor, look.content).json()["recipe"]["command"].count("--size 10x5") == 1
    job = visitor.job("invert", grey(3, (40, 20)), longest=10)
    wait_for_end(job)
    assert visitor.state(job)["recipe"]["size"] == "10x5"


def test_dreams_have_no_inputs(visitor):
    made = visitor.run("fancy", png=True, size="16x8", seed=7)
    found = restore(visitor, made.content).json()
    assert (found["inputs"], found["seed"], found["size"]) == ({}, 7, "16x8")


def test_pictures_of_the_command_line_are_opened_too(visitor, tmp_path):
    from artkit import Chain

    Chain("invert")(np.zeros((4, 4, 3), np.uint8), seed=3).save(tmp_path / "a.png")
    found = restore(visitor, (tmp_path / "a.png").read_bytes()).json()
    assert (found["chain"], found["seed"], found["stopped_at"]) == ("invert", 3, None)


@pytest.mark.parametrize(
    "record",
    [
        None,
        {},
        {"chain": 3},
        {"chain": "invert", "seed": -1},
        {"chain": "invert", "size": [0, 1]},
        {"chain": "invert", "size": "8x8"},
        {"chain": "invert", "models": []},
        {"chain": "invert", "input_hash": "zz"},
        {"chain": "nst(style='/etc/passwd')"},
        {"chain": "nst(style='monet.jpg')"},
        {"chain": "pix2pix(model='../x')"},
        {"chain": "invert("},
        {"chain": "invert", "map": "A" * 2**20},
        {"chain": "invert", "version": "\ud800"},
        {"chain": "invert", "port_names": {"\ud800": "a"}},
        {"chain": "invert", "port_names": []},
        {"chain": "invert", "input": 7},
    ],
)
def test_what_is_no_recipe_is_refused(visitor, record):
    picture = grey(1) if record is None else add_provenance(grey(1), record)
    answer = restore(visitor, picture)
    assert answer.status_code == 422
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize("text", ["", "no base64!", base64.b64encode(b"<svg onload=alert(1)>").decode()])
def test_what_is_no_map_is_left_out(visitor, text):
    found = restore(visitor, add_provenance(grey(1), {"chain": "invert", "map": text})).json()
    assert all(one["map"] is None for one in found["inputs"].values())


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXt"])
def test_what_is_no_picture_is_refused(visitor, data):
    assert restore(visitor, data).status_code == 422


def test_a_large_map_is_not_carried():
    from artkit.studio import chain_work

    with open_studio() as visitor:
        random = np.random.default_rng(0).integers(0, 12, (16, 16), np.uint8)
        limit = chain_work.MAP_BYTES
        try:
            chain_work.MAP_BYTES = 100
            made = visitor.run("pix2pix", encode(random), png=True, labels="index")
        finally:
            chain_work.MAP_BYTES = limit
    assert "map" not in read_provenance(io.BytesIO(made.content))
