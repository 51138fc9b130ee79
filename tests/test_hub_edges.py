"""What is asked of the hub, what it answers, and what becomes of a model that comes from there, without a hub."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest
import requests

from artkit import __version__
from artkit.errors import ModelError
from artkit.models import hub, read_header, save_model, user_model_path
from artkit.models.fetching import Patience, Watcher
from artkit.models.hub import Lfs, Place, Sibling, Told, _ask, _choose, pull_from_hub
from artkit.spec import Kind, ModelHeader, ModelSpec
from test_pulling_edges import Reply, Web, home, said

__all__ = ["home"]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["model.safetensors", "other.safetensors"], "model.safetensors"),
        (["README.md", "one.safetensors", "deep/two.safetensors"], "one.safetensors"),
        (["one.safetensors", "two.safetensors"], "2 .safetensors files"),
        (["README.md", "deep/model.safetensors"], "no .safetensors file"),
    ],
)
def test_the_file_of_a_repository_that_is_its_model(names, chosen):
    told = SimpleNamespace(siblings=[Sibling(rfilename=name) for name in names])
    there = Place("me", "red", "v1")
    if chosen.endswith(".safetensors"):
        assert _choose(told, there).rfilename == chosen
    else:
        assert said(lambda: _choose(told, there), ModelError) == (
            f"hf:me/red@v1 is no model of artkit's: it has {chosen}, and no model.safetensors."
        )


SHA = "0123456789abcdef" * 2 + "01234567"
THERE = Place("me", "red", "v1/x")


def told_by_hub(body, status=200, reason=""):
    reply = Reply(b"", status)
    reply.reason = reason
    reply.raw.read = lambda most, decode_content: body[:most] if decode_content else b"packed"
    return reply


def test_what_a_hub_is_asked(monkeypatch):
    body = msgspec.json.encode({"sha": SHA, "siblings": [{"rfilename": "a", "lfs": {"sha256": "x"}}], "more": 1})
    web = Web(told_by_hub(body))
    monkeypatch.setattr(hub, "Session", lambda: web)
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example/")
    assert _ask(THERE, Patience(connect=7, stall=9)) == Told(SHA, [Sibling("a", lfs=Lfs("x"))])
    (url, how, _), *_ = web.asked
    assert url == "https://hub.example/api/models/me/red/revision/v1%2Fx?blobs=true"
    assert how == {"headers": {"User-Agent": f"artkit/{__version__}"}, "stream": True, "timeout": (7, 9)}
    monkeypatch.delenv("HF_ENDPOINT")
    assert hub.hub_address() == "https://huggingface.co"


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        *(
            (told_by_hub(b"", code), "there is no hf:me/red@v1/x on the hub, or it is private.")
            for code in (401, 403, 404)
        ),
        (told_by_hub(b"", 500, "Oh no"), "the hub answers '500 Oh no'."),
        (told_by_hub(b"", 402, None), "the hub answers '402'."),
        (requests.ConnectionError(), "cannot ask the hub for hf:me/red@v1/x: there is no connection to hub.example."),
        *(
            (told_by_hub(body), "what https://hub.example tells of hf:me/red@v1/x is not what a hub tells.")
            for body in (
                b"{}",
                b"\xff",
                msgspec.json.encode({"sha": SHA[1:]}),
                msgspec.json.encode({"sha": SHA.upper()}),
                msgspec.json.encode({"sha": SHA, "more": "x" * 2000}),
            )
        ),
    ],
)
def test_what_a_hub_answers(reply, sentence, monkeypatch):
    monkeypatch.setattr(hub, "Session", lambda: Web(reply))
    monkeypatch.setattr(hub, "MOST_TOLD", 1000)
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example")
    assert said(lambda: _ask(THERE, Patience()), ModelError) == sentence


def model_of(path, method):
    save_model(path, ModelHeader(method=method, architecture="a", inputs={}, output=Kind.IMAGE), {})
    return path


@pytest.mark.parametrize("fault", ["no model", "no method", "there already", None])
def test_what_comes_from_a_hub(fault, monkeypatch, tmp_path):
    asked, file = [], tmp_path / "arrived"
    url = f"https://hub.example/me/red/resolve/{SHA}/model.safetensors"
    source = f"hf:me/red@{SHA}"

    def download(spec, *how):
        asked.append((spec, *how))
        if fault == "no model":
            file.write_bytes(b"x")
        return file if fault == "no model" else model_of(file, "paint")

    sibling = Sibling("model.safetensors", 700, Lfs("digest"))
    monkeypatch.setattr(hub, "_ask", lambda there, patience: Told(SHA, [sibling]))
    monkeypatch.setattr(hub, "download", download)
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example")
    registry = SimpleNamespace(methods={} if fault == "no method" else {"paint": None}, models=[])
    if fault == "there already":
        model_of(user_model_path("paint", "red"), "paint")
    watcher, patience = Watcher(), Patience()

    def pull(**how):
        return pull_from_hub("hf:me/red", registry, watcher=watcher, patience=patience, **how)

    sentences = {
        "no model": f"What came from {url} cannot be used: it is cut short: 1 bytes are too few for a model file.",
        "no method": f"{source} is a model of 'paint', and no plugin here has that method.",
        "there already": "paint has another model 'red'. To replace it, add --overwrite.",
    }
    if fault:
        assert said(pull, ModelError) == sentences[fault]
        assert not file.exists()
    if fault in ("there already", None):
        pulled = pull(overwrite=True)
        assert (pulled.path, pulled.fresh, pulled.checked) == (user_model_path("paint", "red"), True, True)
        header = read_header(pulled.path)
        facts = {"source": source, "url": url, "sha256": pulled.sha256}
        assert (header.name, header.training) == ("red", facts)
        again = pull()
        assert (again.path, again.fresh, again.checked, again.sha256) == (pulled.path, False, True, pulled.sha256)
    wanted = ModelSpec(name="red", method="hub", summary="", url=url, size=700, source=source)
    assert asked[0][:3] == (wanted, url, "digest")
    assert asked[0][4:] == (watcher, patience)


def test_a_download_that_is_gone_by_then_is_told_for_what_it_is(monkeypatch, tmp_path):
    def lose(file):
        file.unlink()
        raise ModelError("it is gone")

    monkeypatch.setattr(hub, "_ask", lambda there, patience: Told(SHA, [Sibling("model.safetensors")]))
    monkeypatch.setattr(hub, "download", lambda *_: model_of(tmp_path / "arrived", "paint"))
    monkeypatch.setattr(hub, "digest_of_download", lose)
    registry = SimpleNamespace(methods={"paint": None}, models=[])
    assert said(lambda: pull_from_hub("hf:me/red", registry), ModelError) == "it is gone"
