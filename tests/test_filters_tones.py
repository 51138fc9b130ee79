"""Filters that change values: against scikit-image, by known values, and at the extremes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from skimage import color, exposure, feature, filters, restoration

from artkit import Chain, Kind, OptionError, read_picture
from artkit.plugins import current_registry
from artkit.testing import check_method

IMAGE_FILTERS = (
    "grey",
    "gamma",
    "posterise",
    "equalise",
    "equalise(adaptive=true)",
    "blur",
    "sharpen",
    "denoise",
    "denoise(way=nlm)",
    "edges",
    "superpixels",
    "blend",
)


def picture(height=20, width=24, seed=0):
    """Return a smooth random picture, float32 (H, W, 3)."""
    noise = np.random.default_rng(seed).random((height, width, 3), np.float32)
    return np.clip(filters.gaussian(noise, 1.5, channel_axis=2) * 3 - 1, 0, 1).astype(np.float32)


def run(step, array, **ports):
    return Chain(step)(array, **ports).tensor[0].permute(1, 2, 0).numpy()


OPTIONS = [
    ("resize", {"width": 9}),
    ("resize", {"longest": 20, "filter": "nearest"}),
    ("crop", {"x": 0, "y": 0}),
    ("pad", {"by": 5, "top": 0, "fill": "edge"}),
    ("rotate", {"angle": 12.5}),
    ("rotate", {"angle": 90, "expand": False, "fill": "edge"}),
    ("gamma", {"power": 3}),
    ("posterise", {"levels": 2}),
    ("equalise", {"adaptive": True, "limit": 256}),
    ("blur", {"sigma": 0}),
    ("blur", {"sigma": 30}),
    ("sharpen", {"amount": 9, "radius": 4}),
    ("denoise", {"way": "nlm", "strength": 1}),
    ("denoise", {"strength": 0.001}),
    ("edges", {"sigma": 0, "low": 0, "high": 0, "invert": True}),
    ("superpixels", {"count": 1}),
    ("superpixels", {"count": 100000, "compactness": 0.01}),
    ("overlay", {"lines": 0}),
    ("overlay", {"lines": 64}),
]


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_the_contract_holds_with_other_options(name, options):
    check_method(name, current_registry(), options=options, sizes=((1, 1), (1, 7), (17, 12)))


@pytest.mark.parametrize("level", [0, 0.3, 1])
@pytest.mark.parametrize("step", [step for step in IMAGE_FILTERS if step not in ("edges", "gamma", "posterise")])
def test_a_flat_picture_stays_flat(step, level):
    flat = np.full((17, 13, 3), level, np.float32)
    assert np.allclose(run(step, flat), flat, atol=0.02)


@pytest.mark.parametrize("step", IMAGE_FILTERS)
def test_depth_and_alpha_are_kept(step):
    levels = np.random.default_rng(1).integers(0, 2**16, (9, 8, 4), np.uint16)
    made = Chain(step)(levels, precision="bf16")
    assert made.bits == 16
    assert np.array_equal(made.alpha_levels(16), levels[:, :, 3])


@pytest.mark.parametrize("step", ["gamma", "equalise", "equalise(adaptive=true,tiles=1)", "sharpen(amount=0)"])
def test_no_two_levels_of_sixteen_bits_become_one(step):
    ramp = np.linspace(9000, 50000, 64 * 64).astype(np.uint16).reshape(64, 64)
    assert len(np.unique(Chain(step)(ramp).levels(16))) >= 0.98 * ramp.size


@pytest.mark.parametrize("step", IMAGE_FILTERS)
def test_label_maps_are_painted_first(step):
    labels = Chain("quantise")(picture())
    made = Chain(step)(labels)
    assert made.kind is Kind.IMAGE
    assert torch.equal(made.tensor, Chain(step)(labels.painted()).tensor)


# -- each by itself ---------------------------------------------------------------------------------------------


def test_grey_equals_scikit_image():
    made = run("grey", picture())
    assert np.allclose(made[:, :, 0], color.rgb2gray(picture()), atol=1e-3)
    assert (made == made[:, :, :1]).all()


@settings(max_examples=10)
@given(power=st.floats(0.1, 10))
def test_gamma(power):
    assert np.allclose(run(f"gamma(power={power})", picture(4, 4)), picture(4, 4) ** power, atol=1e-5)


@pytest.mark.parametrize("levels", [2, 3, 4, 200])
def test_posterise_leaves_that_many_levels(levels):
    ramp = np.linspace(0, 1, 3000, dtype=np.float32).reshape(50, 60)
    made = np.unique(run(f"posterise(levels={levels})", ramp))
    assert np.allclose(made, np.linspace(0, 1, levels), atol=1e-6)


def test_equalise_without_a_limit_equals_scikit_image():
    grey = picture(60, 60).mean(2) * 0.5 + 0.2
    made = run("equalise(limit=256)", grey)[:, :, 0]
    assert np.abs(made - exposure.equalize_hist(grey)).max() < 0.03


def test_equalise_widens_contrast_and_keeps_hues():
    dull = picture(60, 60) * 0.1 + 0.4
    for step, limit in (("equalise(limit=2)", 2), ("equalise(limit=8)", 8), ("equalise(adaptive=true)", 4)):
        made = run(step, dull)
        growth = made.max(2).std() / dull.max(2).std()
        assert 0.6 * limit < growth < limit
        assert np.allclose(made[:, :, 0] / made.max(2), dull[:, :, 0] / dull.max(2), atol=1e-4)


def test_adaptive_equalise_looks_at_parts():
    halves = picture(64, 64) * 0.1
    halves[:, 32:] += 0.9
    made = run("equalise(adaptive=true,limit=16)", halves).max(2)
    assert made[:, :16].std() > 3 * halves[:, :16].max(2).std()
    assert made[:, 48:].std() > 3 * halves[:, 48:].max(2).std()


def test_match_gives_the_histogram_of_the_reference():
    made = run("match", picture(), reference=picture(30, 11, seed=5) * 0.3)
    theirs = exposure.match_histograms(picture(), picture(30, 11, seed=5) * 0.3, channel_axis=2)
    assert np.allclose(made, theirs, atol=1e-6)


def test_match_can_take_a_chain():
    made = Chain("match(reference=[semgan])")(picture())
    assert made.size == (20, 24)


def test_blur_is_a_gaussian():
    dot = np.zeros((41, 41, 3), np.float32)
    dot[20, 20] = 1
    made = run("blur(sigma=3)", dot)[:, :, 0]
    assert made.sum() == pytest.approx(1, abs=1e-4)
    across = np.arange(-20, 21) ** 2
    assert (made.sum(0) * across).sum() == pytest.approx(9, rel=0.02)
    assert np.array_equal(run("blur(sigma=0)", picture()), picture())


def test_sharpen_equals_scikit_image():
    theirs = filters.unsharp_mask(picture(), 2, 1.5, channel_axis=2)
    assert np.allclose(run("sharpen(radius=2,amount=1.5)", picture()), theirs, atol=1e-6)


@pytest.mark.parametrize("way", ["tv", "nlm"])
def test_denoise_comes_nearer_to_the_clean_picture(way):
    clean = np.zeros((40, 40, 3), np.float32) + 0.2
    clean[10:30, 15:35] = 0.8
    noisy = np.clip(clean + np.random.default_rng(4).normal(0, 0.1, clean.shape), 0, 1).astype(np.float32)
    made = run(f"denoise(way={way},strength=0.1)", noisy)
    assert np.abs(made - clean).mean() < 0.5 * np.abs(noisy - clean).mean()


def test_tv_equals_scikit_image():
    theirs = restoration.denoise_tv_chambolle(picture(), 0.2, channel_axis=2)
    assert np.allclose(run("denoise(strength=0.2)", picture()), theirs, atol=1e-6)


def test_edges_are_cannys_in_black_on_white():
    lines = feature.canny(color.rgb2gray(picture(60, 60)), 2)
    made = run("edges(sigma=2)", picture(60, 60))
    assert (made[:, :, 0] != ~lines).mean() < 0.01
    assert np.array_equal(run("edges(sigma=2,invert=true)", picture(60, 60)), 1 - made)
    assert 0.5 < made.mean() < 1


def test_edges_low_above_high():
    with pytest.raises(OptionError, match=r"edges: low=0.5 is above high=0.2"):
        Chain("edges(low=0.5)")(picture())


def test_superpixels_are_flat_and_keep_the_mean():
    made = run("superpixels(count=20,compactness=100)", picture(40, 40))
    colours = np.unique(made.reshape(-1, 3), axis=0)
    assert 10 <= len(colours) <= 30
    assert np.allclose(made.mean((0, 1)), picture(40, 40).mean((0, 1)), atol=1e-5)


# -- quantise ---------------------------------------------------------------------------------------------------


def test_quantise_takes_the_nearest_class_of_a_file(tmp_path):
    file = tmp_path / "classes.txt"
    file.write_text("0 black 0 0 0\n1 red 200 0 0\n2 white 255 255 255\n")
    made = Chain(f"quantise(classes='{file}')")(np.array([[[10, 9, 8], [255, 40, 40], [200, 220, 210]]], np.uint8))
    assert made.kind is Kind.LABELS
    assert made.tensor.tolist() == [[[0, 1, 2]]]
    assert made.classes.names == ("black", "red", "white")


def test_quantise_knows_the_classes_of_models_and_feeds_them():
    by_model, by_set = (Chain(f"quantise(classes={name})")(picture()) for name in ("landscape", "landscapes"))
    assert by_model.classes == by_set.classes
    assert len(by_model.classes) == 12
    assert Chain("quantise,pix2pix")(picture(16, 16)).size == (16, 16)


@pytest.mark.parametrize("name", ["landscap", "'no/such.txt'"])
def test_quantise_without_such_classes(name):
    with pytest.raises(Exception, match=r"Did you mean 'landscape'|Cannot read the class file") as caught:
        Chain(f"quantise(classes={name})")(picture())
    assert "\n" not in str(caught.value)


# -- two pictures -----------------------------------------------------------------------------------------------


def test_blend_mixes_with_the_chains_original():
    made = run("grey,gamma(power=2),blend(strength=0.25)", picture())
    assert np.allclose(made, picture() * 0.75 + run("grey,gamma(power=2)", picture()) * 0.25, atol=1e-6)


def test_blend_with_another_picture_and_a_mask():
    mask = np.zeros((20, 24, 3), np.float32)
    mask[:, :12] = 1
    other = picture(seed=8)
    made = run("blend(strength=1)", picture(), other=other, mask=mask)
    assert np.allclose(made, np.where(mask > 0, picture(), other), atol=1e-6)


def test_blend_resizes_the_other_picture():
    assert np.allclose(run("resize(width=12),blend(strength=0)", picture()), run("resize(width=12)", picture()))
    assert Chain("blend(other=[semgan])")(picture()).size == (20, 24)


def test_blend_without_an_original():
    with pytest.raises(Exception, match=r"blend needs its port 'other'.*add -i other=PATH"):
        Chain("semgan,blend")(size=(16, 16))


def test_overlay_of_the_map_before_it_over_the_original():
    made = run("quantise,overlay(strength=0.25,lines=0)", picture())
    painted = Chain("quantise")(picture()).painted().tensor[0].permute(1, 2, 0).numpy()
    assert np.allclose(made, picture() * 0.75 + painted * 0.25, atol=1e-6)


def test_overlay_of_a_map_from_a_port():
    labels = np.zeros((20, 24, 3), np.uint8)
    labels[:, 12:] = 255
    made = run("overlay(strength=0,lines=2)", picture(), labels=labels)
    expected = picture()
    expected[:, 11], expected[:, 12] = 0, 1
    changed = np.abs(made - picture()).max((0, 2)) > 0
    assert changed.nonzero()[0].tolist() in ([10, 11], [11, 12])
    assert np.allclose(made[:, ~changed], picture()[:, ~changed])


def test_overlay_over_nothing():
    with pytest.raises(Exception, match=r"overlay has nothing to lay the map over: .* -i original=PATH"):
        Chain("semgan,overlay")(size=(16, 16))


def test_filters_keep_their_promises_in_pictures_from_files(tmp_path):
    file = Chain("pad(by=1)")(picture()).save(tmp_path / "one.png")
    assert read_picture(Chain("edges(sigma=2)")(file).save(tmp_path / "two.png")).size == (22, 26)
