"""SemGAN's things: a dream's suns and houses have the shapes of the data's, and are no more than the data has."""

from __future__ import annotations

import msgspec
import pytest
import torch
from hypothesis import given, strategies as st
from PIL import Image
from torch import Tensor

from artkit import Chain, OptionError
from artkit.images import one_hot
from artkit.models.file import load_model, read_header, save_model
from artkit.training import train
from artkit_semgan.things import SHAPES, Things, collect_things, find_parts

SKY, GRASS, HOUSE = range(3)


def disc(side: int, centre: tuple[float, float], radius: float) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 <= (radius + 0.4) ** 2


def scene(*discs: tuple[tuple[float, float], float], side: int = 64) -> Tensor:
    """Return sky over grass, with discs of the class house."""
    labels = torch.full((side, side), SKY)
    labels[side // 2 :] = GRASS
    for centre, radius in discs:
        labels[disc(side, centre, radius)] = HOUSE
    return labels


def dreamt(labels: Tensor, second: int = GRASS) -> Tensor:
    """Return shares of a dream whose likeliest class is that of `labels`, and whose next is `second`: 1 K H W."""
    shares = 0.6 * one_hot(labels[None], 3)
    shares[:, second] += 0.4
    return shares


@pytest.fixture(scope="module")
def things() -> Things:
    """What is known of maps that hold one disc each."""
    maps = [scene(((20.0 + place, 30.0), 8.0 + place % 5)) for place in range(20)]
    return collect_things(maps, [HOUSE], 3)


def house_of(labels: Tensor) -> Tensor:
    return labels[0] == HOUSE


def test_a_part_becomes_the_shape_of_the_data_as_large_on_the_same_ground(things):
    labels = scene()
    labels[10:30, 20:34] = HOUSE  # a rectangle, where the data has discs
    drawn = things.redraw(dreamt(labels, SKY))
    (part,) = find_parts(house_of(drawn).numpy())
    rows, columns = part.box
    assert rows.stop == 30
    assert abs((columns.start + columns.stop) / 2 - 27) <= 1
    assert abs(part.mask.sum() - 20 * 14) <= 0.08 * 20 * 14
    tall, wide = part.mask.shape
    assert abs(tall - wide) <= 1
    round_one = disc(tall, ((tall - 1) / 2, (wide - 1) / 2), (tall - 1) / 2)
    assert (torch.from_numpy(part.mask) != round_one).float().mean() < 0.1
    assert torch.equal(drawn[0][~house_of(drawn)], scene()[~house_of(drawn)])  # what it left is the next likeliest


def test_parts_more_than_maps_have_give_way_the_smallest_first(things):
    labels = scene(((12.0, 12.0), 6.0), ((14.0, 44.0), 9.0), ((40.0, 30.0), 7.0))
    drawn = things.redraw(dreamt(labels))
    (part,) = find_parts(house_of(drawn).numpy())
    assert part.box[1].start > 30
    assert set(drawn[0][6:18, 6:18].flatten().tolist()) <= {SKY, GRASS}


def test_a_map_twice_as_wide_has_round_suns_too(things):
    labels = torch.full((48, 96), SKY)
    labels[10:30, 20:60] = HOUSE  # a disc of a square map, stretched with it
    (part,) = find_parts(house_of(things.redraw(dreamt(labels))).numpy())
    assert abs(part.mask.shape[0] - part.mask.shape[1]) <= 1


def test_what_is_cut_off_at_a_border_is_like_what_was_cut_off_there(things):
    labels = scene()
    labels[20:36, 0:12] = HOUSE  # the data has no house at the left border
    assert torch.equal(things.redraw(dreamt(labels))[0], labels)
    left = collect_things([scene(((28.0, 0.0), 9.0))], [HOUSE], 3)
    drawn = left.redraw(dreamt(labels))
    (part,) = find_parts(house_of(drawn).numpy())
    assert (part.box[0], part.edges) == (slice(20, 36), 4)
    assert 10 <= part.box[1].stop <= 12
    assert not house_of(drawn)[20, 11]
    assert house_of(drawn)[28, 9]


def test_what_no_shape_is_like_stays(things):
    labels = scene()
    labels[20:22, 2:62] = HOUSE  # a beam is no disc
    assert torch.equal(things.redraw(dreamt(labels))[0], labels)


def test_a_class_that_is_alone_allowed_stays():
    ring = torch.full((64, 64), HOUSE)
    ring[disc(64, (32.0, 32.0), 12.0)] = SKY
    logits = torch.full((1, 3, 20, 20), -torch.inf)
    logits[:, HOUSE] = 1.0
    assert (collect_things([ring], [HOUSE], 3).redraw(logits) == HOUSE).all()


def test_slivers_are_no_things_in_the_data_or_in_dreams():
    dust = scene(((20.0, 30.0), 8.0), ((50.0, 100.0), 8.0), side=128)
    dust[100, 100] = HOUSE
    two = collect_things([dust], [HOUSE], 3)
    assert (len(two.kinds), int(two.most[HOUSE])) == (2, 2)
    dust[disc(128, (50.0, 100.0), 8.0)] = GRASS
    assert len(list(find_parts(house_of(two.redraw(dreamt(dust))).numpy()))) == 1


def test_a_file_may_bring_so_many_shapes_of_a_class(things):
    labels = scene()
    labels[10:30, 20:34] = HOUSE
    full = Things(3, SHAPES + 1)
    full.most[HOUSE], full.kinds[:] = 1, HOUSE
    full.masks[-1], full.extents[-1] = things.masks[0], things.extents[0]
    assert torch.equal(full.redraw(dreamt(labels))[0], labels)  # the last is one too many


def test_the_common_shape_wins_over_the_odd_one():
    whole = [scene(((20.0, 30.0), 9.0)) for _ in range(9)]
    halved = scene(((20.0, 30.0), 9.0))
    halved[20:29, 20:40] = SKY
    known = collect_things([halved, *whole], [HOUSE], 3)
    labels = scene(((20.0, 30.0), 9.0))
    labels[24:30, 20:40] = SKY  # hidden by a third
    (part,) = find_parts(house_of(known.redraw(dreamt(labels))).numpy())
    assert abs(part.mask.shape[0] - part.mask.shape[1]) <= 1


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_any_dream_is_redrawn_in_its_own_classes(things, height, width, seed):
    draw = torch.Generator().manual_seed(seed)
    shares = torch.rand(2, 3, height, width, generator=draw).softmax(1)
    drawn = things.redraw(shares)
    assert drawn.shape == (2, height, width)
    assert 0 <= int(drawn.min()) <= int(drawn.max()) <= 2
    assert torch.equal(drawn[1:], things.redraw(shares[1:]))
    for labels in drawn:
        assert sum(1 for part in find_parts((labels == HOUSE).numpy()) if not part.edges) <= 2


def test_no_more_shapes_than_are_asked_for_and_none_of_nothing():
    maps = [scene(((20.0, 30.0), 8.0)) for _ in range(SHAPES + 5)]
    assert len(collect_things(maps, [HOUSE], 3).kinds) == SHAPES
    assert collect_things([scene()], [HOUSE], 3) is None


TINY = {
    "latent": 4, "width": 4, "discriminator_width": 4, "resolution": 32, "segmenter_width": 8,
    "segmenter_dilations": (1,), "patches": 2, "patch": 16, "warm_up": 1, "steps": 2, "batch": 3, "crop": 32,
    "learning_rate": 1e-3, "ema": 0.0, "precision": "fp32",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Label maps with a house each, wider than high."""
    root = tmp_path_factory.mktemp("data")
    (root / "classes.txt").write_text("0 sky 110 170 220\n1 grass 140 190 80\n2 house 180 80 60\n")
    colours = torch.tensor([[110, 170, 220], [140, 190, 80], [180, 80, 60]], dtype=torch.uint8)
    for split, count in (("train", 6), ("val", 2)):
        (root / split / "label").mkdir(parents=True)
        for index in range(count):
            labels = torch.cat([scene(((20.0, 20.0 + index), 9.0)), scene()], 1)
            Image.fromarray(colours[labels].numpy()).save(root / split / "label" / f"{index}.png")
    return root


def test_training_records_things_of_the_data_as_they_are(folder, tmp_path):
    model = load_model(train("semgan", str(folder), tmp_path / "run", values=TINY | {"things": ("house", "house")}))
    assert model.header.arguments["things"] == {"shapes": 6}
    assert model.tensors["things.most"].tolist() == [0, 0, 1]
    extents = model.tensors["things.extents"]
    assert torch.allclose(extents, torch.full((6, 2), 19 / (64 * 128) ** 0.5), atol=1e-3)  # round, though maps are not


def test_a_model_dreams_with_its_things(folder, tmp_path):
    model = load_model(train("semgan", str(folder), tmp_path / "run", values=TINY | {"things": ("house",)}))
    draw = torch.Generator().manual_seed(0)
    tensors = {
        name: tensor if not name.startswith("generator.") else 0.5 * torch.randn(tensor.shape, generator=draw).abs()
        if name.endswith("running_var") else 0.5 * torch.randn(tensor.shape, generator=draw).to(tensor.dtype)
        for name, tensor in model.tensors.items()
    }  # fmt: skip
    save_model(tmp_path / "drawn.safetensors", model.header, tensors)
    arguments = {part: value for part, value in model.header.arguments.items() if part != "things"}
    bare = {name: tensor for name, tensor in tensors.items() if not name.startswith("things.")}
    save_model(tmp_path / "raw.safetensors", msgspec.structs.replace(model.header, arguments=arguments), bare)
    drawn, raw = (
        torch.cat([Chain(f"semgan(model={str(path)!r})")(seed=seed, size=(48, 48)).tensor for seed in range(8)])
        for path in (tmp_path / "drawn.safetensors", tmp_path / "raw.safetensors")
    )
    inner = [[part for part in find_parts((one == HOUSE).numpy()) if not part.edges] for one in (*raw, *drawn)]
    assert max(len(parts) for parts in inner[:8]) > 1
    assert max(len(parts) for parts in inner[8:]) <= 1


def test_training_goes_on_with_the_things_of_a_model(folder, tmp_path):
    first = train("semgan", str(folder), tmp_path / "first", values=TINY | {"things": ("house",)})
    sizes = {"latent", "width", "resolution", "segmenter_width", "segmenter_dilations"}
    more = {name: value for name, value in TINY.items() if name not in sizes} | {"start": str(first)}
    for parts in ("generate", "segment"):
        second = load_model(train("semgan", str(folder), tmp_path / parts, values=more | {"parts": parts}))
        assert torch.equal(second.tensors["things.masks"], load_model(first).tensors["things.masks"])
    broken = load_model(first)
    save_model(tmp_path / "broken.safetensors", broken.header, broken.tensors | {"things.most": torch.tensor(1)})
    values = more | {"start": str(tmp_path / "broken.safetensors")}
    mended = load_model(train("semgan", str(folder), tmp_path / "mended", values=values))
    assert mended.tensors["things.most"].shape == (3,)
    dropped = train("semgan", str(folder), tmp_path / "dropped", values=more | {"things": ()})
    assert "things" not in read_header(dropped).arguments


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"things": ("hous",)}, "no class 'hous'.*Did you mean 'house'"),
        ({"things": ("house",), "parts": "segment"}, "only dreams of classes have things"),
        ({"things": ("house",), "parts": "generate", "colours": True}, "only dreams of classes have things"),
    ],
)
def test_things_that_cannot_be_are_refused(folder, tmp_path, changes, told):
    with pytest.raises(OptionError, match=told):
        train("semgan", str(folder), tmp_path / "run", values=TINY | changes)


def test_the_landscape_model_dreams_one_sun_at_most():
    dreams = [Chain("semgan")(seed=seed, size=(96, 96)) for seed in range(24)]
    suns = [(dream.tensor[0] == dream.classes.names.index("sun")).numpy() for dream in dreams]
    parts = [[part for part in find_parts(sun) if part.share > 5e-4] for sun in suns]
    assert max(map(len, parts)) == 1
    assert sum(map(len, parts)) >= 6
