"""A port that looks back: the picture before in a folder or list, at the start, in batches, in records, and refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from artkit import Chain, ChainError, ImageError, PluginError
from artkit.chain import plan_chain
from artkit.engine import Job, Runner, look_back, run_jobs
from artkit.engine.inputs import Input
from artkit.engine.work import settle
from artkit.files import digest_of
from artkit.images import read_picture, read_provenance
from artkit.plugins import current_registry
from artkit.plugins.checks import validate_method
from artkit.spec import Kind, MethodSpec, Port
from artkit.testing import check_method
from artkit.translator import Translator
from cli_kit import open_shell
from plugin_kit import plugins, write_plugin

PLUGIN = """
import torch
from artkit import Kind, MethodSpec, Port, Translator, hookimpl

IMAGE = Port("image", Kind.IMAGE, "the frame")
BEFORE = Port("before", Kind.IMAGE, "the frame before", previous=1)
MAYBE = Port("before", Kind.IMAGE, "the frame before", required=False, previous=1)
FAR = Port("far", Kind.IMAGE, "two frames before", previous=2)
FIRST = Port("before", Kind.IMAGE, "the frame before", original=True, previous=1)

def spec(name, translator, *ports):
    return MethodSpec(name=name, summary="For tests.", inputs=(IMAGE, *ports), output=Kind.IMAGE, needs_model=False,
                      translator=f"previous_plugin:{translator}")

class Dim(Translator):
    spec = spec("dim", "Dim")
    def translate(self, context, *, image):
        return image / 2

class Before(Translator):
    spec = spec("before", "Before", BEFORE)
    def translate(self, context, *, image, before):
        return before

class Maybe(Translator):
    spec = spec("maybe", "Maybe", MAYBE)
    def translate(self, context, *, image, before):
        return torch.ones_like(image) if before is None else before

class Far(Translator):
    spec = spec("far", "Far", FAR)
    def translate(self, context, *, image, far):
        return far

class Still(Translator):
    spec = spec("still", "Still", FIRST)
    def translate(self, context, *, image, before):
        return before

@hookimpl
def register_methods():
    return [one.spec for one in (Dim, Before, Maybe, Far, Still)]
