"""Pulling from servers that behave and servers that do not; all of them on this machine."""

from __future__ import annotations

import hashlib
from io import BytesIO

import pooch
import pytest
import requests
from urllib3 import HTTPResponse

import web_kit
from artkit.errors import ModelError, UsageError
from artkit.models import load_model, read_header
from artkit.models.fetching import Patience
from pulling_kit import HASTE, STORED, Diary, left, pull


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def web(tmp_path, home):
    with web_kit.open_web() as web:
        web.files["/models/red.safetensors"] = web_kit.model_bytes(tmp_path)
        yield web


def test_a_model_is_pulled_and_its_header_says_from_where(web, home):
    facts = {"licence": "CC0-1.0", "source": "the painter", "trained_on": "red2blue, B to A"}
    level = pooch.get_logger().level
    pulled = pull(web, facts)
    assert pooch.get_logger().level == level
    data = web.files["/models/red.safetensors"]
    assert pulled.path == home / "models" / "paint" / "red.safetensors"
    assert (pulled.fresh, pulled.checked, pulled.sha256) == (True, False, hashlib.sha256(data).hexdigest())
    header = read_header(pulled.path)
    assert (header.name, header.summary, header.licence) == ("red", "Paints it red.", "CC0-1.0")
    assert header.training == {
        "data": "red2blue, B to A",
        "source": "the painter",
        "url": f"{web.url}/models/red.safetensors",
        "sha256": pulled.sha256,
    }
    assert load_model(pulled.path).tensors["weight"].shape == (20_000,)
    assert left(home) == STORED
    assert [(asked.path, asked.range) for asked in web.asked] == [("/models/red.safetensors", None)]


def test_what_the_catalogue_does_not_know_is_not_said(web):
    header = read_header(pull(web, {"licence": "", "source": "", "trained_on": "", "summary": ""}).path)
    assert header.training.keys() == {"url", "sha256"}
    assert (header.name, header.summary, header.licence) == ("red", "", "")


def test_a_model_of_another_method_is_not_kept(web, tmp_path, home):
    web.files["/models/red.safetensors"] = web_kit.model_bytes(tmp_path, "draw")
    with pytest.raises(ModelError, match=r"red\.safetensors is a model of draw, not of paint\.$"):
        pull(web)
    assert left(home) == set()


def test_what_travels_is_taken_as_it_is(web):
    web.plan = [web_kit.call_it_packed]
    assert pull(web).sha256 == hashlib.sha256(web.files["/models/red.safetensors"]).hexdigest()
    assert len(web.asked) == 1  # unpacked, it would have been asked for once more


def test_progress_counts_to_the_end(web):
    diary = Diary()
    pull(web, watcher=diary)
    size = len(web.files["/models/red.safetensors"])
    assert diary.seen[-1] == (size, size)
    assert diary.notes == []


def test_a_second_pull_asks_nobody(web):
    first = pull(web)
    again = pull(web)
    assert (again.path, again.fresh, again.sha256) == (first.path, False, first.sha256)
    assert len(web.asked) == 1


def test_overwrite_pulls_again(web, tmp_path):
    pull(web)
    web.files["/models/red.safetensors"] = web_kit.model_bytes(tmp_path, values=5)
    assert load_model(pull(web, overwrite=True).path).tensors["weight"].shape == (5,)


def test_what_broke_off_is_resumed(web, home):
    web.plan = [web_kit.break_off(30_000)]
    diary = Diary()
    pull(web, watcher=diary)
    assert [asked.range for asked in web.asked] == [None, "bytes=30000-"]
    assert diary.notes == ["the connection to 127.0.0.1 broke off; trying again in 0 s."]
    assert left(home) == STORED
    assert load_model(home / "models" / "paint" / "red.safetensors").tensors["weight"][-1] == 19_999


