"""The page of a study: what came out in a sentence a question, the scores of every seed, and pictures of each arm."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator
from pathlib import Path

from artkit import __version__
from artkit.chain import Chain
from artkit.data import open_dataset
from artkit.engine.devices import report
from artkit.files import write_atomically
from artkit.images import Picture, encode_picture, make_strip
from artkit.metrics.held_out import HeldOut
from artkit.reporting import clean, duration
from artkit.studies.data import place_of
from artkit.studies.intervals import LEVEL, Interval, find_interval, judge
from artkit.studies.protocol import Question, Study
from artkit.studies.running import Outcome, chain_of

PAGE, SHEET = "README.md", "pictures.png"
ANSWERS = {"holds": "The claim holds", "contradicted": "The claim is contradicted", "open": "Nothing is shown"}


def write_page(outcome: Outcome) -> Path:
    """Write the page and its pictures into the study's folder, over those that are there; return the page."""
    write_atomically(outcome.folder / SHEET, encode_picture(draw_sheet(outcome), ".png"), overwrite=True)
    page = outcome.folder / PAGE
    lines = [clean(" ".join(line.split())) for line in lines_of(outcome)]  # a study may be a stranger's
    write_atomically(page, "\n".join(lines).encode() + b"\n", overwrite=True)
    return page


def answer(outcome: Outcome, question: Question) -> str:
    """Say in a sentence what came out."""
    differences = outcome.differences(question.metric, question.arm, question.beside)
    interval = find_interval(differences)
    way = "lower" if interval.mean < 0 else "higher"
    size, ends = abs(interval.mean), sorted((abs(interval.low), abs(interval.high)))
    verdict = judge(interval, question.expected)
    if verdict == "open":
        spread = f"the interval of the difference, {_number(interval.low)} to {_number(interval.high)}, holds zero"
    else:
        spread = f"{_number(ends[0])} to {_number(ends[1])} {way} at {LEVEL:.0%}"
    seeds = f"{len(differences)} seed{'s' if len(differences) > 1 else ''}"
    return (
        f"{ANSWERS[verdict]}: {question.metric} of *{question.arm}* is {_number(size)} {way} than of "
        f"*{question.beside}* ({spread}; {seeds})."
    )


def lines_of(outcome: Outcome) -> Iterator[str]:
    """Yield the lines of the page, in Markdown."""
    study = outcome.study
    metrics = [metric for one in study.scores for metric in one.metrics]
    yield from (f"# {study.title}", "", f"**Claim.** {study.claim}", "", f"**Against it would be.** {study.against}")
    yield from ("", "## What came out", "")
    yield from (f"- {answer(outcome, question)}" for question in study.questions)
    seeds = len({one.seed for one in outcome.results})
    yield from ("", f"Means of {seeds} seeds and their intervals ({LEVEL:.0%}, Student's):", "")
    yield from _row(["arm", *metrics, "what"], head=True)
    for name, arm in study.arms.items():
        found = [_interval(find_interval(outcome.of(name, metric))) for metric in metrics]
        yield from _row([name, *found, arm.summary])
    yield from ("", f"![Held-out pictures beside what each arm makes of them]({SHEET})", "", "## Every seed", "")
    yield from _row(["arm", "seed", *metrics, "seconds of training"], head=True)
    for one in outcome.results:
        yield from _row(
            [one.arm, str(one.seed), *(_number(one.scores[metric]) for metric in metrics), f"{one.seconds:g}"]
        )
    yield from ("", "## How", "", _budget(study), "")
    yield from (f"- {name} = {value}" for name, value in sorted(study.values.items()))
    yield from ("", f"Training took {duration(_seconds(outcome))} on {_machine()}.")


def _budget(study: Study) -> str:
    """Say what all arms have in common, and which have fewer steps."""
    if not any(arm.trained for arm in study.arms.values()):
        return "Nothing is trained: seeds are those that the arms' chains run under."
    fewer = [f"*{name}* takes {arm.share:.3g} of the steps" for name, arm in study.arms.items() if arm.share < 1]
    common = f"All arms train {study.method} on {study.on} with the same steps, batch and seeds"
    return f"{'; but '.join([common, ', '.join(fewer)] if fewer else [common])}."


def _seconds(outcome: Outcome) -> float:
    return sum(one.seconds for one in outcome.results)


def _machine() -> str:
    """Say where this was computed."""
    hardware = report()
    return f"{platform.machine()} ({hardware['device']}), artkit {__version__}, torch {hardware['torch']}"


def draw_sheet(outcome: Outcome) -> Picture:
    """Draw a row a held-out picture: what goes in, what each arm makes of it (the model of seed 0), what was wanted."""
    study, scoring = outcome.study, outcome.study.scores[0]
    dataset = open_dataset(place_of(study, scoring.data, outcome.folder), "val")
    chains = {name: Chain(chain_of(outcome, name, scoring, 0)) for name in study.arms}
    arms = {
        name: HeldOut(dataset, chain, source=scoring.source, target=scoring.target, ports=scoring.ports)
        for name, chain in chains.items()
    }
    first, rows = next(iter(arms.values())), []
    for index in range(min(study.pictures, len(first))):
        trial = first.load(index)
        shown = [(trial.given, first.source.name)] if trial.given and first.source else []
        fed = [(one, port) for port, some in trial.fed.items() for one in (some if isinstance(some, list) else [some])]
        made = [(arm.run(trial, index), name) for name, arm in arms.items()]
        rows.append([*shown, *fed, *made, (trial.wanted, first.target.name)])
    return make_strip(rows, cell=192)


def _row(cells: list[str], head: bool = False) -> Iterator[str]:
    yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
    if head:
        yield "|" + "---|" * len(cells)


def _interval(found: Interval) -> str:
    half = "" if math.isinf(found.half) else f" ± {_number(found.half)}"
    return f"{_number(found.mean)}{half}"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.1f}"
