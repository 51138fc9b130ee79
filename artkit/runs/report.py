"""Runs as one HTML page that needs nothing else: no script, no server, no file beside it, no net."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

from artkit.errors import ImageError
from artkit.files import open_regular, write_atomically
from artkit.reporting import clean, duration
from artkit.runs.charts import Curve, draw_chart
from artkit.runs.comparing import Comparison, show_value
from artkit.runs.run import Run
from artkit.runs.tables import Row, now

REFRESH = 30  # seconds after which a browser looks at a running run again
SHEETS = 12  # shown of a run, evenly spread
LARGE, SMALL = 1200, 420  # pixels of the longest side, of the newest sheet and of the others
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What the page may load: nothing but what is in it."""


def write_report(run: Run, file: Path) -> None:
    """Write a run's report, whole or not at all, over the one before. While the run goes on, it reloads itself."""
    sections = [
        _sheet("The newest sheet", run),
        _section("Held-out scores", "curves", _score_charts([run])),
        _section("Losses", "curves", _loss_charts([run])),
        _section("Pace", "curves", _pace_charts([run])),
        _section("What happened", "", _notes(run)),
        _section("Sheets over time", "sheets", _small_sheets(run)),
        _section("Settings", "", _settings(run)),
        _section("Environment", "", _pairs(run.record.environment)),
        _section("Next", "", "".join(f"<pre>{_text(line)}</pre>" for line in next_commands(run))),
    ]
    _write(file, run.name, _header(run) + "".join(sections), refresh=run.running)


def write_comparison(comparison: Comparison, file: Path) -> None:
    """Write runs side by side: what differs, their curves on common axes, their newest sheets."""
    runs = comparison.runs
    names = comparison.names
    table = _table(["", *names], [[name, *map(show_value, values)] for name, values in comparison.options.items()])
    numbers = [[name, *map(_cell, values)] for name, values in comparison.numbers.items()]
    sections = [
        _section("Options that differ", "", table if comparison.options else "<p>None.</p>"),
        _section("Where they are", "", _table(["", *names], numbers)),
        _section("Held-out scores", "curves", _score_charts(runs, names)),
        _section("Losses", "curves", _loss_charts(runs, names)),
        _section("Pace", "curves", _pace_charts(runs, names)),
        *(_sheet(name, run) for name, run in zip(names, runs, strict=True)),
    ]
    title = " and ".join(names)
    body = f"<header><h1>{_text(title)}</h1><p>compared {now()} UTC</p></header>" + "".join(sections)
    _write(file, title, body, refresh=any(run.running for run in runs), overwrite=False)


def next_commands(run: Run) -> list[str]:
    """Return what to type next: to go on with a run that stopped, to look at what it made."""
    where = shlex.quote(str(run.path))
    commands = [] if run.state == "done" else [f"artkit train -o {where} --resume"] * (run.state == "stopped")
    if run.models:
        model = run.models[-1].resolve()
        commands.append(f"artkit models show {shlex.quote(str(model))}")
    return commands


def describe_progress(run: Run) -> str:
    """Say in a line how far a run is, how fast, and what is left."""
    parts = [f"step {run.step:,}" + (f" of {run.steps:,}" if run.steps else "")]
    if run.log and (speed := run.log[-1].get("images_per_second")):
        parts.append(f"{speed:.3g} pictures/s")
    if run.running and run.seconds_left is not None:
        parts.append(f"{duration(run.seconds_left)} left")
    return " · ".join(parts)


def _header(run: Run) -> str:
    share = min(run.step / run.steps, 1) if run.steps else 0
    best = run.best
    told = f"Best {best.metric} {best.value:.4g} at step {best.step:,}." if best else ""
    return (
        f'<header><p><span class="state {run.state}">{run.state}</span> {_text(describe_progress(run))}</p>'
        f"<h1>{_text(run.name)}</h1>"
        f"<p>{_text(run.record.method)} on {_text(run.record.data)}, since {_text(run.record.started or '?')} UTC</p>"
        f'<div class="bar"><div style="width:{100 * share:.1f}%"></div></div>'
        f"<p>{_text(told)} As of {now()} UTC.</p></header>"
    )


def _loss_charts(runs: Sequence[Run], names: Sequence[str] = ("",)) -> str:
    losses = dict.fromkeys(name for run in runs for name in run.names)
    return "".join(_chart(name, [run.log for run in runs], names, _last(runs)) for name in losses)


