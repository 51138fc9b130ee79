"""Runs that one can follow: held-out scores and the best model, early ends, the guard, the report that is written."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import tiny_training
from artkit.cli import main
from artkit.errors import TrainingError, UsageError
from artkit.hookspecs import hookimpl
from artkit.metrics.evaluating import evaluate
from artkit.models.file import load_model
from artkit.models.header import read_header
from artkit.plugins import PluginSource, load_registry, use_registry
from artkit.runs import read_run
from artkit.training import NullReporter, train
from artkit.training.guard import COLLAPSED, MOST_ROLLBACKS, ROWS, Diverged, Guard
from artkit.training.loop import Loop
from artkit.training.scoring import Best

SHORT = {"batch": 2, "crop": 8, "log_every": 2, "sample_every": 100, "checkpoint_every": 2, "ema": 0.0}


@pytest.fixture
def registry():
    """The registry with the tiny method and a listener to `training_event`."""

    class Listener:
        def __init__(self):
            self.events = []

        @hookimpl
        def training_event(self, event):
            self.events.append(event)

    found = load_registry()
    listener = Listener()
    found.add(PluginSource("tiny", lambda: tiny_training))
    found.add(PluginSource("listener", lambda: listener))
    use_registry(found)
    yield listener
    use_registry(None)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Pairs whose B is lighter than A by 60 levels, four of them held out."""
    root = tmp_path_factory.mktemp("pairs")
    for index in range(8):
        for column, level in (("A", 100), ("B", 160)):
            path = root / ("val" if index > 3 else "train") / column / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((12, 16, 3), level, np.uint8)).save(path)
    return root


