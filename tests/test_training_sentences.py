"""What training refuses, said in full; and its small parts, each by itself, at their limits and past them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from torch import nn

import tiny_training
from artkit.data import FolderDataset, open_dataset
from artkit.errors import ArtkitError, OptionError, PluginError, TrainingError, UsageError
from artkit.hookspecs import hookimpl
from artkit.images import resize_image
from artkit.models import Model, load_model
from artkit.plugins import PluginSource, current_registry, load_registry, use_registry
from artkit.runs.record import read_record
from artkit.runs.tables import CsvLog
from artkit.spec import Kind, ModelHeader
from artkit.training import NullReporter, Restart, Settings, Trainer, scale_to_crop, train, trim
from artkit.training.checking import blame_trainer
from artkit.training.exporting import export_trainer
from artkit.training.guard import Diverged, Guard
from artkit.training.run import _check_folder, _check_load, _run, _validation, split_values
from artkit.training.starting import load_start, starting_options

DATA = "landscapes(count=3,size=[16,16])"


@pytest.fixture(autouse=True)
def registry():
    """Know the tiny method."""
    found = load_registry()
    found.add(PluginSource("tiny", lambda: Tiny))
    use_registry(found)
    yield found
    use_registry(None)


class Tiny:
    @staticmethod
    @hookimpl
    def register_methods():
        return [tiny_training.SPEC]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    for index in range(3):
        for column in ("photo", "painting"):
            (root / column).mkdir(exist_ok=True)
            Image.new("RGB", (16, 16), (50 * index, 0, 0)).save(root / column / f"{index}.png")
    return str(root)


def said(call, kind=ArtkitError):
    """Return the sentence that a call ends in."""
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def tint(**settings):
    torch.manual_seed(0)
    values = {"steps": 8, "crop": 16, "batch": 2, **settings}
    given, options = split_values(tiny_training.SPEC, tiny_training.TintTrainer, values)
    return tiny_training.TintTrainer(options, given, open_dataset(DATA, "train"))


def test_values_are_settings_by_name(tmp_path):
    for wrong, name in (([], "list"), ("steps", "str"), (3, "int")):
        told = said(lambda wrong=wrong: train("tint", DATA, tmp_path / "run", values=wrong), UsageError)
        assert told == f"values are settings by name, such as {{'steps': 100}}, not {name}."
    told = said(lambda: split_values(tiny_training.SPEC, tiny_training.TintTrainer, {"stepps": 3}), UsageError)
    assert told == "training tint has no option 'stepps'. Did you mean 'steps'?"
    assert said(lambda: tint(steps="few")) == "training tint(steps='few'): expected whole number from 1."
    assert said(lambda: train("tint", 3, tmp_path)) == "data is a path, as text or Path, not int."
    assert said(lambda: train("tint", DATA, 3)) == "run is a path, as text or Path, not int."
    assert not (tmp_path / "run").exists()


def test_methods_that_do_not_learn_name_those_that_do(tmp_path):
    trainable = [name for name, spec in current_registry().methods.items() if spec.trainer]
    assert len(trainable) > 8
    assert said(lambda: train("nst", DATA, tmp_path), UsageError) == (
        f"nst has nothing to train. Methods that train: {', '.join(trainable)}."
    )


def test_folders_that_become_no_run(tmp_path):
    run, file = tmp_path / "run", tmp_path / "file"
    _check_folder(run)
    run.mkdir()
    _check_folder(run)
    (run / "run.json").touch()
    _check_folder(run)  # it never came to its first checkpoint
    (run / "checkpoint.pt").touch()
    assert said(lambda: _check_folder(run)) == (
        f"{run} holds a run already: add --resume to go on with it, or give another folder."
    )
    file.touch()
    assert said(lambda: _check_folder(file)) == f"{file} is a file; a run needs a folder: -o RUN"
    assert said(lambda: _check_folder(tmp_path)) == (
        f"{tmp_path} is not empty and holds no run: give a new folder with -o."
    )
    assert said(lambda: read_record(tmp_path)) == f"{tmp_path} is not a training run: it has no readable run.json."


def test_a_resumed_run_stays_what_it_was(pairs, tmp_path):
    values = {"steps": 2, "crop": 16, "batch": 1, "seed": 4}
    train("tint", pairs, tmp_path / "run", values=values)
    record = read_record(tmp_path / "run")
    assert (record.method, record.data, record.values) == ("tint", pairs, values)
    for method, changes, sentence in (
        ("semgan", {}, "is a run of tint, not of semgan: artkit train -o {} --resume"),
        (
            "tint",
            {"batch": 3},
            "was started with batch=1, and a resumed run keeps it: leave batch out, or start another run.",
        ),
    ):
        told = said(lambda m=method, c=changes: train(m, "", tmp_path / "run", values=c, resume=True), UsageError)
        assert told == f"{tmp_path / 'run'} {sentence.format(tmp_path / 'run')}"
    changes = {
        "steps": 3,
        "device": "cpu",
        "log_every": 1,
        "sample_every": 1,
        "checkpoint_every": 1,
        "seed": 4,
        "batch": 1,
    }
    model = train("tint", "", tmp_path / "run", values=changes, resume=True)
    expected = {**values, **{name: changes[name] for name in changes if name not in ("seed", "batch")}}
    assert read_record(tmp_path / "run").values == expected
    assert load_model(model).header.training["steps"] == 3


def test_a_restart_of_another_seed_is_no_change_that_a_resumed_run_refuses(pairs, tmp_path):
    train("tint", pairs, tmp_path / "run", values={"steps": 1, "crop": 16, "seed": 4})
    train("tint", "", tmp_path / "run", values={"steps": 2, "seed": 9}, resume=True)
    assert read_record(tmp_path / "run").values["seed"] == 4


@pytest.mark.parametrize(("load", "crop", "told"), [(15, 16, True), (16, 16, False), (0, 16, False), (17, 16, False)])
def test_what_is_loaded_is_no_less_than_what_is_cropped(load, crop, told):
    def check():
        _check_load(open_dataset(DATA, "train"), Settings(load_size=load, crop=crop), NullReporter())

    if told:
        assert said(check, UsageError) == "load_size=15 leaves less of a picture than crop=16 takes: raise it."
    else:
        check()


@pytest.mark.parametrize(("load", "advised"), [(0, True), (16, False)])
def test_large_pictures_in_small_crops_are_worth_a_note(tmp_path, load, advised, monkeypatch):
    notes, asked = [], []
    monkeypatch.setattr(FolderDataset, "sizes", lambda self, count: [count])
    monkeypatch.setattr("artkit.training.run.advise_load", lambda *about: asked.append(about) or "Scale!")
    (tmp_path / "photo").mkdir()
    for index in range(2):
        Image.new("RGB", (30, 20)).save(tmp_path / "photo" / f"{index}.png")
    _check_load(
        open_dataset(str(tmp_path), "train"), Settings(load_size=load, crop=16), SimpleNamespace(note=notes.append)
    )
    assert (notes, asked) == ((["Scale!"], [([16], 16)]) if advised else ([], []))


def test_previews_are_of_what_is_held_out_where_there_is_any(tmp_path):
    for split, level in (("train", 10), ("val", 90)):
        (tmp_path / split / "photo").mkdir(parents=True)
        Image.new("RGB", (40, 30), (level, 0, 0)).save(tmp_path / split / "photo" / "1.png")
    held_out = _validation(str(tmp_path), Settings(load_size=20))
    assert held_out.load(0, ["photo"])["photo"].max() == 90
    assert _validation(str(tmp_path / "train" / "photo"), Settings()) is None


@pytest.mark.parametrize(
    ("crop", "multiple", "least", "fitting"),
    [
        (16, 4, 16, None),
        (16, 16, 1, None),
        (18, 4, 1, 16),
        (19, 4, 1, 20),
        (12, 4, 16, 16),
        (16, 4, 17, 20),
        (8, 16, 1, 16),
        (24, 16, 40, 48),
    ],
)
def test_crops_that_do_not_fit_are_told_with_one_that_does(crop, multiple, least, fitting):
    trainer = SimpleNamespace(settings=Settings(crop=crop))
    if fitting is None:
        Trainer.check_crop(trainer, multiple, least)
        return
    assert said(lambda: Trainer.check_crop(trainer, multiple, least), OptionError) == (
        f"crop={crop} does not fit the networks: try {fitting}, or another multiple of {multiple}."
    )


def test_a_crop_of_any_length_fits_where_nothing_is_asked():
    Trainer.check_crop(SimpleNamespace(settings=Settings(crop=9)), 1)
    Trainer.check_crop(SimpleNamespace(settings=Settings(crop=9)), 9)


@pytest.mark.parametrize(
    ("steps", "decay_from", "rates"),
    [
        (10, 0.0, {0: 1.0, 5: 0.5, 9: 0.1, 10: 0.0}),
        (10, 0.8, {0: 1.0, 7: 1.0, 8: 1.0, 9: 0.5, 10: 0.0}),
        (10, 1.0, {0: 1.0, 9: 1.0, 10: 0.0}),
        (1, 0.9, {0: 1.0, 1: 0.0}),
    ],
)
def test_rates(steps, decay_from, rates):
    settings = Settings(steps=steps, decay_from=decay_from)
    assert {step: settings.rate(step) for step in rates} == pytest.approx(rates)


@pytest.mark.parametrize(
    ("height", "width", "size"), [(20, 30, (10, 15)), (30, 20, (15, 10)), (5, 6, (10, 12)), (7, 9, (10, 13))]
)
def test_a_picture_is_scaled_until_its_shorter_side_is_the_crops(height, width, size):
    picture = torch.randint(256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    scaled = scale_to_crop({"photo": picture, "name": "a"}, "photo", 10)
    expected = (resize_image(picture[None].float() / 255, size)[0] * 255).round()
    assert torch.equal(scaled["photo"], expected.to(torch.uint8))
    assert (scaled["name"], scaled["photo"].dtype) == ("a", torch.uint8)


def test_a_picture_of_the_crops_size_is_left_alone():
    picture = torch.zeros(3, 10, 12, dtype=torch.uint8)
    assert scale_to_crop({"photo": picture}, "photo", 10)["photo"] is picture


@pytest.mark.parametrize(
    ("side", "multiple", "cut"), [(8, 4, 8), (9, 4, 8), (11, 4, 8), (4, 4, 4), (3, 4, 4), (1, 4, 4)]
)
def test_previews_are_cut_to_multiples(side, multiple, cut):
    for value in (torch.zeros(2, 3, side, 8), torch.zeros(2, 3, 8, side), torch.zeros(2, side, 8)):
        whole = [8 if length == 8 and side != 8 else cut if length == side else length for length in value.shape[1:]]
        assert list(trim(value, multiple).shape[-2:]) == whole[-2:]


def test_models_that_a_run_does_not_start_from(tmp_path):
    trainer = tint()
    header = ModelHeader(method="tint", architecture="t", inputs={}, output=Kind.IMAGE)
    path = tmp_path / "old.safetensors"
    told = said(lambda: load_start(trainer, Model(header, {"encoder.w": torch.ones(1)}, path)), TrainingError)
    assert told == f"start={path} holds no network that is trained here: {' or '.join(trainer.networks)}."
    wrong = {f"generator.{name}": torch.zeros(9, 9) for name in trainer.networks["generator"].state_dict()}
    told = said(lambda: load_start(trainer, Model(header, wrong, path)), TrainingError)
    assert told.startswith(f"start={path}: its generator is not the one in training; misshaped: ")
    assert told.endswith(
        ". Leave out options of networks, which the model brings along, or check that the data has its channels."
    )


def test_options_of_a_model_stand_where_none_are_given(monkeypatch):
    class Knowing(tiny_training.TintTrainer):
        @classmethod
        def options_of(cls, model):
            return {"width": 4, "depth": model}

    monkeypatch.setattr("artkit.training.starting.starting_model", lambda spec, start: f"{spec.name} of {start}")
    given = {"start": "old", "width": 8}
    assert starting_options(tiny_training.SPEC, Knowing, given) == given | {"depth": "tint of old"}
    for without in ({"width": 8}, {"width": 8, "start": ""}):
        assert starting_options(tiny_training.SPEC, Knowing, without) == without


def test_a_model_says_how_it_was_made(tmp_path):
    trainer = tint(seed=3, name="sea", licence="CC0-1.0", load_size=20)
    export_trainer(trainer, "/some/where/pictures", tmp_path / "m.safetensors")
    header = load_model(tmp_path / "m.safetensors").header
    made = {"data": "pictures", "steps": 8, "batch": 2, "crop": 16, "load_size": 20, "seed": 3}
    assert (header.name, header.licence) == ("sea", "CC0-1.0")
    assert made.items() <= header.training.items()
    export_trainer(tint(), "pictures", tmp_path / "m.safetensors")
    header = load_model(tmp_path / "m.safetensors").header
    assert "load_size" not in header.training
    own, _ = tint().export()
    assert (header.name, header.licence) == (own.name, own.licence)


@pytest.mark.parametrize("strict", [False, True])
def test_whose_fault_a_step_is(strict, monkeypatch):
    monkeypatch.setenv("ARTKIT_STRICT", str(int(strict)))
    trainer = tint()
    trainer.step = 7

    def fail(error):
        with blame_trainer(trainer):
            raise error

    assert said(lambda: fail(MemoryError()), TrainingError) == ("step 7 ran out of memory: lower --batch or --crop.")
    for own in (Restart("lost"), UsageError("as it is")):
        assert said(lambda own=own: fail(own), type(own)) == str(own)
    if strict:
        assert said(lambda: fail(KeyError("lake")), KeyError) == "'lake'"
    else:
        assert said(lambda: fail(KeyError("lake")), PluginError) == (
            "tiny_training.TintTrainer failed in step 7: KeyError: 'lake'. ARTKIT_STRICT=1 shows where."
        )


def test_a_run_that_is_lost(capsys):
    notes = []

    def lost(seed, count=1):
        def run():
            raise Restart("colours are inverted")

        return SimpleNamespace(
            run=run, note=notes.append, processes=SimpleNamespace(count=count), settings=SimpleNamespace(seed=seed)
        )

    assert said(lambda: _run(lost(0, 2), lost), TrainingError) == (
        "colours are inverted: start anew with another --seed."
    )
    assert said(lambda: _run(lost(5), lost), TrainingError) == (
        "colours are inverted, with 4 seeds in a row: try other data or settings."
    )
    lines = [f"artkit: warning: colours are inverted: starting anew with seed {seed}." for seed in (6, 7, 8)]
    assert capsys.readouterr().err.splitlines() == lines
    assert notes == [line.removeprefix("artkit: warning: ").rstrip(".") for line in lines]


@pytest.mark.parametrize(("value", "word"), [("nan", "NaN"), ("inf", "infinite"), ("-inf", "infinite"), ("1e30", None)])
def test_losses_that_are_no_numbers(value, word):
    losses = {"l1": 1.0, "gan": float(value)}
    for check in (Guard().check_numbers, Guard().check_row):
        if word:
            assert said(lambda check=check: check(losses, 9), Diverged) == f"the loss 'gan' became {word} at step 9"
        else:
            check(losses, 9)


def test_weights_that_are_no_numbers():
    sound, broken = nn.Linear(2, 2), nn.Linear(2, 2)
    broken.bias.data[1] = float("nan")
    Guard().check_weights({"generator": sound, "empty": nn.Identity()}, 9)
    told = said(lambda: Guard().check_weights({"generator": sound, "discriminator": broken}, 9), Diverged)
    assert told == "the weights of the discriminator became NaN at step 9"


def test_a_discriminator_has_won_after_three_rows_of_nothing():
    guard = Guard()
    for value in (0.0009, 0.0, 0.001, 0.0, 0.0):  # the third row is just high enough
        guard.check_row({"discriminator_a": value, "l1": 0.0}, 1)
    state = guard.state()
    assert said(lambda: guard.check_row({"discriminator_a": 0.0}, 8), Diverged) == (
        "the loss 'discriminator_a' stayed below 0.001 until step 8: it has collapsed"
    )
    other = Guard()
    other.load_state(state)
    assert (other.rollbacks, other.low) == (0, {"discriminator_a": 2})
    with pytest.raises(Diverged):
        other.check_row({"discriminator_a": 0.0}, 8)


def test_a_rate_is_halved_for_every_time_that_a_run_went_back():
    guard = Guard()
    assert guard.factor == 1
    guard.rollbacks = 3
    assert (guard.factor, guard.state()["rollbacks"]) == (0.125, 3)


def test_a_log_has_six_digits(tmp_path):
    log = CsvLog(tmp_path / "log.csv", 0)
    log.add(1, {"l1": 1 / 3, "gan": 12345678.0})
    assert (tmp_path / "log.csv").read_text().split() == ["step,l1,gan", "1,0.333333,1.23457e+07"]


def test_a_trainer_averages_its_generator_and_updates_by_name():
    trainer = tint()
    assert (Trainer.averaged, Trainer.unpaired, Trainer.defaults) == (("generator",), False, {})
    assert (trainer.step, trainer.averages, trainer.balance) == (0, {}, None)
    assert trainer.exported("generator") is trainer.networks["generator"]
    trainer.averages = {"generator": nn.Linear(1, 1)}
    assert trainer.exported("generator") is trainer.averages["generator"]
    assert trainer.extra_state() == {}
    assert set(trainer.exported_tensors()) == {"generator.weight", "generator.bias"}


@pytest.mark.parametrize(("r1", "asked"), [(0.0, []), (2.0, [16])])
def test_a_penalty_is_due_once_in_sixteen_steps_unless_told(monkeypatch, r1, asked):
    seen = []
    monkeypatch.setattr("artkit.training.trainer.is_penalty_due", lambda every: seen.append(every) or False)
    trainer = tint()
    trainer.networks["discriminator"] = nn.Conv2d(3, 1, 1)
    trainer.optimisers["discriminator"] = torch.optim.SGD(trainer.networks["discriminator"].parameters(), lr=0.1)
    real, fake = torch.rand(2, 1, 3, 4, 4)
    trainer.update_discriminator("discriminator", real, fake, "hinge", **({"r1": r1} if r1 else {}))
    assert seen == asked
