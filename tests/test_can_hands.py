"""CAN's hands: strokes laid in as many ways as there are seeds, and z that speaks to every level."""

from __future__ import annotations

import math
from types import SimpleNamespace

import msgspec
import pytest
import torch

from artkit.nn import LAYERS, STROKE_CHANNELS, lay_strokes, stroke_noise, swirl_field
from artkit.nn.noise import SWIRL
from artkit.translator import step_seed
from artkit_can.hands import COARSEST, FINEST, LONGEST, TIGHTEST, WIDEST, draw_hand, lay_by_hand
from artkit_can.networks import Generator, GeneratorArguments
from artkit_can.trainer import CanTrainer
from test_can import GENERATOR, dream, translator

HANDS = [draw_hand(seed) for seed in range(200)]


def test_hands_fill_their_ranges():
    sizes = [hand.layers[0].width / LAYERS[0].width for hand in HANDS]
    ratios = [hand.layers[0].length / hand.layers[0].width for hand in HANDS]
    assert FINEST <= min(sizes) < 1.1 * FINEST
    assert COARSEST / 1.1 < max(sizes) <= COARSEST
    assert 1 <= min(ratios) < 1.1
    assert LONGEST / 1.1 < max(ratios) <= LONGEST
    assert TIGHTEST <= min(hand.eddies for hand in HANDS) < 1.2 * TIGHTEST
    assert WIDEST / 1.2 < max(hand.eddies for hand in HANDS) <= WIDEST
    assert min(hand.drift for hand in HANDS) < 0.1
    assert max(hand.drift for hand in HANDS) > 1.9
    assert min(hand.turn for hand in HANDS) < -1.4
    assert max(hand.turn for hand in HANDS) > 1.4


def test_strokes_of_any_hand_cover_the_canvas_as_densely():
    """As many times its cell's area is a stroke's, in every layer, within what whole pixels allow."""
    for hand in HANDS:
        for ours, usual in zip(hand.layers, LAYERS, strict=True):
            cover, known = (layer.length * layer.width / layer.cell**2 for layer in (ours, usual))
            assert 0.6 < cover / known < 1.7
            assert (ours.density, ours.spread) == (usual.density, usual.spread)


def test_strokes_are_laid_by_the_hand_of_the_seed():
    hand = draw_hand(5)
    theta = swirl_field(40, 56, 5, hand.eddies, hand.drift) + hand.turn
    laid = lay_by_hand(40, 56, 5)
    assert laid.shape == (STROKE_CHANNELS, 40, 56)
    assert torch.equal(laid, lay_strokes(theta, 5, hand.layers))
    assert torch.equal(laid, lay_by_hand(40, 56, 5))
    turned = torch.stack([(2 * theta).cos(), (2 * theta).sin()])
    torch.testing.assert_close(laid[-2:], turned)


def test_strokes_along_a_swirl_are_those_of_stroke_noise():
    assert torch.equal(lay_strokes(swirl_field(32, 48, 3, SWIRL), 3), stroke_noise(32, 48, 3))
    across = lay_strokes(swirl_field(32, 48, 3, SWIRL) + math.pi / 2, 3)
    torch.testing.assert_close(across[-2:], -stroke_noise(32, 48, 3)[-2:])


@pytest.mark.parametrize("hands", [False, True])
def test_a_model_says_whether_its_strokes_are_laid_by_hands(hands, monkeypatch):
    laid = []
    model = translator(GENERATOR | {"hands": hands})
    lay = lay_by_hand if hands else stroke_noise
    forward = lambda z, strokes, size: laid.append(strokes) or torch.zeros(1, 3, *size)  # noqa: E731
    monkeypatch.setattr(model.generator, "forward", forward)
    dream(model, 7)
    assert torch.equal(laid[0][0], lay(32, 32, step_seed(7, 0)))


def test_without_strokes_nothing_is_laid():
    assert GeneratorArguments(latent=2, width=2, resolution=16, upsample="resize", hands=True).lay is None


def test_modulated_features_are_scaled_and_shifted_alike_everywhere():
    torch.manual_seed(0)
    generator = Generator(3, 2, 16, "resize", modulate=True).eval()
    plain = Generator(3, 2, 16, "resize").eval()
    plain.load_state_dict({key: value for key, value in generator.state_dict().items() if not key.startswith("films")})
    z = torch.randn(2, 3)
    for film in generator.films:
        torch.nn.init.zeros_(film.weight)
        torch.nn.init.zeros_(film.bias)
    assert torch.equal(generator(z), plain(z))
    out = plain.levels[0][-2].num_features
    with torch.no_grad():
        generator.films[0].bias[:out] = 1.0
        generator.films[0].bias[out:] = 0.5
    plain.levels[0].register_forward_hook(lambda *found: 2 * found[-1] + 0.5)
    torch.testing.assert_close(generator(z), plain(z))


def test_the_arguments_make_a_modulated_generator():
    arguments = msgspec.convert(GENERATOR | {"modulate": True, "hands": True}, GeneratorArguments)
    generator = arguments.build()
    assert [tuple(film.weight.shape) for film in generator.films] == [(2 * 8, 6), (2 * 4, 6)]
    assert arguments.record() == GENERATOR | {"modulate": True, "hands": True}


@pytest.mark.parametrize(("strokes", "hands", "noise"), [(1, 1, "hands"), (1, 0, "strokes"), (0, 0, "none")])
def test_training_goes_on_with_the_strokes_of_its_start(strokes, hands, noise):
    arguments = GENERATOR | {"strokes": bool(strokes), "hands": bool(hands), "modulate": bool(hands)}
    start = SimpleNamespace(header=translator(arguments).header)
    options = CanTrainer.options_of(start)
    assert (options["noise"], options["modulate"]) == (noise, bool(hands))
