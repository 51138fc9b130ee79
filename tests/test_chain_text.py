"""Chain text: what it means, that it round-trips, and that no text does harm."""

from __future__ import annotations

import copy
import pickle
import string
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from artkit.chain import Chain, Step
from artkit.chain.steps import is_word
from artkit.errors import ArtkitError, ChainError
from artkit.spec import Kind
from artkit.spec.calls import MAX_DEPTH, MAX_LENGTH

VALUES = {
    "word": "word",
    "'two words'": "two words",
    '"it\'s"': "it's",
    "'runs/a.safetensors'": "runs/a.safetensors",
    "r'C:\\new'": "C:\\new",
    "'true'": "true",
    "true": True,
    "True": True,
    "false": False,
    "none": None,
    "None": None,
    "3": 3,
    "-3": -3,
    "+0.5": 0.5,
    "-1.5e3": -1500.0,
    "1_000": 1000,
    "0x10": 16,
    "[]": (),
    "[1, -2.5, 'a', b]": (1, -2.5, "a", "b"),
    "(512, 384)": (512, 384),
    "[true, none]": (True, None),
    "[[1], [red]]": ((1,), ("red",)),
}


@pytest.mark.parametrize("text", VALUES)
def test_value(text: str) -> None:
    value = Chain(f"m(x={text})")[0].options["x"]
    assert value == VALUES[text]
    assert type(value) is type(VALUES[text])


def test_steps_options_and_nested_chains() -> None:
    chain = Chain("semgan, nst(strength=0.6, style=[can(seed=3), superres],\n  mode=soft),  # a remark\n touchup,")
    style = Chain([Step("can", {"seed": 3}), Step("superres")])
    assert chain == Chain(["semgan", Step("nst", {"strength": 0.6, "style": style, "mode": "soft"}), "touchup"])
    assert str(chain) == "semgan,nst(strength=0.6,style=[can(seed=3),superres],mode=soft),touchup"
    assert [step.method for step in chain] == ["semgan", "nst", "touchup"]
    assert len(chain) == 3


def test_a_chain_is_made_of_texts_steps_and_chains() -> None:
    chain = Chain(["a,b(x=1)", Step("c"), Chain("d")])
    assert str(chain) == "a,b(x=1),c,d"
    assert repr(chain) == "Chain('a,b(x=1),c,d')"
    assert Chain([Step("nst", {"style": [Step("can")]})]) == Chain("nst(style=[can])")


def test_chains_compare_copy_and_stay() -> None:
    chain = Chain("a(x=1,y=[b,c(z=2)])")
    same = Chain("a(y=[b,c(z=2)],x=1)")
    assert chain == same
    assert hash(chain) == hash(same)
    assert chain != Chain("a(x=2,y=[b,c(z=2)])")
    assert chain != "a"
    assert pickle.loads(pickle.dumps(chain)) == copy.deepcopy(chain) == chain
    with pytest.raises(AttributeError):
        chain._steps = ()  # type: ignore[misc]


@pytest.mark.parametrize(
    "path",
    [
        "runs/best.v2",
        "latest_net_G.pth",
        "/data/a-b/net.pth",
        "../2017/x.pth",
        "./x",
        "~/models/G_A.pth",
        "a/b+c",
        "a.b",
    ],
)
def test_paths_need_no_quotes(path: str) -> None:
    chain = Chain(f"a(x='=b/c',model={path},  # d=e/f \n y=1.5),b(model={path}),c(z={path} )")
    assert [step.options.get("model") for step in chain] == [path, path, None]
    assert chain[0].options == {"x": "=b/c", "model": path, "y": 1.5}
    assert Chain(str(chain)) == chain


words = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8).filter(is_word)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(-9e18, 9e18)
    | st.text(max_size=20)
    | words
)
values: st.SearchStrategy[Any] = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4), max_leaves=6)


def _chains(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Chain]:
    options = st.dictionaries(words, inner, max_size=3)
    return st.lists(st.builds(Step, words, options), min_size=1, max_size=3).map(Chain)


chains = _chains(values | _chains(values | _chains(values)))


@given(chains)
def test_text_round_trips(chain: Chain) -> None:
    again = Chain(str(chain))
    assert again == chain
    assert str(again) == str(chain)


@given(st.text(alphabet="ab1.,()[]{}=/~_'\"\\ \n\r\f\x1c#*-:@\x00é\udc80", max_size=30))
def test_any_text_is_a_chain_or_one_error(text: str) -> None:
    try:
        chain = Chain(text)
    except ArtkitError:
        return
    assert Chain(str(chain)) == chain


