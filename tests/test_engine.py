"""The local engine with one-file plugins: seeds, kinds, nested chains, failures, provenance, streams."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import artkit
from artkit import Chain, ChainError, ImageError, ModelError, PluginError, UsageError
from artkit.chain.planning import plan_chain
from artkit.engine import Job, Runner, devices, loading, pick_device, pick_precision, run_jobs
from artkit.engine.loading import load_step
from artkit.images import read_picture, read_provenance, write_picture
from artkit.models import load_model, model_hash, read_header, save_model
from artkit.models.store import find_model
from artkit.plugins import current_registry, resolve
from engine_kit import grey, load_plugin

plugin = pytest.fixture(autouse=True)(load_plugin)


def test_a_chain_from_an_array():
    out = Chain("invert,invert,invert")(grey(55))
    assert np.array_equal(out.numpy(), grey(200))


def test_the_same_seed_dreams_the_same_picture():
    dream = Chain("dream,invert")
    one, again, two = (dream(seed=seed, size=(7, 5)).numpy() for seed in (1, 1, 2))
    assert one.shape == (5, 7, 3)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, two)


def test_steps_of_one_chain_draw_differently_and_a_step_may_keep_its_seed():
    one, two = (Chain("dream(seed=9)")(seed=seed, size=(4, 4)).numpy() for seed in (1, 2))
    assert np.array_equal(one, two)


def test_ports_take_files_pictures_and_chains(tmp_path):
    write_picture(read_picture(grey(100)), tmp_path / "style.png")
    chain = Chain("mix(strength=1)")
    from_file = chain(grey(0), style=tmp_path / "style.png")
    assert np.array_equal(from_file.numpy(), chain(grey(0), style=read_picture(grey(100))).numpy())
    assert from_file.provenance["ports"] == {"style": "style.png"}


def test_a_nested_chain_runs_once_while_its_seed_stays():
    import engine_methods

    plan = plan_chain(Chain("mix(style=[dream,invert])"), current_registry(), has_input=True)
    runner = Runner(plan)
    picture = read_picture(grey(0))
    first, again = (runner.run(picture, seed=3)[-1].picture.numpy() for _ in range(2))
    assert np.array_equal(first, again)
    assert len(engine_methods.RUNS) == 1
    runner.run(picture, seed=4)
    assert len(engine_methods.RUNS) == 2


def test_a_nested_chain_with_seeds_of_its_own_runs_once():
    import engine_methods

    runner = Runner(plan_chain(Chain("mix(style=[dream(seed=2)])"), current_registry(), has_input=True))
    for seed in range(3):
        runner.run(read_picture(grey(0)), seed=seed)
    assert len(engine_methods.RUNS) == 1


def test_a_port_that_varies_gives_each_picture_a_chain_of_its_own():
    """One seed for a folder: without `vary` all share a style; with it each has its own, by its pixels alone."""
    pictures = [read_picture(grey(level)) for level in (0, 1)]

    def styles(text, pictures):
        runner = Runner(plan_chain(Chain(text), current_registry(), has_input=True))
        return [runner.run(one, seed=1)[-1].nested["style"][-1].picture.numpy() for one in pictures]

    shared = styles("mix(style=[dream])", pictures)
    assert np.array_equal(*shared)
    own = styles("mix(style=[dream],vary=style)", pictures)
    assert not np.array_equal(*own)
    assert np.array_equal(own[1], styles("mix(style=[dream],vary=style)", pictures[1:])[0])
    assert np.array_equal(own[1], styles("mix(style=[dream],vary=[style])", pictures)[1])


def test_a_picture_of_another_size_keeps_its_own_style():
    chain = Chain("mix(style=[dream],vary=style,strength=1)")
    whole, small = chain(grey(9)).numpy(), chain(grey(9), size=(3, 2)).numpy()
    assert np.array_equal(whole[0, 0], small[0, 0])


def test_size_resizes_the_input_first():
    assert Chain("invert")(grey(9), size=(3, 2)).size == (2, 3)


def test_alpha_travels_along():
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[..., 3] = 77
    out = Chain("invert")(pixels)
    assert np.array_equal(np.array(out.to_pil())[..., 3], pixels[..., 3])


def test_a_crash_names_method_and_plugin():
    with pytest.raises(PluginError, match=r"crash \(plugin 'engine_plugin'\) failed: .*the paint ran out"):
        Chain("invert,crash")(grey(0))


def test_strict_mode_lets_the_crash_through(monkeypatch):
    monkeypatch.setenv("ARTKIT_STRICT", "1")
    with pytest.raises(RuntimeError, match="paint"):
        Chain("crash")(grey(255))


def test_running_out_of_memory_says_what_to_type(monkeypatch):
    import engine_methods

    def full(self, context, *, image):
        raise MemoryError

    monkeypatch.setattr(engine_methods.Invert, "translate", full)
    with pytest.raises(ImageError, match="--size"):
        Chain("invert")(grey(0))


def test_a_chain_that_needs_a_picture_says_so():
    with pytest.raises(ChainError):
        Chain("invert")()


def test_a_stream_goes_on_past_bad_files(tmp_path):
    (tmp_path / "bad.png").write_text("no picture")
    for name, level in (("a.png", 0), ("b.png", 255), ("c.png", 20)):
        Image.fromarray(grey(level)).save(tmp_path / name)
    (tmp_path / "out").mkdir()
    runner = Runner(plan_chain(Chain("crash"), current_registry(), has_input=True))
    names = ["a.png", "bad.png", "b.png", "c.png"]
    jobs = [Job(tmp_path / name, tmp_path / "out" / name, 0, Path(name)) for name in names]
    results = list(run_jobs(runner, jobs))
    assert [result.error is None for result in results] == [True, False, False, True]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]
    record = read_provenance(tmp_path / "out" / "a.png")
    assert record["chain"] == "crash"
    assert record["seed"] == 0


def test_streams_do_not_overwrite(tmp_path):
    Image.fromarray(grey(1)).save(tmp_path / "a.png")
    runner = Runner(plan_chain(Chain("invert"), current_registry(), has_input=True))
    (result,) = run_jobs(runner, [Job(tmp_path / "a.png", tmp_path / "a.png", 0, Path("a.png"))])
    assert "a.png" in str(result.error)
    assert np.array_equal(np.array(Image.open(tmp_path / "a.png")), grey(1))


def test_a_size_may_be_as_large_as_the_limit(monkeypatch):
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "1369")
    assert Chain("invert")(grey(20), size=(37, 37)).size == (37, 37)
    with pytest.raises(ImageError, match=r"^38x37 are more pixels than the limit of 1369: give a smaller --size"):
        Chain("invert")(grey(20), size=(38, 37))


def test_load_finds_models_by_name_and_says_what_is_missing(tmp_path):
    with pytest.raises(ModelError, match="artkit models"):
        artkit.load("pix2pix/nowhere")
    with pytest.raises(ModelError):
        artkit.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "tpu", "meta"])
def test_unknown_devices_are_refused(name):
    with pytest.raises(UsageError, match=name):
        pick_device(name)


def test_cards_are_counted_from_0_and_a_mac_has_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("auto") == pick_device("cuda") == torch.device("cuda")
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(UsageError, match="no device 'cuda:2'"):
        pick_device("cuda:2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(devices, "_has_mps", lambda: True)
    assert pick_device("auto") == pick_device("mps") == torch.device("mps")


def test_precisions():
    cpu = torch.device("cpu")
    assert pick_precision("fp32", cpu) == "fp32"
    assert pick_precision("auto", cpu) in ("fp32", "bf16")
    with pytest.raises(UsageError, match=r"^fp16 needs a GPU: use --precision bf16 or fp32 on the CPU\.$"):
        pick_precision("fp16", cpu)
    with pytest.raises(UsageError, match="bf16"):
        pick_precision("bf61", cpu)


def test_bf16_stays_near_fp32():
    fine, coarse = (Chain("invert")(grey(37), precision=name).numpy().astype(int) for name in ("fp32", "bf16"))
    assert np.abs(fine - coarse).max() <= 1


def test_the_report_tells_of_cores_left_idle(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(devices, "_has_mps", lambda: False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # then torch takes a thread a physical core: as it should be
    report = devices.report()
    assert [*report] == ["torch", "device", "cuda", "mps", "cpu", "threads", "precision", "memory", "slow"]
    assert report["slow"][0] == "no GPU was found: networks run on the CPU"
    assert not any("cores" in reason for reason in report["slow"])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert "OMP_NUM_THREADS=1 keeps networks from using all 64 cores" in devices.report()["slow"]


def test_a_result_remembers_what_made_it(tmp_path):
    path = write_picture(read_picture(grey(100)), tmp_path / "photo.png")
    record = Chain("invert")(str(path), seed=3).provenance
    assert (record["chain"], record["seed"], record["version"]) == ("invert", 3, artkit.__version__)
    assert record["input"] == "photo.png"
    assert record["input_hash"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (record["torch"], record["device"]) == (torch.__version__, "cpu")
    assert record["precision"] == pick_precision("auto", torch.device("cpu"))
    assert record["plugins"] == {"engine_plugin": ""}
    assert str(tmp_path) not in str(record)
    assert Chain("invert")(path.read_bytes()).provenance["input_hash"] == record["input_hash"]
    assert "input" not in Chain("invert")(grey(1)).provenance


def test_a_streamed_result_keeps_the_picture_it_was_made_of_where_asked(tmp_path):
    Image.fromarray(grey(9)).save(tmp_path / "a.png")
    runner = Runner(plan_chain(Chain("invert"), current_registry(), has_input=True))
    jobs = [Job(tmp_path / "a.png", None, 0, Path("a.png"))]
    assert next(run_jobs(runner, jobs)).source is None
    (result,) = run_jobs(runner, jobs, keep_sources=True)
    assert np.array_equal(result.source.numpy(), grey(9))
    assert np.array_equal(result.picture.numpy(), grey(246))
    assert result.picture.provenance["input"] == "a.png"


@pytest.mark.parametrize(
    ("source", "label"), [(None, "seed 7"), (b"", "standard input"), (Path("a/b.png"), str(Path("a/b.png")))]
)
def test_a_job_is_called_after_its_source(source, label):
    assert Job(source, None, 7, Path("b.png")).label == label


@pytest.fixture
def paint_model(tmp_path):
    default = current_registry().method("touchup").default_model
    model = load_model(find_model("touchup", default, current_registry(), None))
    save_model(tmp_path / "m.safetensors", model.header, model.tensors)
    return tmp_path / "m.safetensors"


def test_a_model_is_hashed_and_its_header_read_once(paint_model, tmp_path, monkeypatch):
    """However many pictures; and the hash is that of the weights in use, whatever becomes of the file."""
    hashed, headers = [], []
    monkeypatch.setattr(loading, "model_hash", lambda path: hashed.append(path) or model_hash(path))
    monkeypatch.setattr("artkit.models.opening.read_header", lambda path: headers.append(path) or read_header(path))
    monkeypatch.setattr("artkit.models.file.read_header", lambda path: headers.append(path) or read_header(path))
    digest = model_hash(paint_model)
    plan = plan_chain(Chain(f"touchup(model='{paint_model}')"), current_registry(), has_input=True)
    runner = Runner(plan)
    for name in ("a.png", "b.png"):
        Image.fromarray(grey(9)).save(tmp_path / name)
    jobs = [Job(tmp_path / name, tmp_path / f"out-{name}", 0, Path(name)) for name in ("a.png", "b.png")]
    for result in run_jobs(runner, jobs):
        assert result.error is None
        paint_model.write_bytes(b"gone")
        assert read_provenance(result.job.target)["models"] == {"touchup/m": digest}
    assert hashed == headers == [paint_model]


def test_a_runner_knows_the_hashes_of_its_models_before_any_picture(paint_model):
    plan = plan_chain(Chain(f"touchup(model='{paint_model}')"), current_registry(), has_input=True)
    assert Runner(plan).models == {"touchup/m": model_hash(paint_model)}


def test_a_model_that_changes_between_plan_and_load_is_refused(paint_model):
    plan = plan_chain(Chain(f"touchup(model='{paint_model}')"), current_registry(), has_input=True)
    os.utime(paint_model, ns=(1, 1))
    with pytest.raises(ModelError, match=r"m\.safetensors changed"):
        Runner(plan).load()


@pytest.mark.parametrize("reusable", [True, False])
def test_a_translator_that_reads_files_of_its_own_is_loaded_anew(reusable, monkeypatch):
    planned = plan_chain(Chain("invert"), current_registry(), has_input=True).steps[0]
    factory = resolve(planned.spec.translator, planned.plugin)
    monkeypatch.setattr(factory, "reusable", reusable)
    first, second = (load_step(planned, current_registry(), torch.device("cpu"), "fp32") for _ in range(2))
    assert (first.translator is second.translator) is reusable
