"""Movie files: sound, times, ranges, rotation, odd sizes, deep colours; resume; damaged and hostile files."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from artkit.cli import main
from artkit.cli.clips import _check_format
from artkit.clips.matroska import missing_bytes
from artkit.clips.movie import open_movie
from artkit.errors import UsageError
from artkit.images import read_picture
from artkit.plugins import discovery
from artkit.spec import Kind
from cli_kit import ROOT, open_shell, run_process
from clip_kit import make_clip, read_clip

pytest.importorskip("av")

from artkit.engine import workplace
from movie_kit import SIZE, make_movie, pixels, read_movie, read_sound

shell = pytest.fixture(open_shell)


def near(made, due, tolerance=6.0) -> bool:
    return float(np.abs(np.asarray(made).astype(int) - np.asarray(due).astype(int)).mean()) < tolerance


def test_a_movie_stays_one_with_its_sound_and_times(shell):
    ticks = [0, 10, 45, 60, 110, 113]
    make_movie("a.mp4", ticks=ticks)
    outcome = shell("run", "a.mp4", "--chain", "invert", "-o", "b.mp4")
    assert (outcome.code, outcome.out) == (0, "b.mp4\n"), outcome.err
    frames, times, about = read_movie("b.mp4")
    assert times == [Fraction(tick, 600) for tick in ticks]
    assert all(near(made, 255 - pixels(index)) for index, made in enumerate(frames))
    assert about["size"] == SIZE
    assert read_sound("b.mp4") == read_sound("a.mp4")
    assert shell.files() == {"a.mp4", "b.mp4"}
    assert shell("run", "a.mp4", "--chain", "invert").out == "a.invert.mp4\n"
    plan = shell("run", "a.mp4", "--chain", "invert", "--dry-run", "-o", "c.mp4").lines()
    assert plan[-1] == "a.mp4 (about 6 frames) -> c.mp4"


def test_frames_that_are_there_are_counted_alone(shell):
    make_movie("a.mp4")
    for skip in (0, 2, 5, 6):
        frames = list(open_movie(Path("a.mp4")).frames(skip=skip))
        assert [frame.source is None for frame in frames] == [True] * skip + [False] * (6 - skip)


def test_a_movie_without_sound(shell):
    make_movie("a.mkv", sound=None)
    assert shell("run", "a.mkv", "--chain", "invert", "-o", "b.mov").code == 0
    assert len(read_movie("b.mov")[0]) == 6
    assert read_movie("b.mov")[1] == read_movie("a.mkv")[1]


@pytest.mark.parametrize("full", [True, False])
def test_the_range_and_what_colours_mean_are_kept(shell, full):
    make_movie("a.mkv", full=full, sound=None)
    assert shell("run", "a.mkv", "--chain", "fade(by=1.0)", "-o", "b.mkv").code == 0
    (before, _, _), (after, _, about) = read_movie("a.mkv"), read_movie("b.mkv")
    assert about["range"] == (2 if full else 1)
    assert about["matrix"] == 6  # what a small movie that does not say is taken for
    assert near(after[2], before[2], 3)


def test_a_movie_on_its_side_comes_out_upright(shell):
    make_movie("a.mp4", rotation=-90, aspect=Fraction(4, 3))
    assert read_movie("a.mp4")[2]["rotation"] == -90
    assert shell("run", "a.mp4", "--chain", "invert", "-o", "b.mp4").code == 0
    frames, _, about = read_movie("b.mp4")
    assert (about["size"], about["rotation"], about["aspect"]) == (SIZE[::-1], 0, Fraction(3, 4))
    assert near(frames[1], 255 - np.rot90(pixels(1), -1))


def test_odd_sides_grow_by_a_pixel_that_repeats_the_last(shell):
    make_movie("a.avi", size=(33, 23), codec="ffv1", pix_fmt="bgr0", sound=None)
    assert shell("run", "a.avi", "--chain", "invert", "-o", "b.mp4").code == 0
    frames, _, about = read_movie("b.mp4")
    assert about["size"] == (34, 24)
    assert near(frames[0], np.pad(255 - pixels(0, (33, 23)), ((0, 1), (0, 1), (0, 0)), mode="edge"))


def test_deep_colours_come_as_eight_bits(shell):
    make_movie("a.mkv", codec="ffv1", pix_fmt="yuv420p10le", sound=None)
    assert shell("run", "a.mkv", "--chain", "invert", "-o", "b.mp4").code == 0
    frames, _, about = read_movie("b.mp4")
    assert about["pix_fmt"] == "yuv420p"
    assert near(frames[3], 255 - pixels(3))


def test_animations_folders_and_movies_become_each_other(shell):
    make_movie("a.mp4", 4)
    assert shell("run", "a.mp4", "--chain", "invert", "-o", "b.gif").code == 0
    assert (len(read_clip("b.gif")[0]), sum(read_clip("b.gif")[1])) == (4, 130)  # 4/30 s in hundredths
    assert shell("run", "a.mp4", "--chain", "invert", "-o", "out/").code == 0
    assert sorted(os.listdir("out")) == [f"000{number}.png" for number in (1, 2, 3, 4)]
    assert shell("run", "out", "--chain", "invert", "-o", "c.mp4", "--fps", "24").code == 0
    frames, times, _ = read_movie("c.mp4")
    assert times == [Fraction(index, 24) for index in range(4)]
    assert near(frames[2], pixels(2))
    make_clip("d.gif", 3, alpha=True)
    assert shell("run", "d.gif", "--chain", "invert", "-o", "d.mp4").code == 0
    frames, times, _ = read_movie("d.mp4")
    assert times == [0, Fraction(5, 100), Fraction(11, 100)]
    assert near(frames[0][:6, 12:], 255, 12)  # what was clear is white


def test_a_movie_of_one_frame(shell):
    make_movie("a.mp4", 1)
    assert shell("run", "a.mp4", "--chain", "invert", "-o", "b.mp4").code == 0
    assert len(read_movie("b.mp4")[0]) == 1


def test_sound_that_does_not_fit_says_where_it_would(shell):
    make_movie("a.avi", sound="pcm_mulaw")
    outcome = shell("run", "a.avi", "--chain", "stall", "-o", "b.mp4")
    told = "the sound of a.avi (pcm_mulaw) does not fit into b.mp4; it does into .mov."
    assert (outcome.code, told in outcome.err, shell.files()) == (1, True, {"a.avi"}), outcome.err
    assert shell("run", "a.avi", "--chain", "invert", "-o", "b.mov").code == 0
    assert b"".join(data for data, _ in read_sound("b.mov")) == b"".join(data for data, _ in read_sound("a.avi"))


# -- going on -------------------------------------------------------------------------------------------------------


def test_a_killed_run_goes_on_at_the_frame_to_the_same_movie(shell):
    make_movie("a.mp4", 56, dark=53)
    arguments = ("run", "a.mp4", "--chain", "lethal", "-o", "b.mp4")
    assert run_process(*arguments, cwd=shell.folder).returncode == -9
    assert not Path("b.mp4").exists()
    kept = {path.name for path in Path(".b.mp4.frames").iterdir()}
    assert "00000000-00000048.mkv" in kept
    assert "000000.png" not in kept
    outcome = shell(*arguments)
    done = int(outcome.err.split("going on behind frame ")[1].split()[0])
    assert (outcome.code, 48 <= done <= 53) == (0, True), outcome.err
    assert shell("run", "a.mp4", "--chain", "lethal", "-o", "whole.mp4").code == 0
    assert Path("b.mp4").read_bytes() == Path("whole.mp4").read_bytes()
    frames, times, _ = read_movie("b.mp4")
    assert times == read_movie("a.mp4")[1]
    assert near(frames[53], 255)
    assert read_sound("b.mp4") == read_sound("a.mp4")


def test_a_frame_of_another_size_is_noticed_behind_a_piece(shell, monkeypatch):
    monkeypatch.setattr(workplace, "PIECE", 2)
    make_movie("a.mp4", 5, dark=4)
    assert shell("run", "a.mp4", "--chain", "darkfail", "-o", "b.mp4").code == 1
    pieces = [path.name for path in Path(".b.mp4.frames").glob("*.mkv")]
    assert sorted(pieces) == ["00000000-00000002.mkv", "00000002-00000004.mkv"]
    again = shell("run", "a.mp4", "--chain", "darkfail", "-o", "b.mp4")
    assert "going on behind frame 4 of a.mp4" in again.err
    assert "frame 5 of a.mp4: darkfail (plugin" in again.err
    assert workplace.json.loads(Path(".b.mp4.frames/size.json").read_bytes()) == list(SIZE[::-1])


# -- what is no movie -----------------------------------------------------------------------------------------------


def refused(shell, name: str, code: int = 1) -> str:
    outcome = shell("run", name, "--chain", "invert", "-o", "b.mp4")
    assert outcome.code == code, outcome.err
    assert not Path("b.mp4").exists()
    assert outcome.err.count("\n") == 1 + outcome.err.count("going on")
    return outcome.err


def test_a_movie_that_is_cut_off_is_told(shell):
    whole = make_movie("a.mp4", 40).read_bytes()
    Path("b.mov").write_bytes(whole[: len(whole) * 2 // 3])  # the index stands at the end
    assert "b.mov is damaged or no movie" in refused(shell, "b.mov")
    Path("empty.mp4").write_bytes(b"")
    assert "empty.mp4 is damaged or no movie" in refused(shell, "empty.mp4")


@pytest.mark.parametrize("name", ["a.mkv", "a.webm"])
def test_a_matroska_file_that_is_cut_off_is_told(shell, name):
    webm = name == "a.webm"
    make_movie(name, 40, sound=None, codec="libvpx" if webm else "libx264")
    whole = Path(name).read_bytes()
    with open(name, "rb") as file:
        assert missing_bytes(file) == 0
    for share in (0.3, 0.6, 0.95):
        Path(f"cut-{name}").write_bytes(whole[: int(len(whole) * share)])
        missing = len(whole) - int(len(whole) * share)
        assert f"cut-{name} is cut off: {missing:,} bytes are missing at its end." in refused(shell, f"cut-{name}")


def test_a_matroska_file_that_says_no_length_is_read(shell):
    make_movie("a.mkv", 10, sound=None)
    whole = bytearray(Path("a.mkv").read_bytes())
    place = whole.index(bytes.fromhex("18538067")) + 4
    assert whole[place] == 1  # eight bytes of length
    whole[place : place + 8] = b"\x01" + b"\xff" * 7  # unknown, as in a live stream
    Path("live.mkv").write_bytes(whole)
    assert shell("run", "live.mkv", "--chain", "invert", "-o", "b.mp4").code == 0
    assert len(read_movie("b.mp4")[0]) == 10


@pytest.mark.parametrize("head", [b"", b"\x1a", b"\x1a\x45\xdf\xa3", b"\x1a\x45\xdf\xa3\x80\x18\x53", b"\0" * 40])
def test_what_is_no_matroska_file_misses_nothing(head):
    assert missing_bytes(BytesIO(head)) == 0


def test_a_movie_whose_last_frames_are_gone_is_told(shell):
    import av

    make_movie("a.mp4", 40, sound=None)
    with av.open("a.mp4") as source, av.open("c.mp4", "w", options={"movflags": "faststart"}) as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                out.mux_one(packet)
    whole = Path("c.mp4").read_bytes()
    Path("d.mp4").write_bytes(whole[: whole.index(b"mdat") + (len(whole) - whole.index(b"mdat")) // 2])
    told = refused(shell, "d.mp4")
    assert "d.mp4 is cut off: frame" in told or "d.mp4 is damaged" in told
    assert "of 40 is the last there is" in told or "damaged" in told


def test_files_that_would_read_others_are_refused(shell):
    make_movie("secret.mp4", 2)
    Path("list.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n")
    Path("concat.mp4").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    Path("words.mp4").write_text("no movie at all")
    for name in ("list.mp4", "concat.mp4", "words.mp4"):
        assert f"{name} is damaged or no movie" in refused(shell, name)


def test_a_file_with_sound_alone_has_no_pictures(shell):
    import av

    make_movie("both.mp4", 3)
    with av.open("both.mp4") as source, av.open("a.mp4", "w") as out:
        audio = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.size:
                packet.stream = audio
                out.mux_one(packet)
    assert "a.mp4 has no pictures" in refused(shell, "a.mp4")


def test_limits_hold_before_a_frame_is_decoded(shell, monkeypatch):
    make_movie("a.mp4", 2)
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "100")
    assert "a.mp4 is 32×24 pixels; the limit is 100 pixels in all" in refused(shell, "a.mp4")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.mp4", "b.mp4", "-o", "out/"), "one run turns one movie"),
        (("a.mp4", "-o", "b.jpg"), "a movie does not go into '.jpg'"),
        (("a.mp4", "-o", "-"), "a movie does not go into standard output"),
        (("a.mp4", "-o", "b.webm"), "artkit does not write '.webm' files"),
        (("a.mp4", "-o", "b.mp4", "--fps", "3"), "says itself when its frames are shown"),
        (("gone.mp4", "-o", "b.mp4"), "there is no picture gone.mp4; did you mean a.mp4?"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_runs(shell, arguments, message):
    make_movie("a.mp4", 2)
    outcome = shell("run", *arguments, "--chain", "stall")
    assert (outcome.code in (1, 2), message in outcome.err) == (True, True), outcome.err


def test_a_label_map_is_no_movie():
    with pytest.raises(UsageError, match="label maps do not survive in a movie"):
        _check_format(Path("b.mp4"), SimpleNamespace(output=Kind.LABELS))


def test_without_pyav_the_message_says_what_to_install(shell, monkeypatch):
    make_movie("a.mp4", 2)
    make_clip("a.gif")
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *how: None if name == "av" else real(name, *how))
    for source, target in (("a.mp4", "b.mp4"), ("a.gif", "c.mp4")):
        told = shell("run", source, "--chain", "invert", "-o", target)
        assert (told.code, "need PyAV, which is not here: pip install av" in told.err) == (2, True)
    assert shell("run", "a.gif", "--chain", "invert", "-o", "d.gif").code == 0


def test_the_commands_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(discovery, "_current", None)
    make_movie("clip.mp4", 2, size=(24, 16))
    commands = re.findall(r"^\$ artkit (.*)$", (ROOT / "docs/video.md").read_text(), re.MULTILINE)
    assert len(commands) == 1
    for words in commands:
        assert main(shlex.split(words)) == 0
    assert len(read_movie("out.mp4")[0]) == 2


def test_a_picture_of_a_movie_is_read_as_pictures_are(shell):
    make_movie("a.mp4", 2)
    shell("run", "a.mp4", "--chain", "fade(by=1.0)", "-o", "out/")
    assert near(read_picture("out/0002.png").numpy(), pixels(1))
