"""When a run does what: who is told of which step, what is written when, at which rate it learns, and what it opens."""

from __future__ import annotations

import json
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import tiny_training
from artkit import __version__
from artkit.hookspecs import hookimpl
from artkit.images import read_picture
from artkit.models import load_model
from artkit.plugins import PluginSource, load_registry, use_registry
from artkit.runs.record import read_record as read_run
from artkit.training import NullReporter, Restart, Settings, export_run, run as running, train
from artkit.training.checkpoint import save_checkpoint
from artkit.training.loop import Loop
from artkit.training.run import ADJUSTABLE

VALUES = {"steps": 5, "crop": 16, "batch": 2, "log_every": 2, "sample_every": 3, "checkpoint_every": 4}
VALUES |= {"precision": "fp32", "learning_rate": 0.01, "ema": 0.5}
EVENTS = []


class Heard(NullReporter):
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def start(self, total, done):
        self.told.append(("start", total, done))

    def tick(self, step):
        self.told.append(("tick", step))

    def step(self, step, losses, images_per_second, eta):
        self.told.append(("step", step, sorted(losses), images_per_second, eta))

    def sheet(self, path):
        self.told.append(("sheet", path.name))

    def note(self, text):
        self.told.append(("note", text))

    def end(self, path):
        self.told.append(("end", path.name))


class Tiny:
    @staticmethod
    @hookimpl
    def register_methods():
        return [tiny_training.SPEC]

    @staticmethod
    @hookimpl
    def training_event(event):
        EVENTS.append((event.kind, event.step, sorted(event.losses), event.run.name))


@pytest.fixture(autouse=True)
def registry():
    found = load_registry()
    found.add(PluginSource("tiny", lambda: Tiny))
    use_registry(found)
    EVENTS.clear()
    yield found
    use_registry(None)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    chance = np.random.default_rng(0)
    for column in ("photo", "painting"):
        (root / "train" / column).mkdir(parents=True)
        for index in range(6):
            pixels = chance.integers(0, 256, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / "train" / column / f"{index}.png")
    return root


@pytest.fixture
def clock(monkeypatch):
    """Let each look at the clock be half a second after the last."""
    now = [0.0]

    def tick():
        now[0] += 0.5
        return now[0]

    monkeypatch.setattr("artkit.training.meter.time.monotonic", tick)


@pytest.mark.usefixtures("clock")
def test_everything_comes_on_schedule_and_at_the_end(pairs, tmp_path):
    heard = Heard()
    train("tint", pairs, tmp_path / "run", values=VALUES, reporter=heard)
    loss = ["distance"]
    assert heard.told == [
        ("start", 5, 0),
        ("note", "training on cpu in fp32"),
        ("tick", 1),
        ("tick", 2),
        ("step", 2, loss, 2 * 2 / 0.5, 3 * 2 / 8),
        ("tick", 3),
        ("sheet", "000003.png"),
        ("tick", 4),
        ("step", 4, loss, 2 * 2 / 0.5, 1 * 2 / 8),
        ("tick", 5),
        ("step", 5, loss, 1 * 2 / 0.5, 0),
        ("sheet", "000005.png"),
        ("end", "model.safetensors"),
    ]
    assert [
        ("start", 0, [], "run"),
        ("step", 2, loss, "run"),
        ("sample", 3, [], "run"),
        ("step", 4, loss, "run"),
        ("checkpoint", 4, [], "run"),
        ("step", 5, loss, "run"),
        ("sample", 5, [], "run"),
        ("checkpoint", 5, [], "run"),
        ("end", 5, [], "run"),
    ] == EVENTS
    steps = [line.split(",")[0] for line in (tmp_path / "run" / "log.csv").read_text().splitlines()]
    assert steps == ["step", "2", "4", "5"]
    heard = Heard()
    train("tint", "", tmp_path / "run", values={"steps": 6}, resume=True, reporter=heard)
    assert heard.told[0] == ("start", 6, 5)
    assert ("tick", 6) in heard.told


def test_the_rate_and_the_average_follow_every_step(pairs, tmp_path, monkeypatch):
    rates, weights = [], []
    learn = tiny_training.TintTrainer.training_step

    def watched(self, batch):
        weights.append(self.networks["generator"].colour.detach().clone())
        rates.append((self.step, self.optimisers["generator"].param_groups[0]["lr"]))
        return learn(self, batch)

    monkeypatch.setattr(tiny_training.TintTrainer, "training_step", watched)
    model = train("tint", pairs, tmp_path / "run", values=VALUES | {"decay_from": 0.2})
    assert rates == [(step, pytest.approx(0.01 * factor)) for step, factor in enumerate((1, 1, 0.75, 0.5, 0.25))]
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    average = weights[0]
    for update, weight in enumerate([*weights[1:], state["networks"]["generator"]["colour"]], start=1):
        decay = min(0.5, (1 + update) / (10 + update))
        average = decay * average + (1 - decay) * weight
    torch.testing.assert_close(state["averages"]["generator"]["module"]["colour"], average)
    torch.testing.assert_close(load_model(model).tensors["generator.colour"], average.half().float())
    for seed in (0, 1):
        train("tint", pairs, tmp_path / f"plain{seed}", values=VALUES | {"ema": 0.0, "seed": seed, "steps": 1})
        assert torch.load(tmp_path / f"plain{seed}" / "checkpoint.pt", weights_only=True)["averages"] == {}


