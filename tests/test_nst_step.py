"""nst as a step: words and pictures for a style, several styles, regions, colours kept, and what it refuses."""

from __future__ import annotations

import logging

import pytest
import torch

from artkit import Chain, ChainError, ImageError, OptionError, Picture
from artkit.chain import plan_chain
from artkit.engine import Runner
from artkit.metrics import patch_distance
from artkit.plugins import current_registry
from artkit_nst import SPEC, NstOptions
from artkit_nst.regions import assign, find_colours, photo_regions, style_regions
from artkit_nst.style import emptiness
from artkit_nst.swatches import DRAWERS, make_swatch
from artkit_nst.translator import Nst

RED, BLUE = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 0.0, 1.0])


def noise(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def halves(height: int, width: int, left: torch.Tensor = RED, right: torch.Tensor = BLUE) -> torch.Tensor:
    """Return a map (1 3 H W) of two regions."""
    return torch.where(torch.arange(width) < width // 2, left[:, None, None], right[:, None, None]).expand(
        3, height, -1
    )[None]


def run(options: NstOptions, size=(40, 48), seed: int = 0, **ports: torch.Tensor) -> torch.Tensor:
    """Run the translator on a photo of noise; ports that nobody names are empty."""
    fed = dict.fromkeys(port.name for port in SPEC.inputs) | {"image": noise(*size)} | ports
    return Nst(options, None).run(fed, seeds=(seed,), size=size)


# -- words and pictures ----------------------------------------------------------------------------------


def test_a_word_is_a_named_style_and_a_chain_feeds_the_port():
    named = plan_chain(Chain("nst(style=glass)"), current_registry(), has_input=True).steps[0]
    assert named.options.style == "glass"
    assert "style" not in named.bindings
    fed = plan_chain(Chain("nst(style=[semgan])"), current_registry(), has_input=True).steps[0]
    assert fed.options.style is None
    assert str(fed.bindings["style"].chain) == "semgan"


def test_a_word_and_a_picture_for_the_same_style_are_refused(tmp_path):
    path = tmp_path / "monet.png"
    Picture(noise(8, 8)).save(path)
    with pytest.raises(ChainError, match="leave out -i style"):
        plan_chain(Chain("nst(style=glass)"), current_registry(), has_input=True, ports={"style": path})
    two = plan_chain(Chain("nst(style=glass),nst"), current_registry(), has_input=True, ports={"style": path})
    assert two.steps[1].bindings["style"] == path


def test_an_unknown_word_names_the_known_ones():
    with pytest.raises(OptionError, match="Did you mean 'glass'"):
        plan_chain(Chain("nst(style=glas)"), current_registry(), has_input=True)


def test_a_path_in_the_text_that_leads_nowhere_is_named():
    with pytest.raises(ChainError, match=r"there is no file monet\.jpg"):
        plan_chain(Chain("nst(style='monet.jpg')"), current_registry(), has_input=True)


@pytest.mark.parametrize("name", DRAWERS)
def test_swatches_are_the_same_every_time_and_full_of_tones(name):
    swatch = make_swatch(name, side=96)
    assert swatch.shape == (3, 96, 96)
    assert torch.equal(swatch, make_swatch(name, side=96))
    assert not torch.equal(swatch, make_swatch(name, side=96, seed=1))
    assert float(swatch.mean(0).std()) > 0.05


def test_swatches_differ():
    drawn = {name: make_swatch(name, side=96) for name in DRAWERS}
    names = sorted(drawn)
    for index, name in enumerate(names):
        for other in names[index + 1 :]:
            assert patch_distance([drawn[name]], [drawn[other]], patches=1000, projections=16) > 0.02, (name, other)


def test_a_chain_runs_from_python():
    made = Chain("nst(quality=draft)")(Picture(noise(30, 30)), style=Picture(noise(30, 20)))
    assert made.size == (30, 30)


# -- one style for many photos ---------------------------------------------------------------------------


def test_a_style_is_made_ready_once_for_many_photos(monkeypatch):
    made = []
    monkeypatch.setattr("artkit_nst.translator.warn_of_photo", lambda *_: made.append(1))
    translator = Nst(NstOptions(quality="draft"), None)
    ports = dict.fromkeys(port.name for port in SPEC.inputs)
    alone = run(NstOptions(quality="draft"), style=noise(40, 40, 1))
    made.clear()
    for _ in range(2):
        again = translator.run(ports | {"image": noise(40, 48), "style": noise(40, 40, 1)}, seeds=(0,), size=(40, 48))
    assert made == [1]
    assert torch.equal(alone, again)
    translator.run(ports | {"image": noise(40, 48), "style": noise(40, 40, 2)}, seeds=(0,), size=(40, 48))
    assert made == [1, 1]


def test_progress_reaches_whoever_watches_the_run():
    seen: list[tuple[str, float]] = []
    runner = Runner(plan_chain(Chain("nst(quality=draft,engine=patch)"), current_registry(), has_input=True))
    runner.run(Picture(noise(30, 30)), on_progress=lambda event: seen.append((event.method, event.share)))
    assert seen[-1] == ("nst", 1.0)


def test_a_named_style_is_mixed_with_a_picture():
    dark = 0.1 * noise(40, 40)
    mixed = run(NstOptions(style="etching", quality="draft"), style2=dark)
    assert float(run(NstOptions(quality="draft"), style=dark).mean()) < float(mixed.mean())


# -- several styles, and regions -------------------------------------------------------------------------


def test_what_it_starts_from_is_asked_of_the_engine_patch_too():
    plain, photo, noisy = (
        run(NstOptions(style="glass", engine="patch", quality="draft", start=start))
        for start in ("patch", "photo", "noise")
    )
    assert torch.equal(plain, photo)
    assert not torch.equal(plain, noisy)


def test_mixing_goes_by_weights():
    dark, light = 0.3 * noise(40, 40), 0.7 + 0.3 * noise(40, 40)
    means = [
        float(run(NstOptions(quality="draft", mix=mix), style=dark, style2=light).mean())
        for mix in ((1.0, 0.0), (3.0, 1.0), (1.0, 3.0), (0.0, 1.0))
    ]
    assert means == sorted(means)
    assert means[3] - means[0] > 0.4


@pytest.mark.parametrize("mix", [(1.0,), (1.0, 1.0, 1.0), (-1.0, 2.0), (0.0, 0.0)])
def test_weights_that_do_not_fit_are_refused(mix):
    with pytest.raises(OptionError, match="mix="):
        run(NstOptions(mix=mix), style=noise(20, 20), style2=noise(20, 20))


def test_colours_of_a_map_survive_jpeg_like_noise():
    clean = halves(40, 60)[0]
    dirty = (clean + 0.03 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    colours = find_colours(dirty)
    assert len(colours) == 2
    assert torch.equal(assign(dirty, colours).argmax(0).unique(return_counts=True)[1], torch.tensor([1200, 1200]))


def test_regions_add_up_and_borders_are_soft_when_the_map_is_larger():
    colours, regions = photo_regions(halves(80, 90)[0], (20, 21))
    assert torch.allclose(regions.sum(0), torch.ones(20, 21), atol=1e-5)
    assert colours[0].tolist() == RED.tolist()
    assert bool(((regions[0] > 0.1) & (regions[0] < 0.9)).any())


def test_each_region_takes_from_its_own_style():
    dark, light = 0.3 * noise(60, 60), 0.7 + 0.3 * noise(60, 60)
    made = run(NstOptions(quality="draft"), size=(48, 64), style=dark, style2=light, map=halves(48, 64))
    assert float(made[..., :24].mean()) < 0.35
    assert float(made[..., 40:].mean()) > 0.65


def test_each_region_takes_from_the_same_region_of_one_style():
    half_dark = torch.cat([0.3 * noise(60, 40), 0.7 + 0.3 * noise(60, 40)], -1)
    maps = {"map": halves(30, 20), "style_map": halves(9, 16, BLUE, RED)}  # of other sizes, and the sides exchanged
    made = run(NstOptions(quality="draft"), size=(48, 64), style=half_dark, **maps)
    assert float(made[..., :24].mean()) > 0.65
    assert float(made[..., 40:].mean()) < 0.35


def test_a_region_that_no_style_has_takes_from_all_and_says_so(caplog):
    colours = torch.stack([RED, BLUE])
    with caplog.at_level(logging.WARNING, "artkit.nst"):
        (regions,) = style_regions([RED[:, None, None].expand(3, 6, 6)], [(6, 6)], colours)
    assert "#0000ff" in caplog.text
    assert torch.equal(regions, torch.ones(2, 6, 6))


@pytest.mark.parametrize(
    "ports",
    [
        {"style": (20, 20), "map": (20, 20)},
        {"style": (20, 20), "style_map": (20, 20)},
        {"style": (20, 20), "style2": (20, 20), "map": (20, 20), "style_map": (20, 20)},
    ],
)
def test_maps_that_do_not_go_together_are_refused(ports):
    made = {name: halves(*size) if "map" in name else noise(*size) for name, size in ports.items()}
    with pytest.raises(ImageError, match="map"):
        run(NstOptions(), **made)


# -- colours kept ----------------------------------------------------------------------------------------


def test_luminance_keeps_hues_and_lightness():
    photo = 0.3 + 0.2 * halves(48, 64) + 0.1 * noise(48, 64)
    made = run(NstOptions(quality="draft", colours="luminance"), size=(48, 64), image=photo, style=noise(50, 50))
    chroma = made[0, 0] - made[0, 2]
    assert float(chroma[:, :24].mean()) == pytest.approx(0.2, abs=0.03)
    assert float(chroma[:, 40:].mean()) == pytest.approx(-0.2, abs=0.03)
    assert float(made.mean()) == pytest.approx(float(photo.mean()), abs=0.03)


def test_palette_keeps_the_photos_colours_on_the_whole():
    photo = 0.2 + 0.5 * noise(48, 64) * torch.tensor([1.0, 0.5, 0.2])[:, None, None]
    made = run(NstOptions(quality="draft", colours="palette"), size=(48, 64), image=photo, style=noise(50, 50))
    assert torch.allclose(made.mean((0, 2, 3)), photo.mean((0, 2, 3)), atol=0.02)


# -- a style that is none --------------------------------------------------------------------------------


def test_one_thing_before_a_plain_background_is_warned_of(caplog):
    flower = torch.full((1, 3, 128, 128), 0.4)
    flower[..., 40:90, 40:90] = noise(50, 50)
    with caplog.at_level(logging.WARNING, "artkit.nst"):
        run(NstOptions(quality="draft"), style=flower)
    assert "photo of one thing" in caplog.text
    assert emptiness(noise(128, 128)[0]) < 0.1


@pytest.mark.parametrize("name", DRAWERS)
def test_nobody_is_warned_of_the_named_styles(name):
    assert emptiness(make_swatch(name, side=128)) < 0.3
