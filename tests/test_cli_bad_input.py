"""Bad input: one clear line on stderr, the right exit code, nothing written."""

from __future__ import annotations

import errno
import json
import os
import struct
import zlib

import pytest

from cli_kit import open_shell

shell = pytest.fixture(open_shell)


def huge_png() -> bytes:
    """Return a PNG whose header announces 100,000 x 100,000 pixels."""
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def fails(outcome, code: int, *words: str) -> None:
    """Check for exactly one line `artkit: ...` with these words, nothing on stdout, and the exit code."""
    assert outcome.code == code, outcome.err
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    assert line.startswith("artkit: ")
    assert "Traceback" not in outcome.err
    assert "?." not in line
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.png", b"this is no picture at all\n" * 20),
        ("empty.png", b""),
        ("huge.png", huge_png()),
    ],
    ids=["text", "0-byte", "huge header"],
)
def test_hostile_file(shell, name, content):
    (shell.folder / name).write_bytes(content)
    fails(shell("run", name, "--chain", "invert"), 1, name)
    assert shell.files() == {name}


@pytest.mark.parametrize("name", ["cut.png", "cut.jpg"])
def test_truncated_picture(shell, name):
    path = shell.folder / shell.paint(name, size=(200, 200))
    path.write_bytes(truncated(path.read_bytes()))
    fails(shell("run", name, "--chain", "invert"), 1, name)
    assert shell.files() == {name}


def test_missing_file_names_its_neighbour(shell):
    shell.paint("semantic.png")
    fails(shell("run", "semantc.png", "--chain", "invert"), 1, "semantc.png", "did you mean semantic.png?")


@pytest.mark.parametrize("name", ["https://example.org/a.png", "http://a.b/c", "ftp://x/y.png", "gs://bucket/a.png"])
def test_an_address_is_not_fetched(shell, name):
    fails(shell("run", name, "--chain", "invert"), 2, name, "fetches no pictures", "download it")
    fails(shell("run", shell.paint("a.png"), "--chain", "mix", "-i", f"style={name}"), 2, name, "download it")


def test_unreadable_file(shell, monkeypatch):
    path = shell.paint("a.png")
    (shell.folder / path).chmod(0)
    if os.access(path, os.R_OK):  # a superuser reads everything: stand in for the refusal
        real = open

        def refuse(file, *arguments, **options):
            if str(file).endswith("a.png"):
                raise PermissionError(errno.EACCES, "Permission denied", str(file))
            return real(file, *arguments, **options)

        monkeypatch.setattr("builtins.open", refuse)
        monkeypatch.setattr("io.open", refuse)
    fails(shell("run", path, "--chain", "invert"), 1, "a.png", "ermission denied")


def test_missing_one_among_several_fails_alone(shell):
    outcome = shell("run", shell.paint("a.png"), "gone.png", "--chain", "invert", "-o", "out")
    assert (outcome.code, outcome.lines()) == (1, ["out/a.png"])
    assert "gone.png" in outcome.err


def test_folder_without_output_folder(shell):
    shell.paint("in/a.png")
    fails(shell("run", "in", "--chain", "invert"), 2, "-o FOLDER/")


def test_folder_into_a_file(shell):
    shell.paint("in/a.png")
    fails(shell("run", "in", "--chain", "invert", "-o", "b.png"), 2, "b.png is one file", "-o b/")


def test_folder_into_an_existing_file(shell):
    shell.paint("in/a.png")
    (shell.folder / "taken").write_text("here first")
    fails(shell("run", "in", "--chain", "invert", "-o", "taken"), 2, "taken is one file")
    assert (shell.folder / "taken").read_text() == "here first"


def test_folder_for_a_port(shell):
    shell.paint("styles/a.png")
    outcome = shell("run", shell.paint("a.png"), "--chain", "mix", "-i", "style=styles")
    assert outcome.code in (1, 2)
    assert "styles" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_empty_folder(shell):
    (shell.folder / "in").mkdir()
    fails(shell("run", "in", "--chain", "invert", "-o", "out"), 1, "no pictures")


def test_folder_name_for_a_single_result_in_a_missing_folder(shell):
    fails(shell("run", shell.paint("a.png"), "--chain", "invert", "-o", "no/such/b.png"), 1, "no/such")


@pytest.mark.parametrize("output", ["a.png", "./a.png", "link.png", "hard.png"])
def test_output_equal_to_input(shell, output):
    path = shell.folder / shell.paint("a.png")
    (shell.folder / "link.png").symlink_to(path)
    (shell.folder / "hard.png").hardlink_to(path)
    before = path.read_bytes()
    fails(shell("run", "a.png", "--chain", "invert", "-o", output, "--overwrite"), 1, "never overwritten")
    assert path.read_bytes() == before


def test_folder_onto_itself(shell):
    path = shell.folder / shell.paint("in/a.png")
    before = path.read_bytes()
    fails(shell("run", "in", "--chain", "invert", "-o", "in", "--overwrite"), 1, "never overwritten")
    assert path.read_bytes() == before


def test_strip_equal_to_input(shell):
    fails(shell("run", shell.paint("a.png"), "--chain", "invert", "--strip", "a.png", "--overwrite"), 1, "input")


def test_unwritable_output(shell, monkeypatch):
    picture = shell.paint("a.png")
    (shell.folder / "locked").mkdir(mode=0o500)
    if os.access(shell.folder / "locked", os.W_OK):  # a superuser writes everywhere: stand in for the refusal
        fail_writing(monkeypatch, errno.EACCES)
    fails(shell("run", picture, "--chain", "invert", "-o", "locked/b.png"), 1, "locked/b.png", "ermission denied")
    assert shell.files() == {"a.png"}


