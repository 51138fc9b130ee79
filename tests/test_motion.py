"""Motion: warping, flow, what is visible, what is known of a frame, blending, and strokes that ride."""

from __future__ import annotations

import math
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from artkit.motion import (
    Anchor,
    Motion,
    Ride,
    Tracker,
    blend,
    compose,
    estimate_flow,
    first_frame,
    flow_size,
    likeness,
    sample,
    tracking,
    visible,
    warp,
)
from artkit.motion.tracking import Earlier
from artkit.nn import WorkingResolution, stroke_noise
from artkit.spec import SizeRule
from motion_kit import SIZE, slide

HEIGHT, WIDTH = SIZE


def even(down: float, right: float, size=(12, 16)) -> torch.Tensor:
    return torch.tensor([float(down), float(right)]).view(2, 1, 1).expand(2, *size).clone()


# -- warping and flow --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_warping_reads_at_each_pixel_plus_the_flow(mode):
    picture = torch.rand(2, 12, 16, generator=torch.Generator().manual_seed(0))
    moved = warp(picture, even(2, -3), mode=mode)
    assert torch.allclose(moved[:, :10, 3:], picture[:, 2:, :-3], atol=1e-5)
    assert torch.allclose(moved[:, 11, 3:], picture[:, 11, :-3], atol=1e-5)  # the border is repeated
    around = warp(picture, even(2, -3), mode=mode, wrap=True)
    assert torch.allclose(around, picture.roll((-2, 3), (1, 2)), atol=1e-5)
    assert warp(picture, even(0, 0)) is picture


def test_flow_finds_a_shift_and_says_it_in_pixels_of_any_size():
    found = estimate_flow(slide(1), slide(0))[:, 8:-8, 8:-8]
    assert torch.allclose(found, torch.tensor([-1.0, -2.0]).view(2, 1, 1).expand_as(found), atol=0.3)
    assert not estimate_flow(slide(1), slide(1)).any()
    half = even(-1, -2, (6, 8))
    y, x = torch.arange(12) + 0.5, torch.arange(16) + 0.5
    assert torch.allclose(sample(half, y, x, (12, 16)), even(-2, -4))
    earlier = torch.arange(2.0 * 12 * 16).view(2, 12, 16)
    assert torch.allclose(
        compose(even(1, 2), earlier)[:, :-1, :-2], even(1, 2, (11, 14)) + earlier[:, 1:, 2:], atol=1e-3
    )


@pytest.mark.parametrize(
    ("size", "due"), [((240, 428), (120, 214)), ((1080, 1920), (144, 256)), ((48, 90), (48, 90)), ((1, 1), (2, 2))]
)
def test_flow_is_found_at_half_the_size_or_less(size, due):
    assert flow_size(*size) == due


def test_opencv_finds_the_flow_where_it_is(monkeypatch):
    def calc(frame, other, _):
        assert (frame.dtype, frame.shape, int(frame.max())) == (np.uint8, SIZE, 255)
        return np.stack([np.full(SIZE, 5, np.float32), np.full(SIZE, 7, np.float32)], -1)  # right, down

    fake = ModuleType("cv2")
    fake.__spec__ = ModuleSpec("cv2", None)
    fake.DISOPTICAL_FLOW_PRESET_MEDIUM = 2
    fake.DISOpticalFlow_create = lambda preset: SimpleNamespace(calc=calc)
    monkeypatch.setitem(sys.modules, "cv2", fake)
    found = estimate_flow(torch.ones(3, *SIZE), torch.zeros(3, *SIZE))
    assert torch.equal(found, even(7, 5, SIZE))


# -- what is seen in both frames ---------------------------------------------------------------------------------------


def test_what_flow_does_not_lead_back_to_was_hidden():
    assert visible(even(1, 2), even(-1, -2))[2:-2, 2:-3].all()
    assert not visible(even(4, 4), even(4, 4)).any()
    # |v + u|² = 0.49 is allowed, 0.64 is not: 0.5 and a hundredth of what moves
    assert visible(even(0, 0.7), even(0, 0))[:, :-2].all()
    assert not visible(even(0, 0.8), even(0, 0)).any()
    assert visible(even(0, 6.0), even(0, -6.9))[:, :9].all()  # 0.81 < 0.5 + 0.01 (36 + 47.6)


def test_what_comes_into_view_was_hidden():
    seen = visible(even(0, -3), even(0, 3))
    assert not seen[:, :2].any()
    assert seen[:, 4:].all()


def test_borders_of_motion_count_as_hidden():
    back = even(0, 0, (12, 16))
    back[1, :, 8:] = 0.6
    seen = visible(back, -back)
    assert seen[2:-2, :6].all()
    assert not seen[2:-2, 7:9].any()


def test_likeness_is_that_of_the_paper():
    frame, other = torch.full((3, 2, 2), 0.5), torch.full((3, 2, 2), 0.6)
    assert torch.allclose(likeness(frame, other), torch.tensor(math.exp(-50 * 3 * 0.01)))


# -- following a clip --------------------------------------------------------------------------------------------------


