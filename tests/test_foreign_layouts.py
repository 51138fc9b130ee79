"""Which network a file is taken for, whatever its shapes; by which arguments, in which words; and what is noted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from artkit import __version__
from artkit.errors import ModelError, OutputError
from artkit.hookspecs import hookimpl
from artkit.models import load_model, user_model_path
from artkit.models.foreign import export_networks, generator_header, import_model, keep_model, recognise
from artkit.models.foreign.exporting import _discriminator_arguments
from artkit.models.foreign.layout import describe, norm_of, side
from artkit.models.foreign.recognising import LAYOUTS
from artkit.nn import PatchDiscriminator
from artkit.plugins import PluginSource, Registry, current_registry
from artkit.spec import ClassSet, ForeignFile, Hints, Kind, LabelClass, ModelHeader
from foreign_reference import patch_state, resnet_state, unet_state

ODD = [
    {},
    {"model.1.weight": (), "model.0.weight": (3,), "model.model.0.weight": (2,), "net.0.weight": ()},
    {"model.9999999.weight": (1, 1, 1, 1), "model.x.weight": (1, 1, 1, 1), "model.10.conv_block.6.weight": (4,)},
    {f"model.model.1.model{'.3.model' * depth}.x": (1,) for depth in range(1, 30)},
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: type(layout).__name__)
@pytest.mark.parametrize("shapes", ODD, ids=["none", "flat", "far", "deep"])
def test_a_guess_is_made_of_whatever_shapes(layout, shapes):
    arguments = layout.guess(shapes)
    entries = list(layout.entries(arguments))
    assert len({entry.ours for entry in entries}) == len(entries) > 2
    assert layout.owns(layout.network(arguments), arguments)
    assert layout.role in ("generator", "discriminator")
    with pytest.raises(ModelError, match=r"^no network artkit knows"):
        recognise({name: torch.zeros(shape) for name, shape in shapes.items()})


def test_nests_are_no_deeper_than_pictures_can_be():
    assert LAYOUTS[1].guess(ODD[3])["levels"] == 16
    assert LAYOUTS[1].guess({})["levels"] == 2


def test_an_unknown_network_is_shown_by_its_first_tensor():
    for state, first in (({"fc.weight": torch.zeros(2, 3)}, " (the first of 1: fc.weight (2, 3))"), ({}, "")):
        with pytest.raises(ModelError) as caught:
            recognise(state)
        assert str(caught.value) == (
            f"no network artkit knows: its tensors{first} are not named as in the ResNet and U-Net generators and the "
            "PatchGAN discriminators of pytorch-CycleGAN-and-pix2pix and CUT."
        )


@pytest.mark.parametrize(
    ("network", "layers", "owner"),
    [("resnet_6", 3, 0), ("unet_256", 3, 1), ("patch", 3, 2), ("patch", 1, 2), ("patch", 0, 3), ("subpixel", 3, None)],
)
def test_a_network_belongs_to_one_layout(network, layers, owner):
    owners = [index for index, layout in enumerate(LAYOUTS) if layout.owns(network, {"layers": layers})]
    assert owners == ([] if owner is None else [owner])


@pytest.mark.parametrize("layout", LAYOUTS[::2], ids=["resnet", "patch"])
def test_networks_without_a_word_about_filters_have_none(layout):
    arguments = layout.guess({})
    plain = {name: value for name, value in arguments.items() if name != "antialias"}
    assert list(layout.entries(plain)) == list(layout.entries(plain | {"antialias": False}))
    assert list(layout.entries(plain)) != list(layout.entries(plain | {"antialias": True}))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (resnet_state("batch", blocks=2, dropout=True), "ResNet-2, 4 filters, batch norm, trained with dropout"),
        (
            resnet_state("none", blocks=2, cut=True),
            "ResNet-2, 4 filters, no norm, trained without dropout, anti-aliased as in CUT",
        ),
        (
            resnet_state(blocks=2, inside=1),
            "ResNet-2, 4 filters, instance norm, 1 to 3 channels, trained without dropout",
        ),
        (unet_state(levels=5, outside=1), "U-Net-32, 4 filters, batch norm, 3 to 1 channels"),
        (unet_state(levels=5, inside=1, outside=1), "U-Net-32, 4 filters, batch norm, 1 to 1 channels"),
        (
            patch_state("instance", 2, inside=6),
            "PatchGAN discriminator, 2 layers, 4 filters, instance norm, seeing 6 channels",
        ),
        (
            patch_state("batch", 3, inside=3, cut=True),
            "PatchGAN discriminator, 3 layers, 4 filters, batch norm, seeing 3 channels, anti-aliased as in CUT",
        ),
    ],
)
def test_words(state, words):
    assert recognise(state).words == words


def test_sides_and_norms_are_read_off_shapes():
    shapes = {"a.weight": (2, 3), "b.bias": (1,), "c.weight": (4,)}
    assert [side(shapes, "a.weight", axis) for axis in (0, 1, 2)] == [2, 3, 1]
    assert side(shapes, "z", 0) == 1
    assert [norm_of(shapes, convolution, norm) for convolution, norm in ("bc", "bz", "zz", "zc")] == [
        *("batch", "instance", "none", "batch"),
    ]
    assert describe({"width": 4, "norm": "none", "in_channels": 3, "out_channels": 3}) == "4 filters, no norm"


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
@pytest.mark.parametrize(("layers", "antialias"), [(0, False), (1, False), (3, False), (3, True)])
def test_what_decides_the_names_of_a_discriminators_tensors(norm, layers, antialias):
    state = PatchDiscriminator(3, 4, layers, norm, antialias=antialias).state_dict()
    found = _discriminator_arguments(state)
    assert (found["layers"], found["norm"], found["antialias"]) == (layers, norm, antialias)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))


def saved(state, path):
    torch.save(state, path)
    return path


@pytest.mark.usefixtures("home")
def test_a_header_notes_what_was_imported(tmp_path):
    paths = [
        saved(unet_state(levels=5), tmp_path / "latest_net_G.pth"),
        saved(patch_state(inside=6), tmp_path / "D.pth"),
    ]
    header = import_model(paths, "pix2pix", current_registry(), Hints(size=64, licence="CC0-1.0")).header
    assert (header.artkit, header.licence, header.name) == (__version__, "CC0-1.0", "")
    assert header.training == {"imported": ["latest_net_G.pth", "D.pth"], "crop": 64}
    words = "U-Net-32, 4 filters, batch norm"
    assert header.summary == f"{words} and PatchGAN discriminator, 3 layers, 4 filters, batch norm, seeing 6 channels"
    model = import_model(paths[0], "pix2pix", current_registry())
    assert model.header.training == {"imported": ["latest_net_G.pth"]}
    assert (model.header.summary, model.path) == (words, paths[0])
    kept = keep_model(model, "mine")
    assert kept == user_model_path("pix2pix", "mine")
    assert load_model(kept).header.name == "mine"
    with pytest.raises(OutputError) as caught:
        keep_model(model, "mine")
    assert str(caught.value) == (f"There is a model 'mine' already, {kept}: choose another --name, or add --overwrite.")
    assert keep_model(model, "mine", overwrite=True) == kept


class Telling:
    """A plugin that writes its own summary, licence and training into the header."""

    @hookimpl
    def import_checkpoint(self, checkpoint, method):
        known = {"summary": "Mine.", "licence": "MIT", "training": {"imported": "otherwise"}}
        return ModelHeader(method="mine", architecture="b", inputs={}, output=Kind.IMAGE, **known), {}


def test_what_a_plugin_says_stands(tmp_path):
    registry = Registry()
    registry.add(PluginSource("telling", Telling))
    path = saved({"w": torch.zeros(1)}, tmp_path / "net.pth")
    header = import_model(path, None, registry, Hints(licence="CC0-1.0")).header
    assert (header.summary, header.licence) == ("Mine.", "MIT")
    assert header.training == {"imported": "otherwise"}


FOUR = ClassSet("four", tuple(LabelClass(f"c{n}", (n, 0, 0)) for n in range(4)))


@pytest.mark.parametrize(
    ("inside", "outside", "classes", "found"),
    [
        (3, 3, None, Kind.IMAGE),
        (1, 1, None, Kind.IMAGE),
        (4, 3, FOUR, Kind.LABELS),
        (3, 3, ClassSet("three", FOUR.classes[:3]), Kind.IMAGE),
        (4, 3, None, "takes 4 channels, so label maps of 4 classes, one a channel: "),
        (5, 3, FOUR, "takes 5 channels, so label maps of 5 classes, one a channel; --classes names 4: "),
        (3, 2, None, "is U-Net-32, 4 filters, batch norm, 3 to 2 channels: it gives 2 channels; a picture has 1 or 3."),
    ],
)
def test_channels_are_pictures_or_classes_that_are_named(inside, outside, classes, found):
    file = ForeignFile(Path("net.pth"), {}, recognise(unet_state(levels=5, inside=inside, outside=outside)))
    if isinstance(found, Kind):
        header = generator_header("pix2pix", file, Hints(classes=classes))
        assert (header.method, header.inputs, header.output) == ("pix2pix", {"image": found}, Kind.IMAGE)
        assert (header.architecture, header.classes) == ("unet_32", classes)
        assert (header.size_multiple, header.size_minimum) == (32, 32)
        return
    with pytest.raises(ModelError) as caught:
        generator_header("pix2pix", file, Hints(classes=classes))
    said = f"net.pth {found}"
    if found.endswith(": "):
        said += f"artkit models import net.pth --classes classes.txt, with {inside} lines `index name R G B`."
    assert str(caught.value) == said


def test_networks_that_the_layout_does_not_have(tmp_path):
    model = import_model(saved(unet_state(levels=5), tmp_path / "net.pth"), "pix2pix", current_registry())
    path = tmp_path / "net.pth"
    for name, sentence in (
        ("generator.more", f"{path}: its generator does not fit the layout of cyclegan; unexpected: more."),
        ("mixer.w", "The layout of cyclegan has generators and discriminators, and no 'mixer'."),
    ):
        changed = type(model)(model.header, model.tensors | {name: torch.zeros(1)}, path)
        with pytest.raises(ModelError) as caught:
            export_networks(changed)
        assert str(caught.value) == sentence
    back = export_networks(model)
    assert list(back) == ["G"]
    assert back["G"].keys() == unet_state(levels=5).keys()