def _score_charts(runs: Sequence[Run], names: Sequence[str] = ("",)) -> str:
    metrics = dict.fromkeys(name for run in runs for name in run.metrics)
    best = runs[0].best if len(runs) == 1 else None
    return "".join(
        _chart(
            name,
            [run.scores for run in runs],
            names,
            _last(runs),
            mark=(best.step, best.value) if best and best.metric == name else None,
        )
        for name in metrics
    )


def _pace_charts(runs: Sequence[Run], names: Sequence[str] = ("",)) -> str:
    logs = [run.log for run in runs]
    rate = _chart("learning_rate", logs, names, _last(runs), title="learning rate", smooth=False)
    return rate + _chart("images_per_second", logs, names, _last(runs), title="pictures a second")


def _last(runs: Sequence[Run]) -> float:
    """Return the step that charts reach to: the last there is to be, as long as the runs go on, else the last taken."""
    return max(run.steps or run.step if run.running else run.step for run in runs)


def _chart(name: str, tables: Sequence[list[Row]], names: Sequence[str], last: float, **how: Any) -> str:
    curves = [
        Curve(clean(label or name), [(row["step"], row[name]) for row in rows if name in row])
        for label, rows in zip(names, tables, strict=True)
    ]
    return draw_chart(clean(how.pop("title", name)), curves, last=last, **how)


def _notes(run: Run) -> str:
    return _table(["step", "when, UTC", ""], [[f"{note.step:,}", note.when, note.text] for note in run.notes])


def _sheet(title: str, run: Run) -> str:
    """Show the newest sheet, as large as it is up to a limit."""
    shown = next(filter(None, (_image(*sheet, LARGE) for sheet in reversed(run.sheets[-3:]))), "")
    return _section(title, "newest", shown)


def _small_sheets(run: Run) -> str:
    earlier = run.sheets[:-1]
    chosen = dict.fromkeys(round(index * (len(earlier) - 1) / max(SHEETS - 1, 1)) for index in range(SHEETS))
    return "".join(_image(*earlier[index], SMALL) for index in chosen if earlier)


def _image(step: int, path: Path, side: int) -> str:
    """Return a sheet as a figure, in the page itself; nothing where the file is no picture."""
    from artkit.images.decoding import opened

    out = BytesIO()
    try:
        with open_regular(path) as stream, opened(stream, str(path)) as image:
            picture = image.convert("RGB")
            picture.thumbnail((side, side))
            picture.save(out, "JPEG", quality=88)
    except (OSError, ImageError):
        return ""
    data = base64.b64encode(out.getvalue()).decode("ascii")
    width, height = picture.size
    return (
        f"<figure><figcaption>step {step:,}</figcaption>"
        f'<img alt="the sheet of step {step}" width="{width}" height="{height}" src="data:image/jpeg;base64,{data}">'
        "</figure>"
    )


def _settings(run: Run) -> str:
    """Show what was set by hand, and, folded, all the rest."""
    values = run.record.values
    rest = {name: value for name, value in run.record.settings.items() if name not in values}
    folded = f"<details><summary>{len(rest)} more, as they are by default</summary>{_pairs(rest)}</details>"
    return _pairs(values) + (folded if rest else "")


def _pairs(values: dict[str, Any]) -> str:
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(show_value(value))}</dd>" for name, value in values.items())
    return f"<dl>{rows}</dl>" if rows else ""


def _table(head: Iterable[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    top = "".join(f"<th>{_text(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def _cell(value: float | str | None) -> str:
    return "–" if value is None else value if isinstance(value, str) else f"{value:.4g}"


def _section(title: str, name: str, content: str) -> str:
    return f'<section><h2>{_text(title)}</h2><div class="{name}">{content}</div></section>' if content else ""


def _text(text: str) -> str:
    """Return text for the page: names, data and settings of a run may be a stranger's."""
    return escape(clean(text))


def _write(file: Path, title: str, body: str, *, refresh: bool, overwrite: bool = True) -> None:
    again = f'<meta http-equiv="refresh" content="{REFRESH}">' if refresh else ""
    style = files("artkit.runs").joinpath("report.css").read_text(encoding="utf-8")
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">{again}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_text(title)} · artkit</title><style>{style}</style></head><body><main>{body}</main></body></html>\n"
    )
    write_atomically(file, page.encode("utf-8", "replace"), overwrite=overwrite)
