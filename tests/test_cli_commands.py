"""The commands around `run`: help, listings, plugins' own commands, completion."""

from __future__ import annotations

import json

import pytest

from artkit.cli import hoist_plugins, main
from cli_kit import PLUGIN, open_shell

shell = pytest.fixture(open_shell)


def test_bare_command_shows_three_commands_worth_typing(shell):
    outcome = shell()
    assert outcome.code == 0
    assert sum(line.startswith("  artkit ") for line in outcome.lines()) == 3


@pytest.mark.parametrize(
    "command", ["run", "train", "evaluate", "methods", "models", "data", "plugins", "doctor", "completion"]
)
def test_help_of_every_command(shell, command):
    outcome = shell(command, "--help")
    assert outcome.code == 0
    assert outcome.out.startswith(f"Usage: artkit {command}")


@pytest.mark.parametrize("command", ["run", "data check", "models import", "hello"])
def test_every_command_takes_verbose_behind_it(shell, command):
    """Plugins' commands and those of groups, too."""
    assert "-v, --verbose" in shell(*command.split(), "--help").out


def test_verbose_is_forgotten_by_the_next_command(shell):
    assert "Traceback" in shell("data", "check", "nowhere", "-v").err
    assert "Traceback" not in shell("data", "check", "nowhere").err


@pytest.mark.parametrize("command", ["run", "train", "evaluate", "data make", "data pairs"])
def test_help_says_seed_in_the_words_of_the_field(shell, command):
    text = " ".join(shell(*command.split(), "--help").out.split())
    assert "Random seed" in text
    assert not {"judge", "chance", "dreamer"} & set(text.lower().split())


def test_help_lists_commands_without_cutting_them(shell):
    outcome = shell("--help")
    assert "..." not in outcome.out.partition("Commands:")[2]


def test_unknown_command_has_a_neighbour(shell):
    outcome = shell("rnu")
    assert (outcome.code, outcome.out) == (2, "")
    assert "'run'" in outcome.err


def test_picture_in_place_of_a_command(shell):
    outcome = shell(shell.paint("a.png"), "--chain", "invert")
    assert outcome.code == 2
    assert "artkit run a.png" in outcome.err


def test_unknown_option_has_a_neighbour(shell):
    outcome = shell("run", "--chian", "invert")
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert "--chain" in outcome.err


def test_many_ports_alike_are_counted_and_listed_a_line_each(shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "nst")
    rows = {line.split()[0]: line for line in shell("methods").lines()}
    assert "image + 7 [image] + [mask] -> image" in rows["nst"]
    lines = shell("methods", "nst").lines()
    assert "inputs  image (image): the photo" in lines
    assert "        style2 (image, optional): a second style" in lines
    assert "size    any" in lines
    assert "models  none needed" in lines
    assert "pull    vgg19" in lines


def test_methods(shell):
    outcome = shell("methods")
    assert outcome.code == 0
    assert [line for line in outcome.lines() if not line.startswith("  ")] == ["Dream", "Filters"]
    rows = {line.split()[0]: line for line in outcome.lines()}
    assert "image -> image" in rows["invert"]
    assert "[image] -> image" in rows["dream"]
    assert "image + image -> image" in rows["mix"]


def test_method_by_name(shell):
    outcome = shell("methods", "fade")
    assert "share of the light that is left" in outcome.out
    assert "0.5" in outcome.out
    record = json.loads(shell("methods", "fade", "--json").out)
    assert record["options"][0]["name"] == "by"
    assert record["plugin"] == "tiny_methods"
    assert record["inputs"][0]["kind"] == "image"


def test_methods_are_listed_by_what_they_do(shell, monkeypatch):
    monkeypatch.delenv("ARTKIT_PLUGINS")
    groups: dict[str, list[str]] = {}
    for line in shell("methods").lines():
        if line.startswith("  "):
            groups[list(groups)[-1]].append(line.split()[0])
        else:
            groups[line] = []
    assert list(groups)[:4] == ["Translate", "Dream", "Enlarge", "Restore and touch up"]
    assert list(groups)[-1] == "Filters"
    assert {"pix2pix", "cyclegan", "nst"} <= set(groups["Translate"])
    assert {"can", "semgan", "dream"} <= set(groups["Dream"])
    assert groups["Enlarge"] == ["superres"]
    assert groups["Restore and touch up"] == ["touchup"]
    assert {"blur", "grey", "invert"} <= set(groups["Filters"])


