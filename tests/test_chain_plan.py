"""Planning: what is checked before a weight is read, and what every message names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import pytest

from artkit.chain import Chain, Plan, plan_chain
from artkit.errors import ChainError, ModelError, OptionError
from artkit.hookspecs import hookimpl
from artkit.plugins import PluginSource, Registry
from artkit.spec import Kind, MethodSpec, ModelHeader, Options, Port, describe_options, option


class NstOptions(Options):
    """Options of the fake style transfer."""

    strength: Annotated[float, option("how much", ge=0, le=1)] = 0.5
    layers: tuple[str, ...] = ("one",)
    sizes: tuple[int, ...] = ()
    mode: Literal["soft", "hard"] = "soft"
    keep: bool = False


def _method(name: str, ports: list[Port], output: Kind = Kind.IMAGE, **more: Any) -> MethodSpec:
    needs_model = "default_model" in more
    return MethodSpec(name, "s", tuple(ports), output, "m:T", needs_model=needs_model, **more)


IMAGE = Port("image", Kind.IMAGE)
METHODS = [
    _method("can", []),
    _method("semgan", [Port("image", Kind.IMAGE, required=False)], Kind.LABELS, default_model="world"),
    _method("pix2pix", [IMAGE], default_model="landscape"),
    _method("nst", [IMAGE, Port("style", Kind.IMAGE)], options=NstOptions),
    _method("inpaint", [IMAGE, Port("mask", Kind.MASK, required=False)]),
    _method("matte", [IMAGE], Kind.MASK),
    _method("caption", [IMAGE], Kind.TEXT),
    _method("stackgan", [Port("text", Kind.TEXT)]),
]


class Plugin:
    """Registers the fake methods."""

    @hookimpl
    def register_methods(self) -> list[MethodSpec]:
        return METHODS


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return a registry of fake methods; every model is found, except one called `absent`."""

    def find_model(method: str, name: str | None, registry: Registry, default: str | None) -> Path:
        if name == "absent":
            raise ModelError(f"{method} has no model 'absent': looked for /store/{method}")
        return Path(f"/store/{method}/{name or default}.safetensors")

    def read_header(path: Path) -> ModelHeader:
        method, kinds = path.parent.name, {"image": Kind.LABELS} if path.stem == "landscape" else {}
        if path.stem == "foreign":
            method = "nst"
        output = Kind.LABELS if path.stem in ("world", "to_labels") else Kind.IMAGE
        return ModelHeader(method=method, architecture="a", inputs=kinds, output=output)

    monkeypatch.setattr("artkit.models.store.find_model", find_model)
    monkeypatch.setattr("artkit.models.opening.read_header", read_header)
    found = Registry()
    found.add(PluginSource("fake", Plugin))
    return found


def plan(registry: Registry, text: str, has_input: bool = True, **ports: Any) -> Plan:
    """Plan a chain from its text."""
    return plan_chain(Chain(text), registry, has_input=has_input, ports=ports)


def test_flagship_chain_is_planned(registry: Registry) -> None:
    found = plan(registry, "semgan,pix2pix(model=winter,seed=4),nst(strength=0.8,layers=[a,b],sizes=[1,2],style=[can])")
    assert [step.index for step in found.steps] == [0, 1, 2]
    semgan, pix2pix, nst = found.steps
    assert semgan.model == Path("/store/semgan/world.safetensors")
    assert (semgan.output, semgan.seed, semgan.bindings) == (Kind.LABELS, None, {"image": "previous"})
    assert pix2pix.model == Path("/store/pix2pix/winter.safetensors")
    assert (pix2pix.seed, pix2pix.header and pix2pix.header.method) == (4, "pix2pix")
    assert nst.model is nst.header is None
    assert nst.options == NstOptions(strength=0.8, layers=("a", "b"), sizes=(1, 2))
    assert nst.bindings["image"] == "previous"
    style = nst.bindings["style"]
    assert isinstance(style, Plan)
    assert [step.spec.name for step in style.steps] == ["can"]
    assert found.output is Kind.IMAGE


def test_model_header_narrows_the_kinds(registry: Registry) -> None:
    found = plan(registry, "pix2pix,pix2pix(model=to_labels)")
    assert found.steps[0].port_kind("image") is Kind.LABELS
    assert found.steps[1].port_kind("image") is Kind.IMAGE
    assert found.output is Kind.LABELS
    with pytest.raises(KeyError):
        found.steps[0].port_kind("style")


def test_a_source_dreams_or_translates(registry: Registry) -> None:
    assert plan(registry, "semgan,pix2pix", has_input=False).steps[0].bindings == {}
    assert plan(registry, "semgan,pix2pix").steps[0].bindings == {"image": "previous"}


