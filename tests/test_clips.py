"""Clips that are animations: in and out in each format, times, loops, transparency, resume, limits and errors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artkit.clips import animation, animation_writing, open_animation, write_animation
from artkit.errors import ImageError
from artkit.images import read_picture, read_provenance
from cli_kit import command, environment, heed_interrupts, open_shell, run_process
from clip_kit import DURATIONS, SIZE, frame, make_clip, read_clip

shell = pytest.fixture(open_shell)


def near(one, other, tolerance=0) -> bool:
    return int(np.abs(np.asarray(one).astype(int) - np.asarray(other).astype(int)).max()) <= tolerance


def inverted(index: int, alpha: bool = False) -> np.ndarray:
    pixels = np.array(frame(index, alpha).convert("RGBA"))
    pixels[..., :3] = 255 - pixels[..., :3]
    return pixels


@pytest.mark.parametrize("source", ["clip.gif", "clip.png", "clip.webp"])
@pytest.mark.parametrize("target", ["out.gif", "out.apng", "out.png", "out.webp"])
def test_every_format_becomes_every_other(shell, source, target):
    make_clip(source)
    outcome = shell("run", source, "--chain", "invert", "-o", target)
    assert (outcome.code, outcome.out) == (0, f"{target}\n"), outcome.err
    frames, durations, loop = read_clip(target)
    assert (durations, loop) == (DURATIONS, 0)
    tolerance = 70 if target.endswith("webp") else 20 if "gif" in source + target else 0  # lossy; 256 colours
    assert all(near(made, inverted(index), tolerance) for index, made in enumerate(frames))
    mean = np.mean([np.abs(made.astype(int) - inverted(i)).mean() for i, made in enumerate(frames)])
    assert mean < 6
    assert shell.files() == {source, target}


def test_few_colours_stay_exact_in_a_gif(tmp_path):
    files = []
    for index in range(2):
        pixels = np.random.default_rng(index).integers(0, 2, (8, 9, 3), np.uint8) * 255
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
        files.append(tmp_path / f"{index}.png")
    write_animation(files, [Fraction(1, 10)] * 2, tmp_path / "out.gif")
    made, _, _ = read_clip(tmp_path / "out.gif")
    assert all(near(one[..., :3], read_picture(file).numpy()) for one, file in zip(made, files, strict=True))


@pytest.mark.parametrize(("source", "target"), [("clip.gif", "o.gif"), ("clip.png", "o.webp"), ("clip.gif", "o.png")])
def test_what_is_clear_stays_clear_and_leaves_no_trail(shell, source, target):
    make_clip(source, alpha=True)
    assert shell("run", source, "--chain", "invert", "-o", target).code == 0
    for index, made in enumerate(read_clip(target)[0]):
        due = inverted(index, alpha=True)
        assert near(made[..., 3], due[..., 3])
        seen = due[..., 3] > 0
        assert np.abs(made[seen].astype(int) - due[seen]).mean() < 12


@pytest.mark.parametrize(
    ("source", "loop", "target", "due"),
    [
        ("a.gif", None, "b.gif", None),
        ("a.gif", 3, "b.gif", 3),
        ("a.gif", 3, "b.webp", 4),
        ("a.gif", None, "b.png", 1),
        ("a.webp", 4, "b.gif", 3),
        ("a.png", 1, "b.gif", None),
    ],
)
def test_it_is_shown_as_often_as_before(shell, source, loop, target, due):
    make_clip(source, 2, **({} if loop is None else {"loop": loop}))
    if loop is None:
        frames = [frame(0), frame(1)]
        frames[0].save(source, save_all=True, append_images=frames[1:], duration=50)
    assert shell("run", source, "--chain", "invert", "-o", target).code == 0
    assert read_clip(target)[2] == due


def test_times_are_rounded_without_drifting_away():
    assert animation_writing._ticks([Fraction(1, 30)] * 6, 100) == [3, 4, 3, 3, 4, 3]
    assert sum(animation_writing._ticks([Fraction(1, 24)] * 240, 100)) == 1000


def test_frames_that_say_no_time_have_that_of_browsers(shell):
    frame(0).save("a.gif", save_all=True, append_images=[frame(1)], duration=0)
    assert [one.seconds for one in open_animation(Path("a.gif")).frames()] == [Fraction(1, 10)] * 2


def test_a_still_picture_is_no_clip(shell):
    frame(0).save("still.gif")
    frame(0).save("still.png")
    for name in ("still.gif", "still.png"):
        outcome = shell("run", name, "--chain", "invert")
        assert outcome.out == "still.invert.png\n"
        assert shell("run", name, "--chain", "invert", "-o", "x.gif").code == 2
        Path("still.invert.png").unlink()
    assert shell("run", "still.gif", "--chain", "invert", "--fps", "3").code == 2


def test_an_animation_stays_one_by_itself(shell):
    make_clip("a.gif")
    assert shell("run", "a.gif", "--chain", "invert").out == "a.invert.gif\n"
    outcome = shell("run", "a.gif", "--chain", "invert", "-o", "one.jpg")
    assert "a.gif has 5 frames, and '.jpg' takes one: the first." in outcome.err
    assert read_picture("one.jpg").size == SIZE[::-1]


def test_frames_into_a_folder_and_back(shell):
    make_clip("a.gif")
    assert shell("run", "a.gif", "--chain", "invert", "-o", "out/").out == "out\n"
    assert sorted(os.listdir("out")) == [f"000{number}.png" for number in range(1, 6)]
    assert near(read_picture("out/0002.png").numpy(), inverted(1)[..., :3], 12)
    record = read_provenance("out/0002.png")
    assert (record["input"], record["frame"], "before" in record) == ("a.gif", 2, False)
    again = shell("run", "--recipe", "out/0002.png", "-o", "x.png")
    assert (again.code, "is frame 2 of a.gif: run the clip" in again.err) == (2, True)
    assert shell("run", "out", "--chain", "invert", "-o", "back.gif", "--fps", "10").code == 0
    frames, durations, _ = read_clip("back.gif")
    assert durations == [100] * 5
    assert all(near(made[..., :3], np.asarray(frame(index)), 20) for index, made in enumerate(frames))


def test_a_folder_of_frames_says_no_time(shell):
    for index in (1, 2, 10):
        shell.paint(f"in/{index}.png", 20 * index)
    for name in ("a.gif", "a.webp", "a.apng"):
        assert shell("run", "in", "--chain", "invert", "-o", name).code == 0
        frames, durations, _ = read_clip(name)
        assert durations == [40] * 3
        assert [near(made[-1, -1, 0], 255 - level, 3) for made, level in zip(frames, (20, 40, 200), strict=True)]
    refused = shell("run", "in", "--chain", "invert", "-o", "a.png")
    assert "-o a.png is one file, where a folder is needed" in refused.err


def test_what_an_earlier_run_made_in_the_folder_is_no_frame(shell):
    for index in (1, 2, 3):
        shell.paint(f"in/{index}.png", 20 * index)
    for _ in range(2):
        assert shell("run", "in", "--chain", "invert", "-o", "in/0.gif", "--overwrite").code == 0
        assert [int(made[-1, -1, 0]) for made in read_clip("in/0.gif")[0]] == [235, 215, 195]


def test_an_apng_remembers_and_is_made_again(shell):
    make_clip("a.gif")
    shell("run", "a.gif", "--chain", "dream", "--seed", "7", "-o", "out.png")
    assert near(*read_clip("out.png")[0][:2])  # one seed for all frames
    record = read_provenance("out.png")
    assert (record["input"], record["seed"], "frame" in record) == ("a.gif", 7, False)
    assert shell("run", "--recipe", "out.png", "-o", "again.png").code == 0
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()
    told = shell("run", "a.gif", "--chain", "dream", "--seed", "7", "-o", "out.png", "--skip-existing")
    assert "out.png is there already." in told.err
    other = shell("run", "a.gif", "--chain", "dream", "--seed", "8", "-o", "out.png", "--skip-existing")
    assert "was made under seed 7, not 8" in other.err


def test_the_record_of_a_clip_of_files_names_none_of_them(shell):
    for index in range(2):
        shell.paint(f"in/{index}.png", 20 + 20 * index)
    assert shell("run", "in", "--chain", "invert", "-o", "out.apng").code == 0
    record = read_provenance("out.apng")
    assert record["seed"] == 0
    assert not record.keys() & {"input", "input_hash", "before", "before_hashes", "frame"}


def test_what_a_program_reads(shell):
    make_clip("a.gif")
    found = json.loads(shell("run", "a.gif", "--chain", "invert", "-o", "b.gif", "--json").out)
    (result,) = found["results"]
    assert (result["input"], result["output"], result["frames"], result["size"]) == ("a.gif", "b.gif", 5, list(SIZE))
    assert [step["method"] for step in result["steps"]] == ["invert"]
    plan = shell("run", "a.gif", "--chain", "invert", "-o", "c.gif", "--dry-run")
    assert plan.lines()[-1] == "a.gif (5 frames) -> c.gif"
    assert shell.files() == {"a.gif", "b.gif"}


def test_strips_and_kept_steps_show_frames(shell):
    make_clip("a.gif")
    outcome = shell("run", "a.gif", "--chain", "invert", "-o", "b.gif", "--strip", "s.png", "--keep-steps", "steps")
    assert outcome.code == 0, outcome.err
    assert len(os.listdir("steps")) == 5
    assert read_picture("s.png").height > 5 * SIZE[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.gif", "-o", "b.gif", "-n", "2"), "run it once for each --seed"),
        (("a.gif", "-o", "b.gif", "--fps", "9"), "says itself how long its frames are shown"),
        (("a.gif", "-o", "a.gif"), "is an input"),
        (("a.gif", "-o", "there.gif"), "there.gif exists already"),
        (("a.gif", "-o", "none/b.gif"), "the folder none does not exist"),
        (("a.gif", "-o", "b.xyz"), "does not write '.xyz' files"),
        (("there.gif", "still.png", "-o", "c.gif", "--fps", "0"), "'--fps'"),
        (("still.png", "-o", "c.gif"), "c.gif would be a clip, and one picture is none"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_runs(shell, arguments, message):
    make_clip("a.gif")
    frame(0).save("there.gif")
    frame(0).save("still.png")
    outcome = shell("run", *arguments, "--chain", "stall")
    assert (outcome.code in (1, 2), message in outcome.err) == (True, True), outcome.err


def test_frames_of_other_sizes_are_refused_by_name(shell):
    shell.paint("in/1.png", size=(20, 12))
    shell.paint("in/2.png", size=(22, 12))
    outcome = shell("run", "in", "--chain", "invert", "-o", "a.gif")
    assert outcome.code == 1
    assert "in/2.png comes out as 22x12 pixels, and the first frame as 20x12" in outcome.err
    assert not Path("a.gif").exists()
    assert shell("run", "in", "--chain", "invert", "-o", "a.gif", "--size", "20x12").code == 0


def test_a_damaged_clip_names_the_frame(shell):
    make_clip("a.webp")
    make_clip("a.gif")
    Path("b.gif").write_bytes(Path("a.gif").read_bytes()[:-90])
    outcome = shell("run", "b.gif", "--chain", "invert", "-o", "c.gif")
    assert (outcome.code, "rame 5 of b.gif" in outcome.err, Path("c.gif").exists()) == (1, True, False), outcome.err


def test_limits_hold_before_memory(shell, monkeypatch):
    make_clip("a.gif")
    monkeypatch.setattr(animation, "MAX_FRAMES", 4)
    outcome = shell("run", "a.gif", "--chain", "invert", "-o", "b.gif")
    assert (outcome.code, outcome.err) == (1, "artkit: a.gif has 5 frames; the limit is 4.\n")
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "100")
    assert "the limit is 100 pixels" in shell("run", "a.gif", "--chain", "invert", "-o", "b.gif").err


def test_an_apng_may_begin_with_a_picture_for_others(shell):
    frame(4).save("a.png", save_all=True, append_images=[frame(0), frame(1)], default_image=True, duration=50)
    clip = open_animation(Path("a.png"))
    assert clip.count == 2
    assert [near(one.source.numpy(), np.asarray(frame(index))) for index, one in enumerate(clip.frames())] == [True] * 2


def test_frames_are_read_and_written_one_at_a_time(shell, monkeypatch):
    make_clip("a.gif")
    frames = open_animation(Path("a.gif")).frames(skip=2)
    assert [next(frames).source is None for _ in range(3)] == [True, True, False]
    open_ones = []
    real = animation_writing._open

    def watched(path):
        open_ones.append(path)
        return real(path)

    monkeypatch.setattr(animation_writing, "_open", watched)
    shell("run", "a.gif", "--chain", "invert", "-o", "b.webp")
    assert len(open_ones) == 5


# -- going on -------------------------------------------------------------------------------------------------------


def dark_third(folder: str) -> None:
    """Write four frames of which the third is dark: methods of the tests die or fail at it."""
    Path(folder).mkdir()
    for index, level in enumerate((200, 150, 0, 100)):
        Image.fromarray(np.full((12, 20, 3), level, np.uint8)).save(f"{folder}/{index}.png")


def test_a_killed_run_goes_on_at_the_frame(shell):
    dark_third("in")
    arguments = ("run", "in", "--chain", "lethal", "-o", "out.gif")
    assert run_process(*arguments, cwd=shell.folder).returncode == -9
    assert not Path("out.gif").exists()
    kept = {path.name: path.stat().st_mtime_ns for path in Path(".out.gif.frames").glob("*.png")}
    assert "000000.png" in kept
    outcome = shell(*arguments)
    assert (outcome.code, f"going on behind frame {len(kept)} of in" in outcome.err) == (0, True), outcome.err
    levels = [int(made[0, 0, 0]) for made in read_clip("out.gif")[0]]
    assert levels == [55, 105, 255, 155]
    assert not Path(".out.gif.frames").exists()


def test_a_failed_frame_leaves_what_was_made(shell):
    dark_third("in")
    outcome = shell("run", "in", "--chain", "darkfail", "-o", "out.gif")
    assert (outcome.code, "in/2.png: darkfail (plugin" in outcome.err) == (1, True), outcome.err
    kept = {path.name for path in Path(".out.gif.frames").glob("*.png")}
    assert {"000000.png", "000001.png"} == kept - {"000003.png"}  # others may have been made meanwhile


def test_another_run_begins_anew(shell):
    dark_third("in")
    shell("run", "in", "--chain", "darkfail", "-o", "out.gif")
    outcome = shell("run", "in", "--chain", "invert", "-o", "out.gif")
    assert (outcome.code, "going on" in outcome.err) == (0, False)
    assert [int(made[0, 0, 0]) for made in read_clip("out.gif")[0]] == [55, 105, 255, 155]


def test_frames_in_a_folder_go_on_with_skip_existing(shell):
    make_clip("a.gif")
    shell("run", "a.gif", "--chain", "invert", "-o", "out/")
    for number in (3, 4, 5):
        Path(f"out/000{number}.png").unlink()
    first = Path("out/0001.png").stat().st_mtime_ns
    assert "0003" not in shell("run", "a.gif", "--chain", "invert", "-o", "out/").out
    outcome = shell("run", "a.gif", "--chain", "invert", "-o", "out/", "--skip-existing")
    assert (outcome.code, "going on behind frame 2 of a.gif" in outcome.err) == (0, True), outcome.err
    assert (len(os.listdir("out")), Path("out/0001.png").stat().st_mtime_ns) == (5, first)
    assert "is there already" in shell("run", "a.gif", "--chain", "invert", "-o", "out/", "--skip-existing").err


def test_ctrl_c_says_how_to_go_on(shell, tmp_path):
    make_clip("a.gif")
    arguments = command("run", "a.gif", "--chain", "stall", "-o", "out.gif")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(arguments, env=environment(), preexec_fn=heed_interrupts, **pipes) as process:
        assert process.stdout.readline() == b"stalling\n"
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"stopped behind frame 0 of a.gif: the same command goes on from there." in told


def test_a_gif_that_pillow_packs_otherwise_is_an_error_not_a_broken_file(tmp_path, monkeypatch):
    frame(0).save(tmp_path / "0.png")
    monkeypatch.setattr(Image.Image, "save", lambda self, stream, *_, **__: stream.write(b"GIF89a" + bytes(40)))
    with pytest.raises(Exception, match="Pillow packed the frame in another way"):
        write_animation([tmp_path / "0.png"], [Fraction(1)], tmp_path / "out.gif")
    assert os.listdir(tmp_path) == ["0.png"]


def test_a_file_that_is_no_picture_is_told_as_ever(shell):
    Path("a.gif").write_bytes(b"GIF8nothing")
    assert "a.gif is damaged" in shell("run", "a.gif", "--chain", "invert", "-o", "b.png").err
    with pytest.raises(ImageError):
        read_picture(BytesIO(b"GIF8nothing"))
