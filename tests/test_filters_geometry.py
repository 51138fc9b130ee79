"""Resize, crop, pad, rotate: pixels move the same way in images, label maps, masks and alpha, at every depth."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from PIL import Image
from skimage.transform import rotate as skimage_rotate

from artkit import Chain, ClassSet, ImageError, Kind, LabelClass, OptionError, Picture, read_picture
from artkit.images import write_picture

CLASSES = ClassSet("greys", tuple(LabelClass(f"grey{i}", (i, i, i)) for i in range(0, 256, 5)))
MOVES = (
    "resize(width=11)",
    "resize(scale=1.7)",
    "resize(longest=9,filter=nearest)",
    "crop",
    "crop(height=2,x=1)",
    "pad(by=3)",
    "pad(left=1,right=0,fill=edge)",
    "rotate",
    "rotate(angle=-180)",
    "rotate(angle=33)",
    "rotate(angle=-71,expand=false)",
    "rotate(angle=5,fill=edge)",
)


def noise(height, width, channels=3, seed=0):
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


def labels(height, width):
    indices = torch.randint(len(CLASSES), (1, height, width), generator=torch.Generator().manual_seed(1))
    return Picture(indices, kind=Kind.LABELS, classes=CLASSES)


def pixels(height=6, width=8):
    return np.random.default_rng(2).integers(0, 256, (height, width, 3), np.uint8)


# -- sizes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "size"),
    [
        ("resize", (15, 20)),
        ("resize(scale=0.001)", (1, 1)),
        ("resize(width=20)", (15, 20)),
        ("resize(height=15)", (15, 20)),
        ("resize(width=5,height=7)", (7, 5)),
        ("resize(longest=8)", (6, 8)),
        ("crop", (30, 30)),
        ("crop(width=7)", (30, 7)),
        ("crop(width=7,height=9,x=33,y=21)", (9, 7)),
        ("crop(x=10,y=5)", (25, 30)),
        ("pad", (94, 104)),
        ("pad(by=0,top=3,left=4)", (33, 44)),
        ("rotate", (40, 30)),
        ("rotate(expand=false)", (30, 40)),
        ("rotate(angle=45)", (50, 50)),
        ("rotate(angle=270)", (40, 30)),
        ("rotate(angle=-360)", (30, 40)),
    ],
)
def test_sizes(step, size):
    assert Chain(step)(noise(30, 40)).size == size


@pytest.mark.parametrize(
    ("step", "words", "advice"),
    [
        ("crop(width=900)", "crop(width=900): the picture is only 8 pixels wide", "write width=8 or less"),
        ("crop(height=6,y=2)", "crop(height=6, y=2): the picture is only 6 pixels high", "height=4 or less"),
        ("crop(x=8)", "crop(x=8): the picture is only 8 pixels wide", "write x=7 or less"),
    ],
)
def test_a_crop_larger_than_the_picture_says_what_to_type(step, words, advice):
    with pytest.raises(ImageError) as caught:
        Chain(step)(pixels())
    message = str(caught.value)
    assert words in message
    assert advice in message
    assert "\n" not in message
    resized = message.partition("put ")[2].partition(" before")[0]
    Chain(f"{resized},{step}")(pixels())


def test_a_result_past_the_limit_is_refused(monkeypatch):
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "1000")
    with pytest.raises(ImageError, match=r"resize would make 80×60 pixels; the limit is 1000"):
        Chain("resize(scale=10)")(pixels())


@pytest.mark.parametrize("step", ["resize(width=0)", "pad(by=-1)", "rotate(angle=361)", "resize(filter=lanczos)"])
def test_options_are_checked_before_anything_runs(step):
    with pytest.raises(OptionError):
        Chain(step)(pixels())


# -- values -----------------------------------------------------------------------------------------------------


def test_resize_equals_pillows_bicubic():
    array = np.asarray(Image.fromarray(pixels(8, 8)).resize((60, 44), Image.Resampling.BICUBIC))
    for size in ((30, 22), (90, 71)):
        ours = Chain(f"resize(width={size[0]},height={size[1]})")(array).numpy()
        theirs = np.asarray(Image.fromarray(array).resize(size, Image.Resampling.BICUBIC))
        assert np.abs(ours.astype(int) - theirs).max() <= 2


@pytest.mark.parametrize(("fill", "mode"), [("mirror", "reflect"), ("edge", "edge")])
def test_pad_equals_numpys(fill, mode):
    array = pixels()
    ours = Chain(f"pad(by=2,left=9,fill={fill})")(array).numpy()
    assert np.array_equal(ours, np.pad(array, ((2, 2), (9, 2), (0, 0)), mode=mode))


def test_pad_with_a_colour():
    ours = Chain("pad(by=1,fill='#336699')")(pixels()).numpy()
    assert (ours[[0, -1]] == (0x33, 0x66, 0x99)).all()
    assert np.array_equal(ours[1:-1, 1:-1], pixels())


@pytest.mark.parametrize(("angle", "turns"), [(90, 1), (180, 2), (-90, 3), (270, 3), (360, 0)])
def test_quarter_turns_are_exact(angle, turns):
    assert np.array_equal(Chain(f"rotate(angle={angle})")(pixels()).numpy(), np.rot90(pixels(), turns))


def test_rotate_nears_the_quarter_turn():
    picture = noise(12, 12)
    near = Chain("rotate(angle=89.999,expand=false)")(picture).tensor
    assert torch.allclose(near, torch.rot90(picture, 1, (-2, -1)), atol=2e-3)


def test_rotate_equals_scikit_image():
    smooth = Chain("resize(width=60,height=40)")(noise(5, 6)).tensor
    ours = Chain("rotate(angle=25,expand=false,fill=edge)")(smooth).tensor[0].numpy()
    theirs = skimage_rotate(smooth[0].numpy().transpose(1, 2, 0).astype(float), 25, order=3, mode="edge")
    inner = np.abs(ours.transpose(1, 2, 0) - theirs)[12:-12, 20:-20]
    assert inner.max() < 0.01


def test_rotate_with_a_colour_fills_the_corners_only():
    turned = Chain("rotate(angle=45,fill=white)")(np.zeros((20, 20, 3), np.uint8)).numpy()
    assert (turned[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()
    assert (turned[8:-8, 8:-8] == 0).all()


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("pad(fill=whit)", "'whit' is no colour"),
        ("pad(fill=-1)", "-1 is no class"),
        ("pad(fill=3)", "3 is a class, for label maps only"),
        ("rotate(angle=5,fill='#12')", "'#12' is no colour"),
    ],
)
def test_fills_that_do_not_fit_an_image(step, words):
    with pytest.raises(OptionError, match=f"{words}.*Write mirror, edge, a colour"):
        Chain(step)(pixels())


# -- kinds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", MOVES)
@settings(max_examples=12)
@given(height=st.integers(2, 24), width=st.integers(2, 24))
def test_label_maps_stay_label_maps(step, height, width):
    before = labels(height, width)
    after = Chain(step)(before)
    assert after.kind is Kind.LABELS
    assert after.classes == CLASSES
    assert set(after.tensor.unique().tolist()) <= set(before.tensor.unique().tolist())


@pytest.mark.parametrize("step", ["pad(by=2,fill=7)", "rotate(angle=45,fill=7)"])
def test_a_class_may_fill_a_label_map(step):
    after = Chain(step)(labels(9, 9))
    assert (after.tensor[0, [0, -1], [0, -1]] == 7).all()


def test_fills_that_do_not_fit_a_label_map():
    with pytest.raises(OptionError, match="'white' fits no label map, which has classes"):
        Chain("pad(fill=white)")(labels(4, 4))
    with pytest.raises(ImageError, match=r"holds class 99, but the 'greys' class set has only classes 0 to 51"):
        Chain("pad(fill=99)")(labels(4, 4))


@pytest.mark.parametrize("step", MOVES)
@settings(max_examples=12)
@given(height=st.integers(2, 24), width=st.integers(2, 24))
def test_alpha_moves_with_the_picture(step, height, width):
    alpha = noise(height, width, channels=1)
    after = Chain(step)(Picture(alpha.expand(1, 3, -1, -1), alpha=alpha))
    assert torch.allclose(after.alpha, after.tensor[:, :1], atol=1e-6)


@pytest.mark.parametrize("step", ["pad(by=2,fill=white)", "rotate(angle=45,fill=white)"])
def test_a_coloured_border_is_transparent_where_there_is_alpha(step):
    after = Chain(step)(Picture(noise(9, 9), alpha=torch.ones(1, 1, 9, 9)))
    assert (after.alpha[0, 0, [0, -1], [0, -1]] == 0).all()
    assert after.alpha[0, 0, after.height // 2, after.width // 2] == 1


def test_sixteen_bits_survive(tmp_path):
    levels = np.random.default_rng(3).integers(0, 2**16, (10, 12, 4), np.uint16)
    source = write_picture(read_picture(levels), tmp_path / "deep.png")
    chain = Chain("pad(by=4),rotate(angle=90),rotate(angle=-90),crop(width=12,height=10,x=4,y=4),resize(scale=1)")
    result = read_picture(chain(source, precision="bf16").save(tmp_path / "again.png"))
    assert result.bits == 16
    assert np.array_equal(result.levels(16), levels[:, :, :3])
    assert np.array_equal(result.alpha_levels(16), levels[:, :, 3])


def test_label_maps_from_steps_are_carried_as_such():
    made = Chain("quantise,resize(scale=3),pad(by=2)")(pixels())
    assert made.kind is Kind.LABELS
    assert np.array_equal(made.tensor[0, 2:-2:3, 2:-2:3], Chain("quantise")(pixels()).tensor[0])