def same(one: Motion, other: Motion) -> bool:
    fields = [
        [*(part for e in m.earlier for part in vars(e).values()), *(a.back for a in m.anchors)] for m in (one, other)
    ]
    pictures = [[a.picture for a in m.anchors] for m in (one, other)]
    pairs = zip(fields[0] + pictures[0], fields[1] + pictures[1], strict=True)
    return one.share == other.share and all(torch.equal(*pair) for pair in pairs)


def test_a_frame_is_known_from_those_since_the_first_that_counts(monkeypatch):
    monkeypatch.setattr(tracking, "PERIOD", 3)
    frames = [slide(index) for index in range(10)]
    whole = Tracker()
    known = [whole.follow(frame) for frame in frames]
    assert [first_frame(index) for index in (0, 2, 3, 5, 6, 9)] == [0, 0, 0, 0, 3, 6]
    for index in (8, 9):
        start = first_frame(index - tracking.HISTORY)
        late = Tracker(start)
        found = [late.follow(frame) for frame in frames[start : index + 1]][-1]
        assert same(found, known[index])
    assert [len(one.anchors) for one in known] == [1, 1, 1, *[2] * 7]
    assert [len(one.earlier) for one in known[:4]] == [0, 1, 2, 2]
    assert [one.share for one in known[2:6]] == [1.0, pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]
    assert torch.equal(known[5].anchors[0].picture, frames[3])
    assert torch.equal(known[5].anchors[1].picture, frames[0])


def test_it_follows_a_slide_and_adds_its_steps_up():
    tracker = Tracker()
    known = [tracker.follow(slide(index)) for index in range(4)][-1]
    inner = (slice(None), slice(6, -6), slice(10, -6))
    scale = SIZE[0] / known.anchors[0].back.shape[-2]
    for back, frames in ((known.anchors[0].back, 3), (known.earlier[0].back, 1), (known.earlier[1].back, 2)):
        moved = scale * back[inner]
        assert float((moved - torch.tensor([-1.0, -2.0]).view(2, 1, 1) * frames).abs().mean()) < 0.25 * frames
    assert float(known.earlier[0].weight[inner[1:]].mean()) > 0.9


def test_what_was_hidden_on_the_way_was_hidden(monkeypatch):
    masks = iter([torch.eye(12, 16), torch.eye(12, 16).roll(2, 1) + torch.eye(12, 16).roll(1, 1)])
    monkeypatch.setattr(tracking, "visible", lambda back, forth: next(masks))
    monkeypatch.setattr(tracking, "estimate_flow", lambda frame, other: even(0, -1))
    monkeypatch.setattr(tracking, "CUT", 0.0)
    tracker = Tracker()
    known = [tracker.follow(torch.full((3, 12, 16), 0.5)) for _ in range(3)][-1]
    assert torch.equal(known.earlier[0].seen.nonzero()[:3], torch.tensor([[0, 1], [0, 2], [1, 2]]))
    assert torch.allclose(known.earlier[1].seen[1:], torch.eye(12, 16).roll(1, 1)[1:], atol=1e-5)  # both


def test_a_new_shot_forgets_the_last():
    tracker = Tracker()
    for index in range(3):
        tracker.follow(slide(index))
    known = tracker.follow(1 - slide(9, (5, 5)))
    assert (known.earlier, len(known.anchors), known.share) == ((), 1, 1.0)
    assert len(tracker.follow(slide(1, size=(48, 64))).anchors) == 1  # of another size


# -- blending ----------------------------------------------------------------------------------------------------------


def flat(level: float, size=(12, 16)) -> torch.Tensor:
    return torch.full((1, 3, *size), level)


def test_the_blend_is_the_formula():
    still, weight = torch.zeros(2, 6, 8), torch.full((6, 8), 0.5)
    earlier = tuple(Earlier(still, weight, still, weight) for _ in range(2))
    made = blend([flat(0.1), flat(0.2), flat(0.8)], Motion(earlier, (), 1.0), 0.4)
    due = (0.8 + 0.4 * 0.5 * 0.2 + 0.16 * 0.5 * 0.1) / (1 + 0.4 * 0.5 + 0.16 * 0.5)
    assert torch.allclose(made, flat(due))
    assert torch.allclose(blend([flat(0.2), flat(0.8)], Motion(earlier, (), 1.0), 0.4), flat((0.8 + 0.04) / 1.2))
    assert torch.equal(blend([flat(0.1, (3, 4)), flat(0.8)], Motion(earlier, (), 1.0), 1.0), flat(0.8))


def test_the_blend_moves_what_was_before():
    before = torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(0))
    one = torch.ones(6, 8)
    motion = Motion((Earlier(even(1, -1, (6, 8)), one, one, one),), (), 1.0)
    made = blend([before, torch.zeros(1, 3, 12, 16)], motion, 1.0)
    assert torch.allclose(made[..., :10, 2:], before[..., 2:, :-2] / 2, atol=1e-5)


def test_pictures_of_a_still_clip_stay_as_they_are():
    tracker, picture = Tracker(), torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(0))
    motions = [tracker.follow(slide(0)) for _ in range(3)]
    assert all(torch.equal(blend([picture] * 3, motion, 0.7), picture) for motion in motions)


