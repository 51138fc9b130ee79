"""Steady clips: by default where a chain flickers, as asked for, at 0 not at all; going on; records; refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from artkit import Chain, UsageError
from artkit.chain import plan_chain
from artkit.engine import Runner, run_jobs
from artkit.engine.job import Job
from artkit.engine.steady import Steadier
from artkit.engine.work import settle
from artkit.images import read_picture, read_provenance
from artkit.motion import tracking
from artkit.plugins import current_registry
from cli_kit import open_shell
from motion_kit import slide, write_frames
from plugin_kit import plugins, write_plugin

PLUGIN = """
import torch
from pathlib import Path
from artkit import Kind, MethodSpec, Port, Translator, hookimpl
from artkit.nn import WorkingResolution, stroke_noise

IMAGE = Port("image", Kind.IMAGE, "the frame")

def spec(name, translator, port=IMAGE, output=Kind.IMAGE, **how):
    return MethodSpec(name=name, summary="For tests.", inputs=(port,), output=output, needs_model=False,
                      translator=f"steady_plugin:{translator}", **how)

def shown(context, image):
    working = WorkingResolution.of(image, 0, Strokes.spec.size)
    lay = lambda height, width, seed, scale, along: stroke_noise(height, width, seed, along=along)
    return working.draw(lay, context.seeds, rides=context.rides, along=image)[0][:, 6:9]

class Strokes(Translator):
    spec = spec("strokes", "Strokes", flickers=True)
    def translate(self, context, *, image):
        return image / 2 + shown(context, image) / 8 + 0.25

class Flicker(Translator):  # fails while there is a file called fail and a frame brighter than its number
    spec = spec("flicker", "Flicker", flickers=True)
    def translate(self, context, *, image):
        if Path("fail").exists() and float(image.mean()) > float(Path("fail").read_text()):
            raise RuntimeError("as told")
        seed = int(image.double().sum() * 1e4)
        noise = torch.rand(image.shape, generator=torch.Generator().manual_seed(seed))
        return image / 2 + noise / 2

class Shift(Translator):
    spec = spec("shift", "Shift", Port("picture", Kind.PICTURE, "any"), Kind.PICTURE)
    def translate(self, context, *, picture):
        return picture

@hookimpl
def register_methods():
    return [one.spec for one in (Strokes, Flicker, Shift)]
