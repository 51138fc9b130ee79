"""Runs as their folders tell them: listed, shown, compared, and reported in one page that loads nothing."""

from __future__ import annotations

import json
import re
import shlex
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from artkit.errors import TrainingError
from artkit.runs import Record, charts, find_runs, read_run, tables
from artkit.runs.charts import MOST_POINTS, Curve, draw_chart
from artkit.runs.comparing import compare_runs
from artkit.runs.record import holding, is_running, write_record
from artkit.runs.report import POLICY, SHEETS, next_commands, write_comparison, write_report
from artkit.runs.tables import CsvLog, add_note, read_notes, read_rows
from cli_kit import open_shell

HOSTILE = "</title><script>alert(1)</script>\u202e\x1b[31m"


def make_run(folder, *, steps=100, rate=2e-4, upto=40, name="", data="landscapes", note="done at step 40"):
    """Write what a run leaves: a log of two losses, scores, a sheet, notes."""
    folder.mkdir(parents=True)
    settings = {"steps": steps, "batch": 2, "accumulate": 3, "learning_rate": rate, "ema": 0.999}
    values = {"steps": steps} | ({"name": name} if name else {})
    write_record(folder, Record("pix2pix", data, values, settings, {"torch": "2.13"}, "2026-11-29 10:00:00"))
    log, scores = CsvLog(folder / "log.csv", 0), CsvLog(folder / "scores.csv", 0)
    for step in range(10, upto + 1, 10):
        log.add(step, {"l1": 1 / step, "gan": 0.7, "learning_rate": rate, "images_per_second": 12})
    for step, value, best in ((0, 0.2, 1), (20, 0.6, 1), (40, 0.5, 0)):
        scores.add(step, {"ssim": value, "psnr": 20, "best": best})
    add_note(folder / "notes.csv", 0, "training on cpu in fp32")
    if note:
        add_note(folder / "notes.csv", upto, note)
    for step in (20, 40):
        path = folder / "samples" / f"{step:06d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 16, 3), step, np.uint8)).save(path)
    return folder


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys):
    return open_shell(tmp_path, monkeypatch, capsys)


def test_a_run_is_read_from_its_folder(tmp_path):
    run = read_run(make_run(tmp_path / "one", note=""))
    assert (run.name, run.state, run.step, run.steps) == ("one", "stopped", 40, 100)
    assert run.losses == {"l1": 0.025, "gan": 0.7}
    assert run.metrics == ["ssim", "psnr"]
    assert (run.best.metric, run.best.step, run.best.value) == ("ssim", 20, 0.6)
    assert run.seconds_left == (100 - 40) * 2 * 3 / 12
    assert [step for step, _ in run.sheets] == [20, 40]
    add_note(tmp_path / "one" / "notes.csv", 40, "done at step 40")
    assert read_run(tmp_path / "one").state == "done"


def test_what_to_type_next_names_the_best_model_else_the_last(tmp_path):
    folder = make_run(tmp_path / "one's", note="")
    where = shlex.quote(str(folder))
    assert next_commands(read_run(folder)) == [f"artkit train -o {where} --resume"]
    assert next_commands(read_run(folder, running=True)) == []
    add_note(folder / "notes.csv", 40, "done at step 40")
    for name in ("model.safetensors", "best.safetensors"):
        (folder / name).touch()
        assert next_commands(read_run(folder)) == [f"artkit models show {shlex.quote(str(folder / name))}"]


def test_a_run_that_does_not_say_how_many_pictures_a_step_takes_takes_one(tmp_path):
    folder = make_run(tmp_path / "one")
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"settings": {"steps": 100}}))
    assert read_run(folder).seconds_left == (100 - 40) / 12


def test_runs_are_looked_for_four_folders_down(tmp_path):
    make_run(tmp_path / "a/b/c/d")
    assert [run.name for run in find_runs([tmp_path])] == ["d"]
    make_run(tmp_path / "a/b/c/e/f")
    assert [run.name for run in find_runs([tmp_path])] == ["d"]
    assert {run.name for run in find_runs([tmp_path / "a"])} == {"d", "f"}


