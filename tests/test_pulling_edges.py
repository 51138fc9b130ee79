"""What downloads ask, hear and say, without a server: each answer, each fault and each mark by itself."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest
import requests
import urllib3

from artkit import __version__
from artkit.errors import ArtkitError, ModelError, OutputError
from artkit.models import fetching
from artkit.models.fetching import (
    BrokenOffError,
    Downloader,
    LoweredError,
    Partial,
    Patience,
    Session,
    Watcher,
    plain_errors,
    shown,
    version_of,
)
from artkit.spec import ModelSpec

URL = "https://me:secret@example.org/models/red.pth"
PLAIN = "https://example.org/models/red.pth"
ELSEWHERE = "If you know another place that has the file: --mirror URL"
RED = ModelSpec(name="red", method="paint", summary="", url=URL)


def said(call, kind=ArtkitError):
    """Return the sentence that a call ends in."""
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def downloader(tmp_path):
    return Downloader(Partial(tmp_path / "x.part"), 1000, Watcher(), Patience(pause=0))


def answer(status, reason="", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(status_code=status, reason=reason, url=URL, headers=named)


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        (URL, PLAIN),
        (PLAIN, PLAIN),
        ("http://a@b@example.org:80/x?y=1#z", "http://example.org:80/x?y=1#z"),
        ("nothing", "nothing"),
    ],
)
def test_passwords_are_not_shown(url, seen):
    assert shown(url) == seen


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        ({"ETag": '"1"', "Last_Modified": "today"}, '"1"'),
        ({"ETag": 'W/"1"', "Last_Modified": "today"}, "today"),
        ({"Last_Modified": "today"}, "today"),
        ({"ETag": ""}, ""),
        ({}, ""),
    ],
)
def test_marks_of_a_version(headers, version):
    assert version_of(answer(200, **headers)) == version


@pytest.mark.parametrize(
    ("kept", "version", "reply", "start"),
    [
        (0, "", answer(200), 0),
        (50, '"1"', answer(200), 0),
        (50, '"1"', answer(206, Content_Range="bytes 50-99/100", ETag='"1"'), 50),
        (50, '"1"', answer(206, Content_Range="bytes 50-99/100"), 50),
        (50, '"1"', answer(206, Content_Range="bytes 50-99/100", ETag='"2"'), None),
        (50, '"1"', answer(206, Content_Range="bytes 49-99/100", ETag='"1"'), None),
        (50, '"1"', answer(206, Content_Range="lines 50-99/100", ETag='"1"'), None),
        (50, '"1"', answer(206, ETag='"1"'), None),
        (50, '"1"', answer(416), None),
    ],
)
def test_where_an_answer_begins(downloader, kept, version, reply, start):
    downloader.partial.begin(PLAIN, '"1"')
    if start is not None:
        assert downloader._start(reply, kept, version) == start
        assert downloader.partial.path.exists()
        return
    told = said(lambda: downloader._start(reply, kept, version), BrokenOffError)
    assert told == "example.org cannot go on where the download broke off"
    assert not downloader.partial.path.exists()


@pytest.mark.parametrize(
    ("status", "again"),
    [
        (408, True),
        (425, True),
        (429, True),
        (500, True),
        (599, True),
        (499, False),
        (404, False),
        (201, False),
        (302, False),
    ],
)
def test_which_answers_ask_for_patience(downloader, status, again):
    for reason, words in (("So So", f"{status} So So"), ("", f"{status}"), (None, f"{status}")):
        told = said(
            lambda reason=reason: downloader._start(answer(status, reason), 0, ""),
            BrokenOffError if again else ModelError,
        )
        host, end = ("example.org", "") if again else (PLAIN, f". {ELSEWHERE}")
        assert told == f"{host} answers '{words}'{end}"


FAULTS = {
    "circles": (
        requests.TooManyRedirects(),
        ModelError,
        f"{PLAIN} leads in circles: it was given up after 5 redirects.",
    ),
    **{
        f"no address {kind.__name__}": (
            kind(),
            ModelError,
            f"{PLAIN} is no address on the web, or leads to one that is none.",
        )
        for kind in (
            requests.exceptions.InvalidSchema,
            requests.exceptions.InvalidURL,
            requests.exceptions.MissingSchema,
        )
    },
    "lowered": (
        LoweredError("http://you:pass@else.where/x"),
        ModelError,
        f"{PLAIN} leads from https to http://else.where/x, where anybody on the way may change the file. {ELSEWHERE}",
    ),
    "certificate": (
        requests.exceptions.SSLError(),
        ModelError,
        f"example.org cannot prove that it is example.org: its certificate is not valid. {ELSEWHERE}",
    ),
    "slow": (requests.ReadTimeout(), BrokenOffError, "nothing more came from example.org"),
    "slow to connect": (requests.ConnectTimeout(), BrokenOffError, "nothing more came from example.org"),
    "stalled": (
        urllib3.exceptions.ReadTimeoutError(None, "", ""),
        BrokenOffError,
        "nothing more came from example.org",
    ),
    "nobody": (requests.ConnectionError(), BrokenOffError, "there is no connection to example.org"),
    "cut": (requests.exceptions.ChunkedEncodingError(), BrokenOffError, "the connection to example.org broke off"),
    "protocol": (
        urllib3.exceptions.ProtocolError(),
        BrokenOffError,
        "the connection to example.org broke off",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_of_the_web(name):
    error, kind, sentence = FAULTS[name]

    def fail():
        with plain_errors(URL):
            raise error

    assert said(fail, kind) == sentence
    with pytest.raises(KeyError), plain_errors(URL):
        raise KeyError


def test_a_host_without_a_name_is_called_by_its_address():
    def fail():
        with plain_errors("nowhere"):
            raise requests.ConnectionError

    assert said(fail, BrokenOffError) == "there is no connection to nowhere"


@pytest.mark.parametrize(
    ("asked", "target", "lowered"),
    [
        ("https://a.org/x", "http://a.org/y", True),
        ("https://a.org/x", "https://b.org/y", False),
        ("http://a.org/x", "http://b.org/y", False),
        ("http://a.org/x", "https://b.org/y", False),
        ("https://a.org/x", "/y", False),
        ("https://a.org/x", None, False),
    ],
)
def test_redirects_stay_as_safe_as_they_were(asked, target, lowered):
    reply = requests.Response()
    reply.url, reply.status_code = asked, 302 if target else 200
    if target:
        reply.headers["location"] = target
    if lowered:
        assert said(lambda: Session().get_redirect_target(reply), LoweredError) == target
    else:
        assert Session().get_redirect_target(reply) == target


def test_what_is_kept_is_certain(tmp_path):
    part = Partial(tmp_path / "x.part")
    assert part.kept(PLAIN) == (0, "")
    part.begin(PLAIN, '"1"')
    part.path.write_bytes(b"12345")
    assert part.kept(PLAIN) == (5, '"1"')
    assert part.kept("https://example.org/other") == (0, "")
    assert msgspec.json.decode((tmp_path / "x.part.json").read_bytes()) == {"url": PLAIN, "version": '"1"'}
    part.begin(PLAIN, "")
    assert part.path.read_bytes() == b""
    assert part.kept(PLAIN) == (0, "")
    for content in (b"\xff", b"[]", b"{}", b""):
        (tmp_path / "x.part.json").write_bytes(content)
        assert part.kept(PLAIN) == (0, "")
    part.discard()
    assert list(tmp_path.iterdir()) == []
    part.discard()


class Web:
    """Stands in for the session: answers with what is planned, and notes what was asked."""

    def __init__(self, *replies):
        self.replies, self.asked, self.max_redirects = list(replies), [], 30

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def get(self, url, **how):
        self.asked.append((url, how, self.max_redirects))
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


class Reply(SimpleNamespace):
    """An answer with a body."""

    def __init__(self, body, status=200, length=None, **headers):
        super().__init__(**vars(answer(status, **headers)))
        self.raw = SimpleNamespace(
            length_remaining=length, stream=lambda size: [body[: len(body) // 2], body[len(body) // 2 :]]
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


class Diary(Watcher):
    def __init__(self):
        self.seen, self.notes = [], []

    def progress(self, done, total):
        self.seen.append((done, total))

    def note(self, words):
        self.notes.append(words)


def fetch(monkeypatch, tmp_path, *replies, limit=1000, **patience):
    web, diary = Web(*replies), Diary()
    monkeypatch.setattr(fetching, "Session", lambda: web)
    monkeypatch.setattr(fetching.time, "sleep", diary.notes.append)
    call = Downloader(Partial(tmp_path / "x.part"), limit, diary, Patience(**patience))
    return web, diary, lambda: call(URL, str(tmp_path / "out"))


def test_what_a_download_asks_and_tells(monkeypatch, tmp_path):
    web, diary, go = fetch(monkeypatch, tmp_path, Reply(b"123456", length=6, ETag='"1"'), connect=7, stall=9)
    go()
    told = {"User-Agent": f"artkit/{__version__}", "Accept-Encoding": "identity"}
    assert web.asked == [(URL, {"headers": told, "stream": True, "timeout": (7, 9)}, 5)]
    assert diary.seen == [(3, 6), (6, 6)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert (tmp_path / "out").read_bytes() == b"123456"


def test_a_download_goes_on_and_pauses_twice_as_long_each_time(monkeypatch, tmp_path):
    broken = Reply(b"1234", length=9, ETag='"1"')
    rest = Reply(b"56789", 206, 5, ETag='"1"', Content_Range="bytes 4-8/9")
    web, diary, go = fetch(monkeypatch, tmp_path, broken, requests.ConnectionError(), requests.ReadTimeout(), rest)
    go()
    assert (tmp_path / "out").read_bytes() == b"123456789"
    assert web.asked[3][1]["headers"]["Range"] == "bytes=4-"
    assert web.asked[3][1]["headers"]["If-Range"] == '"1"'
    assert "Range" not in web.asked[0][1]["headers"]
    assert diary.notes == [
        *("the connection to example.org broke off; trying again in 1 s.", 1),
        *("there is no connection to example.org; trying again in 2 s.", 2),
        *("nothing more came from example.org; trying again in 4 s.", 4),
    ]
    assert diary.seen == [(2, 9), (4, 9), (6, 9), (9, 9)]
    assert Patience() == Patience(attempts=4, connect=10.0, stall=30.0, pause=1.0)


def test_a_download_that_is_given_up_says_what_is_kept(monkeypatch, tmp_path):
    broken = [Reply(b"x" * 1_260_000, length=2_000_000, ETag='"1"')]
    _, _, go = fetch(monkeypatch, tmp_path, *broken, limit=10**7, attempts=1)
    assert said(go, ModelError) == (
        f"Cannot download {PLAIN}: the connection to example.org broke off. The first 1.3 MB are kept: the same "
        "command goes on from there."
    )
    assert (tmp_path / "x.part").exists()
    _, _, go = fetch(monkeypatch, tmp_path / "none", *[requests.ConnectionError()] * 2, attempts=2)
    assert said(go, ModelError) == f"Cannot download {PLAIN}: there is no connection to example.org. {ELSEWHERE}"


@pytest.mark.parametrize(("length", "limit", "told"), [(6, 6, False), (6, 5, True), (None, 6, False), (None, 5, True)])
def test_a_file_is_no_larger_than_it_can_be(monkeypatch, tmp_path, length, limit, told):
    _, _, go = fetch(monkeypatch, tmp_path, Reply(b"123456", length=length, ETag='"1"'), limit=limit)
    if told:
        assert said(go, ModelError) == f"{PLAIN} is larger than the model can be: it was cut off at 0.0 MB."
        assert list(tmp_path.iterdir()) == []
    else:
        go()
        assert (tmp_path / "out").read_bytes() == b"123456"


def test_a_part_that_cannot_be_written(monkeypatch, tmp_path):
    _, _, go = fetch(monkeypatch, tmp_path / "none", Reply(b"123456", length=6))
    told = said(go, OutputError)
    assert told == f"Cannot write {tmp_path / 'none' / 'x.part'}: No such file or directory."
