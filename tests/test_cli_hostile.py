"""Strangers' words: what a picture's recipe may have read, and what may reach a terminal."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from safetensors.torch import save_file

from artkit.chain import Chain
from artkit.cli import main
from artkit.cli.output import print_json
from artkit.errors import ChainError
from artkit.images import read_picture, read_provenance, write_picture
from cli_kit import open_shell, pixels_of

shell = pytest.fixture(open_shell)

EVIL = "\x1b]0;pwned\x07\x1b[2J\x9b31m\x7f\u202egnp.exe\nartkit: all is well"
OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def art(shell, name: str = "here/art.png", **record) -> str:
    """Write a picture that carries `record`."""
    path = shell.folder / name
    path.parent.mkdir(exist_ok=True)
    write_picture(read_picture(shell.folder / shell.paint("grey.png", 9)), path, overwrite=True, provenance=record)
    return name


@pytest.mark.parametrize("name", ["{folder}/secret.png", "../secret.png", "sub/../../secret.png", "~/secret.png"])
def test_a_pictures_recipe_reads_nothing_outside_its_folder(shell, name):
    shell.paint("secret.png")
    name = name.format(folder=shell.folder)
    for record in ({"chain": "invert", "input": name}, {"chain": "mix", "input": "a.png", "ports": {"style": name}}):
        shell.paint("here/a.png")
        outcome = shell("run", "--recipe", art(shell, seed=0, **record), "-o", "out.png")
        assert (outcome.code, outcome.out) == (2, "")
        (line,) = outcome.err.splitlines()
        assert "outside the picture's folder" in line
        assert not Path("out.png").exists()


@pytest.mark.parametrize("name", ["{folder}/secret.png", "../secret.png", "secret.png"])
@pytest.mark.parametrize("chain", ["mix(style='{}')", "mix(style=[dream,mix(style='{}')])"])
def test_a_pictures_chain_reads_nothing_outside_its_folder(shell, name, chain):
    shell.paint("here/a.png")
    shell.paint("secret.png")
    text = chain.format(name.format(folder=shell.folder))
    outcome = shell("run", "--recipe", art(shell, seed=0, chain=text, input="a.png"), "-o", "out.png")
    assert (outcome.code, outcome.out) == (2, "")
    assert "outside the picture's folder" in outcome.err.splitlines()[-1]
    assert not Path("out.png").exists()


def test_a_pictures_chain_reads_what_is_in_its_folder_and_says_so(shell):
    shell.paint("a.png", 100)
    shell.paint("styles/b.png", 200)
    made = ("run", "a.png", "--chain", "mix(style='styles/b.png')", "-o", "art.png")
    assert shell(*made).code == 0
    outcome = shell("run", "--recipe", "art.png", "-o", "again.png")
    assert "artkit: the chain in art.png names styles/b.png: reading that." in outcome.err.splitlines()
    assert Path("again.png").read_bytes() == Path("art.png").read_bytes()


def test_python_reads_no_strangers_files_either(shell):
    for value in ("/etc/secret.png", "../x.png"):
        with pytest.raises(ChainError, match="outside the picture's folder"):
            Chain.from_recipe(art(shell, seed=0, chain=f"mix(style='{value}')"))
        with pytest.raises(ChainError, match="outside the picture's folder"):
            Chain.from_recipe(art(shell, seed=0, steps=[{"method": "mix", "style": value}]))


@pytest.mark.parametrize("name", ["/", ".", "sub"])
def test_a_pictures_recipe_reads_no_folder(shell, name):
    shell.paint("here/sub/a.png")
    outcome = shell("run", "--recipe", art(shell, chain="invert", seed=0, input=name), "-o", "out/")
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert not Path("out").exists()


def test_files_that_a_pictures_recipe_reads_are_told(shell):
    shell.paint("here/a.png", 100)
    shell.paint("here/b.png", 200)
    picture = art(shell, chain="mix", seed=0, input="a.png", ports={"style": "b.png"})
    outcome = shell("run", "--recipe", picture, "-o", "out.png")
    assert outcome.err.splitlines() == [
        "artkit: here/art.png was made with style=here/b.png: reading that.",
        "artkit: here/art.png was made from here/a.png: reading that.",
    ]
    assert abs(int(pixels_of("out.png")[5, 5, 0]) - 150) <= 2
    typed = shell("run", "here/b.png", "-i", "style=here/b.png", "--recipe", picture, "-o", "other.png")
    assert typed.err == ""


def test_a_written_picture_finds_its_input_beside_it_and_names_no_folder(shell):
    shell.paint("photos/a.png", 200)
    shell.paint("photos/b.png", 100)
    made = ("run", "photos/a.png", "--chain", "mix", "-i", "style=photos/b.png", "-o", "photos/art.png")
    assert shell(*made).code == 0
    record = read_provenance("photos/art.png")
    assert (record["input"], record["ports"]) == ("a.png", {"style": "b.png"})
    assert shell("run", "--recipe", "photos/art.png", "-o", "again.png").code == 0
    assert Path("again.png").read_bytes() == Path("photos/art.png").read_bytes()


def test_another_picture_of_the_inputs_name_is_not_taken_for_it(shell):
    shell.paint("a.png", 200)
    shell("run", "a.png", "--chain", "invert", "-o", "art.png")
    shell.paint("a.png", 100)
    outcome = shell("run", "--recipe", "art.png", "-o", "again.png")
    assert outcome.code == 2
    assert "another picture of that name" in outcome.err
    assert shell("run", "a.png", "--recipe", "art.png", "-o", "again.png").code == 0


def test_a_picture_is_not_its_own_input(shell):
    shell.paint("in/a.png", 200)
    shell("run", "in", "--chain", "invert", "-o", "out")
    outcome = shell("run", "--recipe", "out/a.png", "-o", "again.png")
    assert outcome.code == 2
    assert "which is not beside it; give it: artkit run INPUT --recipe out/a.png" in outcome.err


@pytest.mark.parametrize("count", [10**9, 100_001, 0, "many"])
def test_a_recipe_does_not_count_to_a_billion(shell, count):
    outcome = shell("run", "--recipe", art(shell, chain="dream", seed=0, count=count), "--dry-run", "-o", "out/")
    assert (outcome.code, len(outcome.err.splitlines())) == (2, 1)
    assert "count" in outcome.err
    if count != "many":
        assert shell("run", "--chain", "dream", "-n", count, "--dry-run", "-o", "out/").code == 2


def test_many_inputs_times_a_large_count(shell):
    for index in range(11):
        shell.paint(f"in/{index}.png")
    outcome = shell("run", "in", "--chain", "invert", "-n", 100_000, "--dry-run", "-o", "out/")
    assert outcome.code == 2
    assert "11 inputs and -n 100000 make 1,100,000 pictures" in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("LONG", "--chain", "invert"),
        ("a.png", "--chain", "invert", "-o", "LONG.png"),
        ("a.png", "--chain", "mix", "-i", "style=LONG"),
        ("a.png", "--recipe", "LONG"),
        ("a.png", "--chain", "invert", "--keep-steps", "LONG"),
    ],
    ids=lambda words: " ".join(words),
)
def test_a_name_of_five_thousand_letters(shell, arguments):
    shell.paint("a.png")
    outcome = shell("run", *(word.replace("LONG", "n" * 5000) for word in arguments))
    assert outcome.code in (1, 2)
    (line,) = outcome.err.splitlines()
    assert line.startswith("artkit: ")


@pytest.mark.parametrize("record", [{"input": "n" * 5000}, {"input": "a.png", "ports": {"style": "n" * 5000}}])
def test_a_name_of_five_thousand_letters_in_a_recipe(shell, record):
    outcome = shell("run", "--recipe", art(shell, chain="mix", seed=0, **record))
    assert outcome.code == 2
    (line,) = outcome.err.splitlines()
    assert "5000 characters" in line
    assert len(line) < 200


@pytest.mark.parametrize(
    "record",
    [
        {"chain": f"invert{EVIL}"},
        {"chain": "invert", "input": EVIL},
        {"chain": "invert", "input": f"/{EVIL}"},
        {"chain": "dream", "count": EVIL},
        {"chain": "invert", "ports": {EVIL: "a.png"}},
        {"chain": f"dream(model='{EVIL}')"},
    ],
    ids=lambda record: " ".join(record),
)
@pytest.mark.parametrize("verbose", [False, True])
def test_a_recipes_words_do_not_reach_the_terminal(shell, record, verbose):
    more = ["-v"] if verbose else []
    outcome = shell("run", *more, "--recipe", art(shell, seed=0, **record), "--dry-run")
    assert outcome.code == 2
    assert not OBEYED.search(outcome.out + outcome.err)
    assert "\nartkit: all is well" not in outcome.err


def test_a_files_name_does_not_reach_the_terminal(shell):
    name = EVIL.replace("/", "_") + ".png"
    shell.paint(f"in/{name}")
    shell.paint("in/b.png", 0)
    (shell.folder / "in" / f"c{name}").write_text("no picture")
    for more in (("--dry-run",), (), ("--overwrite", "--json")):
        outcome = shell("run", "in", "--chain", "invert", "-o", "out", *more)
        assert not OBEYED.search(outcome.out + outcome.err)
    inputs = [one["input"] for one in json.loads(outcome.out)["results"]]
    assert f"in/{name}" in inputs  # JSON's escapes stand for the very name


def test_a_models_header_does_not_reach_the_terminal(shell):
    path = shell.folder / "evil.safetensors"
    import torch

    header = {"method": "invert", "architecture": EVIL, "inputs": {"image": "image"}, "output": "image", "name": EVIL}
    save_file({"a.b": torch.zeros(1)}, path, metadata={"artkit": json.dumps(header | {"format": 1})})
    outcome = shell("models", "show", path)
    assert not OBEYED.search(outcome.out + outcome.err)


def test_json_escapes_are_read_back(capsys):
    print_json({EVIL: [EVIL, "\ud800"]})
    written = capsys.readouterr().out
    assert not OBEYED.search(written)
    assert json.loads(written) == {EVIL: [EVIL, "\ud800"]}


def test_commands_print_through_one_door():
    """`clean` is called in the functions of cli/output.py; the exceptions print constants of artkit's own."""
    root = Path(main.__code__.co_filename).parent
    printing = {
        f"{path.name}: {line.strip()}"
        for path in root.glob("*.py")
        if path.name != "output.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"click\.s?echo\(|(?<![.\w])print\(", line)
    }
    assert printing == {
        '__init__.py: print("artkit: stopped.", file=sys.stderr)',
        "group.py: click.echo(WELCOME)",
        'group.py: click.echo(script(ctx.find_root().command, {}, "artkit", "_ARTKIT_COMPLETE").source())',
    }


@pytest.mark.parametrize("options", [[], ["--skip-existing"]])
def test_a_pipe_as_input_is_not_waited_for(shell, tmp_path, options):
    os.mkfifo(tmp_path / "pipe.png")
    done = shell("run", str(tmp_path / "pipe.png"), "--chain", "invert", "-o", str(tmp_path / "out.png"), *options)
    assert done.code == 1
    assert "it is a pipe or a device, not a file" in done.err