def test_ports_are_fed_from_outside(registry: Registry, tmp_path: Path) -> None:
    picture = tmp_path / "monet.jpg"
    picture.touch()
    found = plan(registry, "nst,nst(style=[can]),nst", style=picture)
    assert found.steps[0].bindings == {"image": "previous", "style": picture}
    assert isinstance(found.steps[1].bindings["style"], Plan)
    assert found.steps[2].bindings["style"] == picture
    array = np.zeros((2, 2, 3), np.uint8)
    found = plan(registry, "nst", style=array)
    assert found.steps[0].bindings["style"] is array
    assert "style=<ndarray>" in found.describe()[0]
    assert plan(registry, "pix2pix", has_input=False, image=str(picture)).steps[0].bindings == {"image": picture}


def test_outside_port_reaches_into_a_nested_chain(registry: Registry, tmp_path: Path) -> None:
    picture = tmp_path / "monet.jpg"
    picture.touch()
    style = plan(registry, "nst(style=[pix2pix])", image=picture).steps[0].bindings["style"]
    assert isinstance(style, Plan)
    assert style.steps[0].bindings == {"image": picture}


ERRORS: dict[str, tuple[type[Exception], str]] = {
    "pix2pixx": (ChainError, r"'pix2pixx'.*'pix2pix'"),
    "semgan,nst(stlye=[can])": (OptionError, r"nst has no option 'stlye'.*'style'"),
    "nst(style=[can],vary=strength)": (OptionError, r"nst\(vary=strength\): only a port that a chain.*vary=style"),
    "pix2pix(vary=image)": (OptionError, r"pix2pix\(vary=image\): only a port that a chain feeds"),
    "nst(style=[can],vary=3)": (OptionError, r"nst\(vary=3\)"),
    "nst(style=[can],vary=[can(seed=1)])": (OptionError, r"vary="),
    "nst(strengh=1)": (OptionError, r"nst has no option 'strengh'.*'strength'"),
    "nst(strength=7,style=[can])": (OptionError, r"nst\(strength=7\): expected number 0 to 1\."),
    "nst(strength=lots,style=[can])": (OptionError, r"nst\(strength='lots'\): expected number 0 to 1\."),
    "nst(mode=loud,style=[can])": (OptionError, r"nst\(mode='loud'\) is unknown\. Known: hard, soft\."),
    "nst(mode=sofft,style=[can])": (OptionError, r"nst\(mode='sofft'\) is unknown\. Did you mean 'soft'\?"),
    "nst(sizes=[a,b],style=[can])": (OptionError, r"nst\(sizes=\['a', 'b'\]\): expected list: whole number\."),
    "nst(keep=maybe,style=[can])": (OptionError, r"nst\(keep='maybe'\): expected true or false\."),
    "nst(layers=[a(x=1)],style=[can])": (OptionError, r"nst\(layers="),
    "nst(strength=[can],style=[can])": (OptionError, r"nst\(strength="),
    "semgan(seed=-1)": (OptionError, r"semgan\(seed=-1\).*whole number"),
    "semgan(seed=true)": (OptionError, r"semgan\(seed=True\).*whole number"),
    "semgan(seed=0.5)": (OptionError, r"semgan\(seed=0.5\).*whole number"),
    "can": (ChainError, "can makes its pictures from nothing.*leave the input out"),
    "semgan,can": (ChainError, "can takes nothing in, so it can only start a chain; here it is step 2"),
    "nst": (ChainError, r"nst needs its port 'style' \(image\).*-i style=PATH.*nst\(style="),
    "nst(style=monet)": (ChainError, r"'style' is a port of nst.*-i style=PATH"),
    "nst(image=[can],style=[can])": (ChainError, "port 'image' of nst is fed twice"),
    "nst(style=[pix2pix])": (ChainError, r"pix2pix needs a picture.*\(can, semgan\)"),
    "nst(style=[can,caption])": (ChainError, r"nst takes image in its port 'style', but \[can,caption\] gives text"),
    "inpaint,stackgan": (ChainError, r"stackgan takes text .* the step before it gives image. Put caption between"),
    "stackgan": (ChainError, r"stackgan takes text .* the input gives image. Put caption between"),
    "caption,pix2pix": (ChainError, r"pix2pix takes labels .* gives text"),
    "caption,inpaint": (ChainError, r"inpaint takes image .* gives text. Put stackgan between"),
    "semgan,inpaint(mask=[semgan])": (ChainError, r"inpaint takes mask .* gives labels. Put matte between"),
    "matte,inpaint": (ChainError, r"inpaint takes image .* gives mask"),
    "pix2pix(model=absent)": (ModelError, "pix2pix has no model 'absent': looked for"),
    "pix2pix(model=foreign)": (ModelError, r"foreign.* is a model of nst: write nst\(model=\.\.\.\), not pix2pix"),
    "pix2pix(model=[can])": (OptionError, r"pix2pix\(model=\.\.\.\)"),
    "pix2pix(model=true)": (OptionError, r"pix2pix\(model=\.\.\.\)"),
    "nst(model=winter,style=[can])": (OptionError, r"nst has no models.*model=winter"),
}