def test_a_sheet_has_four_rows_of_whole_pictures(pairs, tmp_path):
    train("tint", pairs, tmp_path / "run", values=VALUES | {"steps": 1})
    sheet = read_picture(tmp_path / "run" / "samples" / "000001.png")
    assert sheet.size == (4 * 24 + 4, 3 * 28 + 4)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_networks_compute_in_the_arithmetic_that_is_asked_for(pairs, tmp_path, monkeypatch, precision):
    seen = []
    for name in ("training_step", "preview"):
        work = getattr(tiny_training.TintTrainer, name)

        def watched(self, batch, work=work, name=name):
            dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32
            seen.append((name, dtype, torch.is_inference_mode_enabled(), batch["photo"].dtype))
            return work(self, batch)

        monkeypatch.setattr(tiny_training.TintTrainer, name, watched)
    heard = Heard()
    train("tint", pairs, tmp_path / "run", values=VALUES | {"steps": 1, "precision": precision}, reporter=heard)
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
    assert seen == [("training_step", dtype, False, torch.float32), ("preview", dtype, True, torch.float32)]
    assert ("note", f"training on cpu in {precision}") in heard.told


def test_ctrl_c_ends_the_step_at_hand_and_leaves_a_checkpoint(pairs, tmp_path, monkeypatch):
    learn = tiny_training.TintTrainer.training_step
    loops = []
    monkeypatch.setattr("artkit.training.loop.stop_on_interrupt", lambda ask: loops.append(ask) or nullcontext())

    def interrupted(self, batch):
        if self.step == 2:
            loops[0]()
        return learn(self, batch)

    monkeypatch.setattr(tiny_training.TintTrainer, "training_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train("tint", pairs, tmp_path / "run", values=VALUES)
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 3
    assert [kind for kind, *_ in EVENTS] == ["start", "step", "sample", "checkpoint"]
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_data_are_opened_for_what_they_are_resized_to(pairs, tmp_path, monkeypatch):
    opened, open_dataset = [], running.open_dataset

    def watched(data, split, *, at_least):
        opened.append((data, split, at_least))
        return open_dataset(data, split, at_least=at_least)

    monkeypatch.setattr(running, "open_dataset", watched)
    train("tint", pairs, tmp_path / "run", values=VALUES | {"steps": 1, "load_size": 18})
    assert opened == [(str(pairs), "train", 36), (str(pairs), "val", 36)]


@pytest.mark.parametrize("data", ["folder", "made"])
def test_a_run_remembers_what_it_was_started_with(pairs, tmp_path, monkeypatch, data):
    monkeypatch.chdir(pairs.parent)
    given = pairs.name if data == "folder" else "landscapes(count=2,size=[16,16],styles=[ink],label=false)"
    loop = SimpleNamespace(
        run_directory=tmp_path,
        trainer=SimpleNamespace(settings=Settings(steps=1), options=tiny_training.TintTraining()),
        device=torch.device("cpu"),
        precision="bf16",
        processes=SimpleNamespace(count=3),
    )
    running._write_run(loop, "tint", given, {"steps": 1})
    record = json.loads((tmp_path / "run.json").read_text())
    expected = {"method": "tint", "data": str(pairs) if data == "folder" else given, "values": {"steps": 1}}
    assert expected.items() <= record.items()
    assert (record["settings"]["steps"], record["settings"]["batch"], record["settings"]["pause"]) == (1, 1, 0.0)
    about = {"artkit": __version__, "torch": torch.__version__, "device": "cpu", "precision": "bf16", "processes": "3"}
    assert about.items() <= record["environment"].items()
    assert read_run(tmp_path).values == {"steps": 1}
    assert ADJUSTABLE == ("steps", "patience", "device", "log_every", "sample_every", "checkpoint_every")


def test_a_run_that_is_lost_starts_anew_with_the_next_seed_and_remembers_that(pairs, tmp_path, monkeypatch, capsys):
    learn = tiny_training.TintTrainer.training_step

    def lost(self, batch):
        if self.settings.seed < 5 and self.step == 3:
            raise Restart("it is lost")
        return learn(self, batch)

    monkeypatch.setattr(tiny_training.TintTrainer, "training_step", lost)
    model = train("tint", pairs, tmp_path / "run", values=VALUES | {"seed": 3, "checkpoint_every": 2})
    assert load_model(model).header.training["seed"] == 5
    assert read_run(tmp_path / "run").values["seed"] == 5
    assert capsys.readouterr().err.count("it is lost: starting anew with seed") == 2


def test_a_model_is_exported_of_the_last_checkpoint(pairs, tmp_path):
    model = train("tint", pairs, tmp_path / "run", values=VALUES)
    assert export_run(tmp_path / "run", tmp_path / "again.safetensors") == tmp_path / "again.safetensors"
    assert (tmp_path / "again.safetensors").read_bytes() == model.read_bytes()
    assert load_model(model).header.training["data"] == pairs.name


@pytest.mark.parametrize(("rank", "share"), [(0, range(0, 4)), (1, range(4, 8)), (2, range(8, 12))])
def test_each_process_computes_its_own_part_of_a_step(rank, share):
    asked = []
    processes = SimpleNamespace(rank=rank, share_of=lambda batch: asked.append(batch) or batch // 3)
    loop = SimpleNamespace(settings=SimpleNamespace(batch=6, pictures=12), processes=processes)
    assert Loop._share(loop) == share
    assert asked == [6, 12]


def test_only_the_first_process_writes(pairs, tmp_path, monkeypatch):
    second = SimpleNamespace(first=False, count=1, rank=0, gather=lambda state: [state])
    trainer = SimpleNamespace(extra_state=dict, networks={}, optimisers={})
    save_checkpoint(tmp_path / "x.pt", trainer, {}, 1, second)
    assert not (tmp_path / "x.pt").exists()
    loop = SimpleNamespace(run_directory=tmp_path, step=1, processes=second)
    Loop._tell(loop, "end")
    assert EVENTS == []
    loop.processes = SimpleNamespace(first=True)
    Loop._tell(loop, "end")
    assert [("end", 1, [], tmp_path.name)] == EVENTS
