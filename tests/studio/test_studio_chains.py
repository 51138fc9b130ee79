"""Chains as the page edits them: text and steps both ways, forms of options, and no file by name."""

from __future__ import annotations

import json

import msgspec
import pytest

from artkit import Chain, Step
from artkit.errors import ArtkitError
from artkit.models import list_models
from artkit.studio.answers import ChainForm, DreamForm, Record, StepForm
from artkit.studio.chains import chain_of_form, describe_chain, read_chain
from artkit.studio.describing import describe_methods, describe_models
from artkit.studio.forms import option_forms
from artkit.studio.studio import Studio
from studio_kit import open_studio, registry

CHAINS = [
    "semgan,pix2pix,touchup(strength=0.5)",
    "pix2pix(model=landscape,condition='dusk misty',seed=4)",
    "nst(style=[can(seed=3),superres],mix=[1.0],quality=draft)",
    "cyclegan(model=monet),blend(strength=0.25)",
    "nst(style=glass,time_budget=none)",
    "everything(mix=[0.5,0.25],scale=4,hard=true,words='a lake. two trees',fill=7)",
]


@pytest.fixture(scope="module")
def visitor():
    with open_studio() as visitor:
        yield visitor


@pytest.mark.parametrize("text", CHAINS)
def test_text_and_steps_say_the_same(text):
    info = describe_chain(read_chain(text, registry()), registry())
    again = chain_of_form(ChainForm(steps=info.steps), registry())
    assert Chain(info.text) == Chain(text)
    assert again == Chain(text.replace(",time_budget=none", ""))


def test_a_chain_tells_what_it_takes():
    info = describe_chain(Chain("pix2pix,touchup"), registry())
    assert (info.input, info.needs_input, info.output) == ("labels", True, "image")
    assert [one.name for one in info.classes or ()][:3] == ["sky", "cloud", "sun"]
    assert (info.classes or ())[0].colour == "#6eaadc"
    assert "dusk" in info.conditions["time"]
    assert {"nst", "superres", "blur", "resize"} <= set(info.fits)
    assert not {"can", "fancy"} & set(info.fits)


def test_a_source_needs_no_picture():
    info = describe_chain(Chain("semgan"), registry())
    assert (info.input, info.needs_input, info.output) == ("image", False, "labels")
    assert info.classes is not None  # those it gives
    assert "pix2pix" in info.fits
    info = describe_chain(Chain("can"), registry())
    assert (info.input, info.needs_input, info.classes) == (None, False, None)


def test_ports_that_may_and_must_be_fed():
    info = describe_chain(Chain("mixture,nst"), registry())
    assert set(info.ports) >= {"style", "style2", "map"}
    assert info.wants == ["style"]
    assert "style" not in describe_chain(Chain("nst(style=[can])"), registry()).ports
    assert describe_chain(Chain("blend"), registry()).wants == []  # the chain's own input will do
    assert describe_chain(Chain("nst(style=[fancy,mixture])"), registry()).wants == ["style"]


def test_what_fits_can_be_added():
    for text in ("semgan", "pix2pix", "fancy", "resize"):
        for name in describe_chain(Chain(text), registry()).fits:
            assert describe_chain(Chain([text, name]), registry()).text == f"{text},{name}"