def test_another_process_resumes_what_one_gave_up(web, home):
    web.plan = [web_kit.break_off(30_000)]
    with pytest.raises(ModelError, match=r"broke off\. The first 0\.0 MB are kept: the same command goes on") as caught:
        pull(web, patience=Patience(attempts=1, pause=0))
    assert "\n" not in str(caught.value)
    assert len(left(home)) == 2
    pull(web)
    assert web.asked[-1].range == "bytes=30000-"
    assert left(home) == STORED


def test_a_changed_file_is_not_sewn_to_the_old_one(web, home, tmp_path):
    web.plan = [web_kit.break_off(30_000)]
    with pytest.raises(ModelError):
        pull(web, patience=Patience(attempts=1))
    web.files["/models/red.safetensors"] = data = web_kit.model_bytes(tmp_path, values=19_000)
    assert pull(web).sha256 == hashlib.sha256(data).hexdigest()


def test_without_versions_a_download_starts_over(web):
    web.mark = lambda body: {}
    web.plan = [web_kit.break_off(30_000)]
    pull(web)
    assert [asked.range for asked in web.asked] == [None, None]


@pytest.mark.parametrize("etag", [{}, {"ETag": 'W/"1"'}])
def test_without_a_strong_mark_the_date_says_which_version_it_is(web, etag):
    web.mark = lambda body: {**etag, "Last-Modified": web_kit.DATE}
    web.plan = [web_kit.break_off(30_000)]
    diary = Diary()
    pull(web, watcher=diary)
    assert [asked.range for asked in web.asked] == [None, "bytes=30000-"]
    assert [done for done, _ in diary.seen] == sorted(done for done, _ in diary.seen)


def test_bytes_are_asked_for_as_they_are(web):
    """Packed ones could not be counted, nor gone on with."""
    pull(web)
    assert [asked.encoding for asked in web.asked] == ["identity"]


def test_a_server_that_resumes_elsewhere_is_asked_from_the_start(web):
    def elsewhere(visit):
        visit.head(206, Content_Range="bytes 5-9/10", Content_Length=5)
        visit.wfile.write(b"12345")

    web.plan = [web_kit.break_off(30_000), elsewhere]
    pull(web)
    assert [asked.range for asked in web.asked] == [None, "bytes=30000-", None]


def test_a_server_that_cannot_resume_is_asked_from_the_start(web):
    web.plan = [web_kit.break_off(30_000), web_kit.status(416)]
    pull(web)
    assert [asked.range for asked in web.asked] == [None, "bytes=30000-", None]


@pytest.mark.parametrize("code", [500, 502, 503, 429])
def test_a_server_in_trouble_is_asked_again(web, code):
    web.plan = [web_kit.status(code)] * 2
    diary = Diary()
    pull(web, watcher=diary)
    assert len(web.asked) == 3
    assert len(diary.notes) == 2
    assert f"127.0.0.1 answers '{code} " in diary.notes[0]


def test_a_server_in_lasting_trouble_is_given_up(web, home):
    web.plan = [web_kit.status(503)] * 9
    with pytest.raises(ModelError, match=r"answers '503 Service Unavailable'\. If you know another place.*--mirror"):
        pull(web)
    assert len(web.asked) == HASTE.attempts
    assert left(home) == set()


def test_every_pause_is_twice_as_long_as_the_last(web):
    web.plan = [web_kit.status(503)] * 3
    diary = Diary()
    pull(web, watcher=diary, patience=Patience(connect=5, pause=0.002))
    assert [note.rpartition("again in ")[2] for note in diary.notes] == ["0.002 s.", "0.004 s.", "0.008 s."]


@pytest.mark.parametrize("code", [404, 403, 410])
def test_a_missing_file_is_asked_for_once(web, home, code):
    web.plan = [web_kit.status(code)]
    with pytest.raises(ModelError, match=rf"red\.safetensors answers '{code} .*--mirror URL"):
        pull(web)
    assert len(web.asked) == 1
    assert left(home) == set()


def test_a_stall_is_broken_off_and_resumed(web):
    web.plan = [web_kit.stall(30_000)]
    diary = Diary()
    pull(web, watcher=diary)
    assert diary.notes == ["nothing more came from 127.0.0.1; trying again in 0 s."]
    assert web.asked[1].range == "bytes=16384-"