def run(pairs, folder, steps, resume=False, **changes):
    values = {"steps": steps} if resume else SHORT | {"steps": steps, "learning_rate": 0.05} | changes
    return train("tint", str(pairs), folder, values=values, resume=resume)


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def state(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def stop_at(monkeypatch, step):
    """Interrupt the run after a step, as Ctrl-C does."""
    train_step = Loop._train

    def stopping(self, batch):
        losses = train_step(self, batch)
        if self.step == step:
            self._ask_to_stop()
        return losses

    monkeypatch.setattr(Loop, "_train", stopping)


def test_the_best_model_is_kept_and_scored_as_evaluate_scores(registry, pairs, tmp_path):
    """The colour that is learned goes past the best one: 0.235 is right, and steps are of 0.05."""
    folder = tmp_path / "run"
    run(pairs, folder, 16, best="rgb_distance,psnr", decay_from=1)
    found = rows(folder / "scores.csv")
    assert [row["step"] for row in found] == ["0", *map(str, range(2, 17, 2))]
    distances = [float(row["rgb_distance"]) for row in found]
    best = min(range(len(distances)), key=distances.__getitem__)
    assert 0 < best < len(found) - 1  # so that keeping the first or the last would be wrong
    assert [row["best"] for row in found] == [
        str(int(value < min(distances[:i], default=1e9))) for i, value in enumerate(distances)
    ]
    header = read_header(folder / "best.safetensors")
    assert header.training["step"] == int(found[best]["step"])
    assert header.training["rgb_distance"] == pytest.approx(distances[best], rel=1e-4)
    chain = f"tint(model='{folder / 'best.safetensors'}')"
    score = evaluate(pairs, chain, ["rgb_distance", "psnr"]).scores
    assert score == pytest.approx({name: float(found[best][name]) for name in ("rgb_distance", "psnr")}, rel=1e-4)
    assert read_run(folder).best.step == int(found[best]["step"])
    scored = [event for event in registry.events if event.kind == "score"]
    assert [event.step for event in scored] == [0, *range(2, 17, 2)]
    assert scored[1].scores["rgb_distance"] == pytest.approx(distances[1], rel=1e-4)


def test_each_best_model_is_told_with_its_step_and_score(registry, pairs, tmp_path):
    told = []
    reporter = NullReporter()
    reporter.note = told.append
    values = SHORT | {"steps": 4, "best": "rgb_distance"}
    train("tint", str(pairs), tmp_path / "run", values=values, reporter=reporter)
    best = [row for row in rows(tmp_path / "run" / "scores.csv") if row["best"] == "1"]
    assert [line for line in told if "best" in line] == [
        f"step {row['step']}: rgb_distance {float(row['rgb_distance']):.4g}, the best so far" for row in best
    ]
    assert best


def test_patience_ends_a_run_early_and_more_patience_goes_on(registry, pairs, tmp_path):
    folder = tmp_path / "run"
    model = run(pairs, folder, 40, best="rgb_distance", patience=2, decay_from=1)
    ended = read_run(folder)
    assert ended.best.step + 2 * 2 == ended.step < 40
    assert ended.state == "done"
    assert ended.notes[-2].text == "no better rgb_distance in 2 checkpoints: it ends here"
    assert model.exists()
    assert state(folder)["step"] == ended.step
    train("tint", "", folder, values={"patience": 0, "steps": ended.step + 4}, resume=True)
    assert state(folder)["step"] == ended.step + 4


@pytest.mark.parametrize("stop", [4, 5])
def test_a_run_with_scores_resumes_to_the_bit(registry, pairs, tmp_path, monkeypatch, stop):
    how = {"best": "rgb_distance", "patience": 3, "log_every": 3}
    run(pairs, tmp_path / "whole", 12, **how)
    stop_at(monkeypatch, stop)
    with pytest.raises(KeyboardInterrupt):
        run(pairs, tmp_path / "half", 12, **how)
    monkeypatch.undo()
    assert read_run(tmp_path / "half").state == "stopped"
    assert read_run(tmp_path / "half").notes[-1].text == "stopped: Ctrl-C"
    run(pairs, tmp_path / "half", 12, resume=True)
    for name in ("best.safetensors", "model.safetensors", "scores.csv"):
        assert (tmp_path / "half" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    logs = [
        [{k: v for k, v in row.items() if k != "images_per_second"} for row in rows(tmp_path / name / "log.csv")]
        for name in ("whole", "half")
    ]
    assert logs[0] == logs[1]  # the row that the stop cut in two, too
    kept = [state(tmp_path / name)["processes"][0]["loop"]["best"] for name in ("whole", "half")]
    assert kept[0] == kept[1]


def test_scoring_changes_nothing_of_the_training(registry, pairs, tmp_path, monkeypatch):
    export = tiny_training.TintTrainer.export
    monkeypatch.setattr(tiny_training.TintTrainer, "export", lambda self: (torch.rand(1), export(self))[1])
    run(pairs, tmp_path / "scored", 4, best="psnr")
    run(pairs, tmp_path / "plain", 4)
    models = [load_model(tmp_path / name / "model.safetensors").tensors for name in ("scored", "plain")]
    assert torch.equal(*(tensors["generator.colour"] for tensors in models))
    assert torch.equal(*(state(tmp_path / name)["processes"][0]["random"] for name in ("scored", "plain")))
    assert not (tmp_path / "plain" / "best.safetensors").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"best": "psnrr"}, "psnr"),
        ({"best": "pixel_accuracy"}, "best=pixel_accuracy compares labels, and tint gives image"),
        ({"patience": 3}, "^patience=3 waits for a better score: add --best METRIC.$"),
    ],
)
def test_scores_asked_for_wrongly(registry, pairs, tmp_path, changes, words):
    with pytest.raises(UsageError, match=words):
        run(pairs, tmp_path / "run", 4, **changes)
    assert not (tmp_path / "run").exists()


def test_held_out_pictures_that_cannot_be_scored_are_told_before_the_first_step(registry, pairs, tmp_path):
    """There are none: the folder has a part for training and no other."""
    shutil.copytree(pairs / "train", tmp_path / "data" / "train")
    with pytest.raises(TrainingError, match=r"^best=psnr: held-out pictures cannot be scored: .*\. Leave best out\.$"):
        run(tmp_path / "data", tmp_path / "run", 4, best="psnr")
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_the_best_is_by_the_metric_s_own_direction():
    registry = load_registry()
    for name, values, better in (
        ("psnr", (1.0, 2.0, 2.0, 1.5), (1, 1, 0, 0)),
        ("rgb_distance", (3.0, 4.0, 2.0), (1, 0, 1)),
    ):
        best = Best(registry.metric(name), 2)
        assert [best.take(value) for value in values] == [bool(one) for one in better]
    best = Best(registry.metric("psnr"), 1)
    assert not best.take(math.nan)
    assert best.is_over


