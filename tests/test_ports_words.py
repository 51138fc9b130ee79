"""A port that takes words: from the shell, chain text, Python and what is known of pictures; records, plans, errors."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from artkit import Chain, ChainError
from artkit.chain import plan_chain
from artkit.images import read_provenance
from artkit.plugins import current_registry
from artkit.studio.chains import plan_for, read_chain
from cli_kit import open_shell, pixels_of
from plugin_kit import plugins, write_plugin

PLUGIN = '''
from artkit import Kind, MethodSpec, Port, Translator, hookimpl

def spec(name, **how):
    inputs = (Port("image", Kind.IMAGE, "the picture"), Port("words", Kind.TEXT, "what is said", **how))
    return MethodSpec(name=name, summary="For tests.", inputs=inputs, output=Kind.IMAGE, needs_model=False,
                      translator=f"words_plugin:{name.title()}")

class Say(Translator):
    """Paints the lighter, the more letters there are, in 32nds."""
    spec = spec("say")
    def translate(self, context, *, image, words):
        lights = [0 if text is None else len(text) / 32 for text in words or [None] * len(image)]
        return 0 * image + image.new_tensor(lights).view(-1, 1, 1, 1)

class Whisper(Say):
    spec = spec("whisper", required=False)

@hookimpl
def register_methods():
    return [Say.spec, Whisper.spec]
'''
SAID = "lake, fields and//or \"woods'"
LIGHT = round(255 * len(SAID) / 32)
LAKE = 32


@pytest.fixture
def file(tmp_path, monkeypatch):
    return write_plugin(tmp_path / "words_plugin.py", PLUGIN, monkeypatch)


@pytest.fixture
def shell(file, tmp_path, monkeypatch, capsys):
    opened = open_shell(tmp_path, monkeypatch, capsys)
    Image.new("RGB", (4, 3), (9, 9, 9)).save("in.png")
    return lambda *typed: opened(*typed, "--plugin", str(file))


def test_words_come_from_the_shell_and_are_remembered_in_the_chain(shell):
    assert shell("run", "in.png", "--chain", "say", "-i", f"words={SAID}", "-o", "a.png")[0] == 0
    record = read_provenance("a.png")
    assert Chain(record["chain"])[0].options == {"words": SAID}
    assert "ports" not in record
    assert set(pixels_of("a.png").flat) == {LIGHT}
    code, out, _ = shell("run", "--recipe", "a.png", "-o", "b.png", "--json")
    assert code == 0, out
    assert read_provenance("b.png")["chain"] == record["chain"]
    assert shell("run", "in.png", "--chain", "say(words=lake)", "-o", "c.png")[0] == 0
    assert set(pixels_of("c.png").flat) == {LAKE}


def test_what_is_not_told_is_an_error_unless_the_port_can_do_without(shell):
    assert shell("run", "in.png", "--chain", "whisper", "-o", "a.png")[0] == 0
    assert set(pixels_of("a.png").flat) == {0}
    code, _, err = shell("run", "in.png", "--chain", "say", "-o", "b.png")
    assert code == 2
    assert "say needs words for its port 'words': add -i words='...', or write say(words='...')." in err


def test_python_feeds_words_to_nested_chains_and_batches_too(file):
    picture = torch.rand(1, 3, 4, 4)
    with plugins(file):
        assert np.allclose(Chain("say")(picture, words="lake").tensor, 0.125)
        both = Chain("say(words=lake)")([picture, picture])
        assert [float(one.tensor.mean()) for one in both] == [0.125, 0.125]
        assert np.allclose(Chain("say")(picture, facts={"words": "sea"}).tensor, 3 / 32)
        assert np.allclose(Chain("say")(picture, facts={"caption": "sea"}).tensor, 3 / 32)
        assert np.allclose(Chain("say")(picture, facts={"words": "sea", "caption": "-"}).tensor, 3 / 32)
        assert np.allclose(Chain("say")(picture, facts={"words": "sea"}, words="lake").tensor, 0.125)
        with pytest.raises(ChainError) as caught:
            Chain("say")(picture, words=["a", "b"])
        assert str(caught.value) == "The port 'words' of say takes words: say(words='...') or -i words='...'."
        with pytest.raises(ChainError, match="takes words"):
            plan_chain(Chain("say(words=[grey])"), current_registry(), has_input=True)
        with pytest.raises(ChainError) as caught:
            Chain("say(words=sea)")(picture, words="lake")
        assert str(caught.value) == "The port 'words' of say is fed already: leave out -i words=..."


def test_as_many_words_are_taken_as_a_chain_remembers(file):
    with plugins(file):
        registry = current_registry()
        most = plan_chain(Chain("say"), registry, has_input=True, ports={"words": "\x1b" * 4000})
        assert Chain(str(most.chain)) == most.chain
        with pytest.raises(ChainError) as caught:
            plan_chain(Chain("say"), registry, has_input=True, ports={"words": "a" * 4001})
        assert str(caught.value) == "The port 'words' of say takes 4000 characters at most; 4001 are given."
        told = r"takes what is written in 17000 characters at most; these take 40002, since what cannot be printed"
        with pytest.raises(ChainError, match=told):
            plan_chain(Chain("say"), registry, has_input=True, ports={"words": "\U000e0001" * 4000})


def test_a_plan_says_what_is_told(file):
    with plugins(file):
        registry = current_registry()
        told, known = (
            plan_chain(Chain("say"), registry, has_input=True, ports=ports) for ports in ({"words": "a lake"}, {})
        )
        assert (str(told.chain), str(known.chain)) == ("say(words='a lake')", "say")
        assert "words='a lake'" in told.describe()[0]
        assert "words=what is known" in known.describe()[0]
        inputs = [plan.as_json()["steps"][0]["inputs"]["words"] for plan in (told, known)]
        assert inputs == [{"from": "text", "text": "a lake"}, {"from": "facts"}]
        assert json.dumps(inputs)


def test_the_studio_takes_words_for_words(file):
    with plugins(file):
        chain = read_chain(f"say(words={json.dumps('fields and/or hills')})", current_registry())
        plan = plan_for(chain, current_registry(), {}, has_input=True)
        assert plan.steps[0].bindings["words"].text == "fields and/or hills"