def test_a_server_that_never_answers_is_given_up(web, home):
    web.plan = [web_kit.hold] * 2
    with pytest.raises(ModelError, match=r"nothing more came from 127\.0\.0\.1\."):
        pull(web, patience=Patience(attempts=2, stall=0.1, pause=0))
    assert left(home) == set()


def test_nobody_there(web, home):
    web.server.server_close()
    with pytest.raises(ModelError, match=r"there is no connection to 127\.0\.0\.1"):
        pull(web)
    assert left(home) == set()


def test_a_length_that_is_too_long_breaks_off(web, home):
    web.plan = [web_kit.announce(len(web.files["/models/red.safetensors"]) + 50)] * 9
    with pytest.raises(ModelError, match="broke off"):
        pull(web)
    assert left(home) == set()


def test_a_length_that_is_too_short_gives_no_model(web, home):
    web.plan = [web_kit.announce(50_000)]
    with pytest.raises(ModelError, match="cannot be used: it is cut short"):
        pull(web)
    assert left(home) == set()


def test_an_absurd_length_is_refused_before_a_byte_is_kept(web, home):
    web.plan = [web_kit.announce(10**12)]
    with pytest.raises(ModelError, match=r"larger than the model can be: it was cut off at 0\.2 MB"):
        pull(web)
    assert len(web.asked) == 1
    assert left(home) == set()


def test_an_endless_answer_is_cut_off(web, home):
    web.plan = [web_kit.endless]
    with pytest.raises(ModelError, match="larger than the model can be"):
        pull(web)
    assert left(home) == set()


def test_a_page_is_no_model(web, home):
    web.plan = [web_kit.page]
    with pytest.raises(ModelError, match=r"gave a web page, not a model\. .*--mirror URL"):
        pull(web)
    assert left(home) == set()


@pytest.mark.parametrize("body", [b"", b"nothing", bytes(1000), b"PK\x03\x04" + bytes(500)])
def test_other_bytes_are_no_model(web, home, body):
    web.files["/models/red.safetensors"] = body
    with pytest.raises(ModelError, match="cannot be used") as caught:
        pull(web)
    assert "\n" not in str(caught.value)
    assert left(home) == set()


def test_a_model_of_another_method_is_refused(web, home, tmp_path):
    web.files["/models/red.safetensors"] = web_kit.model_bytes(tmp_path, method="blur")
    with pytest.raises(ModelError, match="is a model of blur, not of paint"):
        pull(web)
    assert left(home) == set()


def test_the_checksum_is_checked(web, home):
    right = hashlib.sha256(web.files["/models/red.safetensors"]).hexdigest()
    with pytest.raises(ModelError, match=f"not what was expected.*expected {'0' * 64} but got {right}") as caught:
        pull(web, {"sha256": "0" * 64})
    assert "\n" not in str(caught.value)
    assert left(home) == set()
    assert pull(web, {"sha256": "0" * 64}, sha256=right.upper()).checked  # what is typed counts
    assert not pull(web).checked


def test_a_model_at_hand_must_have_the_checksum_too(web):
    pull(web)
    path, seen = pull(web).path, pull(web).sha256
    with pytest.raises(ModelError) as caught:
        pull(web, sha256="0" * 64)
    assert str(caught.value) == (
        f"{path} is here already, from a download with the SHA-256 {seen}. To pull it again, add --overwrite."
    )


@pytest.mark.parametrize("digits", ["", "abc", "g" * 64, "0" * 63])
def test_a_checksum_that_is_none(web, digits):
    with pytest.raises(UsageError, match="64 digits"):
        pull(web, sha256=digits)
    assert web.asked == []


def test_redirects_are_followed(web):
    web.plan = [web_kit.redirect("/elsewhere"), web_kit.redirect(f"{web.url}/models/red.safetensors")]
    pull(web)
    assert [asked.path for asked in web.asked][1:] == ["/elsewhere", "/models/red.safetensors"]


