"""Recipes: TOML files, and pictures that remember their making."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from artkit.chain import Chain, Recipe, Step, read_recipe
from artkit.errors import ChainError
from artkit.images.provenance import add_provenance


def png(record: dict[str, object] | None) -> bytes:
    """Return a 1x1 PNG, with a record if there is one."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    data += chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    return data if record is None else add_provenance(data, record)


def test_toml_with_chain_text(tmp_path: Path) -> None:
    path = tmp_path / "paint.toml"
    path.write_text(
        'chain = """\n  semgan,\n  pix2pix(model=landscape),  # paints\n  touchup\n"""\n'
        'seed = 7\nsize = [512, 384]\ncount = 9\n[ports]\nstyle = "monet.jpg"\n'
    )
    recipe = read_recipe(path)
    assert str(recipe.chain) == "semgan,pix2pix(model=landscape),touchup"
    assert (recipe.seed, recipe.size, recipe.count) == (7, (512, 384), 9)
    assert recipe.ports == {"style": tmp_path / "monet.jpg"}
    assert Chain.from_recipe(path) == recipe.chain


def test_toml_with_tables(tmp_path: Path) -> None:
    path = tmp_path / "paint.toml"
    path.write_text(
        '[[steps]]\nmethod = "semgan"\n\n[[steps]]\nmethod = "nst"\nstrength = 0.6\nlayers = [1, 2]\n'
        'style = [{method = "can", seed = 3}, {method = "superres"}]\n'
    )
    recipe = read_recipe(path)
    assert recipe == Recipe(Chain("semgan,nst(strength=0.6,layers=[1,2],style=[can(seed=3),superres])"))


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
recipes = st.builds(
    Recipe,
    st.builds(lambda text, number: Chain([Step("a", {"x": text, "y": number}), "b"]), texts, st.integers(0, 99)),
    st.none() | st.integers(0, 2**63 - 1),
    st.none() | st.tuples(st.integers(1, 9999), st.integers(1, 9999)),
    st.none() | st.integers(1, 99),
    st.dictionaries(st.sampled_from(["style", "mask"]), texts.filter(lambda text: "\0" not in text).map(Path)),
)


@given(recipes)
def test_toml_round_trips(recipe: Recipe) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.toml"
        path.write_text(recipe.to_toml(), encoding="utf-8", newline="")
        again = read_recipe(path)
        ports = {name: Path(folder) / file for name, file in recipe.ports.items()}
    assert again == Recipe(recipe.chain, recipe.seed, recipe.size, recipe.count, ports)


def test_chain_writes_itself_as_a_recipe(tmp_path: Path) -> None:
    chain = Chain("semgan,touchup(strength=0.8,note='say \"hi\"\\n')")
    path = tmp_path / "r.toml"
    path.write_text(chain.to_recipe())
    assert Chain.from_recipe(path) == chain


def test_picture_remembers_its_recipe(tmp_path: Path) -> None:
    path = tmp_path / "art.png"
    record = {"chain": "semgan,pix2pix", "seed": 7, "size": [512, 384], "ports": {"style": "monet.jpg"}, "models": {}}
    path.write_bytes(png(record))
    recipe = read_recipe(path)
    assert recipe == Recipe(Chain("semgan,pix2pix"), 7, (512, 384), None, {"style": tmp_path / "monet.jpg"})
    path.write_bytes(png({"chain": "pix2pix", "seed": 0, "size": None, "ports": {}}))
    assert Chain.from_recipe(path) == Chain("pix2pix")


BAD = {
    "chain = ": "not valid TOML",
    "x = " + "[" * 3000: "not valid TOML",
    "": r"chain = .* or \[\[steps\]\]",
    'chain = "a"\nsteps = []': r"chain = .* or \[\[steps\]\]",
    'chian = "a"': r"no 'chian'.*'chain'",
    'chain = "a b"': "comma",
    "chain = 3": r"expected `str.*chain",
    'chain = "a"\nseed = -1': r"seed",
    'chain = "a"\nsize = [1]': r"size",
    'chain = "a"\nsize = [0, 5]': r"size",
    'chain = "a"\ncount = 0': r"count",
    'chain = "a"\n[ports]\nstyle = 3': r"ports",
    "steps = []": "at least one step",
    "[[steps]]\nstrength = 1": "method = ",
    '[[steps]]\nmethod = "a"\nwhen = 2020-01-01': r"a\(when=\.\.\.\)",
    '[[steps]]\nmethod = "a b"': "'a b' is not a name",
    '[[steps]]\nmethod = "a"\nstyle = [{seed = 3}]': "method = ",
}


@pytest.mark.parametrize("text", BAD, ids=lambda text: ascii(text[:30]))
def test_bad_recipe_names_the_file_and_the_mistake(text: str, tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(ChainError, match=BAD[text]) as caught:
        read_recipe(path)
    assert str(path) in str(caught.value)


def test_files_that_are_no_recipes(tmp_path: Path) -> None:
    with pytest.raises(ChainError, match="No such file"):
        read_recipe(tmp_path / "absent.toml")
    with pytest.raises(ChainError, match="directory"):
        read_recipe(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(ChainError, match="neither a TOML recipe nor a PNG"):
        read_recipe(tmp_path / "photo.jpg")
    (tmp_path / "plain.png").write_bytes(png(None))
    with pytest.raises(ChainError, match=r"plain.png carries no recipe"):
        read_recipe(tmp_path / "plain.png")
    (tmp_path / "large.toml").write_bytes(b"#" * (2 << 20))
    with pytest.raises(ChainError, match="larger than"):
        read_recipe(tmp_path / "large.toml")


@pytest.mark.parametrize(
    "record", [{}, {"chain": 3}, {"chain": "a b"}, {"chain": "a", "seed": "x"}, {"chain": "a", "ports": [1]}]
)
def test_picture_with_a_hostile_record(record: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "art.png"
    path.write_bytes(png(record))
    with pytest.raises(ChainError, match=r"art\.png"):
        read_recipe(path)
