"""Arms that take a share of the steps: equal minutes in place of equal steps."""

from __future__ import annotations

import pytest

from artkit.studies import read_study, running
from artkit.studies.page import lines_of
from artkit.studies.running import Outcome, Result
from test_studies import STUDY, open_study, study

shell = pytest.fixture(open_study)

NO_STEPS = "the arm 'fast' has a share of the steps, and the study's values set no number of them"


def share(value, text=STUDY):
    return text.replace("[arms.fast]\n", f"[arms.fast]\nshare = {value}\n")


def test_a_share_of_the_steps_is_what_an_arm_is_trained_for(shell, monkeypatch):
    asked, train = [], running.train

    def note(method, data, folder, *, values, **named):
        asked.append((folder.name, values["steps"]))
        return train(method, data, folder, values=values, **named)

    monkeypatch.setattr(running, "train", note)
    (shell.folder / "study.toml").write_text(share(0.6))
    assert study(shell, "--seeds", 1).code == 0
    assert asked == [("slow-0", 3), ("fast-0", 2)]
    page = (shell.folder / "out" / "README.md").read_text()
    assert "with the same steps, batch and seeds; but *fast* takes 0.6 of the steps.\n" in page


@pytest.mark.parametrize(("part", "steps"), [(1e-6, 1), (0.5, 2), (0.8, 2), (1, 3)])
def test_a_share_is_a_whole_number_of_steps_and_one_at_least(tmp_path, part, steps):
    (tmp_path / "study.toml").write_text(share(part))
    found = read_study(tmp_path)
    assert found.values_of("fast") == {"steps": steps, "batch": 2, "crop": 8, "ema": 0, "learning_rate": 0.1}
    assert found.values_of("slow")["steps"] == 3
    large = found.resized("large")
    assert large.values_of("fast")["steps"] == max(1, round(part * 4))


def test_every_arm_of_fewer_steps_is_told(tmp_path):
    text = share(0.25).replace("[arms.slow]\n", "[arms.slow]\nshare = 0.12345\n")
    (tmp_path / "study.toml").write_text(text)
    results = [Result(arm, 0, {"rgb_distance": 1.0, "psnr": 1.0}, 1.0) for arm in ("slow", "fast", "none")]
    told = [line for line in lines_of(Outcome(read_study(tmp_path), tmp_path, results)) if line.startswith("All arms")]
    assert told == [
        "All arms train tint on pairs with the same steps, batch and seeds; but *slow* takes 0.123 of the steps, "
        "*fast* takes 0.25 of the steps."
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (share(0), "Expected `float` > 0"),
        (share(1.5), "Expected `float` <= 1"),
        (share("nan"), "Expected `float`"),
        (share(0.5, STUDY.replace("steps = 3\n", "")), NO_STEPS),
        (share(0.5, STUDY.replace("steps = 4 ", "steps = 'x' ")), NO_STEPS),
        (share(0.5, STUDY.replace("steps = 3\n", f"steps = {10**400}\n")), NO_STEPS),
    ],
)
def test_shares_that_make_no_sense(shell, text, fault):
    (shell.folder / "study.toml").write_text(text)
    outcome = study(shell)
    assert outcome.code == 2
    assert fault in outcome.err
