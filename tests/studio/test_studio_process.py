"""`artkit studio` as a process: it starts, makes a picture, and ends at Ctrl-C."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import httpx
import pytest

from artkit.cli import main, studio
from cli_kit import command, environment
from studio_kit import WAIT, grey, pixels_of


def heed_interrupts() -> None:
    """Undo what shells do to commands in the background, which are started deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def process(tmp_path):
    """Start a studio with the installed plugins and the tiny ones; give its address."""
    started = subprocess.Popen(
        command("studio", "--port", "0", "--no-open", "--chain", "invert,  fade(by=0.5)"),
        cwd=tmp_path,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate(timeout=WAIT)


def test_it_starts_paints_and_ends(process, tmp_path):
    (tmp_path / "secret").write_text("0 a 1 2 3\n")
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/\?chain=invert%2Cfade%28by%3D0\.5%29", line)
    assert found, line
    with httpx.Client(base_url=found[0].partition("?")[0], timeout=WAIT, trust_env=False) as visitor:
        assert "artkit" in visitor.get("/").text
        files = {"input": grey(200), "chain": (None, "invert,fade(by=0.5)")}
        answer = visitor.post("/api/run", files=files, headers={"Accept": "image/png"})
        assert pixels_of(answer.content)[0, 0, 0] == 27
        stalled = visitor.post("/api/run", files={"input": grey(200), "chain": (None, "sketch")}).json()
        assert process.stdout.readline() == "stalling\n"
        with visitor.stream("GET", stalled["events"]) as events:
            process.send_signal(signal.SIGINT)
            names = [line for line in events.iter_lines() if line.startswith("event:")]
    out, errors = process.communicate(timeout=WAIT)
    assert names
    assert process.returncode == 0, errors
    assert errors == ""
    assert out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_without_the_extra_one_line_says_what_to_type(monkeypatch, capsys):
    monkeypatch.setattr(studio, "NEEDS", ("no_such_web_server",))
    assert main(["studio"]) == 2
    assert capsys.readouterr().err == (
        "artkit: the studio needs a web server, which is not here: pip install 'artkit-images[studio]'\n"
    )


@pytest.mark.parametrize(
    ("typed", "told"),
    [(["--chain", "invert("], "chain"), (["--port", "70000"], "70000"), (["--host", "no such host"], "cannot listen")],
)
def test_what_is_typed_wrongly_is_told(typed, told, capsys):
    assert main(["studio", "--no-open", *typed]) in (1, 2)
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error


def test_the_help_imports_no_web_server():
    code = "import sys; from artkit.cli import main; main(['studio', '--help']); print('starlette' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
