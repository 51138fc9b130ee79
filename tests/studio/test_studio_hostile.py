"""Whatever is sent, the studio answers in one line, and goes on."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import fuzz_targets
import httpx
import numpy as np
import pytest
from fuzz_mutation import mutate

from artkit.studio.limits import MAX_PIXELS, Limits
from hostile import kinds
from studio_kit import WAIT, encode, grey, open_studio

KINDS = kinds()


@pytest.fixture(scope="module")
def visitor():
    patch = pytest.MonkeyPatch()
    patch.setenv("ARTKIT_MAX_PIXELS", str(MAX_PIXELS))
    with open_studio() as visitor:
        yield visitor
    patch.undo()


def connected(visitor) -> socket.socket:
    return socket.create_connection((visitor.base_url.host, visitor.base_url.port), WAIT)


def check(answer: httpx.Response, wanted: str = "image/png") -> None:
    """Check that an answer is what is wanted, or one line that says why there is none."""
    if answer.status_code == 200:
        assert answer.headers["content-type"] == wanted
        return
    assert answer.status_code in (400, 413, 415, 422), (answer.status_code, answer.text)
    error = answer.json()["error"]
    assert set(answer.json()) == {"error"}
    assert 0 < len(error) < 500
    assert error.isprintable()
    assert "Traceback" not in error
    assert ".py" not in error


@pytest.mark.parametrize("name", KINDS)
def test_hostile_pictures(visitor, name):
    check(visitor.run("resize(longest=8)", KINDS[name], png=True))
    check(visitor.run("pix2pix", KINDS[name], png=True, labels="index", longest=16))
    check(visitor.post("/api/restore", files={"picture": KINDS[name]}))


@pytest.mark.parametrize("name", [name for name in KINDS if "vast" in name or "over" in name])
def test_too_many_pixels_are_refused_before_they_are_decoded(visitor, name):
    before = len(visitor.studio.desk._jobs)
    assert visitor.run("invert", KINDS[name]).status_code == 422
    assert len(visitor.studio.desk._jobs) == before


def test_hostile_pictures_for_ports(visitor):
    for data in KINDS.values():
        check(visitor.run("mixture", grey(9), png=True, style=data))


def test_a_thousand_damaged_uploads(visitor):
    """Every kind of file that the studio takes, damaged as `make fuzz` does, in every place that takes one."""
    photos, made = fuzz_targets.picture_seeds(Path()), fuzz_targets.provenance_seeds(Path())
    asks = {
        "input": lambda data: visitor.run("invert", data, png=True),
        "port": lambda data: visitor.run("mixture", grey(9), png=True, style=data),
        "indices": lambda data: visitor.run("pix2pix", data, png=True, labels="index", longest=16),
        "restored": lambda data: visitor.post("/api/restore", files={"picture": data}),
    }
    seen: dict[str, set[int]] = {name: set() for name in asks}
    for number in range(1000):
        name = list(asks)[number % len(asks)]
        damaged = mutate(made if name == "restored" else photos, random.Random(f"upload {number}"))
        answer = asks[name](damaged)
        seen[name].add(answer.status_code)
        try:
            check(answer, "application/json" if name == "restored" else "image/png")
        except AssertionError as error:
            raise AssertionError(f"{name}, upload {number}: {error}") from error
    assert all({200, 422} <= statuses for statuses in seen.values()), seen
    assert visitor.run("invert", grey(200), png=True).status_code == 200


FORMS = {
    "no form": (b"{}", "application/json"),
    "no boundary": (b"--x--", "multipart/form-data"),
    "empty": (b"", "multipart/form-data; boundary=x"),
    "rubbish": (bytes(range(256)), "multipart/form-data; boundary=x"),
    "never ends": (
        b'--x\r\nContent-Disposition: form-data; name="chain"\r\n\r\ninvert',
        "multipart/form-data; boundary=x",
    ),
    "no name": (b"--x\r\nContent-Disposition: form-data\r\n\r\ninvert\r\n--x--", "multipart/form-data; boundary=x"),
    "no disposition": (b"--x\r\n\r\ninvert\r\n--x--", "multipart/form-data; boundary=x"),
    "boundary of nothing": (b"--\r\n\r\n--", "multipart/form-data; boundary="),
    "charset": (
        b'--x\r\nContent-Disposition: form-data; name="chain"\r\n\r\n\xff\xfe\r\n--x--',
        "multipart/form-data; boundary=x; charset=utf-99",
    ),
    "header without end": (b"--x\r\n" + b"A: b\r\n" * 20_000, "multipart/form-data; boundary=x"),
}


@pytest.mark.parametrize("name", FORMS)
def test_hostile_forms(visitor, name):
    body, kind = FORMS[name]
    for path in ("/api/run", "/api/restore"):
        answer = visitor.post(path, content=body, headers={"Content-Type": kind, "Accept": "image/png"})
        assert answer.status_code in (400, 415, 422), answer.text
        check(answer)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"seed": "-1"}, 422), ({"seed": "1e3"}, 422), ({"seed": "9" * 40}, 422), ({"seed": "٣"}, 422),
        ({"size": "0x0"}, 422), ({"size": "99999x99999"}, 422), ({"size": "8"}, 422), ({"longest": "0"}, 422),
        ({"longest": "x"}, 422), ({"client": "a b"}, 422), ({"client": "x" * 65}, 422), ({"supersedes": "all"}, 422),
        ({"labels": "yes"}, 422), ({"nonsense": "1"}, 422), ({"chain": "x" * 5000}, 422),
        ({"chain": "x" * 50_000}, 422), ({"chain": "x" * 100_000}, 400), ({"a\0b": "1"}, 422),
        ({"longest": "", "seed": "", "size": ""}, 200),
    ],
)  # fmt: skip
def test_fields_that_will_not_do(visitor, fields, status):
    answer = visitor.post(
        "/api/run",
        data={"chain": "invert"} | fields,
        files={"input": grey(9)},
        headers={"Accept": "image/png"},
    )
    assert answer.status_code == status, answer.text
    check(answer)


def test_too_many_parts(visitor):
    many = [(f"f{index}", (None, "1")) for index in range(100)]
    assert visitor.post("/api/run", files=many).status_code == 400
    pictures = [(f"f{index}", ("f", grey(1))) for index in range(100)]
    assert visitor.post("/api/run", files=pictures).status_code == 400
    twice = [("chain", (None, "invert")), ("chain", (None, "slow")), ("input", ("f", grey(1)))]
    assert "comes twice" in visitor.post("/api/run", files=twice).json()["error"]


def test_file_names_mean_nothing(visitor):
    files = {"chain": (None, "invert"), "input": ("../../../etc/passwd\r\nX: y", grey(9))}
    assert visitor.post("/api/run", files=files, headers={"Accept": "image/png"}).status_code == 200


def test_too_many_bytes_are_refused_as_they_come():
    limits = Limits(upload=20_000)
    with open_studio(limits) as visitor:
        noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
        assert visitor.run("invert", encode(noise)).status_code == 413

        def stream():
            yield b'--x\r\nContent-Disposition: form-data; name="input"; filename="a"\r\n\r\n'
            for _ in range(100):
                yield bytes(1000)

        head = {"Content-Type": "multipart/form-data; boundary=x"}
        assert visitor.post("/api/run", content=stream(), headers=head).status_code == 413
        assert visitor.run("invert", grey(1), png=True).status_code == 200


def test_a_length_that_lies_is_refused_unread():
    with open_studio(Limits(upload=1000)) as visitor:
        head = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": "5000000000"}
        with connected(visitor) as line:
            lines = [f"{name}: {value}" for name, value in ({"Host": "localhost"} | head).items()]
            line.sendall("\r\n".join(["POST /api/run HTTP/1.1", *lines, "", ""]).encode())
            assert b"413" in line.recv(100)


def test_who_sends_slowly_is_sent_away():
    with open_studio(Limits(upload_seconds=0.05)) as visitor, connected(visitor) as line:
        line.sendall(b"POST /api/chain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        assert b"408" in line.recv(100)


@pytest.mark.parametrize("data", [b"\0" * 1000, b"GET / HTTP/9\r\n\r\n", b"G\r\n\r\n", b"GET /" + b"a" * 100_000])
def test_what_is_no_http(visitor, data):
    with connected(visitor) as line:
        line.sendall(data)
        line.shutdown(socket.SHUT_WR)
        while line.recv(4096):
            pass
    assert visitor.get("/").status_code == 200
