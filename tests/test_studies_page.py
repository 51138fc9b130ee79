"""The page of a study, read in full."""

from __future__ import annotations

import io
import json
import re

import msgspec
import pytest
from PIL import Image

from artkit.studies import read_study
from artkit.studies.page import draw_sheet, lines_of
from artkit.studies.running import Outcome, Result
from test_studies import PLUGIN, ROOT, STUDY, open_study, results, study

shell = pytest.fixture(open_study)

PAGE = """# Rates

**Claim.** A fast learner comes nearer than a slow one.

**Against it would be.** It does not.

## What came out

- The claim holds: rgb_distance of *fast* is 6.5 lower than of *slow* (0.147 to 12.9 lower at 95%; 2 seeds).
- Nothing is shown: psnr of *slow* is 0 higher than of *fast* (the interval of the difference, -63.5 to 63.5, holds \
zero; 2 seeds).

Means of 2 seeds and their intervals (95%, Student's):

| arm | rgb_distance | psnr | what |
|---|---|---|---|
| slow | 11 ± 12.7 | 25 ± 63.5 | a rate of a thousandth |
| fast | 4.5 ± 6.35 | 25 ± 0 | a rate of a tenth / no less |
| none | 100.0 ± 0 | 9.88 ± 0 | the picture as it is |

![Held-out pictures beside what each arm makes of them](pictures.png)

## Every seed

| arm | seed | rgb_distance | psnr | seconds of training |
|---|---|---|---|---|
| slow | 0 | 10 | 20 | 900.5 |
| slow | 1 | 12 | 30 | 900.5 |
| fast | 0 | 4 | 25 | 900.5 |
| fast | 1 | 5 | 25 | 900.5 |
| none | 0 | 100.0 | 9.88 | 0 |
| none | 1 | 100.0 | 9.88 | 0 |

## How

All arms train tint on pairs with the same steps, batch and seeds.

- batch = 2
- crop = 8
- ema = 0
- steps = 3

"""


def test_a_study_that_trains_nothing_says_so(tmp_path):
    found = read_study(ROOT / "examples" / "studies" / "beginnings")
    scored = {metric: 1.0 for scoring in found.scores for metric in scoring.metrics}
    outcome = Outcome(found, tmp_path, [Result(arm, seed, scored, 0.0) for arm in found.arms for seed in (0, 1)])
    lines = list(lines_of(outcome))
    assert "Nothing is trained: seeds are those that the arms' chains run under." in lines
    assert not [line for line in lines if "the same steps" in line]
    assert lines[-1].startswith("Training took 0:00 on ")


def test_the_page_in_full(tmp_path):
    """Student's t is 12.706 for two values, so half an interval is 6.353 times their distance."""
    (tmp_path / "study.toml").write_text(STUDY)
    scores = {"slow": ((10.0, 20.0), (12.0, 30.0)), "fast": ((4.0, 25.0), (5.0, 25.0)), "none": ((100.0, 9.876),) * 2}
    results = [
        Result(arm, seed, dict(zip(("rgb_distance", "psnr"), found[seed], strict=True)), 900.5 * trained)
        for arm, found, trained in zip(scores, scores.values(), (1, 1, 0), strict=True)
        for seed in (0, 1)
    ]
    *lines, last = lines_of(Outcome(read_study(tmp_path), tmp_path, results))
    assert lines == PAGE.splitlines()
    assert re.fullmatch(r"Training took 1:00:02 on \S+ \(.+\), artkit \S+, torch \S+\.", last)


def test_columns_feed_ports_of_what_is_scored_and_are_shown(shell, monkeypatch):
    """The mean of what an arm paints and of what it should: half as far away."""
    monkeypatch.setenv("ARTKIT_PLUGINS", "filters")
    whole = study(shell)
    assert whole.code == 0
    far = {(one["arm"], one["seed"]): one["scores"]["rgb_distance"] for one in results(shell)}
    chains = {"tint(model={model})": "tint(model={model}),blend", "invert,invert": "invert,invert,blend"}
    text = STUDY.replace("limit = 1\n", 'limit = 1\nports = { other = "B" }\n')
    for one, blended in chains.items():
        text = text.replace(f'"{one}"', f'"{blended}"')
    (shell.folder / "study.toml").write_text(text)
    outcome = shell("--plugin", PLUGIN, "study", "study.toml", "-o", "blended")
    assert outcome.code == 0, outcome.err
    near = json.loads((shell.folder / "blended" / "scores.json").read_text())
    for one in near:
        assert one["scores"]["rgb_distance"] == pytest.approx(far[one["arm"], one["seed"]] / 2, abs=0.6)
    sheets = [(shell.folder / place / "pictures.png").read_bytes() for place in ("out", "blended")]
    wide, wider = (Image.open(io.BytesIO(sheet)).width for sheet in sheets)
    assert wider > wide


def test_the_sheet_has_a_row_a_picture_and_no_more_than_there_are(shell):
    """Each row is what goes in, what each arm makes of it, and what was wanted."""
    assert study(shell, "--seeds", 1).code == 0
    protocol = read_study(shell.folder / "study.toml")
    heights = []
    for asked in (1, 2, 20):
        outcome = Outcome(msgspec.structs.replace(protocol, pictures=asked), shell.folder / "out")
        sheet = draw_sheet(outcome)
        heights.append(sheet.height)
    row = heights[1] - heights[0]
    assert heights == [heights[0], heights[0] + row, heights[0] + row]  # two pictures are held out
    levels = [round(255 * float(sheet.tensor[0, 0, 10, 10 + (16 + 4) * cell])) for cell in range(5)]
    assert (sheet.width, levels[0], levels[3], levels[4]) == (5 * 20 + 4, 100, 100, 160)
    assert abs(levels[2] - 160) < abs(levels[1] - 160)  # a slow learner, and a fast one
