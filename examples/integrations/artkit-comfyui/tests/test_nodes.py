"""The nodes, without ComfyUI: what they ask for, and that they make what artkit makes."""

import sys
from types import SimpleNamespace
from typing import Annotated, Literal

import pytest
import torch
from artkit import Kind, MethodSpec, Options, Port, option
from artkit.chain import Chain
from artkit.errors import ArtkitError
from artkit.plugins import current_registry

from artkit_comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from artkit_comfyui.nodes import make_node
from artkit_comfyui.widgets import LARGEST, values, widgets

WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN"}


def node(name):
    return NODE_CLASS_MAPPINGS[f"artkit {name}"]


def defaults(name):
    """Return the values of a node's widgets as ComfyUI begins with them."""
    asked = node(name).INPUT_TYPES()["required"]
    return {key: how["default"] for key, (kind, how) in asked.items() if isinstance(kind, list) or kind in WIDGETS}


def pictures(count, height=24, width=32):
    return torch.rand(count, height, width, 3, generator=torch.Generator().manual_seed(0))


def made(chain, picture, **how):
    return Chain(chain)(picture.movedim(-1, 0), **how).tensor.movedim(1, -1)


@pytest.mark.parametrize("name", sorted(current_registry().methods))
def test_every_method_is_a_node_that_comfyui_understands(name):
    assert NODE_DISPLAY_NAME_MAPPINGS[f"artkit {name}"]
    one = node(name)
    assert (len(one.RETURN_TYPES), len(one.RETURN_NAMES), one.FUNCTION) == (1, 1, "run")
    assert one.CATEGORY.startswith("artkit/")
    asked = one.INPUT_TYPES()
    assert list(asked) == ["required", "optional"]
    for kind, how in [*asked["required"].values(), *asked["optional"].values()]:
        assert isinstance(kind, list) or kind in WIDGETS | {"IMAGE", "MASK"}
        if isinstance(kind, list):
            assert how["default"] in kind
        if kind in ("INT", "FLOAT") and "default" in how:
            assert how["min"] <= how["default"] <= how["max"]
            assert isinstance(how["default"], int | float)


class Asked(Options, frozen=True):
    """One option of each sort."""

    strength: Annotated[float, option("how far", ge=0, le=1)] = 0.5
    count: Annotated[int, option("how many", gt=0)] = 3
    smooth: Annotated[bool, option("whether")] = True
    way: Annotated[Literal["near", "far"], option("where to")] = "far"
    sides: Annotated[tuple[int, ...], option("which sides")] = (32, 24)
    side: Annotated[int, option("which side", ge=1)] | None = None
    weights: Annotated[tuple[float, ...] | None, option("how much")] = None
    mixed: Annotated[int | str, option("what")] = 1


def test_each_sort_of_option_has_its_widget():
    assert widgets(SimpleNamespace(options=Asked)) == {
        "strength": ("FLOAT", {"default": 0.5, "min": 0, "max": 1, "step": 0.01, "tooltip": "how far"}),
        "count": ("INT", {"default": 3, "min": 0, "max": LARGEST, "step": 1, "tooltip": "how many"}),
        "smooth": ("BOOLEAN", {"default": True, "tooltip": "whether"}),
        "way": (["near", "far"], {"default": "far", "tooltip": "where to"}),
        "sides": ("STRING", {"default": "32, 24", "tooltip": "which sides"}),
        "side": ("STRING", {"default": "", "tooltip": "which side"}),
        "weights": ("STRING", {"default": "", "tooltip": "how much"}),
        "mixed": ("STRING", {"default": "1", "tooltip": "what"}),
    }


def test_what_widgets_were_set_to_comes_back():
    spec = SimpleNamespace(options=Asked)
    assert values(spec, {name: how["default"] for name, (_, how) in widgets(spec).items()}) == {}
    given = {"strength": 1.0, "smooth": False, "sides": "8, 4,", "side": "16", "weights": "0.5", "mixed": "b"}
    assert values(spec, given) == given | {"sides": ["8", "4"], "weights": ["0.5"]}


def test_sockets_tell_what_goes_in_and_comes_out():
    ports = Port("image", Kind.IMAGE, "a picture"), Port("caption", Kind.TEXT, "what it shows", required=False)
    named = make_node(MethodSpec("told", "Tell.", ports, Kind.MASK, translator="nowhere:Told", needs_model=False))
    asked = named.INPUT_TYPES()
    assert asked["required"]["image"] == ("IMAGE", {"tooltip": "a picture"})
    assert asked["optional"] == {"caption": ("STRING", {"tooltip": "what it shows"})}
    assert (named.RETURN_TYPES, named.RETURN_NAMES) == (("MASK",), ("mask",))


def test_a_node_makes_what_artkit_makes():
    batch = pictures(2)
    (result,) = node("blur")().run(**defaults("blur") | {"sigma": 1.5}, image=batch)
    assert result.shape == (2, 24, 32, 3)
    for one, wanted in zip(result, batch, strict=True):
        assert torch.equal(one[None], made("blur(sigma=1.5)", wanted))


def test_widgets_left_alone_are_the_methods_defaults():
    (result,) = node("edges")().run(**defaults("edges"), image=pictures(1))
    assert torch.equal(result, made("edges", pictures(1)[0]))


def test_other_inputs_are_each_pictures_own_or_the_first():
    batch, others = pictures(2), pictures(4)[2:]
    for other, pairs in ((others, [0, 1]), (others[:1], [0, 0])):
        (result,) = node("blend")().run(**defaults("blend"), image=batch, other=other)
        for index, which in enumerate(pairs):
            wanted = made("blend", batch[index], other=others[which].movedim(-1, 0))
            assert torch.equal(result[index : index + 1], wanted)


def test_a_mask_says_where():
    batch, mask = pictures(1), torch.zeros(1, 24, 32)
    mask[:, :, :16] = 1
    (result,) = node("blend")().run(**defaults("blend"), image=batch, other=pictures(2)[1:], mask=mask)
    assert torch.equal(result[:, :, 16:], pictures(2)[1:, :, 16:])
    assert not torch.equal(result[:, :, :16], pictures(2)[1:, :, :16])


def test_labels_travel_in_their_colours():
    (map_,) = node("semgan")().run(**defaults("semgan") | {"width": 64, "height": 48, "seed": 3})
    assert map_.shape == (1, 48, 64, 3)
    (port, *_) = node("pix2pix").spec.inputs
    (photo,) = node("pix2pix")().run(**defaults("pix2pix"), **{port.name: map_})
    assert photo.shape == (1, 48, 64, 3)


def test_what_is_wrong_is_artkits_one_line():
    with pytest.raises(ArtkitError, match="nowhere"):
        node("superres")().run(**defaults("superres") | {"model": "nowhere"}, image=pictures(1))


def test_comfyui_is_not_imported():
    assert not {"comfy", "nodes", "folder_paths", "comfy_api"} & sys.modules.keys()
