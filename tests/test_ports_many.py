"""A port that takes several pictures: from the shell, text, recipes and Python; order, sizes, records, errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import artkit
from artkit import Chain, ChainError, PluginError, Step
from artkit.chain import plan_chain, read_recipe
from artkit.engine import Runner
from artkit.engine.step import _stacked
from artkit.engine.work import settle
from artkit.files import digest_of
from artkit.images import read_picture, read_provenance
from artkit.plugins import current_registry
from artkit.plugins.checks import validate_method
from artkit.spec import Kind, MethodSpec, Port
from artkit.testing import check_method, check_spec
from artkit.translator import Translator
from cli_kit import open_shell
from plugin_kit import plugins, write_plugin

PLUGIN = '''
import torch
from artkit import Kind, MethodSpec, Options, Port, Translator, hookimpl

IMAGE = Port("image", Kind.IMAGE, "the picture")

def spec(name, translator, port):
    return MethodSpec(name=name, summary="For tests.", inputs=(IMAGE, port), output=Kind.IMAGE, options=Options,
                      translator=f"many_plugin:{translator}", needs_model=False)

class Weigh(Translator):
    """Adds the mean colours of the tiles, the first in full, each other at half the weight of the one before."""
    spec = spec("weigh", "Weigh", Port("tile", Kind.IMAGE, "pictures", any_size=True, many=True, most=4))
    seen = []
    def translate(self, context, *, image, tile):
        Weigh.seen.append([tuple(one.shape) for one in tile])
        return 0 * image + sum(one.mean((2, 3), keepdim=True) / 2**place for place, one in enumerate(tile)) / 2

class Fit(Translator):
    spec = spec("fit", "Fit", Port("tile", Kind.IMAGE, "pictures", required=False, many=True, most=4))
    seen = []
    def translate(self, context, *, image, tile):
        Fit.seen.append(tile and [tuple(one.shape) for one in tile])
        return image

class Paint(Translator):
    spec = MethodSpec(name="paint", summary="Makes grey.", inputs=(), output=Kind.IMAGE, needs_model=False,
                      translator="many_plugin:Paint")
    def translate(self, context):
        return torch.ones(1, 3, context.height, context.width)

class Spoil(Translator):
    spec = spec("spoil", "Spoil", Port("tile", Kind.IMAGE, "pictures", many=True))
    def translate(self, context, *, image, tile):
        return image * tile[-1].mul_(0.5)

class Swap(Translator):
    spec = spec("swap", "Swap", Port("tile", Kind.IMAGE, "pictures", many=True))
    def translate(self, context, *, image, tile):
        return image * tile[1].flip(0)

@hookimpl
def register_methods():
    return [Weigh.spec, Fit.spec, Paint.spec, Spoil.spec, Swap.spec]
'''


@pytest.fixture
def file(tmp_path, monkeypatch):
    return write_plugin(tmp_path / "many_plugin.py", PLUGIN, monkeypatch)


@pytest.fixture
def plugin(file):
    with plugins(file):
        import many_plugin

        yield many_plugin


def flat(level: int, size=(5, 4)) -> np.ndarray:
    return np.full((*size, 3), level, np.uint8)


@pytest.fixture
def tiles(tmp_path, monkeypatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    for name, level, size in (("a.png", 200, (5, 4)), ("b.png", 80, (9, 3)), ("photo.png", 0, (6, 8))):
        Image.fromarray(flat(level, size)).save(name)
    return ["a.png", "b.png"]


DUE = round((200 + 80 / 2) / 2)
BACK = round((80 + 200 / 2) / 2)


def level(picture) -> int:
    (found,) = np.unique(picture.numpy())
    return int(found)


def test_python_text_and_steps_give_the_same_pictures_in_order(plugin, tiles):
    a, b = tiles
    assert level(Chain("weigh")("photo.png", tile=[a, b])) == DUE
    assert level(Chain("weigh")("photo.png", tile=(b, flat(200)))) == BACK
    text = "weigh(tile=['a.png','b.png'])"
    assert level(Chain(text)("photo.png")) == DUE
    assert Chain([Step("weigh", {"tile": [a, b]})]) == Chain(text) == Chain(str(Chain(text)))
    assert plugin.Weigh.seen[0] == [(1, 3, 5, 4), (1, 3, 9, 3)]


def test_one_picture_or_a_chain_is_a_list_of_one(plugin, tiles):
    assert level(Chain("weigh")("photo.png", tile="a.png")) == 100
    assert level(Chain("weigh(tile='a.png')")("photo.png")) == 100
    assert level(Chain("weigh(tile=[paint])")("photo.png")) == 128


def test_pictures_of_a_port_that_takes_no_other_size_are_resized(plugin, tiles):
    Chain("fit")("photo.png", tile=tiles)
    Chain("fit")("photo.png")
    assert plugin.Fit.seen == [[(1, 3, 6, 8)] * 2, None]


def test_a_batch_equals_its_pictures_alone(plugin, tiles, monkeypatch):
    runner = Runner(plan_chain(Chain("weigh"), current_registry(), has_input=True, ports={"tile": tiles}))
    pictures = [read_picture(flat(level)) for level in (10, 20, 30)]
    made = [settle(one)[-1].picture.tensor for one in runner.compute(pictures, [0, 1, 2])]
    assert plugin.Weigh.seen == [[(3, 3, 5, 4), (3, 3, 9, 3)]]
    alone = [runner.run(picture, seed=seed)[-1].picture.tensor for seed, picture in enumerate(pictures)]
    assert all(map(torch.equal, made, alone))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "takes 1 to 4 pictures, and none is given"),
        (["a.png"] * 100, "takes 1 to 4 pictures, and 100 are given"),
        (["a.png", "gone.png"], "-i tile=gone.png: gone.png does not exist"),
        (["a.png", "."], "is a folder, not a file"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_runs(plugin, tiles, given, message):
    with pytest.raises(ChainError, match=message):
        Chain("weigh")("photo.png", tile=given)
    assert plugin.Weigh.seen == []


def test_lists_in_the_text_are_checked_too(plugin, tiles):
    for text, message in (
        ("weigh(tile=[])", "takes 1 to 4 pictures, and none is given"),
        (f"weigh(tile={['a.png'] * 5})", "takes 1 to 4 pictures, and 5 are given"),
        ("weigh(tile=['a.png','gone.png'])", "there is no file gone.png"),
        ("weigh(tile=['a.png',3])", "feed it with -i tile=PATH"),
        ("weigh", "needs its port 'tile'"),
    ):
        with pytest.raises(ChainError, match=message):
            Chain(text)("photo.png")


def test_a_port_for_one_picture_takes_no_list(plugin, tiles):
    with plugins():
        with pytest.raises(ChainError, match=r"'reference' of match takes one picture, not a list \(2 given\)"):
            Chain("match")("photo.png", reference=tiles)
        with pytest.raises(ChainError, match=r"takes one picture, not a list \(2 given\)"):
            Chain("match(reference=['a.png','b.png'])")("photo.png")


@pytest.mark.parametrize(
    "port",
    [
        Port("words", Kind.TEXT, "text", many=True),
        Port("tile", Kind.IMAGE, "pictures", many=True, most=0),
        Port("tile", Kind.IMAGE, "pictures", many=True, original=True),
    ],
)
def test_ports_that_cannot_be_many_are_refused(port):
    image = Port("image", Kind.IMAGE, "a picture")
    with pytest.raises(PluginError, match="cannot be 'many'"):
        validate_method(MethodSpec("m", "Many.", (image, port), Kind.IMAGE, "many:Many", needs_model=False))
    main = Port("image", Kind.IMAGE, "a picture", many=True)
    with pytest.raises(PluginError, match="cannot be 'many'"):
        validate_method(MethodSpec("m", "Many.", (main,), Kind.IMAGE, "many:Many", needs_model=False))


def test_pictures_of_a_batch_are_stacked_in_their_order_and_apart_where_sizes_differ():
    first = {"tile": [torch.full((1, 3, 2, 2), 1.0), torch.full((1, 3, 4, 5), 2.0)]}
    second = {"tile": [torch.full((1, 3, 2, 2), 3.0), torch.full((1, 3, 4, 5), 4.0)]}
    stacked = _stacked([first, second])["tile"]
    assert [tuple(one.shape) for one in stacked] == [(2, 3, 2, 2), (2, 3, 4, 5)]
    assert [one.flatten(1)[:, 0].tolist() for one in stacked] == [[1, 3], [2, 4]]
    assert _stacked([first, {"tile": second["tile"][:1]}]) is None
    assert _stacked([first, {"tile": second["tile"][::-1]}]) is None


def test_the_contract_kit_feeds_and_watches_every_picture(plugin):
    registry = current_registry()
    for name in ("weigh", "fit"):
        check_method(name, registry)
        check_spec(registry.method(name))
    shapes = [set(shapes) for shapes in plugin.Weigh.seen]
    assert {(2, 3, 16, 16), (2, 3, 17, 16), (2, 3, 18, 16)} in shapes
    with pytest.raises(AssertionError, match="picture 0 depends on the rest of its batch"):
        check_method("swap", registry)


def test_the_contract_kit_sees_a_picture_that_is_changed(plugin, monkeypatch):
    check_method("spoil", current_registry())  # the translator works on copies
    monkeypatch.setattr(Translator, "_place", lambda self, name, value, *how: value)
    with pytest.raises(AssertionError, match="an input was changed"):
        check_method("spoil", current_registry())


# -- the shell ------------------------------------------------------------------------------------------------------

shell = pytest.fixture(open_shell)


@pytest.fixture
def run(shell, file, tiles):
    return lambda *arguments: shell("--plugin", file, *arguments)


def test_the_shell_repeats_i_and_the_record_makes_it_again(run, tiles):
    ports = ("-i", "tile=a.png", "-i", "tile=b.png")
    outcome = run("run", "photo.png", "--chain", "weigh", *ports, "-o", "out.png")
    assert outcome.code == 0, outcome.err
    assert level(read_picture("out.png")) == DUE
    record = read_provenance("out.png")
    assert record["ports"] == {"tile": tiles}
    assert record["port_hashes"] == [digest_of(Path(tile)) for tile in tiles]
    again = run("run", "--recipe", "out.png", "-o", "again.png")
    assert again.code == 0, again.err
    assert "out.png was made with tile=a.png, b.png: reading that." in again.err
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()
    kept = run("run", "photo.png", "--chain", "weigh", *ports, "-o", "out.png", "--skip-existing")
    assert (kept.code, "1 of 1 are there already" in kept.err) == (0, True)
    swapped = ("-i", "tile=b.png", "-i", "tile=a.png")
    other = run("run", "photo.png", "--chain", "weigh", *swapped, "-o", "out.png", "--skip-existing")
    assert "was made with other files for its ports" in other.err


def test_recipes_hold_lists(run, tiles):
    recipe = artkit.chain.recipe.Recipe(Chain("weigh"), ports={"tile": [Path("a.png"), Path("b.png")]})
    Path("recipe.toml").write_text(recipe.to_toml())
    assert 'tile = ["a.png", "b.png"]' in Path("recipe.toml").read_text()
    assert read_recipe("recipe.toml") == recipe
    assert run("run", "photo.png", "--recipe", "recipe.toml", "-o", "out.png").code == 0
    assert level(read_picture("out.png")) == DUE


def test_a_picture_cannot_name_files_elsewhere(run, tiles, tmp_path):
    run("run", "photo.png", "--chain", "weigh", "-i", "tile=a.png", "-i", "tile=b.png", "-o", "out.png")
    image = Image.open("out.png")
    from PIL.PngImagePlugin import PngInfo

    record = read_provenance("out.png") | {"ports": {"tile": ["a.png", "../b.png"]}}
    info = PngInfo()
    info.add_text("artkit", json.dumps(record))
    image.save("bad.png", pnginfo=info)
    outcome = run("run", "photo.png", "--recipe", "bad.png", "-o", "again.png")
    assert (outcome.code, "../b.png, which is outside the picture's folder" in outcome.err) == (2, True)


def test_the_shell_says_how_many_a_port_takes(run, tiles):
    assert "tile (image, up to 4 pictures): pictures" in run("methods", "weigh").out
    plan = run("run", "photo.png", "--chain", "weigh", "-i", "tile=a.png", "-i", "tile=b.png", "--dry-run")
    assert "tile=a.png, b.png" in plan.out
    asked = ("run", "photo.png", "--chain", "weigh", "-i", "tile=a.png", "-i", "tile=b.png", "--dry-run", "--json")
    inputs = json.loads(run(*asked).out)["plan"]["steps"][0]["inputs"]
    assert inputs["tile"] == {"from": "files", "paths": tiles}