@pytest.mark.parametrize(
    "text",
    [
        "invert(", "nowhere", "invert(by=2)", "semgan,semgan(temperature=9)", "", "a" * 5000, "pix2pix(model=nothing)",
        "can,can", "pix2pix,pix2pix,can", "nst(style=[nst])", "pix2pix(model=a,model=b)",
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_in_one_line(visitor, text):
    answer = visitor.post("/api/chain", content=json.dumps({"text": text}))
    assert answer.status_code == 422, answer.text
    assert set(answer.json()) == {"error"}
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize(
    "step",
    [
        StepForm("pix2pix", model="../../secret"), StepForm("pix2pix", model="weights.safetensors"),
        StepForm("pix2pix", model="/etc/passwd"), StepForm("pix2pix", model="a.b c"), StepForm("pix2pix", model=".."),
        StepForm("nst", {"style": "monet.jpg"}), StepForm("nst", {"style": "/etc/passwd"}),
        StepForm("nst", {"style": "two words"}), StepForm("nst", {"weights": "vgg.pth"}),
        StepForm("nst", {"weights": "~/vgg"}), StepForm("nst", {"weights": "C:vgg"}),
        StepForm("nst", {"weights": "..\\vgg"}), StepForm("nst", {"map": "photo_map"}),
        StepForm("mixture", {"style": "here"}), StepForm("quantise", {"classes": "classes.txt"}),
        StepForm("nst", {"style": {"chain": "pix2pix(model='a/b')"}}), StepForm("pix2pix", {"condition": "a\0b"}),
        StepForm("everything", {"mix": ["a/b"]}),
    ],
    ids=str,
)  # fmt: skip
def test_no_file_is_read_by_name(step):
    with pytest.raises(ArtkitError, match=r"reads no files by name|is a port"):
        chain_of_form(ChainForm(steps=[step]), registry())
    if not isinstance(step.options.get("style"), dict):
        options = step.options | ({"model": step.model} if step.model else {})
        options = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
        with pytest.raises(ArtkitError):
            read_chain(str(Chain([Step(step.method, options)])), registry())


@pytest.mark.parametrize("words", ["a lake and/or a hill", "~ 9 km of coast.at dusk", "C: a hill", "hills\\\\dales"])
def test_a_sentence_is_not_a_path(visitor, words):
    step = StepForm("stackgan", {"text": f"a lake, {words}", "morph": words + " and a lake"})
    chain = chain_of_form(ChainForm(steps=[step]), registry())
    assert chain == read_chain(str(chain), registry())
    answer = visitor.post("/api/chain", content=json.dumps({"text": str(chain)}))
    assert answer.status_code == 200, answer.text
    assert answer.json()["steps"][0]["options"] == step.options


@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "null", "{}", '{"text": 3}', '{"text": "invert", "steps": []}', '{"steps": []}',
        '{"text": "invert", "x": 1}',
        '{"steps": [{"method": "invert", "options": {"a": {"b": 1}}}]}', '{"steps": [{"options": {}}]}', "{" * 5000,
        '{"steps": [{"method": "everything", "options": {"mix": [[[1]]]}}]}', '{"text": "\\ud800"}', "\xff",
        '{"steps": [{"method": "a b", "options": {}}]}',
        '{"steps": [{"method": "everything", "options": {"amount": 1e400}}]}',
    ],
)  # fmt: skip
def test_other_json_is_refused(visitor, body):
    answer = visitor.post("/api/chain", content=body.encode("latin-1"))
    assert answer.status_code == 422, answer.text
    assert "\n" not in answer.json()["error"]


def test_forms_know_every_type_of_option():
    forms = {form.name: form for form in option_forms(registry().method("everything"))}
    assert {name: form.type for name, form in forms.items()} == {
        "amount": "number", "count": "integer", "way": "choice", "scale": "choice", "hard": "boolean", "words": "text",
        "fill": "text", "mix": "list",
    }  # fmt: skip
    assert (forms["amount"].minimum, forms["amount"].maximum, forms["amount"].default) == (0, 1, 0.5)
    assert (forms["count"].minimum, forms["count"].maximum, forms["count"].nullable) == (1, None, True)
    assert (forms["way"].choices, forms["way"].nullable) == (["up", "down"], False)
    assert (forms["scale"].choices, forms["scale"].nullable) == ([2, 4], True)
    assert forms["words"].summary == "what"
    assert forms["count"].words == "whole number from 1"


def test_all_methods_and_models_are_there(visitor):
    methods, models = (visitor.get(f"/api/{name}").json() for name in ("methods", "models"))
    assert {one["name"] for one in methods} == set(registry().methods)
    assert [one["name"] for one in methods] == sorted(registry().methods)
    assert {(one["method"], one["name"]) for one in models} == {
        (one.method, one.name) for one in list_models(registry())
    }
    pix2pix = next(one for one in methods if one["name"] == "pix2pix")
    assert (pix2pix["models"], pix2pix["default_model"]) == (["landscape", "renoir"], "landscape")
    assert {one["name"]: one["needs_model"] for one in methods}.items() >= {("pix2pix", True), ("nst", False)}
    landscape = next(one for one in models if one["method"] == "pix2pix")
    assert landscape["default"]
    assert landscape["inputs"] == {"image": "labels"}
    assert len(landscape["classes"]) == 12
    assert next(one for one in models if one["method"] == "can")["classes"] is None


def test_what_is_described_is_what_is_registered():
    for spec, info in zip(
        sorted(registry().methods.values(), key=lambda spec: spec.name), describe_methods(registry()), strict=True
    ):
        assert [port.name for port in spec.inputs] == [port.name for port in info.inputs]
        assert info.source == spec.is_source
        assert info.group == spec.heading
    assert sum(model.default for model in describe_models(registry())) >= 5


def test_all_that_threads_share_is_ready_before_they_start(monkeypatch):
    """msgspec's first look at a type is not safe where another thread takes one too: the process may die."""
    seen = []
    real = msgspec.convert

    def convert(value, type, **how):
        seen.append(type)
        return real(value, type, **how)

    monkeypatch.setattr(msgspec, "convert", convert)
    Studio(registry())
    owners = [*registry().methods.values(), *registry().datasets.values()]
    assert {spec.options for spec in owners} | {ChainForm, DreamForm, Record} <= set(seen)