@pytest.mark.parametrize("to", ["/models/red.safetensors", "/a/b"])
def test_redirects_in_circles_are_given_up(web, home, to):
    web.plan = [web_kit.redirect(to)] * 99
    with pytest.raises(ModelError, match="leads in circles"):
        pull(web)
    assert len(web.asked) < 10
    assert left(home) == set()


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/red", "data:text/plain,red"])
def test_redirects_lead_nowhere_but_to_the_web(web, home, to):
    web.plan = [web_kit.redirect(to)]
    with pytest.raises(ModelError, match="no address on the web"):
        pull(web)
    assert left(home) == set()


def test_https_does_not_lead_to_http(web, home, monkeypatch):
    asked = []

    def answer(adapter, request, **options):
        asked.append(request.url)
        response = requests.Response()
        response.status_code, response.url, response.request = 302, request.url, request
        response.headers["Location"] = "http://safe.example/models/red.safetensors"
        response.raw = HTTPResponse(BytesIO(), preload_content=False)
        return response

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    with pytest.raises(ModelError, match=r"leads from https to http://safe\.example/.*--mirror URL"):
        pull(web, {"url": "https://safe.example/red.safetensors"})
    assert asked == ["https://safe.example/red.safetensors"]
    assert left(home) == set()


def test_what_a_killed_pull_left_is_swept(web, home):
    folder = home / "pulls" / "paint-red"
    folder.mkdir(parents=True)
    for name in ("tmpabcd1234", "tmp_x9"):  # as Python's tempfile names them
        (folder / name).touch()
    pull(web)
    assert left(home) == STORED
    assert not folder.exists()


def test_what_another_process_makes_is_left_alone(web, home, monkeypatch):
    """The sweep is under the lock: before it, the files may be those of a pull that is under way."""
    folder = home / "pulls" / "paint-red"
    folder.mkdir(parents=True)
    (folder / "tmpabcd1234").touch()
    (home / "models" / "paint").mkdir(parents=True)
    (home / "models" / "paint" / "red.safetensors").write_bytes(web.files["/models/red.safetensors"])
    assert not pull(web).fresh
    assert (folder / "tmpabcd1234").exists()


def test_a_mirror_holds_the_same_file(web):
    spec = {"url": "http://no.such.host.invalid/far/away/red.safetensors"}
    pulled = pull(web, spec, mirror=f"{web.url}/models/")
    assert [(asked.path, asked.range) for asked in web.asked] == [("/models/red.safetensors", None)]
    assert read_header(pulled.path).training["url"] == f"{web.url}/models/red.safetensors"


def test_passwords_are_not_written_down(web, home):
    mirror = web.url.replace("//", "//me:secret@") + "/models"
    assert "secret" not in str(read_header(pull(web, mirror=mirror).path))
    with pytest.raises(ModelError) as caught:
        pull(web, mirror=f"{mirror}/none", overwrite=True)
    assert "secret" not in str(caught.value)
    web.plan = [web_kit.break_off(30_000)] * HASTE.attempts
    with pytest.raises(ModelError) as caught:
        pull(web, mirror=mirror, overwrite=True)
    assert "secret" not in str(caught.value)
    assert not any(b"secret" in path.read_bytes() for path in home.rglob("*") if path.is_file())


@pytest.mark.parametrize("mirror", ["/tmp/models", "file:///tmp", "ftp://host/models", "http://", ""])
def test_a_mirror_is_on_the_web(web, mirror):
    with pytest.raises(UsageError, match="--mirror"):
        pull(web, mirror=mirror)
    assert web.asked == []


def test_a_server_that_is_somebody_else_is_not_asked_twice(web, home, monkeypatch):
    asked = []

    def refuse(session, url, **options):
        asked.append(url)
        raise requests.exceptions.SSLError("certificate verify failed: self-signed certificate")

    monkeypatch.setattr(requests.Session, "get", refuse)
    with pytest.raises(ModelError, match=r"cannot prove that it is 127\.0\.0\.1.*--mirror URL"):
        pull(web)
    assert len(asked) == 1
    assert left(home) == set()