def test_full_disk(shell, monkeypatch):
    picture = shell.paint("a.png")
    fail_writing(monkeypatch, errno.ENOSPC)
    fails(shell("run", picture, "--chain", "invert", "-o", "b.png"), 1, "b.png", "disk is full")
    assert shell.files() == {"a.png"}


def fail_writing(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Let the last step of every write fail as the system would."""

    def refuse(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)


def test_unknown_suffix(shell):
    fails(shell("run", shell.paint("a.png"), "--chain", "invert", "-o", "b.pgn"), 2, "'.pgn'", "'.png'")


def test_output_without_suffix(shell):
    fails(shell("run", shell.paint("a.png"), "--chain", "invert", "-o", "b"), 2, "b.png", "b/")


def test_two_inputs_of_one_name(shell):
    outcome = shell("run", shell.paint("x/a.png"), shell.paint("y/a.png"), "--chain", "invert", "-o", "out")
    fails(outcome, 2, "x/a.png", "y/a.png")


def test_unknown_device(shell):
    fails(shell("run", shell.paint("a.png"), "--chain", "invert", "--device", "gpu"), 2, "gpu")


def test_unknown_precision(shell):
    fails(shell("run", shell.paint("a.png"), "--chain", "invert", "--precision", "fp33"), 2, "fp33", "fp32")


def test_method_that_raises_is_named(shell):
    outcome = shell("run", shell.paint("a.png"), "--chain", "invert,fail,invert", "--keep-steps", "steps")
    fails(outcome, 1, "fail", "out of paint")
    assert shell.files() == {"a.png"}
    assert shell("run", "a.png", "--chain", "invert").code == 0


def test_nan_is_named(shell):
    fails(shell("run", shell.paint("a.png"), "--chain", "nan"), 1, "nan", "NaN")


def test_unknown_method(shell):
    fails(shell("run", shell.paint("a.png"), "--chain", "invrt"), 2, "invrt", "invert")


def test_option_out_of_range(shell):
    fails(shell("run", shell.paint("a.png"), "--chain", "fade(by=3)"), 2, "by")


def test_missing_port(shell):
    fails(shell("run", shell.paint("a.png"), "--chain", "mix"), 2, "style")


def test_port_of_nothing(shell):
    fails(shell("run", shell.paint("a.png"), "--chain", "invert", "-i", "styl=a.png"), 2, "styl")


def test_port_given_twice(shell):
    picture = shell.paint("a.png")
    fails(shell("run", picture, "--chain", "mix", "-i", "style=a.png", "-i", "style=b.png"), 2, "one picture", "2")


@pytest.mark.parametrize("text", ["style", "style=", "=a.png"])
def test_malformed_port(shell, text):
    fails(shell("run", shell.paint("a.png"), "--chain", "mix", "-i", text), 2, "PORT=PATH")


@pytest.mark.parametrize("size", ["0x5", "5x", "-3x4", "axb", "5.5x5", "99999999x1"])
def test_malformed_size(shell, size):
    fails(shell("run", "--chain", "dream", f"--size={size}"), 2, "512x384")


def test_no_input_for_a_chain_that_needs_one(shell):
    fails(shell("run", "--chain", "invert"), 2, "invert")


def test_neither_chain_nor_recipe(shell):
    fails(shell("run", shell.paint("a.png")), 2, "--chain", "--recipe")


def test_recipe_that_is_none(shell):
    (shell.folder / "r.toml").write_text("steps = 3")
    fails(shell("run", "--recipe", "r.toml"), 2, "r.toml")


def test_json_and_stdout_exclude_each_other(shell):
    outcome = shell("run", shell.paint("a.png"), "--chain", "invert", "--json", "-o", "-")
    assert outcome.code == 2
    assert "standard output" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (("run", "gone.png", "--chain", "invert"), 1, "ImageError"),
        (("run", "--chain", "invert(by=3)", "a.png"), 2, "OptionError"),
        (("run", "--chian", "invert"), 2, "NoSuchOption"),
        (("methods", "invrt"), 2, "ChainError"),
        (("data", "check", "nowhere"), 1, "DataError"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_failure_is_json_on_stdout_where_json_is_asked_for(shell, arguments, code, kind):
    outcome = shell(*arguments, "--json")
    error = json.loads(outcome.out)["error"]
    assert (outcome.code, error["exit_code"], error["type"]) == (code, code, kind)
    assert outcome.err == f"artkit: {error['message']}\n"


def test_several_pictures_do_not_fit_stdout(shell):
    fails(shell("run", shell.paint("a.png"), shell.paint("b.png"), "--chain", "invert", "-o", "-"), 2, "-o FOLDER/")


def test_stdin_twice(shell):
    fails(shell("run", "-", "-", "--chain", "invert", "-o", "out"), 2, "only once")


def test_missing_plugin_file(shell):
    fails(shell("--plugin", "no.py", "methods"), 2, "no.py")


@pytest.mark.parametrize("inputs", [("a.png",), ()])
def test_a_size_past_the_limit(shell, inputs):
    shell.paint("a.png")
    run = ("run", *inputs, "--chain", "invert" if inputs else "dream")
    fails(shell(*run, "--size", "100000x100000", "-o", "b.png"), 1, "smaller --size", "ARTKIT_MAX_PIXELS")