ERRORS = {
    "": "empty",
    " \n": "empty",
    "semgan,,pix2pix": "column 8",
    "a b": "comma",
    "a(x=1": "brackets",
    "a),(b": "brackets",
    "a],[b": "brackets",
    "a][b": "brackets",
    "a]": "brackets",
    "[a": "brackets",
    "a-b": "a-b is no step",
    "a.b(x=1)": r"a\.b\(x=1\) is no step",
    "a := 1": "no step",
    "*a": "no step",
    "1": "1 is no step",
    "pix2pix(landscape)": r"pix2pix\(NAME=landscape\)",
    "a(**x)": r"'\*\*'",
    "a(x=1,x=2)": "'x' is given twice",
    "a(x=b(c=1))": r"brackets: \[b\(c=1\)\]",
    "a(x=[1,b(c=1)])": "1 is no step",
    "pix2pix(model=runs best.v2)": "comma",
    "a(x=1/2)": "quotes",
    "a(x=b/c*2)": "quotes",
    "a(x=f'{1}')": "quotes",
    "a(x=b'1')": "quotes",
    "a(x=1j)": "quotes",
    "a(x=...)": "quotes",
    "a(x=-true)": "quotes",
    "a(x=-'1')": "quotes",
    "a(x={1: 2})": "quotes",
    "a(x=not y)": "quotes",
    "a(x=[y for y in z])": "quotes",
    "a(x='\\d')": "escape.*paths",
    "a(x='abc)": "unterminated",
    "é": "letters a to z",
    "a(é=1)": "letters a to z",
    "a(x=1e999)": "too large",
    f"a(x={2**63})": "too large",
    "a(x=" + "9" * 5000 + ")": "too large",
    "class": "write steps like",
    "__import__('os').system('true')": "no step",
    "a\0": "null",
    "a\udc80": "not text",
}


@pytest.mark.parametrize("text", ERRORS, ids=lambda text: ascii(text[:30]))
def test_mistake_is_explained(text: str) -> None:
    with pytest.raises(ChainError, match=ERRORS[text]):
        Chain(text)


@pytest.mark.parametrize(
    ("text", "excerpt", "mark"),
    [
        ("semgan,touchup(0.8)", "semgan,touchup(0.8)", "0.8"),
        ("semgan,\ntouchup(0.8),\npix2pix", "touchup(0.8),", "0.8"),
        ("a(x='é€𝄞'),touchup(0.8)", "a(x='é€𝄞'),touchup(0.8)", "0.8"),
    ],
)
def test_mark_stands_under_the_mistake(text: str, excerpt: str, mark: str) -> None:
    with pytest.raises(ChainError) as caught:
        Chain(text)
    _, shown, caret = str(caught.value).split("\n")
    assert shown == f"  {excerpt}"
    assert shown[caret.index("^") :].startswith(mark)


def test_mark_in_a_long_line_stays_in_view() -> None:
    text = "a," * 200 + "touchup(0.8)," + "b," * 200
    with pytest.raises(ChainError, match="column 409") as caught:
        Chain(text)
    _, shown, caret = str(caught.value).split("\n")
    assert len(shown) <= 80
    assert shown[caret.index("^") :].startswith("0.8")


HOSTILE = {
    "minus": "a(x=" + "-" * 9000 + "1)",
    "not": "a(x=" + "not " * 4000 + "1)",
    "power": "a**" * 6000 + "b",
    "sum": "a(x=" + "+".join("1" * 9000) + ")",
    "dots": "a" + ".a" * 9000,
    "calls": "a" + "()" * 9000,
    "nested calls": "a(x=" * 180 + "1" + ")" * 180,
    "brackets": "(" * 9000,
    "lists": "a(x=" + "[" * 150 + "]" * 150 + ")",
    "unclosed": "[a," * 6000,
    "lambdas": "lambda:" * 2500 + "1",
    "conditions": "a if b else " * 1500 + "c",
    "f-strings": "f'{" * 500,
    "too long": "a," * MAX_LENGTH,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_costs_one_error(name: str) -> None:
    with pytest.raises(ChainError) as caught:
        Chain(HOSTILE[name])
    assert len(str(caught.value)) < 400


def test_nesting_has_a_limit() -> None:
    text = "a"
    for _ in range(MAX_DEPTH):
        text = f"a(x=[{text}])"
    assert str(Chain(text)) == text
    with pytest.raises(ChainError, match=str(MAX_DEPTH)):
        Chain(f"a(x=[{text}])")


def test_python_values_become_plain() -> None:
    values = {"a": Kind.MASK, "b": Path("x.png"), "c": Fraction(1, 4), "d": np.float64(0.5), "e": np.int64(3)}
    plain = {"a": "mask", "b": "x.png", "c": 0.25, "d": 0.5, "e": 3}
    step = Step("m", values)
    assert step.options == plain
    assert str(step) == "m(a=mask,b='x.png',c=0.25,d=0.5,e=3)"


@pytest.mark.parametrize(
    "value", [b"x", object(), {"a": 1}, float("nan"), float("inf"), 2**70, 1 << 20_000, [Step("a"), 1]], ids=type
)
def test_python_values_are_checked(value: Any) -> None:
    with pytest.raises(ChainError, match=r"pix2pix\(strength=\.\.\.\)"):
        Step("pix2pix", {"strength": value})


@pytest.mark.parametrize("name", ["two words", "class", "", "é", "a-b", 3])
def test_python_names_are_checked(name: Any) -> None:
    with pytest.raises(ChainError, match="name"):
        Step(name)
    with pytest.raises(ChainError, match="name"):
        Step("a", {name: 1})


@pytest.mark.parametrize("source", [[], [3], [None]])
def test_parts_of_a_chain_are_checked(source: Any) -> None:
    with pytest.raises(ChainError):
        Chain(source)
