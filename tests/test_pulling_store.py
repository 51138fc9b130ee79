"""What a pull leaves behind: one whole model or nothing, whoever else pulls it and however full the disk is."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cli_kit
import web_kit
from artkit.errors import ArtkitError, ModelError, OutputError
from artkit.models import load_model, user_model_path
from artkit.models.fetching import Patience, Watcher
from artkit.models.pulling import Pulled, pull_model
from artkit.spec import ModelSpec

HASTE = Patience(attempts=1, connect=5, stall=20, pause=0)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def web(tmp_path, home):
    with web_kit.open_web() as web:
        web.files["/red.safetensors"] = web_kit.model_bytes(tmp_path)
        yield web


def pull(web: web_kit.Web, **options: Any) -> Pulled:
    entry = ModelSpec(name="red", method="paint", summary="", url=f"{web.url}/red.safetensors")
    return pull_model(entry, SimpleNamespace(models=[entry]), **{"patience": HASTE, **options})


def left(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"}


def test_a_full_disk_is_one_line_and_leaves_nothing(web, home, monkeypatch):
    """`/dev/full` takes the place of the growing file: every byte written to it meets a full disk."""
    part = home / "pulls" / "paint-red" / "download.part"
    part.parent.mkdir(parents=True)
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: path.symlink_to("/dev/full") if path == part else None)
    with pytest.raises(OutputError, match=r"download\.part: the disk is full\.$"):
        pull(web)
    assert not part.is_symlink()
    assert left(home) == set()


def test_a_disk_that_fills_up_with_the_model_leaves_nothing(web, home, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("artkit.files.os.fsync", full)
    with pytest.raises(OutputError, match=r"red\.safetensors: the disk is full\.$"):
        pull(web)
    assert left(home) == set()


def test_a_store_that_cannot_be_written(web, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="Cannot write"):
        pull(web)
    assert web.asked == []


def test_what_stands_in_the_way_of_the_download(web, home):
    (home / "pulls").mkdir(parents=True)
    (home / "pulls" / "paint-red").write_text("a file")
    with pytest.raises(OutputError) as caught:
        pull(web)
    assert str(caught.value) == f"Cannot write to {home / 'pulls' / 'paint-red'}: File exists."


def test_ctrl_c_keeps_what_has_arrived(web, home):
    class Impatient(Watcher):
        def progress(self, done: int, total: int | None) -> None:
            if done > 30_000:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(web, watcher=Impatient())
    assert {Path(name).name for name in left(home)} == {"download.part", "download.part.json"}
    pull(web)
    assert int(web.asked[-1].range.removeprefix("bytes=").removesuffix("-")) > 30_000
    assert left(home) == {"models/paint/red.safetensors"}


def test_a_damaged_mark_starts_over(web, home):
    web.plan = [web_kit.break_off(30_000)]
    with pytest.raises(ModelError):
        pull(web)
    (home / "pulls" / "paint-red" / "download.part.json").write_bytes(b"\xff{")
    pull(web)
    assert web.asked[-1].range is None


def test_a_damaged_model_says_how_to_mend_it(web):
    path = pull(web).path
    path.write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"\. To pull it again, add --overwrite\.$"):
        pull(web)
    assert load_model(pull(web, overwrite=True).path)


def test_a_model_of_ones_own_is_not_replaced(web, tmp_path):
    own = user_model_path("paint", "red")
    own.parent.mkdir(parents=True)
    own.write_bytes(data := web_kit.model_bytes(tmp_path, values=3))
    assert not pull(web).fresh
    with pytest.raises(ModelError, match="nothing says from which download"):
        pull(web, sha256="0" * 64)
    assert own.read_bytes() == data
    assert web.asked == []


@pytest.mark.parametrize("name", ["../red", "a/b", "..", "a b"])
def test_an_entry_cannot_leave_the_store(web, name):
    entry = ModelSpec(name=name, method="paint", summary="", url=f"{web.url}/red.safetensors")
    with pytest.raises(ModelError, match="no model name"):
        pull_model(entry, SimpleNamespace(models=[entry]))
    assert web.asked == []


def test_who_comes_second_waits_and_finds_it_here(web):
    """Two threads stand for two processes: each opens the lock for itself."""
    notes: list[str] = []
    waits = threading.Event()

    class Second(Watcher):
        def note(self, words: str) -> None:
            notes.append(words)
            waits.set()

    web.plan = [web_kit.hold]
    results: list[Pulled] = []
    first = threading.Thread(target=lambda: results.append(pull(web)))
    second = threading.Thread(target=lambda: results.append(pull(web, watcher=Second())))
    first.start()
    assert web.stalled.wait(20)
    second.start()
    assert waits.wait(20)
    web.release.set()
    first.join()
    second.join()
    assert notes == ["another artkit is pulling 'red': waiting for it."]
    assert [pulled.fresh for pulled in results] == [True, False]
    assert len(web.asked) == 1


def test_who_comes_second_goes_on_when_the_first_fails(web):
    web.plan = [web_kit.stall(30_000)]
    failed: list[ArtkitError] = []

    def fail() -> None:
        try:
            pull(web)
        except ArtkitError as error:
            failed.append(error)

    first = threading.Thread(target=fail)
    first.start()
    assert web.stalled.wait(20)
    second = threading.Thread(target=lambda: pull(web))
    second.start()
    web.release.set()
    first.join()
    second.join()
    assert len(failed) == 1
    assert web.asked[1].range == "bytes=30000-"
    assert user_model_path("paint", "red").is_file()


PLUGIN = """
from artkit import ModelSpec, hookimpl