# -- strokes that ride -------------------------------------------------------------------------------------------------


def anchor(back: torch.Tensor) -> Anchor:
    return Anchor(torch.rand(3, *SIZE), back)


def lay(height: int, width: int, seed: int, scale: int, along: torch.Tensor | None) -> torch.Tensor:
    return stroke_noise(height, width, seed, scale=scale, along=along)


def draw(ride: Ride | None, scale_side: int = 0, along=None):
    working = WorkingResolution.of(torch.zeros(1, 3, *SIZE), scale_side, SizeRule())
    return working.draw(lay, [5], rides=(ride,), along=along)


def test_strokes_move_with_the_picture():
    ride = Ride((anchor(even(-3, -4, (36, 48))),), 1.0, SIZE)  # in pixels of half the size: 6 and 8 of the picture's
    still, moved = draw(None)[0][0], draw(ride)[0][0]
    assert torch.allclose(moved, still.roll((6, 8), (1, 2)), atol=1e-3)
    assert torch.equal(draw(Ride((anchor(even(0, 0)),), 1.0, SIZE))[0][0], still)


def test_strokes_move_as_far_at_the_working_size_and_enlarged():
    ride = Ride((anchor(even(-3, -4, (36, 48))),), 1.0, SIZE)
    small, large = draw(ride, 48)
    assert torch.allclose(small[0], draw(None, 48)[0][0].roll((3, 4), (1, 2)), atol=1e-3)
    assert torch.allclose(large[0], draw(None, 48)[1][0].roll((6, 8), (1, 2)), atol=1e-3)


def test_strokes_follow_the_contours_of_the_frame_they_were_laid_on():
    first, now = anchor(even(0, 0)), torch.rand(1, 3, *SIZE)
    laid = draw(Ride((first,), 1.0, SIZE), along=now)[0][0]
    assert torch.equal(laid, stroke_noise(*SIZE, 5, along=first.picture))


def test_a_field_with_a_margin_moves_by_the_picture_inside_it():
    back = even(0, 0, (12, 16))
    back[:, :, 8:] = 1.0  # the right half moves
    ride = Ride((anchor(back),), 1.0, (12, 16), margin=4)
    field = torch.arange(20.0 * 24).view(1, 20, 24)
    moved = ride.carry([field], field[0]) - field
    assert not moved[:, 1:-3, 1:11].abs().gt(0.1).any()  # 4 of margin, and 8 of the picture, less the slope between
    assert moved[:, 1:-3, 14:-4].sub(25).abs().lt(0.1).all()


def test_strokes_in_half_precision_move_as_far():
    back = even(-3, -260, (36, 300))  # half precision has no pixel 257
    exact, half = torch.rand(3, 36, 600), torch.rand(36, 600)
    ride = Ride((anchor(back),), 1.0, (36, 600))
    moved = ride.carry([exact], half)
    carried = ride.carry([exact.to(torch.bfloat16)], half)
    assert carried.dtype == torch.bfloat16
    assert (carried.float() - moved).abs().max() < 0.02


def test_the_same_strokes_take_over_in_half_precision():
    pair, working = (
        (anchor(even(0, 0)), anchor(even(-6, -6))),
        WorkingResolution.of(torch.zeros(1, 3, *SIZE), 0, SizeRule()),
    )
    drawn = []
    for dtype in (torch.float32, torch.bfloat16):
        half = lambda *how, dtype=dtype: lay(*how).to(torch.bfloat16).to(dtype)  # noqa: E731
        drawn.append(working.draw(half, [5], rides=(Ride(pair, 0.5, SIZE),))[0].float())
    assert (drawn[0] - drawn[1]).abs().max() < 0.02


def test_new_strokes_take_over_one_by_one():
    old, new, chance = torch.zeros(1, 20, 30), torch.ones(1, 20, 30), torch.rand(20, 30)
    still = anchor(even(0, 0))
    for share in (0.25, 0.75):
        carried = Ride((still, still), share, (20, 30)).carry([new, old], chance)[0]
        assert torch.equal(carried == 1, chance < share)
    gone = anchor(even(0, 8, (20, 30)))  # the last columns were beyond the older frame's border
    carried = Ride((still, gone), 0.0, (20, 30)).carry([new, old], chance)[0]
    assert (carried[:, 22:].all(), carried[:, :22].any()) == (True, False)


def test_a_stroke_is_whole_in_its_taking_over():
    pair = (anchor(even(0, 0)), anchor(even(-2, -2)))
    pictures = [draw(Ride(pair, share, SIZE))[0][0] for share in (0.0, 0.5, 1.0)]
    new, old = pictures[2], pictures[0]
    taken = (pictures[1] == new).all(0) & (new != old).any(0)
    shares = []
    for value in new[6].unique():  # a number of each stroke on top
        here = (new[6] == value) & (new != old).any(0)
        if int(here.sum()) > 20:
            shares.append(float(taken[here].float().mean()))
    assert all(share in (0.0, 1.0) for share in shares)
    assert 0.2 < float(np.mean(shares)) < 0.8
