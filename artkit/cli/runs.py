"""`artkit runs`: training runs listed, shown, reported and compared; nothing here computes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.output import echo, json_option, print_columns, print_json
from artkit.errors import UsageError

if TYPE_CHECKING:
    from artkit.runs import Run

RUNS = Path("runs")
"""Where runs are looked for first."""
run_argument = click.argument("run", type=click.Path(path_type=Path))


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def runs(ctx: click.Context, as_json: bool) -> None:
    """List training runs; show, report or compare them."""
    if ctx.invoked_subcommand is None:
        _list((), as_json)


@runs.command("list")
@click.argument("folders", nargs=-1, metavar="[FOLDER]...", type=click.Path(path_type=Path))
@json_option
def list_command(folders: tuple[Path, ...], as_json: bool) -> None:
    """List the runs in folders and below, what changed last first.

    Without FOLDER, those in ./runs, or here where there is no such folder.
    """
    _list(folders, as_json)


@runs.command()
@run_argument
@json_option
def show(run: Path, as_json: bool) -> None:
    """Show where a run is, its last losses and scores, and what happened to it."""
    from artkit.runs import read_run
    from artkit.runs.report import next_commands

    found = read_run(run)
    if as_json:
        print_json(_record(found))
        return
    echo(f"{found.name}: {_summary(found)}")
    print_columns((name, f"{value:.4g}") for name, value in (found.losses | _scores(found)).items())
    for note in found.notes:
        echo(f"step {note.step}, {note.when} UTC: {note.text}")
    for command in next_commands(found):
        echo(command)


@runs.command()
@run_argument
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="The page.  [default: RUN/report.html]"
)
@click.option("--overwrite", is_flag=True, help="Replace the page of that name.")
@json_option
def report(run: Path, output: Path | None, overwrite: bool, as_json: bool) -> None:
    """Write a run's report, one HTML page that needs nothing else.

    Training writes it too, at every sheet and checkpoint.
    """
    from artkit.files import check_target
    from artkit.runs import read_run
    from artkit.runs.record import REPORT_FILE
    from artkit.runs.report import write_report

    found = read_run(run)
    file = output or run / REPORT_FILE
    check_target(file, overwrite or output is None)
    write_report(found, file)
    if as_json:
        print_json({"run": str(run), "report": str(file)})
    else:
        echo(str(file))


@runs.command()
@click.argument("paths", nargs=-1, required=True, metavar="RUN RUN...", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="A page with their curves, too.")
@click.option("--overwrite", is_flag=True, help="Replace the page of that name.")
@json_option
def compare(paths: tuple[Path, ...], output: Path | None, overwrite: bool, as_json: bool) -> None:
    """Compare runs: the options that differ, then losses and scores."""
    from artkit.files import check_target
    from artkit.runs import read_run
    from artkit.runs.comparing import compare_runs, show_value
    from artkit.runs.report import write_comparison

    if len(paths) < 2:
        raise UsageError("one run alone compares with nothing: artkit runs compare RUN RUN")
    found = compare_runs([read_run(path) for path in paths])
    if output:
        check_target(output, overwrite)
        write_comparison(found, output)
    if as_json:
        runs = [str(run.path) for run in found.runs]
        print_json({"runs": runs, "options": found.options, "numbers": found.numbers, "report": output})
        return
    rows = [["", *found.names]]
    rows += [[name, *map(show_value, values)] for name, values in found.options.items()]
    rows += [[name, *map(_number, values)] for name, values in found.numbers.items()]
    print_columns(rows)
    if output:
        echo(str(output))


def _list(folders: tuple[Path, ...], as_json: bool) -> None:
    from artkit.runs import find_runs

    where = folders or (RUNS if RUNS.is_dir() else Path(),)
    found = find_runs(where)
    if as_json:
        print_json([_record(run) for run in found])
    elif found:
        print_columns((run.path, run.record.method, run.state, _steps(run), _when(run), _told(run)) for run in found)
    else:
        echo("There are no runs here. Begin one: artkit train METHOD DATA -o runs/NAME")


def _record(run: Run) -> dict[str, Any]:
    best = run.best
    return {
        "run": str(run.path),
        "name": run.name,
        "method": run.record.method,
        "data": run.record.data,
        "state": run.state,
        "step": run.step,
        "steps": run.steps,
        "started": run.record.started,
        "changed": _when(run),
        "losses": run.losses,
        "scores": _scores(run),
        "best": {"metric": best.metric, "step": best.step, "value": best.value} if best else None,
        "models": [str(path) for path in run.models],
        "notes": [{"step": note.step, "when": note.when, "text": note.text} for note in run.notes],
    }


def _summary(run: Run) -> str:
    from artkit.runs.report import describe_progress

    return f"{run.record.method} on {run.record.data}, {run.state}, {describe_progress(run)}"


def _scores(run: Run) -> dict[str, float]:
    last = run.scores[-1] if run.scores else {}
    return {name: last[name] for name in run.metrics if name in last}


def _steps(run: Run) -> str:
    return f"{run.step}/{run.steps}" if run.steps else str(run.step)


def _when(run: Run) -> str:
    return datetime.fromtimestamp(run.changed, UTC).strftime("%Y-%m-%d %H:%M")


def _told(run: Run) -> str:
    """Return the best score, then the last losses."""
    best = [f"best {run.best.metric} {run.best.value:.4g} at {run.best.step}"] if run.best else []
    return "  ".join(best + [f"{name} {value:.3g}" for name, value in run.losses.items()])


def _number(value: float | str | None) -> str:
    return "–" if value is None else value if isinstance(value, str) else f"{value:.4g}"
