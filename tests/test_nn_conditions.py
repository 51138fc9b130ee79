"""Conditions: their grammar, where their words come from, and the one-hot encoding."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, strategies as st
from torch import nn

from artkit import OptionError
from artkit.nn import Asked, Conditions, DilatedBlock, condition_planes, fit_words

KNOWN = {"time": ("noon", "dusk", "dawn"), "weather": ("clear", "misty")}
CONDITIONS = Conditions(KNOWN, {"weather": "misty"})


def parse(text):
    return CONDITIONS.parse(text, "step")


@given(st.permutations(["dusk", "misty", "any"]), st.sampled_from([" ", ",", ", ", "  "]))
def test_words_come_in_any_order_with_blanks_or_commas_between(words, between):
    assert parse(between.join(words)) == Asked({"time": "dusk", "weather": "misty"}, drawn=True)


@pytest.mark.parametrize("nothing", [None, "", " , "])
def test_nothing_said_asks_for_nothing(nothing):
    assert parse(nothing) == Asked()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dust", r"step\(condition='dust'\): this model knows no 'dust'\. Did you mean 'dusk'\?"),
        ("dusk dawn", "'dawn' and 'dusk' exclude each other"),
        ("clear misty", "'misty' and 'clear' exclude each other"),
        ("dusk dusk", "'dusk' and 'dusk' exclude each other"),
    ],
)
def test_words_that_will_not_do_are_refused(text, words):
    with pytest.raises(OptionError, match=words):
        parse(text)


@pytest.mark.parametrize("text", ["dusk", "any"])
def test_a_model_without_conditions_says_so(text):
    with pytest.raises(OptionError, match="takes no conditions"):
        Conditions({}).parse(text, "step")


@pytest.mark.parametrize(
    ("text", "facts", "chosen"),
    [
        ("", {}, ("noon", "misty")),  # the defaults: its own, or the first word
        ("", {"time": "dawn", "weather": "clear"}, ("dawn", "clear")),
        ("", {"time": "midnight"}, ("noon", "misty")),  # a word it does not know
        ("dusk", {"time": "dawn", "weather": "clear"}, ("dusk", "clear")),  # what is asked wins
    ],
)
def test_what_is_asked_wins_over_what_is_known_and_that_over_the_default(text, facts, chosen):
    assert tuple(CONDITIONS.choose(parse(text), 0, facts).values()) == chosen


def test_any_lets_the_seed_draw_what_is_left_out():
    drawn = [CONDITIONS.choose(parse("any dusk"), seed, {"weather": "misty"}) for seed in range(40)]
    assert {row["time"] for row in drawn} == {"dusk"}
    assert {row["weather"] for row in drawn} == {"clear", "misty"}
    assert drawn == [CONDITIONS.choose(parse("any dusk"), seed, {}) for seed in range(40)]


def test_rows_are_one_hot_in_index_order():
    assert CONDITIONS.channels == 5
    rows = CONDITIONS.encode([{"time": "dusk", "weather": "clear"}, {"time": "midnight"}])
    assert rows.tolist() == [[0, 1, 0, 1, 0], [0, 0, 0, 0, 0]]


def test_a_step_and_a_batch_of_data_are_encoded_alike():
    columns = {"time": ["dawn", "noon"], "weather": ["clear", "misty"], "caption": ["a", "b"]}
    facts = [{"time": "dawn", "weather": "clear"}, {"time": "noon", "weather": "misty"}]
    assert torch.equal(CONDITIONS.encode_columns(columns), CONDITIONS.encode_asked(Asked(), (1, 2), facts))
    defaults = CONDITIONS.encode_asked(Asked(), (1, 2), ())
    assert defaults.tolist() == [[1, 0, 0, 0, 1]] * 2


def test_planes_hold_a_row_at_every_place():
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    planes = condition_planes(rows, torch.empty(2, 3, 4, 5, dtype=torch.bfloat16))
    assert (planes.shape, planes.dtype) == ((2, 2, 4, 5), torch.bfloat16)
    assert torch.equal(planes[:, :, 2, 3], rows.bfloat16())


def test_planes_have_the_height_and_width_of_the_picture_and_its_type():
    rows = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    planes = condition_planes(rows, torch.zeros(2, 5, 3, 7, dtype=torch.float64))
    assert planes.shape == (2, 2, 3, 7)
    assert planes.dtype == torch.float64
    assert torch.equal(planes, rows.double()[:, :, None, None].repeat(1, 1, 3, 7))


def test_columns_of_unequal_length_are_a_mistake():
    with pytest.raises(ValueError, match="zip"):
        CONDITIONS.encode_columns({"time": ["noon", "dusk"], "weather": ["clear"]})


def test_words_that_are_new_to_a_network_change_nothing_and_others_keep_their_columns():
    torch.manual_seed(0)
    block, x = DilatedBlock(4, 1, "none", 5), torch.rand(1, 4, 6, 6)
    assert block.film is not None
    nn.init.normal_(block.film.weight)
    known = {"style": ("oil", "ink"), "time": ("dawn", "noon", "night", "dusk")}  # clear and misty are gone
    grown = DilatedBlock(4, 1, "none", 6)
    grown.load_state_dict(fit_words(block.state_dict(), KNOWN, known))
    for time in KNOWN["time"]:
        said = Conditions(KNOWN).encode([{"time": time}])
        for style in ("oil", "ink"):
            words = {"time": time, "style": style}
            assert torch.equal(grown(x, Conditions(known).encode([words])), block(x, said))
    for strange in (torch.ones(8), torch.ones(8, 4), torch.ones(8, 5, 1)):  # a stranger's file may hold anything
        assert fit_words({"film.weight": strange}, KNOWN, known)["film.weight"] is strange
    nothing = Conditions(KNOWN).encode([{}])
    assert torch.equal(grown(x, Conditions(known).encode([{"time": "night"}])), block(x, nothing))
    assert not torch.equal(block(x, nothing), block(x, Conditions(KNOWN).encode([{"time": "dusk"}])))
