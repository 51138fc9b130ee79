"""`artkit run`: where results go, what they hold, and what is printed."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

from artkit.images import read_picture, read_provenance, write_picture
from cli_kit import open_shell, pixels_of

shell = pytest.fixture(open_shell)


def test_result_is_named_after_input_and_chain(shell):
    picture = shell.paint("photos/map.png", 200)
    outcome = shell("run", picture, "--chain", "invert,fade(by=0.2)")
    assert outcome.code == 0, outcome.err
    assert outcome.lines() == ["map.invert-fade.png"]
    assert pixels_of("map.invert-fade.png")[5, 5].tolist() == [11, 11, 11]


def test_quiet_away_from_a_terminal(shell):
    assert shell("run", shell.paint("a.png"), "--chain", "invert").err == ""


@pytest.mark.parametrize("place", [0, 1, 4])
def test_verbose_run_says_how_long_each_step_took(shell, place):
    words = ["run", shell.paint("a.png"), "--chain", "invert,invert"]
    outcome = shell(*words[:place], "-v", *words[place:])
    assert re.fullmatch(r"invert 0\.\d\d s · invert 0\.\d\d s", outcome.err.splitlines()[-1])
    shell.paint("in/a.png"), shell.paint("in/b.png")
    assert shell("run", "in", "--chain", "invert", "-o", "out", "-v").err.splitlines()[-1].endswith(" s a picture")


def test_output_file_in_another_format(shell):
    outcome = shell("run", shell.paint("a.png"), "--chain", "invert", "-o", "b.jpg")
    assert (outcome.code, outcome.lines()) == (0, ["b.jpg"])
    with Image.open("b.jpg") as image:
        assert image.format == "JPEG"


def test_folder_keeps_names(shell):
    for name in ("in/a.png", "in/deep/b.jpg", "in/c.bmp"):
        shell.paint(name)
    (shell.folder / "in/notes.txt").write_text("not a picture")
    outcome = shell("run", "in", "--chain", "invert", "-o", "out")
    assert outcome.code == 0, outcome.err
    written = {name for name in shell.files() if name.startswith("out/")}
    assert written == {"out/a.png", "out/deep/b.jpg", "out/c.png"}
    assert set(outcome.lines()) == written


def test_output_folder_inside_the_input_folder_is_not_an_input(shell):
    shell.paint("in/a.png")
    assert shell("run", "in", "--chain", "invert", "-o", "in/out").lines() == ["in/out/a.png"]
    again = shell("run", "in", "--chain", "invert", "-o", "in/out", "--overwrite")
    assert again.lines() == ["in/out/a.png"]


def test_several_inputs(shell):
    outcome = shell("run", shell.paint("a.png"), shell.paint("b.png"), "--chain", "invert", "-o", "out/")
    assert outcome.lines() == ["out/a.png", "out/b.png"]


def test_one_input_into_a_folder_keeps_its_name(shell):
    assert shell("run", shell.paint("a.png"), "--chain", "invert", "-o", "out/").lines() == ["out/a.png"]


def test_dreams_are_named_after_chain_and_seed(shell):
    outcome = shell("run", "--chain", "dream,invert", "-n", "3", "--seed", "7", "--size", "24x16", "-o", "dreams/")
    assert outcome.code == 0, outcome.err
    assert outcome.lines() == [f"dreams/dream-invert-{seed}.png" for seed in (7, 8, 9)]
    assert pixels_of("dreams/dream-invert-8.png").shape == (16, 24, 3)


def test_any_single_dream_can_be_made_again(shell):
    shell("run", "--chain", "dream", "-n", "3", "--seed", "7", "--size", "32x24", "-o", "dreams/")
    assert shell("run", "--chain", "dream", "--seed", "9", "--size", "32x24", "-o", "again.png").code == 0
    assert np.array_equal(pixels_of("again.png"), pixels_of("dreams/dream-9.png"))
    assert not np.array_equal(pixels_of("again.png"), pixels_of("dreams/dream-8.png"))


def test_single_dream_goes_to_the_current_folder(shell):
    assert shell("run", "--chain", "dream", "--seed", "4", "--size", "8").lines() == ["dream-4.png"]


def test_count_with_an_input_gives_one_picture_a_seed(shell):
    outcome = shell("run", shell.paint("a.png"), "--chain", "invert", "-n", "2", "--seed", "5", "-o", "out/")
    assert outcome.lines() == ["out/a-5.png", "out/a-6.png"]


def test_port_from_a_file(shell):
    first, style = shell.paint("a.png", 100), shell.paint("style.png", 200)
    outcome = shell("run", first, "--chain", "mix", "-i", f"style={style}", "-o", "b.png")
    assert outcome.code == 0, outcome.err
    assert abs(int(pixels_of("b.png")[5, 5, 0]) - 150) <= 2


def test_json_is_one_document(shell):
    outcome = shell("run", shell.paint("a.png"), "--chain", "invert,invert", "--json")
    document = json.loads(outcome.out)
    (result,) = document["results"]
    assert result["input"] == "a.png"
    assert result["output"] == "a.invert-invert.png"
    assert result["size"] == [20, 12]
    assert [step["method"] for step in result["steps"]] == ["invert", "invert"]
    assert 0 < sum(step["seconds"] for step in result["steps"]) < result["seconds"] + 2e-4  # rounded to 4 digits
    assert document["failures"] == []


def test_keep_steps(shell):
    outcome = shell("run", shell.paint("a.png", 200), "--chain", "invert,fade", "--keep-steps", "steps", "-o", "b.png")
    assert outcome.code == 0, outcome.err
    assert {name for name in shell.files() if name.startswith("steps/")} == {
        "steps/b.1-invert.png",
        "steps/b.2-fade.png",
    }
    assert pixels_of("steps/b.1-invert.png")[5, 5, 0] == 55


def test_keep_steps_keeps_those_of_nested_chains(shell):
    chain = "mix(style=[dream,mix(style=[dream])])"
    assert shell("run", shell.paint("a.png"), "--chain", chain, "--keep-steps", "k", "-o", "b.png").code == 0
    kept = ["1-mix", "1-mix.style.1-dream", "1-mix.style.2-mix", "1-mix.style.2-mix.style.1-dream"]
    assert shell.files() == {"a.png", "b.png", *(f"k/b.{name}.png" for name in kept)}


def test_keep_steps_keeps_the_way_of_a_step_that_shows_it(shell):
    shell("run", shell.paint("a.png", 100), "--chain", "sketch", "--keep-steps", "k", "-o", "b.png")
    levels = {name: int(pixels_of(f"k/b.1-sketch{name}.png")[5, 5, 0]) for name in (".25", ".50", ".75", "")}
    assert levels == {".25": 75, ".50": 50, ".75": 25, "": 0}


def test_a_folder_shares_a_style_unless_it_varies(shell):
    for level in (100, 200):
        shell.paint(f"in/{level}.png", level)
    run = ("run", "in", "-o", "out", "--overwrite", "--seed", "1", "--keep-steps", "kept", "--chain")
    dreams = [f"kept/{level}.1-mix.style.1-dream.png" for level in (100, 200)]
    shell(*run, "mix(style=[dream])")
    assert np.array_equal(*map(pixels_of, dreams))
    shell(*run, "mix(style=[dream],vary=style)")
    first, second = map(pixels_of, dreams)
    assert not np.array_equal(first, second)
    before = pixels_of("out/200.png")
    shell("run", "in/200.png", "--recipe", "out/200.png", "-o", "again.png")
    assert np.array_equal(pixels_of("again.png"), before)


def test_a_strip_shows_what_fed_a_port(shell):
    def width(chain):
        shell("run", "a.png", "--chain", chain, "--strip", "s.png", "-o", "b.png", "--overwrite")
        return pixels_of("s.png").shape[1]

    shell.paint("a.png", size=(512, 384))
    assert width("mix(style=[dream])") == width("invert,invert")


def test_strip_shows_input_steps_and_result(shell):
    picture = shell.paint("a.png", size=(64, 48))
    outcome = shell("run", picture, "--chain", "invert,fade", "--strip", "strip.png", "-o", "b.png")
    assert outcome.lines() == ["b.png", "strip.png"]
    strip = pixels_of("strip.png")
    assert strip.shape[1] > 3 * 64
    assert strip.shape[0] < 2 * 64


def test_strip_of_dreams_is_a_sheet(shell):
    shell("run", "--chain", "dream,fade", "-n", "3", "--size", "32x32", "-o", "d/", "--strip", "sheet.png")
    sheet = pixels_of("sheet.png")
    assert sheet.shape[0] > 3 * 32
    assert 2 * 32 < sheet.shape[1] < 3 * 32


def test_show_needs_a_terminal(shell):
    outcome = shell("run", shell.paint("a.png"), "--chain", "invert", "--show")
    assert outcome.code == 0
    assert outcome.err == "artkit: --show needs a terminal.\n"


def test_existing_result_needs_overwrite(shell):
    picture = shell.paint("a.png", 200)
    shell("run", picture, "--chain", "invert", "-o", "b.png")
    refused = shell("run", picture, "--chain", "fade", "-o", "b.png")
    assert refused.code == 1
    assert "--overwrite" in refused.err
    assert pixels_of("b.png")[5, 5, 0] == 55
    assert shell("run", picture, "--chain", "fade", "-o", "b.png", "--overwrite").code == 0
    assert pixels_of("b.png")[5, 5, 0] == 100


def test_dry_run_prints_the_plan_and_writes_nothing(shell):
    picture = shell.paint("a.png")
    outcome = shell("run", picture, "--chain", "invert,fade(by=0.25)", "--dry-run")
    assert outcome.code == 0
    assert "by=0.25" in outcome.out
    assert outcome.lines()[-1] == "a.png -> a.invert-fade.png"
    assert shell.files() == {"a.png"}


def test_dry_run_as_json(shell):
    document = json.loads(shell("run", shell.paint("a.png"), "--chain", "invert", "--dry-run", "--json").out)
    assert document["plan"]["chain"] == "invert"
    assert document["results"] == [{"input": "a.png", "seed": 0, "output": "a.invert.png"}]


def test_toml_recipe_and_flags_over_it(shell):
    (shell.folder / "r.toml").write_text('chain = "dream,fade"\nseed = 3\nsize = [16, 8]\ncount = 2\n')
    assert shell("run", "--recipe", "r.toml", "-o", "out").lines() == ["out/dream-fade-3.png", "out/dream-fade-4.png"]
    assert pixels_of("out/dream-fade-3.png").shape == (8, 16, 3)
    outcome = shell("run", "--recipe", "r.toml", "--chain", "dream", "--seed", "9", "-n", "1", "--size", "10")
    assert outcome.lines() == ["dream-9.png"]
    assert pixels_of("dream-9.png").shape == (8, 10, 3)


def test_picture_makes_itself_again(shell):
    shell("run", "--chain", "dream,fade(by=0.75)", "--seed", "11", "--size", "20x14", "-o", "art.png")
    outcome = shell("run", "--recipe", "art.png", "-o", "again.png")
    assert outcome.code == 0, outcome.err
    assert (shell.folder / "again.png").read_bytes() == (shell.folder / "art.png").read_bytes()


def test_folder_run_finishes_and_lists_failures(shell):
    shell.paint("in/a.png", 200)
    shell.paint("in/b.png", 0)
    (shell.folder / "in/c.png").write_bytes(b"")
    shell.paint("in/d.png", 200)
    outcome = shell("run", "in", "--chain", "darkfail", "-o", "out")
    assert outcome.code == 1
    assert outcome.lines() == ["out/a.png", "out/d.png"]
    first, dark, empty = outcome.err.splitlines()
    assert first == "artkit: 2 of 4 failed:"
    assert "b.png" in dark
    assert "too dark" in dark
    assert "c.png" in empty
    assert {name for name in shell.files() if name.startswith("out/")} == {"out/a.png", "out/d.png"}


def test_failures_name_their_picture_once(shell):
    shell.paint("in/a.png", 0)
    shell.paint("in/b.png", 200)
    (shell.folder / "in/c.png").write_text("hello")
    errors = shell("run", "in", "--chain", "darkfail", "-o", "out").err.splitlines()
    assert errors[0] == "artkit: 2 of 3 failed:"
    assert [line.count(name) for line, name in zip(errors[1:], ("in/a.png", "in/c.png"), strict=True)] == [1, 1]


def test_failures_in_json(shell):
    shell.paint("in/a.png", 0)
    shell.paint("in/b.png", 200)
    outcome = shell("run", "in", "--chain", "darkfail", "-o", "out", "--json")
    document = json.loads(outcome.out)
    assert outcome.code == 1
    assert [one["output"] for one in document["results"]] == ["out/b.png"]
    assert [one["input"] for one in document["failures"]] == ["in/a.png"]


def test_recipe_of_a_picture_with_an_input(shell):
    picture = shell.paint("photos/a.png", 200)
    record = {"chain": "invert", "seed": 0, "input": str(picture)}
    write_picture(read_picture(picture), shell.folder / "art.png", provenance=record)
    assert shell("run", "--recipe", "art.png", "-o", "again.png").code == 0
    assert pixels_of("again.png")[5, 5, 0] == 55
    (shell.folder / picture).rename(shell.folder / "b.png")
    outcome = shell("run", "--recipe", "art.png", "-o", "third.png")
    assert outcome.code == 2
    assert "photos/a.png" in outcome.err
    assert shell("run", "b.png", "--recipe", "art.png", "-o", "third.png").code == 0


def test_a_recipe_made_with_another_model_says_so(shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "semgan")
    assert shell("run", "--chain", "semgan", "--size", "16", "--seed", "3", "-o", "art.png").code == 0
    assert shell("run", "--recipe", "art.png", "-o", "again.png").err == ""
    record = read_provenance("art.png") | {"models": {"semgan/landscape": "0" * 12}}
    write_picture(read_picture("art.png"), "old.png", provenance=record)
    outcome = shell("run", "--recipe", "old.png", "-o", "other.png")
    assert outcome.code == 0
    assert "semgan/landscape is not the model that made the picture (it was 000000000000)" in outcome.err