# -- the guard --------------------------------------------------------------------------------------------------------


def break_when(monkeypatch, broken):
    """Let the loss be what `broken(step, rate)` says, where it says something; the weights go with a NaN."""
    train_step = Loop._train

    def breaking(self, batch):
        losses = train_step(self, batch)
        rate = self.trainer.optimisers["generator"].param_groups[0]["lr"]
        told = broken(self.step, rate)
        return losses if told is None else {**losses, **told}

    monkeypatch.setattr(Loop, "_train", breaking)


def too_fast(at):
    """Break at a step as long as the learning rate is above 0.02."""
    return lambda step, rate: {"distance": torch.tensor(math.nan)} if step == at and rate > 0.02 else None


def test_a_run_that_diverges_goes_back_and_on_with_half_the_rate(registry, pairs, tmp_path, monkeypatch, capsys):
    break_when(monkeypatch, too_fast(5))
    run(pairs, tmp_path / "run", 8, log_every=1, decay_from=1)
    found = rows(tmp_path / "run" / "log.csv")
    assert [row["step"] for row in found] == [str(step) for step in range(1, 9)]  # each once, none of what was lost
    assert [float(row["learning_rate"]) for row in found] == [0.05] * 4 + [0.0125] * 4
    told = [note.text for note in read_run(tmp_path / "run").notes]
    assert told[1:3] == [
        "the loss 'distance' became NaN at step 5: back to step 4, and on with 0.5 of the learning rate",
        "the loss 'distance' became NaN at step 5: back to step 4, and on with 0.25 of the learning rate",
    ]
    assert [f"artkit: warning: {line}." for line in told[1:3]] == capsys.readouterr().err.splitlines()


def test_before_the_first_checkpoint_it_goes_back_to_the_beginning(registry, pairs, tmp_path, monkeypatch):
    break_when(monkeypatch, too_fast(3))
    run(pairs, tmp_path / "run", 8, log_every=1, checkpoint_every=8, decay_from=1)
    assert [float(row["learning_rate"]) for row in rows(tmp_path / "run" / "log.csv")] == [0.0125] * 8
    monkeypatch.undo()
    run(pairs, tmp_path / "slow", 8, log_every=1, checkpoint_every=8, decay_from=1, learning_rate=0.0125)
    weights = [state(tmp_path / name)["networks"]["generator"]["colour"] for name in ("run", "slow")]
    assert torch.equal(*weights)


def test_a_run_that_went_back_resumes_to_the_bit(registry, pairs, tmp_path, monkeypatch):
    def broken(step, rate):
        return too_fast(5)(step, rate)

    break_when(monkeypatch, broken)
    run(pairs, tmp_path / "whole", 10, log_every=1)
    stop_at(monkeypatch, 5)  # just when it is to go back: the resumed run comes there again
    with pytest.raises(KeyboardInterrupt):
        run(pairs, tmp_path / "half", 10, log_every=1)
    monkeypatch.undo()
    assert state(tmp_path / "half")["step"] == 4
    break_when(monkeypatch, broken)
    run(pairs, tmp_path / "half", 10, resume=True)
    whole, half = state(tmp_path / "whole"), state(tmp_path / "half")
    assert torch.equal(whole["networks"]["generator"]["colour"], half["networks"]["generator"]["colour"])
    assert (
        whole["processes"][0]["loop"]["guard"] == half["processes"][0]["loop"]["guard"] == {"rollbacks": 2, "low": {}}
    )


def test_it_gives_up_after_a_few_times_and_says_what_to_type(registry, pairs, tmp_path, monkeypatch):
    break_when(monkeypatch, lambda step, rate: {"distance": torch.tensor(math.inf)} if step == 5 else None)
    lost = (
        "became infinite at step 5, even with 0.125 of the learning rate: start anew with a lower "
        "--set learning_rate=..., or with --set precision=fp32; the last checkpoint is whole."
    )
    with pytest.raises(TrainingError, match=f"{re.escape(lost)}$"):
        run(pairs, tmp_path / "run", 8, log_every=1)
    assert state(tmp_path / "run")["step"] == 4
    notes = read_run(tmp_path / "run").notes
    assert sum("back to step 4" in note.text for note in notes) == MOST_ROLLBACKS
    assert notes[-1].text.startswith("stopped: the loss 'distance' became infinite")
    assert read_run(tmp_path / "run").state == "stopped"


