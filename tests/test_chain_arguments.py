"""Wrong arguments from Python: each is an ArtkitError that says what is wanted, whatever is given."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

import artkit
from artkit import ArtkitError, Chain, ChainError, ImageError, ModelError, OutputError, Step, UsageError
from artkit.spec import Kind
from engine_kit import grey, load_plugin

plugin = pytest.fixture(autouse=True)(load_plugin)
PICTURE = grey(9)


def run(**arguments):
    return Chain("invert")(PICTURE, **arguments)


WRONG = {
    "train, run as text": (lambda: artkit.train("pix2pix", "no such data", "run"), ArtkitError, "no such data"),
    "train, run as number": (lambda: artkit.train("pix2pix", "data", 3), UsageError, "run is a path"),
    "train, data as number": (lambda: artkit.train("pix2pix", 3, "run"), UsageError, "data is a path"),
    "train, values as list": (lambda: artkit.train("pix2pix", "data", "run", values=[1]), UsageError, "by name"),
    "train, no method": (lambda: artkit.train(["pix2pix"], "data", "run"), ChainError, "no method"),
    "evaluate, data as number": (lambda: artkit.evaluate(3, "invert"), ArtkitError, "folder"),
    "evaluate, metrics as text": (lambda: artkit.evaluate("d", "invert", "psnr"), UsageError, "list"),
    "evaluate, no chain": (lambda: artkit.evaluate("d", None), ArtkitError, "."),
    "size of nothing": (lambda: run(size=(0, 0)), UsageError, "(0, 0) is no size"),
    "size below 0": (lambda: run(size=(-1, 5)), UsageError, "(width, height)"),
    "size of fractions": (lambda: run(size=(1.5, 2)), UsageError, "512x384"),
    "size of three": (lambda: run(size=(1, 2, 3)), UsageError, "512x384"),
    "size in words": (lambda: run(size="large"), UsageError, "'large' is no size"),
    "size of truth": (lambda: run(size=True), UsageError, "True is no size"),
    "size of NaN": (lambda: run(size=float("nan")), UsageError, "nan is no size"),
    "size as array": (lambda: run(size=np.zeros((2, 2))), UsageError, "a ndarray is no size"),
    "size past all": (lambda: run(size=(10**6, 10**6)), ImageError, "limit"),
    "seed in words": (lambda: run(seed="a"), UsageError, "seed='a': a seed is a whole number"),
    "seed of fractions": (lambda: run(seed=1.5), UsageError, "whole number from 0 up"),
    "seed below 0": (lambda: run(seed=-1), UsageError, "whole number from 0 up"),
    "seed of nothing": (lambda: run(seed=None), UsageError, "whole number from 0 up"),
    "no device": (lambda: run(device=None), UsageError, "'auto', 'cpu' or 'cuda'"),
    "device as list": (lambda: run(device=["cpu"]), UsageError, "'auto', 'cpu' or 'cuda'"),
    "no precision": (lambda: run(precision=None), UsageError, "bf16"),
    "precision as list": (lambda: run(precision=[]), UsageError, "bf16"),
    "facts as text": (lambda: run(facts="dusk"), UsageError, "'time': 'dusk'"),
    "facts as numbers": (lambda: run(facts={"time": 3}), UsageError, "'time': 'dusk'"),
    "chain of nothing": (lambda: Chain(None), ChainError, "not None"),
    "chain of a number": (lambda: Chain(5), ChainError, "not int"),
    "chain of bytes": (lambda: Chain(b"invert"), ChainError, "not of int"),
    "chain of Nones": (lambda: Chain([None]), ChainError, "None"),
    "step of nothing": (lambda: Step(None), ChainError, "None is not a name"),
    "step with a list": (lambda: Step("invert", ["a"]), ChainError, "values by name"),
    "load of nothing": (lambda: artkit.load(None), ModelError, "not NoneType"),
    "load of a number": (lambda: artkit.load(3), ModelError, "not int"),
    "NUL in a name": (lambda: run().save("a\0.png"), OutputError, "no file name"),
    "save to nowhere": (lambda: run().save(None), UsageError, "path"),
    "read of NUL": (lambda: Chain("invert")("a\0.png"), ImageError, "no file name"),
    "sparse tensor": (lambda: Chain("invert")(torch.zeros(3, 4, 4).to_sparse()), ImageError, "a sparse one"),
    "meta tensor": (lambda: Chain("invert")(torch.zeros(3, 4, 4, device="meta")), ImageError, "a meta one"),
    "object": (lambda: Chain("invert")(object()), ImageError, "object"),
    "a list of lists": (lambda: Chain("invert")([[PICTURE]]), ImageError, "list"),
    "port of nothing": (lambda: Chain("mix")(PICTURE, style=None), ImageError, "NoneType"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_argument_is_one_error_that_says_what_is_wanted(case):
    call, kind, words = WRONG[case]
    with pytest.raises(kind, match=re.escape(words)) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_paths_are_text_or_path(tmp_path):
    chain = Chain("invert")
    path = chain(PICTURE).save(str(tmp_path / "a.png"))
    assert np.array_equal(chain(str(path)).numpy(), chain(Path(path)).numpy())
    header = next(iter(artkit.models("touchup").values())).path
    assert artkit.load(str(header)) == artkit.load(header)


NUMBERS = [True, 0, -1, 10**30, 0.5, float("nan"), float("inf"), 1j, np.float32(2), torch.tensor(3), (10**30, 1)]
TEXTS = ["", "x", "\0", b"", b"\0", "9" * 30, "1x", Kind.IMAGE, Path("x"), Path("\0")]
OTHERS = [object(), int, lambda: 3, torch.zeros(2), np.zeros((2, 0)), Chain("can"), Step("can")]
THINGS = [*NUMBERS, *TEXTS, *OTHERS, None, (), [], {}, [[]], {"a": 1}, (1, None), [3, "3"]]
scalars = st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=8) | st.sampled_from(THINGS)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
FUNCTIONS = ["run", "stream", "steps", "Chain", "Step", "option", "load", "models", "read", "save"]
PLACES = ["seed", "size", "device", "precision", "facts", "style", "nothing"]


def only_artkit_errors(call, *arguments, **named):
    """Call, and let every other exception through."""
    with suppress(ArtkitError):
        call(*arguments, **named)


def give_run(place, value):
    only_artkit_errors(Chain("mix"), np.zeros((2, 2, 3), np.uint8), **({"style": PICTURE} | {place: value}))


def give(name, value):
    calls = {
        "run": Chain("invert"),
        "stream": lambda value: list(Chain("invert").stream(value)),
        "steps": Chain("invert").steps,
        "Chain": Chain,
        "Step": Step,
        "option": lambda value: Chain([Step("mix", {"strength": value})])(PICTURE, style=PICTURE),
        "load": artkit.load,
        "models": artkit.models,
        "read": artkit.read_picture,
        "save": artkit.read_picture(PICTURE).save,
    }
    only_artkit_errors(calls[name], value)


@pytest.mark.parametrize("place", PLACES)
def test_things_are_taken_or_refused_as_arguments_of_a_run(place):
    for thing in THINGS:
        give_run(place, thing)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_things_are_taken_or_refused_by_functions(name):
    for thing in THINGS:
        give(name, thing)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PLACES), anything)
def test_any_argument_of_a_run_is_taken_or_refused(place, value):
    give_run(place, value)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(FUNCTIONS[:-1]), anything)
def test_any_argument_of_a_function_is_taken_or_refused(name, value):
    give(name, value)