@pytest.mark.parametrize(
    ("word", "methods"),
    [
        ("upscale", "'superres' or 'resize'"),
        ("super-resolution", "'superres' or 'resize'"),
        ("gray", "'grey'"),
        ("greyscale", "'grey'"),
        ("colorize", "'pix2pix' or 'match'"),
        ("sharpn", "'sharpen'"),
        ("segment", "'semgan' or 'quantise'"),
        ("style-transfer", "'nst'"),
        ("rectangle", "'crop'"),
        ("restore", "'touchup' or 'denoise'"),
    ],
)
@pytest.mark.parametrize("command", ["methods", "run"])
def test_a_method_is_found_by_what_people_call_it(shell, monkeypatch, command, word, methods):
    monkeypatch.delenv("ARTKIT_PLUGINS")
    if command == "methods":
        outcome = shell("methods", word)
    else:
        outcome = shell("run", shell.paint("a.png"), "--chain", word.replace("-", "_"))
    assert outcome.code == 2
    assert f"Did you mean {methods}" in outcome.err


def test_unknown_method_has_a_neighbour(shell):
    outcome = shell("methods", "fde")
    assert outcome.code == 2
    assert "fade" in outcome.err


def test_plugins(shell):
    records = json.loads(shell("plugins", "--json").out)
    record = next(one for one in records if one["name"] == "tiny_methods")
    assert "invert" in record["methods"]
    assert record["error"] is None
    assert "tiny_methods" in shell("plugins").out


def test_broken_plugin_is_listed_and_harms_nobody(shell):
    (shell.folder / "bad_plugin.py").write_text("raise RuntimeError('no brushes')\n")
    outcome = shell("--plugin", "bad_plugin.py", "plugins")
    assert outcome.code == 0
    assert "no brushes" in outcome.out
    assert len(outcome.err.splitlines()) == 1
    assert shell("run", shell.paint("a.png"), "--chain", "invert", "--plugin", "bad_plugin.py").code == 0


def test_plugin_brings_a_command(shell):
    assert shell("hello").out.startswith("hello from torch")
    assert "hello" in shell("--help").out


def test_plugin_cannot_take_the_place_of_a_command(shell):
    (shell.folder / "greedy.py").write_text(
        "import click\nfrom artkit.hookspecs import hookimpl\n\n"
        "@hookimpl\ndef register_commands(cli):\n    cli.add_command(click.Command('run'))\n"
    )
    outcome = shell("--plugin", "greedy.py", "run", "--help")
    assert "greedy" in outcome.err
    assert "--chain" in outcome.out


def test_models_of_nobody(shell, monkeypatch, tmp_path):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    assert json.loads(shell("models", "--json").out) == []
    assert "artkit train" in shell("models", "list").out
    outcome = shell("models", "show", "nothing")
    assert outcome.code == 1
    assert "nothing" in outcome.err


def test_data_of_nobody(shell):
    assert json.loads(shell("data", "--json").out) == []
    outcome = shell("data", "make", "landscapes", "-o", "out")
    assert outcome.code == 2
    assert "landscapes" in outcome.err


def test_datasets_as_json(shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "atelier")
    found = {one["name"]: one for one in json.loads(shell("data", "--json").out)}
    assert {"landscapes", "places"} <= found.keys()
    assert all(one.keys() == {"name", "summary", "options"} and one["summary"] for one in found.values())
    options = {option["name"]: option["default"] for option in found["places"]["options"]}
    assert (options["count"], options["seed"]) == (1000, 0)


def test_doctor(shell):
    report = json.loads(shell("doctor", "--json").out)
    assert report["versions"]["torch"]
    assert report["hardware"]["device"]
    assert "tiny_methods" in report["plugins"]
    assert shell("doctor").code == 0


def test_doctor_reports_a_broken_plugin(shell):
    (shell.folder / "bad_plugin.py").write_text("raise RuntimeError('no brushes')\n")
    outcome = shell("doctor", "--plugin", "bad_plugin.py", "--json")
    assert outcome.code == 1
    assert any("no brushes" in line for line in json.loads(outcome.out)["wrong"])


def test_version(shell):
    assert shell("--version").out.startswith("artkit 0.")


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_script(shell, name):
    outcome = shell("completion", name)
    assert outcome.code == 0
    assert "_ARTKIT_COMPLETE" in outcome.out


def complete(monkeypatch, capsys, words: str, place: int) -> list[str]:
    """Return what the shell would be offered for the word at `place`."""
    monkeypatch.setenv("_ARTKIT_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(place))
    with pytest.raises(SystemExit):
        main(["--plugin", str(PLUGIN)])
    return [line.partition(",")[2] for line in capsys.readouterr().out.splitlines()]


def test_completion_of_chains(shell, monkeypatch, capsys):
    offered = complete(monkeypatch, capsys, "artkit run --chain invert,fa", 3)
    assert offered == ["invert,fade", "invert,fail"]


def test_completion_of_commands(shell, monkeypatch, capsys):
    assert complete(monkeypatch, capsys, "artkit pl", 1) == ["plugins"]


def test_plugins_may_stand_anywhere():
    files, rest = hoist_plugins(["run", "--plugin", "a.py", "x", "--plugin=b.py", "--", "--plugin", "c"])
    assert [str(file) for file in files] == ["a.py", "b.py"]
    assert rest == ["run", "x", "--", "--plugin", "c"]
