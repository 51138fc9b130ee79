"""Studies: a protocol that fits together, runs that go on, what is refused, and what the command says."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest

from artkit.errors import UsageError
from artkit.studies import data, protocol, read_study, running
from cli_kit import forget_module, open_shell

PLUGIN = Path(__file__).parent / "tiny_training.py"
ROOT = Path(__file__).parents[1]
STUDY = """
title = "Rates"
claim = "A fast learner comes nearer than a slow one."
against = "It does not."
method = "tint"
on = "pairs"
seeds = 2
pictures = 1

[values]
steps = 3
batch = 2
crop = 8
ema = 0

[arms.slow]
summary = "a rate of a thousandth"
values = { learning_rate = 0.001 }

[arms.fast]
summary = "a rate of a tenth | no less"
values = { learning_rate = 0.1 }

[arms.none]
summary = "the picture as it is"
trained = false
chain = "invert,invert"

[[scores]]
data = "pairs"
chain = "tint(model={model})"
metrics = ["rgb_distance", "psnr"]
limit = 1

[[questions]]
metric = "rgb_distance"
arm = "fast"
beside = "slow"
expected = "lower"

[[questions]]
metric = "psnr"
arm = "slow"
beside = "fast"
expected = "higher"

[sizes.large]
values = { steps = 4 }
limit = 2
"""
COLUMN = 'dataset = "styles"\ncolumns = { lines = { of = "image", chain = "egdes" } }'


def open_study(tmp_path, monkeypatch, capsys):
    """A shell beside a folder of twenty pairs whose B is lighter than A by 60 levels, and a study of them."""
    forget_module(monkeypatch, PLUGIN.stem)
    shell = open_shell(tmp_path, monkeypatch, capsys)
    for index in range(20):
        shell.paint(f"pairs/A/{index}.png", 100, size=(16, 12))
        shell.paint(f"pairs/B/{index}.png", 160, size=(16, 12))
    (tmp_path / "study.toml").write_text(STUDY)
    return shell


shell = pytest.fixture(open_study)


def study(shell, *arguments):
    return shell("--plugin", PLUGIN, "study", "study.toml", "-o", "out", *arguments)


def results(shell):
    return json.loads((shell.folder / "out" / "scores.json").read_text())


def test_a_study_from_the_shell(shell):
    outcome = study(shell)
    assert outcome.code == 0, outcome.err
    told = [line for line in outcome.err.splitlines() if "seed" in line]
    assert told == [f"artkit: {arm}, seed {seed}" for seed in (0, 1) for arm in ("slow", "fast", "none")]
    fast, slow, page = outcome.lines()
    assert fast.startswith("The claim holds: rgb_distance of *fast* is ")
    assert " lower than of *slow* (" in fast
    assert fast.endswith("; 2 seeds).")
    assert slow.startswith("The claim is contradicted: psnr of *slow* is ")
    assert page == "out/README.md"
    assert [(one["arm"], one["seed"]) for one in results(shell)] == [
        (arm, seed) for arm in ("slow", "fast", "none") for seed in (0, 1)
    ]
    text = (shell.folder / page).read_text()
    assert fast in text
    assert (shell.folder / "out" / "pictures.png").is_file()
    means = {one["arm"]: one["scores"]["rgb_distance"] for one in results(shell)}
    assert means["none"] == pytest.approx(60 * math.sqrt(3), rel=0.02)
    assert means["fast"] < means["slow"] < means["none"]
    assert {one["seconds"] for one in results(shell) if one["arm"] == "none"} == {0}  # nothing was trained


def test_the_differences_are_seed_by_seed(shell):
    data = json.loads(study(shell, "--json").out)
    rows = [[one["scores"]["rgb_distance"] for one in data["results"] if one["arm"] == arm] for arm in ("fast", "slow")]
    mean = abs(rows[0][0] - rows[1][0] + rows[0][1] - rows[1][1]) / 2
    assert f"is {mean:.3g} lower" in data["answers"][0]


def test_a_study_that_was_stopped_goes_on_and_ends_the_same(shell, monkeypatch):
    assert study(shell).code == 0
    whole = [{**one, "seconds": 0} for one in results(shell)]
    shutil.rmtree(shell.folder / "out")
    count, score = iter(range(99)), running.evaluate

    def stop(*arguments, **named):
        if next(count) == 3:
            raise KeyboardInterrupt
        return score(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(running, "evaluate", stop)
        assert study(shell).code == 130
    assert len(results(shell)) == 3
    trained = []
    monkeypatch.setattr(
        running, "train", lambda *a, train=running.train, **k: trained.append(a[2].name) or train(*a, **k)
    )
    assert study(shell).code == 0
    assert [{**one, "seconds": 0} for one in results(shell)] == whole
    assert trained == ["fast-1"]  # slow-1 was trained already, and scored anew


def test_each_run_is_scored_under_seeds_of_its_own(shell, monkeypatch):
    asked, score = [], running.evaluate
    monkeypatch.setattr(running, "evaluate", lambda *a, seed, **k: asked.append(seed) or score(*a, seed=seed, **k))
    assert study(shell, "--size", "large").code == 0
    assert asked == [0, 0, 0, 2, 2, 2]  # of a run that scores two pictures


def test_more_seeds_are_the_same_study(shell):
    assert study(shell).code == 0
    two = results(shell)
    assert study(shell, "--seeds", 3).code == 0
    assert len(results(shell)) == 9
    assert [one for one in results(shell) if one["seed"] < 2] == two
    assert study(shell, "--seeds", 1).code == 0
    assert len(results(shell)) == 9
    assert "Means of 3 seeds" in (shell.folder / "out" / "README.md").read_text()


def count_runs(monkeypatch):
    """Return a list that gains the runs that are trained, and one that gains what is scored."""
    trained, scored = [], []
    train, score = running.train, running.evaluate
    monkeypatch.setattr(running, "train", lambda *a, **k: trained.append(a[2].name) or train(*a, **k))
    monkeypatch.setattr(running, "evaluate", lambda *a, **k: scored.append((a[2], k["limit"])) or score(*a, **k))
    return trained, scored


def test_what_is_scored_may_change_and_models_are_kept(shell, monkeypatch):
    assert study(shell).code == 0
    before = results(shell)
    text = STUDY.replace('["rgb_distance", "psnr"]', '["rgb_distance", "ssim"]').replace("psnr", "ssim")
    (shell.folder / "study.toml").write_text(text.replace("A fast learner", "A hasty one"))
    trained, scored = count_runs(monkeypatch)
    outcome = study(shell, "--seeds", 1)
    assert outcome.code == 0, outcome.err
    assert "ssim of *slow*" in outcome.lines()[1]
    assert "A hasty one" in (shell.folder / "out" / "README.md").read_text()
    assert (trained, scored) == ([], 6 * [(("ssim",), 1)])  # of the second seed too, which is on the page
    for one, old in zip(results(shell), before, strict=True):
        assert one["scores"].keys() == {"rgb_distance", "ssim"}
        assert one["scores"]["rgb_distance"] == old["scores"]["rgb_distance"]
        assert one["seconds"] == old["seconds"]


def test_what_is_scored_otherwise_is_scored_anew(shell, monkeypatch):
    assert study(shell).code == 0
    before = results(shell)
    text = STUDY.replace('chain = "invert,invert"', 'chain = "invert"').replace("limit = 2", "limit = 3")
    (shell.folder / "study.toml").write_text(text)
    trained, scored = count_runs(monkeypatch)
    assert study(shell).code == 0
    assert (trained, len(scored)) == ([], 2)
    assert [a == b for a, b in zip(results(shell), before, strict=True)] == [True] * 4 + [False] * 2
    (shell.folder / "study.toml").write_text(text.replace("limit = 1", "limit = 2"))
    assert study(shell).code == 0
    assert (trained, scored[2:]) == ([], 6 * [(("rgb_distance", "psnr"), 2)])


def test_arms_and_data_may_be_added(shell, monkeypatch):
    assert study(shell).code == 0
    arm = '[arms.steady]\nsummary = "between"\nvalues = { learning_rate = 0.01 }\n\n[arms.none]'
    (shell.folder / "study.toml").write_text(STUDY.replace("[arms.none]", arm))
    trained, _ = count_runs(monkeypatch)
    assert study(shell).code == 0
    assert trained == ["steady-0", "steady-1"]
    assert len(results(shell)) == 8


def test_an_arm_may_learn_from_data_of_its_own(shell, monkeypatch):
    asked, train = [], running.train
    monkeypatch.setattr(running, "train", lambda *a, **k: asked.append(a[1]) or train(*a, **k))
    shutil.copytree(shell.folder / "pairs", shell.folder / "others")
    text = STUDY.replace("[arms.fast]\n", '[arms.fast]\non = "others"\n')
    (shell.folder / "study.toml").write_text(text)
    assert study(shell, "--seeds", 1).code == 0
    assert asked == ["pairs", "others"]
    (shell.folder / "study.toml").write_text(STUDY)
    assert study(shell, "--seeds", 1).code == 2  # what is there was trained otherwise


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("learning_rate = 0.1 ", "learning_rate = 0.2 "),
        ("ema = 0\n", "ema = 0.5\n"),
        ('on = "pairs"', 'on = "pairs/"'),
        ("[arms.fast]\n", "[arms.fast]\nshare = 0.5\n"),
        ('[arms.none]\nsummary = "the picture as it is"\ntrained = false\nchain = "invert,invert"\n', ""),
        ("[arms.slow]", '[data.more]\ndataset = "styles"\noptions = { count = 9 }\n\n[arms.slow]'),
    ],
)
def test_another_training_is_another_study(shell, monkeypatch, old, new):
    text = STUDY
    if "count = 9" in new:
        monkeypatch.setattr(data, "make_dataset", lambda name, folder, options: folder.mkdir(parents=True))
        text = STUDY.replace(old, new.replace("9", "8"))
        (shell.folder / "study.toml").write_text(text)
    assert study(shell).code == 0
    assert old in STUDY
    (shell.folder / "study.toml").write_text(STUDY.replace(old, new))
    outcome = study(shell)
    assert outcome.code == 2
    assert outcome.err == "artkit: out holds another study, or one of another size: give a new folder with -o.\n"


def test_another_size_is_another_study(shell):
    assert study(shell).code == 0
    outcome = study(shell, "--size", "large")
    assert outcome.code == 2
    assert outcome.err == "artkit: out holds another study, or one of another size: give a new folder with -o.\n"
    outcome = shell("--plugin", PLUGIN, "study", "study.toml", "-o", "large", "--size", "large", "--seeds", 1)
    assert outcome.code == 0, outcome.err
    assert "- steps = 4" in (shell.folder / "large" / "README.md").read_text()
    assert "1 seed)" in outcome.lines()[0]
    (shell.folder / "study.toml").write_text(STUDY.replace("steps = 4", "steps = 5"))
    assert study(shell).code == 0  # the small one is as it was
    assert study(shell, "--size", "huge").err == "artkit: this study has no size 'huge'; it has large.\n"


def test_a_folder_with_other_things_is_left_alone(shell):
    shell.paint("out/mine.png")
    outcome = study(shell)
    assert outcome.code == 2
    assert outcome.err == "artkit: out is not empty and holds no study: give a new folder with -o.\n"
    assert [path.name for path in (shell.folder / "out").iterdir()] == ["mine.png"]


@pytest.mark.parametrize("name", ["scores.json", "study.json"])
def test_damaged_records_are_told(shell, name):
    assert study(shell).code == 0
    (shell.folder / "out" / name).write_text("[{")
    outcome = study(shell)
    assert outcome.code == 2
    assert f"out/{name} is damaged" in outcome.err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("learning_rate = 0.1 ", "learning_rate = -1 ", "the arm 'fast': "),
        ('method = "tint"', 'method = "invert"', "the arm 'slow': invert has nothing to train."),
    ],
)
def test_an_arm_that_cannot_be_trained_is_named(shell, old, new, told):
    (shell.folder / "study.toml").write_text(STUDY.replace(old, new))
    outcome = study(shell)
    assert outcome.code == 1
    assert outcome.err.startswith(f"artkit: {told}")
    assert not (shell.folder / "out").exists()  # and nothing was trained before


def test_a_study_of_which_nothing_came_may_be_mended(shell):
    text = STUDY + '[data.more]\ndataset = "nowhere"\n'
    (shell.folder / "study.toml").write_text(text)
    assert study(shell).code != 0
    (shell.folder / "study.toml").write_text(STUDY)
    assert study(shell, "--seeds", 1).code == 0


def test_a_strangers_words_stay_words(shell):
    text = STUDY.replace('"Rates"', '"Rates\\u001b[31m\\n# Another"')
    (shell.folder / "study.toml").write_text(text)
    assert study(shell, "--seeds", 1).code == 0
    page = (shell.folder / "out" / "README.md").read_text()
    assert page.startswith("# Rates\\u001b[31m # Another\n")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'beside = "slow"',
            'beside = "slower"',
            "a question names the arm 'slower', and the arms are slow, fast, none",
        ),
        ('metric = "psnr"', 'metric = "ssim"', "a question names the metric 'ssim', and psnr, rgb_distance are scored"),
        (
            "learning_rate = 0.1 ",
            "steps = 9 ",
            "the arm 'fast' sets steps: arms have one budget, and seeds count from 0",
        ),
        (
            'chain = "invert,invert"\n',
            "",
            "the arm 'none' is not trained, so it needs a chain of its own, without {model}",
        ),
        ('["rgb_distance", "psnr"]', '["psnr", "rgb_distance", "psnr"]', "the metric 'psnr' is scored twice"),
        ("limit = 2\n", "limit = 2\n[sizes.large.data.x]\ncount = 3\n", "a size changes the data 'x', which the study"),
        ('title = "Rates"', "", "Object missing required field `title`"),
        ("[arms.slow]", '[arms."../up"]', "Expected `str` matching regex"),
        ("seeds = 2", "seeds = 2000", "Expected `int` <= 1000"),
        ("seeds = 2", "seeds = = 2", "is not a sound one"),
        ("limit = 1\n", "limit = 1\nwhere = 3\n", "Object contains unknown field `where`"),
    ],
)
def test_an_unsound_study_is_refused(shell, old, new, fault):
    assert old in STUDY
    (shell.folder / "study.toml").write_text(STUDY.replace(old, new))
    outcome = study(shell)
    assert outcome.code == 2
    assert fault in outcome.err
    assert not (shell.folder / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('chain = "tint(model={model})"', 'chain = "tint(((model={model})"', "tint((("),
        ('chain = "tint(model={model})"', 'chain = "tnt(model={model})"', "tnt"),
        ('method = "tint"', 'method = "tnt"', "tnt"),
        ("psnr", "pnsr", "pnsr"),
        ("[arms.slow]", f"[data.more]\n{COLUMN}\n[arms.slow]", "no method 'egdes'"),
    ],
)
def test_what_cannot_be_scored_or_made_is_refused_before_anything_is_trained(shell, old, new, fault):
    (shell.folder / "study.toml").write_text(STUDY.replace(old, new))
    outcome = study(shell)
    assert outcome.code == 2
    assert fault in outcome.err
    assert "Traceback" not in outcome.err
    assert not (shell.folder / "out").exists()


def test_a_protocol_has_a_largest_size(shell):
    (shell.folder / "study.toml").write_text(STUDY + "#" * protocol.MOST_BYTES)
    outcome = study(shell)
    assert (outcome.code, "larger than 1 MiB" in outcome.err) == (2, True)


def test_a_missing_study_is_refused(shell):
    with pytest.raises(UsageError, match=r"the study nowhere cannot be read"):
        read_study("nowhere")