def test_weights_that_are_no_numbers_never_reach_a_checkpoint(registry, pairs, tmp_path, monkeypatch):
    """A gradient that breaks in the last step before a checkpoint shows in no loss yet."""
    train_step = Loop._train

    def breaking(self, batch):
        losses = train_step(self, batch)
        if self.step == 4 and self.guard.rollbacks == 0:
            with torch.no_grad():
                self.trainer.networks["generator"].colour[0, 1] = math.nan
        return losses

    monkeypatch.setattr(Loop, "_train", breaking)
    run(pairs, tmp_path / "run", 4, log_every=1)
    assert (
        "the weights of the generator became NaN at step 4: back to step 2" in read_run(tmp_path / "run").notes[1].text
    )
    assert state(tmp_path / "run")["networks"]["generator"]["colour"].isfinite().all()


def test_a_collapsed_discriminator_is_one_that_wins_row_after_row():
    guard = Guard()
    for value in (0.5, *[COLLAPSED / 2] * (ROWS - 1), 0.5, *[COLLAPSED / 2] * (ROWS - 1)):
        guard.check_row({"discriminator_a": value, "l1": 0.0}, 1)
    other = Guard()
    other.load_state(guard.state())
    for one in (guard, other):  # what was counted is remembered
        with pytest.raises(Diverged, match=r"'discriminator_a' stayed below 0\.001 until step 7: it has collapsed"):
            one.check_row({"discriminator_a": 0.0}, 7)


def test_a_collapse_is_a_reason_to_go_back(registry, pairs, tmp_path, monkeypatch):
    lost = {"discriminator": torch.tensor(0.0)}
    break_when(monkeypatch, lambda step, rate: lost if rate > 0.03 else {"discriminator": torch.tensor(0.5)})
    run(pairs, tmp_path / "run", 8, log_every=1, checkpoint_every=8, decay_from=1)
    assert (
        "stayed below 0.001 until step 3: it has collapsed: back to step 0" in read_run(tmp_path / "run").notes[1].text
    )


# -- the report -------------------------------------------------------------------------------------------------------


def test_a_run_writes_its_report_and_records_what_it_is_made_with(registry, pairs, tmp_path):
    run(pairs, tmp_path / "run", 4, sample_every=2)
    page = (tmp_path / "run" / "report.html").read_text()
    assert 'class="state done"' in page
    assert page.count("<img") == 2
    assert "refresh" not in page
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["settings"]["mirror"] is True
    assert record["settings"]["pause"] == 0
    assert record["values"]["crop"] == 8
    assert {"torch", "device", "precision", "processes"} <= record["environment"].keys()
    began = record["started"]
    run(pairs, tmp_path / "run", 6, resume=True)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["started"] == began


def test_the_report_is_there_while_the_run_goes_on(registry, pairs, tmp_path, monkeypatch):
    seen = []
    train_step = Loop._train

    def looking(self, batch):
        losses = train_step(self, batch)
        if self.step == 3:
            page = (tmp_path / "run" / "report.html").read_text()
            seen.extend(['class="state running"' in page, "refresh" in page, "step 2 of 4" in page])
            seen.append(read_run(tmp_path / "run").state)
        return losses

    monkeypatch.setattr(Loop, "_train", looking)
    run(pairs, tmp_path / "run", 4)
    assert seen == [True, True, True, "running"]


def test_the_command_line_has_the_words(registry, pairs, tmp_path, capsys):
    plugin = tiny_training.__file__
    flags = ["--best", "rgb_distance", "--patience", "9", "--steps", "4", "--batch", "2", "--crop", "8"]
    code = main(["--plugin", plugin, "train", "tint", str(pairs), "-o", str(tmp_path / "run"), *flags])
    assert code == 0, capsys.readouterr().err
    assert (tmp_path / "run" / "best.safetensors").exists()
    assert main(["--plugin", plugin, "runs", "show", str(tmp_path / "run")]) == 0
    assert "rgb_distance" in capsys.readouterr().out