"""

LEVELS = (10, 20, 30, 40)


@pytest.fixture
def file(tmp_path, monkeypatch):
    return write_plugin(tmp_path / "previous_plugin.py", PLUGIN, monkeypatch)


@pytest.fixture
def plugin(file):
    with plugins(file):
        yield


def flat(level: int, size=(5, 4)) -> np.ndarray:
    return np.full((*size, 3), level, np.uint8)


def levels(pictures) -> list[int]:
    return [int(np.unique(picture.numpy()).item()) for picture in pictures]


def test_a_list_is_a_clip_and_its_start_follows_from_the_declaration(plugin):
    frames = [flat(level) for level in LEVELS]
    assert levels(Chain("before")(frames)) == [10, 10, 20, 30]
    assert levels(Chain("maybe")(frames)) == [255, 10, 20, 30]
    assert levels(Chain("far")(frames)) == [10, 10, 10, 20]
    assert levels(Chain("before").stream(iter(frames))) == [10, 10, 20, 30]
    assert levels([Chain("before")(frames[2]), Chain("maybe")(frames[2])]) == [30, 255]
    assert levels([Chain("before")(frames[2], before=flat(99))]) == [99]


def test_it_is_the_input_as_it_came_in_resized_like_it(plugin):
    frames = [flat(level, (8, 12)) for level in LEVELS]
    made = Chain("before")(frames, size=(6, 4))
    assert ({picture.size for picture in made}, levels(made)) == ({(4, 6)}, [10, 10, 20, 30])
    assert levels(Chain("dim,still")(frames)) == [10, 10, 20, 30]
    assert levels(Chain("before,dim")(frames)) == [5, 5, 10, 15]


def test_a_step_that_compares_it_with_its_own_input_comes_first(plugin):
    with pytest.raises(ChainError, match="before looks at the picture before as it came in, so it comes first"):
        Chain("dim,before")(flat(1))
    with pytest.raises(ChainError, match="needs its port 'before'"):
        plan_chain(Chain("before"), current_registry(), has_input=False, ports={"image": flat(1)})


def test_a_batch_is_its_pictures_one_by_one(plugin, monkeypatch):
    monkeypatch.setattr(Translator, "batch", 3)
    for text, due in (("before", [10, 10, 20, 30]), ("maybe", [255, 10, 20, 30])):
        runner = Runner(plan_chain(Chain(text), current_registry(), has_input=True))
        jobs = [Job(flat(level), None, 0, Path(f"{level}.png")) for level in LEVELS]
        results = list(run_jobs(runner, look_back(jobs, 1)))
        assert levels(result.picture for result in results) == due
        assert max(step.batch for result in results for step in result.steps) == 3
    frames = [read_picture(flat(level)) for level in LEVELS]
    rows = [frames[index - 1 : index] for index in range(len(frames))]
    made = [settle(one)[-1].picture.tensor for one in runner.compute(frames, [0] * 4, before=rows)]
    alone = [runner.run(frame, before=row)[-1].picture.tensor for frame, row in zip(frames, rows, strict=True)]
    assert all(map(torch.equal, made, alone))


def test_rows_are_of_one_folder_and_one_seed():
    sources = [Path("a/1.png"), Path("b/1.png"), Path("a/2.png"), Path("a/3.png"), None]
    jobs = [Job(source, None, seed, Path("x.png")) for source in sources for seed in (0, 1)]
    found = {(str(job.source), job.seed): [str(one) for one in job.before] for job in look_back(jobs, 2)}
    assert found["a/3.png", 1] == ["a/2.png", "a/1.png"]
    assert (found["b/1.png", 0], found["a/2.png", 0], found["None", 0]) == ([], ["a/1.png"], [])
    assert all(not job.before for job in look_back(jobs, 0))


def test_every_picture_is_read_once(plugin, monkeypatch):
    read = []
    real = read_picture
    monkeypatch.setattr("artkit.engine.inputs.read_picture", lambda source: (read.append(source), real(source))[1])
    runner = Runner(plan_chain(Chain("far"), current_registry(), has_input=True))
    frames = [flat(level) for level in LEVELS]
    jobs = [Job(frame, None, seed, Path("x.png")) for frame in frames for seed in (0, 1)]
    made = [result.picture for result in run_jobs(runner, look_back(jobs, 2))]
    assert levels(made) == [10, 10, 10, 10, 10, 10, 20, 20]
    assert len(read) == len(frames)


def test_an_input_that_was_read_is_taken_as_it_is(plugin):
    given = Input(read_picture(flat(50)), "clip.gif", "abc")
    runner = Runner(plan_chain(Chain("before"), current_registry(), has_input=True))
    (result,) = run_jobs(
        runner, [Job(given, None, 0, Path("x.png"), (Input(read_picture(flat(7)), "clip.gif", "abc"),))]
    )
    assert levels([result.picture]) == [7]
    assert result.picture.provenance["input"] == "clip.gif"


@pytest.mark.parametrize("port", [Port("b", Kind.IMAGE, "x", previous=-1), Port("b", Kind.TEXT, "x", previous=1)])
def test_ports_that_cannot_look_back_are_refused(port):
    image = Port("image", Kind.IMAGE, "a picture")
    with pytest.raises(PluginError, match="'previous' counts pictures back"):
        validate_method(MethodSpec("m", "Looks.", (image, port), Kind.IMAGE, "many:Many", needs_model=False))
    main = Port("image", Kind.IMAGE, "a picture", previous=1)
    with pytest.raises(PluginError, match="the main port can be neither"):
        validate_method(MethodSpec("m", "Looks.", (main,), Kind.IMAGE, "many:Many", needs_model=False))


def test_the_contract_kit_feeds_them(plugin):
    for name in ("before", "maybe", "still"):
        check_method(name, current_registry())


# -- the shell ------------------------------------------------------------------------------------------------------

shell = pytest.fixture(open_shell)


@pytest.fixture
def run(shell, file):
    for name, level in (("1", 10), ("2", 20), ("10", 30), ("11", 40)):
        path = Path("clip", f"{name}.png")
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(flat(level)).save(path)
    return lambda *arguments: shell("--plugin", file, "run", *arguments)


def made_in(folder: str) -> list[int]:
    return levels(read_picture(Path(folder, f"{name}.png")) for name in ("1", "2", "10", "11"))


def test_a_folder_is_a_clip_in_the_order_people_count(run):
    assert run("clip", "--chain", "before", "-o", "out/").code == 0
    assert made_in("out") == [10, 10, 20, 30]
    record = read_provenance("out/10.png")
    assert (record["before"], record["before_hashes"]) == (["2.png"], [digest_of(Path("clip/2.png"))])
    assert "before" not in read_provenance("out/1.png")


def test_what_is_there_stays_and_the_rest_has_the_right_one_before_it(run):
    run("clip", "--chain", "before", "-o", "out/")
    whole = Path("out/10.png").read_bytes()
    Path("out/10.png").unlink()
    assert run("clip", "--chain", "before", "-o", "out/", "--skip-existing").out == "out/10.png\n"
    assert Path("out/10.png").read_bytes() == whole
    Image.fromarray(flat(21)).save("clip/2.png")
    Path("out/2.png").unlink()
    told = run("clip", "--chain", "before", "-o", "out/", "--skip-existing").err
    assert "out/10.png exists already and was made after other pictures" in told


def test_a_record_finds_the_picture_before(run):
    run("clip", "--chain", "before", "-o", "clip/out/")
    Path("clip/out/10.png").rename("clip/made.png")
    again = run("--recipe", "clip/made.png", "-o", "again.png")
    assert (again.code, "made from clip/2.png: reading that" in again.err) == (0, True)
    assert levels([read_picture("again.png")]) == [20]
    Path("clip/2.png").unlink()
    gone = run("--recipe", "clip/made.png", "-o", "more.png")
    assert (gone.code, "was made from 2.png, which is not beside it; run the folder again" in gone.err) == (2, True)


def test_a_damaged_picture_fails_itself_and_the_one_after(run):
    Path("clip/2.png").write_bytes(b"\x89PNG nothing")
    outcome = run("clip", "--chain", "before", "-o", "out/")
    assert (outcome.code, sorted(path.name for path in Path("out").iterdir())) == (1, ["1.png", "11.png"])
    assert outcome.err.count("clip/2.png is damaged") == 2
    with pytest.raises(ImageError, match="damaged"):
        read_picture("clip/2.png")


def test_the_frames_of_a_clip_follow_each_other_when_it_goes_on(run):
    frames = [Image.fromarray(flat(level)) for level in LEVELS]
    frames[0].save("clip.gif", save_all=True, append_images=frames[1:], duration=50)
    assert run("clip.gif", "--chain", "before", "-o", "out/").code == 0
    names = [f"out/000{number}.png" for number in (1, 2, 3, 4)]
    assert levels(map(read_picture, names)) == [10, 10, 20, 30]
    whole = [Path(name).read_bytes() for name in names]
    for name in names[2:]:
        Path(name).unlink()
    outcome = run("clip.gif", "--chain", "before", "-o", "out/", "--skip-existing")
    assert "going on behind frame 2" in outcome.err
    assert [Path(name).read_bytes() for name in names] == whole


def test_the_plan_says_what_is_looked_at(run, shell, file):
    assert "before=the input 1 before" in run("clip", "--chain", "before", "-o", "o/", "--dry-run").out
    assert '"pictures": 1' in run("clip", "--chain", "before", "-o", "o/", "--dry-run", "--json").out
    assert "before (image, the picture 1 before unless fed)" in shell("--plugin", file, "methods", "before").out