@pytest.mark.parametrize("text", ERRORS)
def test_mistake_is_named(text: str, registry: Registry) -> None:
    kind, message = ERRORS[text]
    with pytest.raises(kind, match=message) as caught:
        plan(registry, text)
    assert "\n" not in str(caught.value)


def test_kinds_that_fit(registry: Registry) -> None:
    for text in ("semgan,inpaint", "inpaint,pix2pix", "inpaint(mask=[can]),pix2pix", "inpaint(mask=[can,matte])"):
        assert plan(registry, text).output is Kind.IMAGE


def test_chain_without_input_must_start_with_a_source(registry: Registry) -> None:
    with pytest.raises(ChainError, match=r"pix2pix needs a picture: give one, or start.*\(can, semgan\)"):
        plan(registry, "pix2pix", has_input=False)


def test_ports_given_wrongly(registry: Registry, tmp_path: Path) -> None:
    picture = tmp_path / "monet.jpg"
    picture.touch()
    with pytest.raises(ChainError, match=r"-i style=absent.jpg: absent.jpg does not exist"):
        plan(registry, "nst", style=Path("absent.jpg"))
    with pytest.raises(ChainError, match=r"-i style=.* is a folder"):
        plan(registry, "nst", style=tmp_path)
    with pytest.raises(ChainError, match="port 'style' of nst is fed already"):
        plan(registry, "nst(style=[can])", style=picture)
    with pytest.raises(ChainError, match="port 'image' of pix2pix is fed already"):
        plan(registry, "pix2pix", image=picture)
    with pytest.raises(ChainError, match="No step of the chain has a port 'style'; nst would have"):
        plan(registry, "semgan", style=picture)
    with pytest.raises(ChainError, match=r"No method has a port 'stile'.*'style'"):
        plan(registry, "semgan", stile=picture)


def test_plan_describes_itself(registry: Registry, tmp_path: Path) -> None:
    picture = tmp_path / "monet.jpg"
    picture.touch()
    lines = plan(registry, "semgan,pix2pix(seed=4),nst(style=[can]),nst", style=picture).describe()
    assert len(lines) == 6
    assert lines[0].startswith("1. semgan   the input -> labels")
    for word in ("labels -> image", "pix2pix/landscape.safetensors", "seed 4"):
        assert word in lines[1]
    assert "style=[can]" in lines[2]
    assert "strength=0.5" in lines[2]
    assert lines[3] == "   style:"
    assert lines[4].startswith("     1. can  noise -> image")
    assert f"style={picture}" in lines[5]


def test_a_nested_plan_is_a_tree(registry: Registry) -> None:
    lines = plan(registry, "nst(style=[nst(image=[can],style=[can])],vary=style)").describe()
    heads = ["1. nst", "   style, anew for each picture:", "     1. nst"]
    heads += ["        image:", "          1. can", "        style:", "          1. can"]
    assert [line.startswith(head) for line, head in zip(lines, heads, strict=True)] == [True] * 7


def test_a_chain_is_settled_by_seeds_of_all_its_steps(registry: Registry) -> None:
    assert plan(registry, "nst(style=[can],seed=1)").is_settled
    assert not plan(registry, "nst(style=[can(seed=1)]),semgan(seed=2)").is_settled


def test_plan_as_json(registry: Registry, tmp_path: Path) -> None:
    picture = tmp_path / "monet.jpg"
    picture.touch()
    data = json.loads(json.dumps(plan(registry, "semgan,nst(style=[can]),nst", style=picture).as_json()))
    assert data["chain"] == "semgan,nst(style=[can]),nst"
    assert data["output"] == "image"
    first, second, third = data["steps"]
    assert first["inputs"] == {"image": {"from": "input"}}
    assert first["model"] == "/store/semgan/world.safetensors"
    assert second["inputs"]["image"] == {"from": "previous"}
    assert second["inputs"]["style"]["chain"] == "can"
    assert second["options"]["strength"] == 0.5
    assert third["inputs"]["style"] == {"from": "file", "path": str(picture)}


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int, "whole number"),
        (bool | None, "true or false"),
        (int | str, "whole number or text"),
        (Literal["soft", "hard", "none"] | None, "soft, hard or none"),
        (tuple[Literal[1, 3], Literal[1, 3]], "list of 2: 1 or 3"),
        (tuple[str, ...], "list: text"),
        (Annotated[float, option("", ge=0, le=1)], "number 0 to 1"),
        (Annotated[float | None, option("", gt=0)], "number above 0"),
        (Annotated[float, option("", ge=0, lt=1)], "number from 0 and below 1"),
        (Annotated[int, option("", le=5)], "whole number up to 5"),
        (Annotated[str, option("")], "text"),
    ],
)
def test_types_of_options_are_told_in_words(hint, words):
    (row,) = describe_options(msgspec.defstruct("Some", [("it", hint)], bases=(Options,), kw_only=True))
    assert row.type == words
