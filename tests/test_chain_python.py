"""Chains as Python objects: composing them, running them on one picture, several or many, and asking what there is."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch

import artkit
from artkit import Chain, ChainError, ImageError, Step, UsageError
from artkit.chain import plan_chain
from artkit.engine import loading, pick_precision
from artkit.images import read_picture, write_picture
from artkit.plugins import current_registry
from engine_kit import grey, load_plugin

plugin = pytest.fixture(autouse=True)(load_plugin)


def test_chains_compose():
    one, two = Chain("invert,invert"), Chain("mix(strength=0.1)")
    whole = Chain("invert,invert,mix(strength=0.1)")
    assert one | two == whole
    assert one + "mix(strength=0.1)" == whole
    assert "invert" + (Chain("invert") | Step("mix", {"strength": 0.1})) == whole
    assert Step("invert") + Chain("invert") == one
    assert (whole[0], whole[-1]) == (Step("invert"), Step("mix", {"strength": 0.1}))
    assert whole[1:] == Chain("invert") | two
    assert (len(whole), [step.method for step in whole]) == (3, ["invert", "invert", "mix"])
    with pytest.raises(ChainError):
        whole[3:]
    with pytest.raises(TypeError):
        whole + 3


def test_a_chain_from_a_recipe(tmp_path):
    (tmp_path / "r.toml").write_text(Chain("invert,dream").to_recipe())
    assert Chain(tmp_path / "r.toml") == Chain("invert,dream")


def test_every_step_by_name():
    made = Chain("invert,mix(style=[dream]),invert").steps(grey(55), seed=2)
    assert list(made) == ["invert", "mix", "invert-2"]
    assert np.array_equal(made["invert"].numpy(), grey(200))
    assert np.array_equal(made["invert-2"].numpy(), 255 - made["mix"].numpy())
    assert np.array_equal(made["invert-2"].numpy(), Chain("invert,mix(style=[dream]),invert")(grey(55), seed=2).numpy())


def test_a_list_gives_a_list(tmp_path):
    path = write_picture(read_picture(grey(9)), tmp_path / "a.png")
    made = Chain("invert")([path, str(path), grey(1), read_picture(grey(2)), path.read_bytes()])
    assert [int(picture.numpy()[0, 0, 0]) for picture in made] == [246, 246, 254, 253, 246]
    assert Chain("invert")(()) == []


@pytest.mark.parametrize("count", [2, 3])
def test_a_batch_gives_a_list(count):
    pixels = np.stack([grey(level) for level in range(count)])
    for batch in (pixels, torch.from_numpy(pixels).movedim(-1, 1), torch.from_numpy(pixels).movedim(-1, 1) / 255):
        made = Chain("invert")(batch)
        assert [int(picture.numpy()[0, 0, 0]) for picture in made] == [255 - level for level in range(count)]


def test_a_batch_of_one_is_a_picture():
    assert Chain("invert")(torch.zeros(1, 3, 2, 2)).size == (2, 2)


def test_each_of_several_is_what_it_is_alone():
    chain = Chain("mix(style=[dream],vary=style)")
    pictures = [grey(level) for level in (3, 80, 200)]
    for alone, among in zip(pictures, chain(pictures, seed=5), strict=True):
        assert np.array_equal(chain(alone, seed=5).numpy(), among.numpy())


def test_a_stream_yields_as_it_goes(tmp_path):
    read = []

    def pictures():
        for level in range(50):
            read.append(level)
            yield grey(level)

    stream = Chain("invert").stream(pictures(), size="3x2")
    first = next(stream)
    assert (int(first.numpy()[0, 0, 0]), first.size) == (255, (2, 3))
    assert len(read) < 20
    assert [int(made.numpy()[0, 0, 0]) for made in stream] == list(range(254, 205, -1))


def test_a_stream_raises_when_the_turn_of_a_bad_picture_comes(tmp_path):
    stream = Chain("invert").stream([grey(1), tmp_path / "none.png", grey(2)])
    assert int(next(stream).numpy()[0, 0, 0]) == 254
    with pytest.raises(ImageError, match=r"none\.png"):
        next(stream)


@pytest.mark.parametrize("pictures", ["a.png", Path("a.png"), b"", None, 3])
def test_a_stream_wants_many(pictures):
    with pytest.raises(ImageError, match="list"):
        Chain("invert").stream(pictures)


@pytest.mark.parametrize("size", [(3, 2), [3, 2], "3x2", " 3 X 2 ", "3×2", (np.int64(3), np.int32(2))])
def test_sizes(size):
    assert Chain("dream")(size=size).size == (2, 3)


@pytest.mark.parametrize("size", ["4", 4, np.uint8(4)])
def test_one_number_is_the_longest_side(size):
    assert Chain("dream")(size=size).size == (3, 4)
    assert Chain("invert")(grey(1, height=16, width=8), size=size).size == (4, 2)


def test_an_unknown_keyword_lists_what_there_is():
    with pytest.raises(UsageError) as caught:
        Chain("invert,mix")(grey(1), n=3, style=grey(2))
    assert str(caught.value) == (
        "invert,mix takes no 'n': it takes seed, size, device, precision, facts, and the ports image, style."
    )
    with pytest.raises(UsageError, match="Did you mean 'style'"):
        Chain("mix")(grey(1), styl=grey(2))
    for near in ("sed", "sending"):  # of which three letters in seven are those of a setting
        with pytest.raises(UsageError, match="Did you mean 'seed'"):
            Chain("mix").steps(grey(1), **{near: 1})


@pytest.mark.parametrize("text", ["mix(strength=1,style='{}')", 'mix(strength=1,style="{}")'])
def test_a_picture_in_the_text_feeds_a_port(text, tmp_path):
    path = write_picture(read_picture(grey(200)), tmp_path / "monet.png")
    chain = Chain(text.format(path))
    assert np.array_equal(chain(grey(0)).numpy(), grey(200))
    assert Chain(str(chain)) == chain
    assert "ports" not in chain(grey(0)).provenance


def test_a_picture_in_the_text_has_to_be_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ChainError, match=r"mix\(style=monet.jpg\): there is no file monet.jpg"):
        Chain("mix(style=monet.jpg)")(grey(0))
    with pytest.raises(ChainError, match="style='PATH'"):
        Chain("mix(style=monet)")(grey(0))
    write_picture(read_picture(grey(200)), tmp_path / "monet.png")
    (tmp_path / "monet.png").rename("monet")
    assert Chain("mix(style=monet,strength=1)")(grey(0)).numpy()[0, 0, 0] == 200


def test_a_word_sets_the_option_of_a_ports_name_and_a_path_feeds_the_port(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_picture(read_picture(grey(200)), tmp_path / "swirl.png")
    texts = ("nst(style=glass)", "nst(style=swirl.png)")
    word, file = (plan_chain(Chain(text), current_registry(), has_input=True).steps[0] for text in texts)
    assert (word.options.style, word.bindings.get("style")) == ("glass", None)
    assert (file.options.style, file.bindings["style"]) == (None, Path(path.name))


def test_methods_and_models_are_listed():
    assert {"invert", "pix2pix", "nst"} <= artkit.methods().keys()
    assert artkit.methods()["pix2pix"].default_model == "landscape"
    assert artkit.models()["pix2pix/landscape"].header.method == "pix2pix"
    assert {model.method for model in artkit.models("touchup").values()} == {"touchup"}
    with pytest.raises(ChainError, match="pix2pix"):
        artkit.models("pix2pox")


def test_the_room_of_models_stays_a_room():
    from artkit.models import read_header

    assert artkit.models.read_header is read_header


def test_load_takes_a_method_for_its_default_model():
    assert artkit.load("pix2pix") == Chain("pix2pix")
    assert artkit.load("touchup", strength=0.5) == Chain("touchup(strength=0.5)")
    assert artkit.load("pix2pix/landscape") == Chain("pix2pix(model=landscape)")


def test_networks_stay_loaded_between_calls(monkeypatch):
    loads = []
    load = loading.load_translator
    monkeypatch.setattr(
        loading, "load_translator", lambda planned, *rest: loads.append(planned) or load(planned, *rest)
    )
    chain, pixels = Chain("touchup(strength=0.7),touchup(strength=0.7)"), grey(99)
    first = chain(pixels).numpy()
    assert np.array_equal(chain(pixels).numpy(), first)
    assert np.array_equal(Chain(str(chain))(pixels).numpy(), first)
    assert len(loads) == 1
    Chain("touchup(strength=0.6)")(pixels)
    chain(pixels, precision="fp32" if pick_precision("auto", torch.device("cpu")) == "bf16" else "bf16")
    assert len(loads) == 3


def test_a_model_file_that_changed_is_loaded_anew(tmp_path):
    model = artkit.models.load_model(next(iter(artkit.models("touchup").values())).path)
    path = tmp_path / "m.safetensors"
    artkit.models.save_model(path, model.header, model.tensors)
    chain, pixels = Chain(f"touchup(model='{path}')"), np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8)
    before = chain(pixels)
    artkit.models.save_model(path, model.header, {name: 0 * tensor for name, tensor in model.tensors.items()})
    after = chain(pixels)
    assert before.provenance["models"] != after.provenance["models"]
    assert not np.array_equal(before.numpy(), after.numpy())


def test_the_shelf_is_bounded():
    def step(floats):
        return loading.Loaded(torch.nn.ParameterList([torch.zeros(floats)]), None)

    shelf = loading.Shelf(count=2, nbytes=100)
    kept = {name: shelf.get(name, lambda: step(5)) for name in "abc"}
    assert len(shelf) == 2
    assert shelf.get("b", lambda: step(5)) is kept["b"]
    assert shelf.get("d", lambda: step(5)).nbytes == 20
    assert shelf.get("b", lambda: step(5)) is kept["b"]
    assert shelf.get("c", lambda: step(5)) is not kept["c"]
    assert shelf.get("huge", lambda: step(99)).nbytes > 100
    assert len(shelf) == 1
    shelf.clear()
    assert len(shelf) == 0


def test_threads_share_a_chain():
    chain = Chain("semgan,pix2pix(stochastic=true),touchup")
    pictures = [np.full((16, 16, 3), 30 * number, np.uint8) for number in range(6)]
    alone = [chain(picture, seed=1).numpy() for picture in pictures]
    made = {}

    def work(number):
        made[number] = chain(pictures[number], seed=1).numpy()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(made[number], alone[number]) for number in range(6))