"""

COUNT, SMALL = 8, (32, 48)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "PERIOD", 3)
    return write_plugin(tmp_path / "steady_plugin.py", PLUGIN, monkeypatch)


@pytest.fixture
def plugin(file):
    with plugins(file):
        yield


opened = pytest.fixture(open_shell)


@pytest.fixture
def run(opened, file):
    write_frames("in", COUNT, size=SMALL)
    return lambda *arguments: opened("--plugin", file, "run", *arguments)


def frames_of(folder: str) -> list[np.ndarray]:
    return [np.asarray(Image.open(path)) for path in sorted(Path(folder).glob("*.png"))]


def flicker(frames) -> float:
    """Return the mean square of changes, against the motion of two pixels a frame and one down."""
    pairs = zip(frames[1:], frames, strict=False)
    return float(np.mean([np.square(b[9:-8, 10:-8] * 1.0 - a[8:-9, 8:-10]).mean() for b, a in pairs]))


# -- by default --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chain", ["pix2pix", "spade", "cyclegan"])
def test_clips_are_steadied_in_half_precision(chain):
    levels = np.zeros((2, 16, 16), np.uint8) if chain != "cyclegan" else np.full((2, 16, 16, 3), 90, np.uint8)
    levels[1, :, 8:] = 3
    made = list(Chain(chain).stream(list(levels), precision="bf16", steady=0.5))
    assert [one.size for one in made] == [(16, 16)] * 2
    assert made[0].tensor.isfinite().all()
    assert not torch.equal(made[0].tensor, made[1].tensor)


@pytest.mark.parametrize("chain", ["strokes", "flicker"])
def test_a_clip_is_steady_unless_told_otherwise(run, chain):
    for name, arguments in (("default", ()), ("asked", ("--steady", "0.5")), ("plain", ("--steady", "0"))):
        outcome = run("in", "--chain", chain, "-o", f"{name}.apng", *arguments)
        assert outcome.code == 0, outcome.err
        assert run(f"{name}.apng", "--chain", "shift", "-o", f"{name}/").code == 0
    default, asked, plain = (frames_of(name) for name in ("default", "asked", "plain"))
    assert len(default) == COUNT
    assert all(np.array_equal(*pair) for pair in zip(default, asked, strict=True))
    assert flicker(default) < 0.6 * flicker(plain)
    stills = [Chain(chain)(f"in/{index}.png").numpy() for index in range(COUNT)]
    assert all(np.array_equal(*pair) for pair in zip(plain, stills, strict=True))
    assert np.array_equal(default[0], stills[0])


def test_strokes_ride_with_hardly_any_blending(plugin, monkeypatch):
    monkeypatch.setattr(tracking, "PERIOD", 24)
    frames = [slide(index, size=SMALL).permute(1, 2, 0).numpy() for index in range(4)]
    plain, ridden = ([p.numpy() for p in Chain("strokes").stream(frames, steady=amount)] for amount in (0, 1e-9))
    assert flicker(ridden) < 0.3 * flicker(plain)


def test_chains_that_do_not_flicker_pay_nothing(run, monkeypatch):
    monkeypatch.setattr(tracking, "estimate_flow", None)
    assert run("in", "--chain", "shift", "-o", "out.gif").code == 0
    assert run("in", "--chain", "flicker,shift", "-o", "out2.gif").code == 0  # moves pixels
    assert run("in", "--chain", "flicker", "-o", "out3.gif", "--steady", "0").code == 0
    assert run("in", "--chain", "flicker", "-o", "stills/").code == 0  # a folder of pictures is no clip
    assert "steady" not in read_provenance("stills/3.png")


def test_of_a_still_clip_all_pictures_are_one(plugin):
    made = [
        picture.numpy()
        for picture in Chain("strokes").stream([slide(0, size=SMALL).permute(1, 2, 0).numpy()] * 7, steady=1)
    ]
    assert all(np.array_equal(one, made[0]) for one in made)


# -- going on ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [1, 5, 7])
def test_frames_in_a_folder_go_on_with_the_same_bytes(run, kept):
    arguments = ("clip.apng", "--chain", "flicker,strokes", "-o", "out/")
    assert run("in", "--chain", "shift", "-o", "clip.apng").code == 0
    assert run(*arguments).code == 0
    whole = [path.read_bytes() for path in sorted(Path("out").iterdir())]
    for number in range(kept + 1, COUNT + 1):
        Path(f"out/{number:04}.png").unlink()
    outcome = run(*arguments, "--skip-existing")
    assert (outcome.code, f"going on behind frame {kept} of" in outcome.err) == (0, True), outcome.err
    assert [path.read_bytes() for path in sorted(Path("out").iterdir())] == whole
    other = run(*arguments, "--skip-existing", "--steady", "0.2")
    assert (other.code, "was steadied otherwise" in other.err) == (1, True)


def test_a_clip_that_failed_goes_on_with_the_same_bytes(run):
    for index in range(COUNT):
        levels = (slide(index, size=SMALL) * 200).byte().permute(1, 2, 0).numpy() // 2 + 10 * index
        Image.fromarray(levels).save(f"in/{index}.png")
    Path("fail").write_text(str(float(read_picture("in/4.png").tensor.mean()) + 0.001))
    arguments = ("in", "--chain", "flicker", "-o", "out.apng")
    assert "as told" in run(*arguments).err
    kept = len(list(Path(".out.apng.frames").glob("*.png")))
    Path("fail").unlink()
    outcome = run(*arguments)
    assert (outcome.code, f"going on behind frame {kept} of" in outcome.err) == (0, True), outcome.err
    assert run("in", "--chain", "flicker", "-o", "untouched.apng").code == 0
    assert kept >= 4
    assert Path("out.apng").read_bytes() == Path("untouched.apng").read_bytes()


def test_another_amount_begins_anew(run):
    Path("fail").write_text("0.0")
    assert run("in", "--chain", "flicker", "-o", "out.apng").code == 1
    noted = Path(".out.apng.frames/run.json").read_text()
    assert run("in", "--chain", "flicker", "-o", "out.apng", "--steady", "0.25").code == 1
    assert Path(".out.apng.frames/run.json").read_text() != noted


def test_frames_that_are_computed_at_once_ride_each_by_itself(plugin):
    runner = Runner(plan_chain(Chain("strokes"), current_registry(), has_input=True))
    frames = [read_picture(slide(index, size=SMALL).permute(1, 2, 0).numpy()) for index in range(4)]
    steadier = Steadier(0.5)
    motions = [steadier.follow(frame) for frame in frames]
    together = settled(runner.compute(frames, [7] * 4, motions=motions))
    alone = [
        settled(runner.compute([one], [7], motions=[motion]))[0] for one, motion in zip(frames, motions, strict=True)
    ]
    torch.testing.assert_close(together, alone)
    assert not torch.allclose(together[3], settled(runner.compute(frames, [7] * 4))[3], atol=0.01)


def settled(made):
    return [settle(steps)[-1].picture.tensor for steps in made]


def test_little_is_kept(plugin, monkeypatch):
    runner = Runner(plan_chain(Chain("flicker"), current_registry(), has_input=True))
    steadier = Steadier(0.5)
    jobs = (Job(slide(index, size=SMALL).permute(1, 2, 0).numpy(), None, 0, Path(str(index))) for index in range(9))
    assert len(list(run_jobs(runner, jobs, steadier=steadier))) == 9
    known = steadier._tracker._motion
    assert (len(steadier._made), len(known.earlier), len(known.anchors)) == (2, 2, 2)


def test_a_frame_that_cannot_be_read_fails_alone(plugin, tmp_path):
    runner = Runner(plan_chain(Chain("flicker"), current_registry(), has_input=True))
    frames = [slide(index, size=SMALL).permute(1, 2, 0).numpy() for index in range(3)]
    frames[1] = tmp_path / "gone.png"
    jobs = [Job(frame, None, 0, Path(str(index))) for index, frame in enumerate(frames)]
    results = list(run_jobs(runner, jobs, steadier=Steadier(0.5)))
    assert [result.error and str(result.error) for result in results] == [None, f"There is no file {frames[1]}.", None]


# -- records and recipes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["0", "0.3", "1"])
def test_a_clip_remembers_how_it_was_steadied(run, amount):
    assert run("in", "--chain", "flicker", "-o", "out.apng", "--steady", amount).code == 0
    assert read_provenance("out.apng").get("steady", 0) == float(amount)
    outcome = run("in", "--recipe", "out.apng", "-o", "again.apng")
    assert outcome.code == 0, outcome.err
    assert Path("again.apng").read_bytes() == Path("out.apng").read_bytes()
    assert (
        run("in/0.png", "--recipe", "out.apng", "-o", "still.png").code == 0
    )  # a picture has nothing to be steadied by
    assert np.array_equal(read_picture("still.png").numpy(), Chain("flicker")("in/0.png").numpy())


def test_a_recipe_says_how_much(run):
    Path("r.toml").write_text('chain = "flicker"\nsteady = 0.0\n')
    assert run("in", "--recipe", "r.toml", "-o", "a.apng").code == 0
    assert run("in", "--recipe", "r.toml", "-o", "b.apng", "--steady", "1").code == 0
    assert "steady" not in read_provenance("a.apng")
    assert read_provenance("b.apng")["steady"] == 1
    Path("r.toml").write_text('chain = "flicker"\nsteady = 1.5\n')
    outcome = run("in", "--recipe", "r.toml", "-o", "c.apng")
    assert (outcome.code, "r.toml" in outcome.err and "steady" in outcome.err) == (2, True)


def test_python_does_as_the_shell(run, plugin):
    assert run("in", "--chain", "strokes", "-o", "out.apng").code == 0
    assert run("out.apng", "--chain", "shift", "-o", "out/").code == 0
    made = Chain("strokes").stream([f"in/{index}.png" for index in range(COUNT)], steady=0.5)
    assert all(np.array_equal(one.numpy(), frame) for one, frame in zip(made, frames_of("out"), strict=True))


# -- refused -----------------------------------------------------------------------------------------------------------


def test_what_cannot_be_steadied_is_refused(run, plugin):
    for amount in ("-0.1", "1.1", "much", "nan"):
        assert run("in", "--chain", "flicker", "-o", "a.gif", "--steady", amount).code == 2
    outcome = run("in/0.png", "--chain", "flicker", "-o", "a.png", "--steady", "0.5")
    assert (outcome.code, "--steady is for clips" in outcome.err) == (2, True)
    outcome = run("in", "--chain", "flicker,shift", "-o", "a.gif", "--steady", "0.5")
    assert (outcome.code, "moves pixels" in outcome.err) == (2, True)
    for amount in (-1, 1.01, float("nan"), "0.5", True):
        with pytest.raises(UsageError, match="a number from 0 to 1"):
            next(Chain("flicker").stream(["in/0.png"], steady=amount))
    with pytest.raises(UsageError, match="takes no 'steady'"):
        Chain("flicker")("in/0.png", steady=0.5)
