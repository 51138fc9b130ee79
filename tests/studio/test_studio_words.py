"""Ports that take words, over HTTP: as fields of a run, as options of steps; remembered, bounded, refused in a line."""

from __future__ import annotations

import io
import json
import tomllib

import pytest

from artkit import Chain
from artkit.images import read_provenance
from artkit.studio.chains import describe_chain, read_chain
from studio_kit import grey, open_studio, pixels_of, registry, wait_for_end

MOST = 4_000
SAID = "fields and/or \"hills\" at\nC:\\dusk.jpg 'é'"
WIDEST = {"letters": "a" * MOST, "wide": "\U0001f3de" * MOST, "escapes": "\x1b" * MOST, "quotes": "'\"" * (MOST // 2)}


@pytest.fixture(scope="module")
def visitor():
    with open_studio() as visitor:
        yield visitor


def level(answer) -> int:
    """Return the one level of a picture that is answered."""
    assert answer.status_code == 200, answer.text
    (found,) = set(pixels_of(answer.content).flat)
    return int(found)


def told(words, method: str = "say") -> dict:
    """Return a form of a chain whose step is told words."""
    return {"steps": [{"method": method, "options": {"words": words}}]}


def test_a_field_of_a_run_feeds_the_port_of_its_name_and_is_remembered(visitor):
    answer = visitor.run("say,say(words=lake)", grey(9), png=True, words=SAID)
    assert level(answer) == 4
    record = read_provenance(io.BytesIO(answer.content))
    assert [step.options["words"] for step in Chain(record["chain"])] == [SAID, "lake"]
    assert level(visitor.run("say", grey(9), png=True, words=SAID, longest=8)) == len(SAID)
    restored = visitor.post("/api/restore", files={"picture": answer.content}).json()
    assert restored["chain"] == restored["recipe"]["chain"] == record["chain"]


def test_the_recipe_of_a_job_holds_the_words(visitor):
    job = visitor.job("mixture,whisper", grey(9), words=SAID, style=grey(3))
    wait_for_end(job)
    recipe = visitor.state(job)["recipe"]
    assert Chain(recipe["chain"])[1].options == {"words": SAID}
    assert tomllib.loads(recipe["toml"])["chain"] == recipe["chain"]
    assert "\n" not in recipe["command"]
    picture = visitor.get(f"/api/jobs/{job.id}/picture")
    assert level(picture) == len(SAID)


def test_other_words_are_another_picture(visitor):
    chains = ("say(words=lake)", "say(words=ocean)", "whisper", "whisper(words='')")
    assert [level(visitor.run(chain, grey(9), png=True)) for chain in chains] == [4, 5, 1, 0]


def test_words_of_a_chain_inside_a_step_come_from_outside_too(visitor):
    answer = visitor.run("mixture(style=[fancy,say])", grey(9), png=True, words="lake")
    assert answer.status_code == 200, answer.text
    assert read_provenance(io.BytesIO(answer.content))["chain"] == "mixture(style=[fancy,say(words=lake)])"


def test_a_chain_of_words_alone_takes_no_picture(visitor):
    info = describe_chain(read_chain("recite,invert", registry()), registry())
    assert (info.input, info.needs_input, info.ports, info.wants) == (None, False, [], [])
    assert level(visitor.run("recite", png=True, size="16x8", words="a lake")) == 6
    line = "The port 'words' of recite is fed twice: by what comes before, and by 'a lake'."
    assert refused(visitor.run("recite", grey(9), words="a lake")) == line
    assert "fed twice" in refused(visitor.run("invert,recite", grey(9), words="\x1b" * 4000))
    assert "takes text in its port 'words'" in refused(visitor.run("invert,recite", grey(9)))


@pytest.mark.parametrize("name", WIDEST)
def test_the_most_words_come_everywhere(visitor, name):
    words = WIDEST[name]
    answer = visitor.run("say", grey(9), png=True, words=words)
    assert level(answer) == 255
    restored = visitor.post("/api/restore", files={"picture": answer.content})
    assert restored.status_code == 200, restored.text
    chain = visitor.post("/api/chain", json=told(words)).json()
    assert chain["steps"][0]["options"] == {"words": words}
    assert chain["text"] == restored.json()["chain"]
    assert visitor.post("/api/chain", json={"text": chain["text"]}).json() == chain
    assert level(visitor.run(chain["text"], grey(9), png=True)) == 255


def refused(answer) -> str:
    """Return why a request is refused, which is one line that can be shown."""
    assert answer.status_code == 422, (answer.status_code, answer.text)
    error = answer.json()["error"]
    assert error.isprintable()
    assert len(error) < 300
    return error


def test_more_words_are_refused(visitor):
    line = "The port 'words' of say takes 4000 characters at most; 5000 are given."
    assert refused(visitor.run("say", grey(9), words="a" * 5000)) == line
    assert refused(visitor.run(f"say(words={'a' * 5000})", grey(9))) == line
    assert refused(visitor.post("/api/chain", json=told("a" * 5000))) == line
    assert refused(visitor.post("/api/chain", json={"text": f"say(words='{' ' * 5000}')"})) == line


@pytest.mark.parametrize("words", [3, 0.5, True, ["a", "b"], [], {"chain": "invert"}, {"chain": "say(words=3)"}])
def test_what_is_no_text_is_refused(visitor, words):
    assert "takes words: say(words='...')" in refused(visitor.post("/api/chain", json=told(words)))


@pytest.mark.parametrize("words", [{"text": "a"}, {}, [["a"], {"b": 1}], "\ud800", None])
def test_what_is_no_value_at_all_is_refused_or_nothing(visitor, words):
    answer = visitor.post("/api/chain", content=json.dumps(told(words)))
    if words is None:
        assert answer.json()["text"] == "say"
    else:
        refused(answer)


def test_a_file_is_no_text(visitor):
    line = "The port 'words' takes words, not a file: -F words='...'"
    assert refused(visitor.run("say", grey(9), words=grey(3))) == line
    assert refused(visitor.run("say", grey(9), words=b"a lake")) == line


def test_words_that_nobody_said_are_asked_for(visitor):
    line = "say needs words for its port 'words': add -i words='...', or write say(words='...')."
    assert refused(visitor.run("say", grey(9), png=True)) == line
    job = visitor.job("say", grey(9))
    wait_for_end(job)
    assert visitor.state(job)["error"] == line


def test_a_field_that_no_port_asks_for_is_refused(visitor):
    assert refused(visitor.run("invert", grey(9), words="a lake")).startswith("There is no field 'words' here")
    assert refused(visitor.run("mixture", grey(9), style="monet.jpg")).startswith("There is no field 'style' here")
    assert "is fed already" in refused(visitor.run("say(words=sea)", grey(9), words="lake"))


@pytest.mark.parametrize("words", ["\0", "a\0b", "\x1b[31mred", "\r\n\t", "\u202e", "\x7f\x85", "\ufeff", "</script>"])
def test_control_characters_are_letters(visitor, words):
    answer = visitor.run("say", grey(9), png=True, words=words)
    assert level(answer) == len(words)
    chain = visitor.post("/api/restore", files={"picture": answer.content}).json()["chain"]
    assert chain.isprintable()
    assert Chain(chain)[0].options == {"words": words}
    assert visitor.post("/api/chain", json=told(words)).json()["text"] == chain
    error = refused(visitor.run("say(words=sea)", grey(9), words=words))
    assert "is fed already" in error


@pytest.mark.parametrize(
    "written",
    ["-" * 19_000 + "1", "[" * 19_000, "(" * 9000 + ")" * 9000, "'" * 19_999, "\\" * 9999, "a," * 4000 + "a"],
    ids=lambda written: written[:2],
)
def test_long_chains_that_are_none_are_refused_in_a_line(visitor, written):
    for text in (f"say(words={written})", f"{written}],[{written}"):
        assert refused(visitor.run(text[:19_999], grey(9)))
        assert refused(visitor.post("/api/chain", json={"text": text[:19_999]}))
    assert "the limit is 20000" in refused(visitor.run("a" * 20_001, grey(9)))
    assert visitor.run("a" * 80_001, grey(9)).status_code == 400


@pytest.mark.parametrize(
    "text",
    ["{}", "invert({}=1)", "invert(seed={})", "pix2pix(model={})", "everything(way={})", "everything(mix=['{}'])",
     "mixture(style=[{}])", "average(style=[mixture(style={})])", "nst(vary={})"],
)  # fmt: skip
def test_long_names_are_quoted_in_few_words(visitor, text):
    for answer in (
        visitor.run(text.format("x" * 19_000), grey(9)),
        visitor.post("/api/chain", json={"text": text.format("x" * 19_000)}),
    ):
        assert answer.status_code == 422, answer.text
        assert len(answer.json()["error"]) < 500
