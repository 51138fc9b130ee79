"""Who may talk to the studio: names, origins, tokens, and the headers of every answer."""

from __future__ import annotations

import httpx
import pytest
from starlette.datastructures import Headers

from artkit import UsageError
from artkit.studio import serving
from artkit.studio.guard import Access
from artkit.studio.limits import Refusal
from artkit.studio.serving import listen, make_access, make_address
from studio_kit import grey, open_studio

TOKEN = "a-token-of-our-own"


@pytest.fixture(scope="module")
def visitor():
    with open_studio() as visitor:
        yield visitor


@pytest.fixture(scope="module")
def guarded():
    with open_studio(access=Access(TOKEN, frozenset({"localhost", "atelier.lan"}))) as visitor:
        yield visitor


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:80", "127.8.9.1:1234", "[::1]", "[::1]:8765"])
def test_this_machine_by_its_own_names(visitor, host):
    assert visitor.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "192.168.0.7:8765", "0.0.0.0", "[::2]",
     "localhost:x", "localhost:", "a@localhost", "localhost/x", "[::1", "", "localhost, evil.example", "127.0.0.1\tx",
     "127.1", "2130706433"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/api/methods", "/page/index.html", "/nowhere"])
def test_other_names_are_refused_everywhere(visitor, host, path):
    answer = visitor.get(path, headers={"Host": host})
    assert answer.status_code in (400, 403)
    assert "error" in answer.json() or answer.text == "Invalid HTTP request received."


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "file://"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
def test_pages_of_others_send_nothing(visitor, headers, method):
    answer = visitor.request(method, "/api/chain", headers=headers, content=b'{"text": "invert"}')
    assert answer.status_code == 403
    assert set(answer.json()) == {"error"}


def test_the_own_page_and_programs_may(visitor):
    own = str(visitor.base_url).rstrip("/")
    for headers in ({}, {"Origin": own, "Sec-Fetch-Site": "same-origin"}, {"Origin": own.upper()}):
        assert visitor.post("/api/chain", headers=headers, content=b'{"text": "invert"}').status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/methods", "/page/nothing.js", "/api/jobs/x/picture"])
def test_every_answer_has_the_headers(visitor, path):
    headers = visitor.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "img-src 'self' blob: data:" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path == "/" else "no-store")
    assert "server" not in headers


def test_the_page_holds_no_inline_scripts_or_styles(visitor):
    page = visitor.get("/").text
    assert "<style" not in page
    assert " style=" not in page
    assert " on" not in page.partition("<body")[2].partition(">")[0]
    assert all("src=" in tag.partition(">")[0] for tag in page.split("<script")[1:])


@pytest.mark.parametrize(
    "path",
    ["/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py", "/page//etc/passwd", "/page/%2Fetc%2Fpasswd",
     "/page/page", "/page/", "/page/index.html/", "/page/INDEX.HTML", "/page/index.html%00.js", "/app.py",
     "/.git/config", "/api/examples/../../app.py", "/api/examples/..%2f..%2fapp.py", "/api/examples/lake.png"],
)  # fmt: skip
def test_no_path_leads_anywhere_else(visitor, path):
    answer = visitor.send(httpx.Request("GET", str(visitor.base_url).rstrip("/") + path))
    assert answer.status_code in (404, 405), answer.text
    assert answer.json() == {"error": "There is nothing here."}


def test_ids_that_there_are_not_are_all_alike(visitor):
    answers = [
        visitor.get(f"/api/jobs/{identity}{rest}")
        for identity in ("x", "A" * 22, "..", "%2e%2e", "0" * 500, "%F0%9F%8E%A8")
        for rest in ("/picture", "/sketch", "/events", "/recipe.toml", "")
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, '{"error":"There is nothing here."}')}


def test_without_the_token_nothing_is_told(guarded):
    for path in ("/", "/api/methods", "/page/index.html", "/api/openapi.json", "/nowhere", "/?token=wrong"):
        answer = guarded.get(path)
        assert answer.status_code == 401
        assert "token" in answer.json()["error"]
    assert guarded.run("invert", grey(1)).status_code == 401
    assert guarded.get("/api/methods", params={"token": TOKEN}).status_code == 401


def test_the_token_in_the_address_becomes_a_cookie(guarded):
    answer = guarded.get("/", params={"token": TOKEN, "chain": "semgan,pix2pix"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?chain=semgan%2Cpix2pix"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "max-age" not in cookie
    assert guarded.get("/api/methods").status_code == 200
    guarded.cookies.clear()
    assert guarded.get("/api/methods").status_code == 401


def test_programs_send_the_token_as_a_bearer(guarded):
    for header, status in ((f"Bearer {TOKEN}", 200), (f"bearer {TOKEN}", 200), (f"Basic {TOKEN}", 401), (TOKEN, 401)):
        assert guarded.get("/api/methods", headers={"Authorization": header}).status_code == status


def test_with_a_token_addresses_will_do_as_names_and_strange_names_will_not(guarded):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for host, status in (("192.168.0.7:8765", 200), ("atelier.lan", 200), ("evil.example", 403)):
        assert guarded.get("/", headers=headers | {"Host": host}).status_code == status


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_alone_needs_no_token(host):
    assert make_access(host) == Access()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.7", "::", "atelier.lan"])
def test_other_machines_do(host):
    access, other = make_access(host), make_access(host)
    assert access.token != other.token
    assert len(str(access.token)) >= 32


def test_the_printed_address_leads_here():
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert make_address(listener, Access(), "semgan,pix2pix") == f"http://127.0.0.1:{port}/?chain=semgan%2Cpix2pix"
        assert make_address(listener, Access("abc"), None) == f"http://127.0.0.1:{port}/?token=abc"


def test_a_taken_port_is_told_and_the_next_one_found(monkeypatch):
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}.*--port 0"):
            listen("127.0.0.1", port)
        monkeypatch.setattr(serving, "PORT", port)
        with listen("127.0.0.1", None) as other:
            assert other.getsockname()[1] > port
    with pytest.raises(UsageError, match="cannot listen"):
        listen("no such host", 0)


def test_origins_of_https_in_front_of_the_studio_will_do():
    access = Access("x", frozenset({"atelier.lan"}))
    access.check_origin(Headers({"host": "atelier.lan", "origin": "https://atelier.lan"}))
    with pytest.raises(Refusal):
        access.check_origin(Headers({"host": "atelier.lan", "origin": "https://atelier.lan.evil"}))
