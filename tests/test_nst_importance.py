"""What of a photo stays: fine detail is protected, by nst's own guess or a map, and no object comes into a sky."""

from __future__ import annotations

import pytest
import torch

from artkit_nst import SPEC, NstOptions, matching, painting
from artkit_nst.colour import luma, moments, transport
from artkit_nst.importance import find_importance
from artkit_nst.levels import Maps
from artkit_nst.painting import EFFORTS, Effort, Painter, find_looseness
from artkit_nst.patches import Source
from artkit_nst.pyramid import blur
from artkit_nst.structure import calm_contrast, form_contrast, highest, structure
from artkit_nst.style import Style
from artkit_nst.swatches import make_swatch
from artkit_nst.translator import Nst

QUICK = Effort(1, 800, ((9, 3), (5, 2)), 2, reweight=True, steps=1)


def noise(height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def discs(height: int, width: int, places: list[tuple[int, int]], radius: float) -> torch.Tensor:
    """Return a mask (HW) of discs around places."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([(rows - y) ** 2 + (columns - x) ** 2 < radius**2 for y, x in places]).any(0).float()


def sea_with_boats() -> torch.Tensor:
    """Return a style (3HW): a light sea with little waves, and dark boats in its lower third."""
    sea = 0.7 + 0.1 * blur(noise(96, 96, 1), 1.0)
    boats = discs(96, 96, [(70, 20), (75, 50), (85, 75), (80, 35)], 4.5)
    return (sea * (1 - boats) + 0.05 * boats).clamp(0, 1)


def paint(
    style: torch.Tensor, photo: torch.Tensor, maps: Maps | None = None, completeness: float = 0.7, seed: int = 0
) -> torch.Tensor:
    return Painter(Style([Source(style, 1.0)]), find_looseness(0.5, completeness), QUICK).paint(photo, seed, maps)


# -- objects stay out of skies ---------------------------------------------------------------------------


def sky_over_shore() -> torch.Tensor:
    """Return a photo (3HW) whose upper two thirds are sky, and whose lower is a busy shore."""
    picture = (0.6 + 0.1 * torch.linspace(0, 1, 108)[:, None]).repeat(1, 144)
    picture[72:] += 0.5 * (noise(36, 144, 5)[0] - 0.5)
    return picture.expand(3, -1, -1).contiguous()


def dark_share(painted: torch.Tensor) -> float:
    """Return the share of the sky that is as dark as a boat."""
    return float((luma(painted)[:, :63] < 0.45).float().mean())


@pytest.mark.parametrize("completeness", [0.8, 1.0])
def test_no_boat_of_the_style_comes_into_the_sky(completeness, monkeypatch):
    def most() -> float:
        pictures = (paint(sea_with_boats(), sky_over_shore(), None, completeness, seed) for seed in range(3))
        return max(map(dark_share, pictures))

    assert most() == 0
    monkeypatch.setattr("artkit_nst.matching.PRICE", 0.0)
    assert most() > 0.01


def test_the_price_falls_to_a_twentieth_at_the_finest_size(monkeypatch):
    """By what a sky is told to have: room for anything, but for a twentieth of the price."""
    rooms = []
    monkeypatch.setattr(painting, "match", lambda *given: rooms.append(given[1]) or matching.match(*given))
    paint(sea_with_boats(), sky_over_shore(), seed=0)
    lowest = [float(room.min()) for room in rooms]
    assert lowest[0] == 0
    assert lowest[-1] == pytest.approx(0.95)


def test_flat_places_start_from_blotches_as_strong_as_the_calmest_places_of_the_style():
    style = Style([Source(sea_with_boats(), 1.0)])
    flat = torch.full((3, 90, 120), 0.5)
    begun = Painter(style, find_looseness(0.5, 0.7), QUICK).start(flat, torch.Generator().manual_seed(0))
    assert float(begun.mean()) == pytest.approx(0.5, abs=1e-3)
    assert float(begun[0].std()) == pytest.approx(0.5 * 2 * 0.95 * style.calm((90, 120)), rel=0.02)
    assert style.calm((90, 120)) < 0.3 * float(sea_with_boats().std())


def test_the_calm_of_mixed_styles_goes_by_their_shares():
    one, other = sea_with_boats(), noise(96, 96)
    calm = [Style([Source(picture, 1.0)]).calm((60, 60)) for picture in (one, other)]
    mixed = Style([Source(one, 0.25), Source(other, 0.75)]).calm((60, 60))
    assert mixed == pytest.approx(0.25 * calm[0] + 0.75 * calm[1])
    assert calm[1] > calm[0]


def test_structure_is_where_a_style_has_objects():
    style = sea_with_boats()
    contrast = form_contrast(style)
    found = structure(contrast, calm_contrast(contrast))[0]
    assert float(found[70:86, 16:54].max()) == 1
    assert float(found[10:50].mean()) < 0.3


@pytest.mark.parametrize("name", ["dots", "flow", "knife", "mosaic", "woodcut"])
def test_a_style_that_is_painted_all_over_has_no_objects(name):
    """Its busiest places are hardly busier than its calmest: nothing of it is kept from a sky."""
    contrast = form_contrast(make_swatch(name, side=192))
    found = structure(contrast, calm_contrast(contrast))
    assert float(found.mean()) < 0.4
    assert float(found.flatten().quantile(0.95)) < 0.85


def test_what_is_flat_has_no_structure():
    flat = form_contrast(torch.full((3, 20, 20), 0.4))
    assert float(structure(flat, calm_contrast(flat)).max()) == 0


@pytest.mark.parametrize(("side", "stride"), [(3, 1), (4, 3), (9, 9)])
def test_the_highest_of_windows_agrees_with_looking_at_each(side, stride):
    values = noise(17, 22)[:1]
    windows = values[0].unfold(0, side, stride).unfold(1, side, stride)
    assert torch.equal(highest(values, side, stride), windows.amax((2, 3)))


# -- fine detail is protected ----------------------------------------------------------------------------


def face_beside_grass() -> torch.Tensor:
    """Return a photo (3HW): a smooth face with eyes and a mouth to the left, grass to the right, a post between."""
    picture = 0.6 + 0.05 * torch.linspace(0, 1, 240).expand(160, -1)
    picture = picture - 0.35 * discs(160, 240, [(70, 42), (70, 62)], 3) - 0.3 * discs(160, 240, [(88, 52)], 4)
    picture[:, 150:] += 0.3 * (blur(noise(160, 90, 2), 0.8)[0] - 0.5)
    picture[:, 110:114] = 0.2
    return picture.clamp(0, 1).expand(3, -1, -1).contiguous()


def test_importance_is_in_a_face_rather_than_in_grass_or_along_an_edge():
    found = find_importance(face_beside_grass())[0]
    assert found.shape == (160, 240)
    face, grass, post, sky = found[66:92, 38:66], found[20:140, 170:230], found[20:140, 108:116], found[120:150, 10:90]
    assert float(face.mean()) > 0.6
    assert float(grass.mean()) < 0.5 * float(face.mean())
    assert float(post.mean()) < 0.3 * float(face.mean())
    assert float(sky.mean()) < 0.1


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (5, 4), (900, 30)])
def test_importance_of_any_size_is_between_0_and_1(size):
    for picture in (noise(*size), torch.zeros(3, *size), torch.ones(1, *size)):
        found = find_importance(picture)
        assert found.shape == (1, *size)
        assert 0 <= float(found.min()) <= float(found.max()) <= 1


def test_what_is_important_stays_legible():
    photo, style = blur(noise(64, 96, 3), 1.5), sea_with_boats()
    left = (torch.arange(96) < 48).float().expand(1, 64, -1)
    goal = transport(photo, moments(photo), moments(style))
    off = (paint(style, photo, Maps(importance=left)) - goal).square().mean(0)
    plain = (paint(style, photo) - goal).square().mean(0)
    assert float(off[:, :40].mean()) < 0.6 * float(plain[:, :40].mean())
    assert float(off[:, 56:].mean()) > 0.8 * float(plain[:, 56:].mean())


def test_less_is_protected_the_more_strength():
    protections = [find_looseness(strength, 0.7).protection for strength in (0.0, 0.5, 1.0)]
    assert protections == sorted(protections, reverse=True)
    assert protections[0] <= 1
    assert protections[2] > 0


# -- the port --------------------------------------------------------------------------------------------


def run(**ports: torch.Tensor) -> torch.Tensor:
    """Run the translator on the face."""
    fed = dict.fromkeys(port.name for port in SPEC.inputs)
    fed |= {"image": face_beside_grass()[None], "style": sea_with_boats()[None]} | ports
    return Nst(NstOptions(quality="draft", engine="patch"), None).run(fed, seeds=(0,), size=(160, 240))


def test_a_map_takes_the_place_of_the_guess():
    guess = find_looseness(0.5, 0.7).protection * find_importance(face_beside_grass())[None]
    own = run()
    assert torch.equal(own, run(importance=guess))
    off = [(run(importance=torch.full_like(guess, share)) - own).abs().mean() for share in (0.0, 1.0)]
    assert min(map(float, off)) > 0.005


def test_white_keeps_more_of_the_photo_than_black():
    photo, style = face_beside_grass(), sea_with_boats()
    goal = transport(photo, moments(photo), moments(style))
    black, white = (float((run(importance=torch.full((1, 1, 160, 240), s))[0] - goal).abs().mean()) for s in (0.0, 1.0))
    assert white < 0.75 * black


# -- best ------------------------------------------------------------------------------------------------


def test_best_paints_a_size_that_is_finer():
    style, looseness = Style([Source(sea_with_boats(), 1.0)]), find_looseness(0.5, 0.7)
    assert Painter(style, looseness, EFFORTS["normal"]).sizes((40, 61))[-1] == (40, 61)
    assert Painter(style, looseness, EFFORTS["best"]).sizes((40, 61))[-1] == (60, 92)
    assert Painter(style, looseness, EFFORTS["best"]).paint(noise(40, 61), 0).shape == (3, 40, 61)