def test_a_run_is_running_as_long_as_a_process_holds_it(tmp_path):
    folder = make_run(tmp_path / "one")
    assert not is_running(folder)
    with holding(folder):
        assert read_run(folder).state == "running"
        with pytest.raises(TrainingError, match="in training already"), holding(folder):
            pass
    assert read_run(folder).state == "done"
    assert not (folder / "training.lock").exists()
    (folder / "training.lock").touch()  # left by a process that was killed
    assert not is_running(folder)


def test_damaged_and_foreign_folders_are_no_runs_and_cut_rows_are_left_out(tmp_path):
    folder = make_run(tmp_path / "runs" / "one")
    with (folder / "log.csv").open("a") as file:
        file.write("50,0.1,nan,x\nhello\n,,\n6")
    assert [row["step"] for row in read_rows(folder / "log.csv")] == [10, 20, 30, 40, 50, 6]
    assert read_rows(folder / "log.csv")[4] == {"step": 50, "l1": 0.1}
    (folder / "notes.csv").write_bytes(b"step,when,note\n5\n\xff,now,x\n6,now,kept\n")
    assert [note.text for note in read_notes(folder / "notes.csv")] == ["kept"]
    for name, text in (("damaged", "{"), ("foreign", '{"a": 1}'), ("deep", "[" * 100_000)):
        (tmp_path / "runs" / name).mkdir()
        (tmp_path / "runs" / name / "run.json").write_text(text)
        with pytest.raises(TrainingError, match="not a training run"):
            read_run(tmp_path / "runs" / name)
    assert [run.name for run in find_runs([tmp_path])] == ["one"]


@pytest.mark.parametrize(
    "log",
    [
        "step,l1\n1,1e308\n2,-1e308\n",
        "step,l1\n-5,1\n",
        f"step,l1\n{'9' * 5000},1\n",
        "step,l1,images_per_second\n1,1,1e-320\n",
        "step,l1,images_per_second\n1,1,12\n",
        "step,l1\n1,1e-320\n2,0\n",
        "step,\x1b[31m<b>\n1,2\n2,nan\n",
        "step,l1\n1,1\n" + "x" * 200_000,
    ],
)
def test_numbers_that_no_run_writes_are_reported_or_left_out(shell, log):
    run = make_run(shell.folder / "run")
    (run / "log.csv").write_text(log)
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"settings": {"steps": 10**4000, "batch": 10**400}}))
    add_note(run / "notes.csv", int("9" * 4000), "a step of many digits")
    for arguments in (("report", "run"), ("show", "run"), ("list", "."), ("compare", "run", "run")):
        outcome = shell("runs", *arguments)
        assert (outcome.code, outcome.err) == (0, "")
    with holding(run):
        assert shell("runs", "show", "run").code == 0


def test_the_last_score_of_a_metric_is_compared(tmp_path):
    found = compare_runs([read_run(make_run(tmp_path / name)) for name in "ab"])
    assert found.numbers["ssim"] == [0.5, 0.5]  # the best were 0.6


def test_ticks_are_round_and_one_value_far_out_does_not_flatten_the_others():
    assert [round(tick, 9) for tick in charts._ticks(0, 18, 4)] == [0, 5, 10, 15]
    low, high = charts._range([0.5, *(1 + index / 100 for index in range(100)), 1000.0])
    assert -1 < low < 0.6
    assert high < 4


def test_a_table_has_no_more_cells_than_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_CELLS", 12)
    (tmp_path / "log.csv").write_text("step,a,b\n" + "".join(f"{step}\n" for step in range(100)))
    assert [row["step"] for row in read_rows(tmp_path / "log.csv")] == [0, 1, 2, 3]


def test_a_run_of_before_reports_and_settings_were_recorded_is_read(tmp_path):
    (tmp_path / "run.json").write_text('{"method": "can", "data": "x", "values": {"steps": 5}}')
    run = read_run(tmp_path)
    assert (run.steps, run.step, run.state, run.best, run.seconds_left) == (5, 0, "stopped", None, None)
    write_report(run, tmp_path / "report.html")