@hookimpl
def register_models():
    return [ModelSpec("red", "paint", "Paints it red.", url="{url}/red.safetensors", size=80_000)]
"""


def test_two_processes_at_once(web, home, tmp_path):
    (tmp_path / "reds.py").write_text(PLUGIN.format(url=web.url))
    command = [sys.executable, "-m", "artkit", "--plugin", str(tmp_path / "reds.py"), "models", "pull", "red"]
    web.plan = [web_kit.trickle]
    environment = cli_kit.environment(ARTKIT_HOME=str(home))
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    first = subprocess.Popen(command, env=environment, **pipes)
    assert web.stalled.wait(120)
    second = subprocess.Popen(command, env=environment, **pipes)
    assert second.stderr is not None
    waiting = second.stderr.readline()
    web.release.set()
    said = [process.communicate(timeout=120) for process in (first, second)]
    assert waiting == "artkit: another artkit is pulling 'red': waiting for it.\n"
    assert [first.returncode, second.returncode] == [0, 0]
    assert said[0][0] == said[1][0] == f"{home}/models/paint/red.safetensors\n"
    assert said[1][1] == "artkit: 'red' is here already.\n"
    assert len(web.asked) == 1
    assert left(home) == {"models/paint/red.safetensors"}


shell = pytest.fixture(cli_kit.open_shell)


@pytest.fixture
def pull_shell(shell, web, monkeypatch):
    monkeypatch.delitem(sys.modules, "reds", raising=False)  # of the test before
    (shell.folder / "reds.py").write_text(PLUGIN.format(url=web.url))
    return lambda *arguments: shell("--plugin", "reds.py", "models", "pull", *arguments)


def test_the_command_says_what_it_did(pull_shell, home):
    outcome = pull_shell("red")
    assert outcome.code == 0
    assert outcome.lines() == [str(home / "models" / "paint" / "red.safetensors")]
    assert "nobody published a checksum for this file. Its SHA-256, noted in the model: " in outcome.err
    assert 'to use it: artkit run PICTURE --chain "paint(model=red)"' in outcome.err
    assert pull_shell("red").err == "artkit: 'red' is here already.\n"


def test_the_command_as_json(pull_shell, home):
    record = json.loads(pull_shell("paint/red", "--json").out)
    assert record["model"] == str(home / "models" / "paint" / "red.safetensors")
    assert (record["fresh"], record["checked"], len(record["sha256"])) == (True, False, 64)


def test_the_command_reads_a_file_of_checksums(pull_shell, shell):
    right = json.loads(pull_shell("red", "--json").out)["sha256"]
    sums = shell.folder / "models.sha256"
    sums.write_text(f"{'1' * 64}  blue.safetensors\n{right} *models/red.safetensors\n")
    assert json.loads(pull_shell("red", "--overwrite", "--json", "--sha256", sums).out)["checked"]
    sums.write_text(f"{right}\n")
    assert pull_shell("red", "--overwrite", "--sha256", sums).code == 0
    sums.write_text(f"{'1' * 64}  red.safetensors\n")
    assert "not what was expected" in pull_shell("red", "--overwrite", "--sha256", sums).err


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"1  blue.safetensors\n2  green.safetensors\n"])
def test_a_file_of_other_checksums(pull_shell, shell, text):
    (shell.folder / "models.sha256").write_bytes(text)
    outcome = pull_shell("red", "--sha256", "models.sha256")
    assert outcome.code == 2
    assert outcome.err == "artkit: --sha256 models.sha256: no line of this file is about red.safetensors.\n"


def test_the_bar_is_drawn_on_a_terminal(pull_shell, monkeypatch):
    monkeypatch.setattr("artkit.cli.pull.on_terminal", lambda: True)
    assert pull_shell("red").code == 0