class Page(HTMLParser):
    """Collects the tags, what they load, and the text."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.loads, self.text, self.refresh = [], [], "", None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        self.loads += [found[name] for name in ("src", "href", "data", "action") if name in found]
        if found.get("http-equiv") == "refresh":
            self.refresh = found["content"]

    def handle_data(self, data):
        self.text += data


def test_a_report_holds_all_it_shows_and_escapes_what_strangers_wrote(tmp_path):
    folder = make_run(tmp_path / "one", name=HOSTILE, data=HOSTILE, note=HOSTILE)
    with (folder / "log.csv").open() as file:
        text = file.read()
    (folder / "log.csv").write_text(text.replace("gan", '"<img src=x onerror=alert(1)>"'))
    write_report(read_run(folder), folder / "report.html")
    page = Page(folder / "report.html")
    assert not {"script", "link", "iframe", "object", "a", "form"} & set(page.tags)
    assert page.tags.count("img") == 2
    assert all(target.startswith("data:image/jpeg;base64,") for target in page.loads)
    assert "alert(1)" in page.text  # as text, that is
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text
    assert POLICY in (folder / "report.html").read_text().replace("&#x27;", "'")
    for words in ("step 40 of 100", "Best ssim 0.6 at step 20", "stopped", "torch", "artkit train -o"):
        assert words in page.text, words
    assert "The newest sheetstep 40Held-out scores" in page.text
    assert page.tags.count("svg") == 6  # two scores, two losses, the rate, the pace
    assert page.refresh is None


def test_a_report_looks_again_as_long_as_the_run_goes_on(tmp_path):
    folder = make_run(tmp_path / "one")
    write_report(read_run(folder, running=True), folder / "report.html")
    page = Page(folder / "report.html")
    assert page.refresh == "30"
    assert " 0:30 left" in page.text


def test_a_report_shows_few_sheets_of_many_and_none_that_is_no_picture(tmp_path):
    folder = make_run(tmp_path / "one")
    for step in range(100, 4000, 100):
        (folder / "samples" / f"{step:06d}.png").write_bytes((folder / "samples" / "000040.png").read_bytes())
    (folder / "samples" / "009999.png").write_bytes(b"no picture")
    write_report(read_run(folder), folder / "report.html")
    page = Page(folder / "report.html")
    assert page.tags.count("img") == SHEETS + 1
    assert "step 3,900" in page.text


def test_charts_mark_thin_and_cut_off():
    points = [(float(step), 1000.0 if step == 1 else step / 5000) for step in range(1, 5001)]
    chart = draw_chart("l1", [Curve("l1", points)], last=10_000, mark=(2500, 0.5))
    lines = re.findall(r'class="(\w+) c0" d="M([^"]+)"', chart)
    assert [name for name, _ in lines] == ["faint", "line"]
    for _, way in lines:
        places = [tuple(map(float, place.split())) for place in way.split("L")]
        assert len(places) <= MOST_POINTS
        assert all(0 <= x <= 420 for x, _ in places)
        assert all(0 <= y <= 220 for _, y in places)
        assert places[-1][0] < 250  # half way to step 10,000
    assert 'class="mark"' in chart
    assert "<b>1</b>" in chart
    assert draw_chart("l1", [Curve("l1", [])]) == ""
    flat = draw_chart("flat", [Curve("flat", [(0.0, 0.0)])])
    assert "<circle" in flat
    assert re.findall(r'"middle">([^<]+)<', flat) == ["0", "0.2", "0.4", "0.6", "0.8"]  # the axis ends at step 1


def test_a_chart_fills_its_frame():
    """The lowest and the highest value lie a twenty-fifth of their distance away from the frame."""
    chart = draw_chart("l1", [Curve("l1", [(0.0, 5.0), (10.0, 15.0)])])
    (way,) = re.findall(r'class="line c0" d="M([^"]+)"', chart)
    (x0, y0), (x1, y1) = (map(float, place.split()) for place in way.split("L"))
    high = charts.HEIGHT - charts.TOP - charts.BOTTOM
    assert (x0, x1) == (charts.LEFT, charts.WIDTH - charts.RIGHT)
    assert (y1 - charts.TOP, charts.HEIGHT - charts.BOTTOM - y0) == pytest.approx((high * 0.04 / 1.08,) * 2, abs=0.1)


def test_runs_are_compared_by_what_differs(tmp_path):
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two", rate=1e-4, upto=30)
    found = compare_runs([read_run(one), read_run(two)])
    assert found.names == ["one", "two"]
    assert found.options == {"learning_rate": [2e-4, 1e-4]}
    assert found.numbers["step"] == [40, 40]
    assert found.numbers["l1"] == pytest.approx([1 / 40, 1 / 30], rel=1e-3)
    assert found.numbers["best ssim"] == [0.6, 0.6]
    write_comparison(found, tmp_path / "both.html")
    page = Page(tmp_path / "both.html")
    assert page.tags.count("svg") == 6
    assert page.tags.count("img") == 2
    assert "0.0001" in page.text
    alike = make_run(tmp_path / "more" / "one")
    assert compare_runs([read_run(one), read_run(alike)]).names == [str(one), str(alike)]


def test_the_command_lists_shows_reports_and_compares(shell):
    make_run(shell.folder / "runs" / "one")
    make_run(shell.folder / "runs" / "deep" / "two", rate=1e-4, note="stopped: Ctrl-C")
    assert sorted(line.split()[0] for line in shell("runs").lines()) == ["runs/deep/two", "runs/one"]
    (line,) = shell("runs", "list", "runs/one").lines()
    assert line.split()[1:4] == ["pix2pix", "done", "40/100"]
    assert "best ssim 0.6 at 20" in line
    records = json.loads(shell("runs", "--json").out)
    assert sorted((record["name"], record["step"], record["steps"]) for record in records) == [
        ("one", 40, 100),
        ("two", 40, 100),
    ]
    assert {record["state"] for record in records} == {"done", "stopped"}
    assert records[0]["best"] == {"metric": "ssim", "step": 20, "value": 0.6}
    shown = shell("runs", "show", "runs/deep/two")
    assert "two: pix2pix on landscapes, stopped, step 40 of 100" in shown.out
    assert "step 40, " in shown.out
    assert "artkit train -o runs/deep/two --resume" in shown.lines()
    assert json.loads(shell("runs", "show", "runs/one", "--json").out)["losses"] == {"l1": 0.025, "gan": 0.7}

    assert shell("runs", "report", "runs/one").lines() == ["runs/one/report.html"]
    assert shell("runs", "report", "runs/one").code == 0  # its own page may be written again
    assert shell("runs", "report", "runs/one", "-o", "page.html").lines() == ["page.html"]
    refused = shell("runs", "report", "runs/one", "-o", "page.html")
    assert (refused.code, "--overwrite" in refused.err) == (1, True)
    assert json.loads(shell("runs", "report", "runs/one", "--json").out)["report"] == "runs/one/report.html"

    table = [line.split() for line in shell("runs", "compare", "runs/one", "runs/deep/two", "-o", "both.html").lines()]
    assert ["learning_rate", "0.0002", "0.0001"] in table
    assert ["best", "ssim", "0.6", "0.6"] in table
    assert table[-1] == ["both.html"]
    record = json.loads(shell("runs", "compare", "runs/one", "runs/deep/two", "--json").out)
    assert record["options"] == {"learning_rate": [2e-4, 1e-4]}
    refused = shell("runs", "compare", "runs/one", "runs/deep/two", "-o", "both.html")
    assert (refused.code, "--overwrite" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("list", "nowhere"), 1, "there is no folder nowhere: artkit train METHOD DATA -o nowhere"),
        (("show", "nowhere"), 1, "nowhere is not a training run"),
        (("report", "nowhere"), 1, "nowhere is not a training run"),
        (("compare", "runs/one"), 2, "artkit runs compare RUN RUN"),
        (("compare", "runs/one", "nowhere"), 1, "nowhere is not a training run"),
    ],
)
def test_asked_for_wrongly(shell, arguments, code, words):
    make_run(shell.folder / "runs" / "one")
    outcome = shell("runs", *arguments)
    assert outcome.code == code
    (line,) = outcome.err.splitlines()
    assert words in line


def test_no_runs_say_how_to_begin(shell):
    assert "artkit train METHOD DATA" in shell("runs").out
    assert json.loads(shell("runs", "--json").out) == []
