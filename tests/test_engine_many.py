"""Many pictures through one chain: batches that change no picture, order, failures, and what is read and written."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from artkit import Chain, ImageError, PluginError
from artkit.chain import plan_chain
from artkit.engine import Job, Runner, run_jobs, runner as running, stream, work as working
from artkit.engine.step import _stacked, place
from artkit.engine.work import StepResult, settle
from artkit.images import Picture, read_picture, write_picture
from artkit.nn.tiling import MOST_ALIVE, PART
from artkit.plugins import current_registry
from artkit.seeds import mix_seeds
from artkit.translator import Translator
from engine_kit import grey, load_plugin

plugin = pytest.fixture(autouse=True)(load_plugin)


def runner(text: str, has_input: bool = True, **ports) -> Runner:
    return Runner(plan_chain(Chain(text), current_registry(), has_input=has_input, ports=ports))


@pytest.fixture
def batches(monkeypatch):
    """Let every method compute up to four pictures at once, and note how many it did."""
    seen = []
    run = Translator.run

    def watched(self, ports, *, seeds, **how):
        seen.append(len(seeds))
        return run(self, ports, seeds=seeds, **how)

    monkeypatch.setattr(Translator, "run", watched)
    monkeypatch.setattr(Translator, "batch", 4)
    return seen


def jobs_of(levels, size=(6, 8), seed=0):
    return [
        Job(read_picture(grey(level, *size)), None, seed + index, Path(f"{index}.png"))
        for index, level in enumerate(levels)
    ]


@pytest.mark.parametrize("chain", ["rotate(angle=90)", "rectify"])
def test_steps_whose_pictures_bring_more_than_pixels_compute_each_by_itself(chain, batches):
    """What is clear in a picture goes with it, and a size that is found is one picture's own."""
    pixels = np.random.default_rng(0).integers(0, 256, (2, 12, 9, 4), dtype=np.uint8)
    one, pictures = runner(chain), [read_picture(each) for each in pixels]
    together = one.compute(pictures, [0, 1])
    assert set(batches) == {1}
    for made, picture in zip(together, pictures, strict=True):
        [alone] = one.compute([picture], [0])
        assert torch.equal(made[-1].picture.tensor, alone[-1].picture.tensor)
        turned = picture.alpha.rot90(1, (2, 3)) if chain != "rectify" else picture.alpha
        assert torch.equal(made[-1].picture.alpha, turned)


def test_pictures_are_read_into_pinned_memory_for_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor + 0.25)  # to be told by
    for pinned, level in ((False, 0.2), (True, 0.45)):
        read = stream._read(grey(51, 2, 2), None, (), pinned)
        torch.testing.assert_close(read.picture.tensor, torch.full((1, 3, 2, 2), level))
    assert stream._read(None, None, (), True) is None


def test_a_cuda_device_is_a_gpu_and_no_other(monkeypatch):
    one = runner("invert")
    assert one.on_gpu is False
    monkeypatch.setattr(one, "device", torch.device("cuda", 1))
    assert one.on_gpu is True


def test_a_cpu_computes_one_by_one_and_a_method_may_say_otherwise(monkeypatch):
    assert runner("invert").batch_limit(100) == 1
    monkeypatch.setattr(Translator, "batch", 7)
    one = runner("invert,mix(style=[dream])")
    assert one.batch_limit(100) == 7
    one._loaded[1].translator.batch = 2
    assert one.batch_limit(100) == 2


def test_a_gpu_computes_as_many_at_once_as_its_memory_takes(monkeypatch):
    monkeypatch.setattr(Runner, "on_gpu", True)
    one, pixels = runner("invert"), 1000
    for room, limit in ((0.5, 1), (1.5, 1), (5.5, 5), (400, running.MOST_AT_ONCE)):
        monkeypatch.setenv("ARTKIT_MEMORY", str(int(room * pixels * MOST_ALIVE / PART)))
        assert one.batch_limit(pixels) == limit


def test_a_picture_is_taken_to_a_device_with_its_alpha_and_only_where_it_is_not_there():
    far, tensor = torch.device("meta"), torch.rand(1, 3, 4, 5)
    clear = Picture(tensor, alpha=torch.rand(1, 1, 4, 5))
    assert place(clear, torch.device("cpu")) is clear
    moved = place(clear, far)
    assert (moved.tensor.device, moved.alpha.device, moved.size) == (far, far, (4, 5))
    assert place(Picture(tensor), far).alpha is None


def test_what_a_gpu_made_is_settled_with_the_seconds_of_its_own_clock(monkeypatch):
    class Event:
        waited = False

        def synchronize(self):
            self.waited = True

        def elapsed_time(self, ended):
            assert ended.waited
            return 6000.0

    near = read_picture(grey(7))
    monkeypatch.setattr(working, "place", lambda picture, device: near)
    far = Picture(torch.empty(1, 3, 2, 2, device="meta"))
    quick = StepResult(0, "dream", far, 0.5, batch=3, clock=(Event(), Event()))
    slow = StepResult(1, "mix", far, 2.5, nested={"style": [quick]}, batch=3, clock=(Event(), Event()))
    (made,) = settle([slow])
    fed = made.nested["style"][0]
    assert (made.seconds, fed.seconds) == (2.5, 2.0)
    assert (made.clock, fed.clock, made.picture, fed.picture) == (None, None, near, near)
    near = Picture(torch.full((1, 3, 2, 2), float("nan")))
    with pytest.raises(PluginError, match=r"^dream produced NaN"):
        settle([slow])


def test_pictures_of_one_size_are_computed_at_once_and_come_in_order(batches):
    levels = [3, 50, 7, 90, 11, 12]
    results = list(run_jobs(runner("invert"), jobs_of(levels)))
    assert batches == [4, 2]
    assert [int(result.picture.numpy()[0, 0, 0]) for result in results] == [255 - level for level in levels]
    assert [result.job.name for result in results] == [Path(f"{index}.png") for index in range(6)]


def test_another_size_begins_another_batch(batches):
    jobs = [*jobs_of([1, 2]), *jobs_of([3], (4, 4)), *jobs_of([4, 5])]
    results = list(run_jobs(runner("invert"), jobs))
    assert batches == [2, 1, 2]
    assert [result.picture.size for result in results] == [(6, 8), (6, 8), (4, 4), (6, 8), (6, 8)]


def test_dreams_are_batched_and_each_is_its_seeds(batches):
    jobs = [Job(None, None, seed, Path(f"{seed}.png")) for seed in (5, 6, 7)]
    made = [result.picture.numpy() for result in run_jobs(runner("dream", False), jobs, size=(5, 4))]
    assert batches == [3]
    for seed, picture in zip((5, 6, 7), made, strict=True):
        assert np.array_equal(picture, Chain("dream")(seed=seed, size=(5, 4)).numpy())


@pytest.mark.parametrize(
    "text",
    ["semgan,pix2pix,touchup", "pix2pix(condition=any,stochastic=true)", "cyclegan", "touchup,superres"],
)
def test_a_batch_is_its_pictures_one_by_one(text, batches):
    """Sums of other batch sizes round differently: within 1e-4, and label maps alike."""
    photo = Path(__file__).parents[1] / "examples" / "semantic.png"
    whole = read_picture(photo).tensor
    pictures = [read_picture(whole[..., top : top + 24, 2 * top : 2 * top + 32]) for top in (96, 104, 150)]
    together = runner(text).compute(pictures, [1, 2, 3])
    assert max(batches) == 3
    for picture, seed, steps in zip(pictures, (1, 2, 3), together, strict=True):
        for alone, among in zip(runner(text).run(picture, seed=seed), settle(steps), strict=True):
            assert torch.allclose(alone.picture.tensor, among.picture.tensor, atol=1e-4)
            assert alone.picture.classes == among.picture.classes
    assert all(steps[-1].picture.provenance["seed"] == seed for seed, steps in zip((1, 2, 3), together, strict=True))


def test_ports_of_a_batch_are_each_pictures_own(batches):
    chain = "mix(style=[dream],vary=style,strength=1)"
    levels = [5, 60, 200]
    made = list(run_jobs(runner(chain), [Job(one.source, None, 1, one.name) for one in jobs_of(levels)]))
    for level, result in zip(levels, made, strict=True):
        assert np.array_equal(result.picture.numpy(), Chain(chain)(grey(level), seed=1).numpy())
    styles = [result.steps[-1].nested["style"][-1].picture for result in made]
    assert len({style.numpy().tobytes() for style in styles}) == 3


def test_pictures_of_several_styles_that_do_not_fit_together_are_computed_alone(batches, monkeypatch):
    """Alpha and steps that only carry pictures are no reason to fail either."""
    sources = [read_picture(np.full((6, 8, 4), level, np.uint8)) for level in (1, 2)]
    made = list(run_jobs(runner("crop(width=4),invert"), [Job(one, None, 0, Path("a.png")) for one in sources]))
    assert [made_of.error for made_of in made] == [None, None]
    assert [int(np.array(result.picture.to_pil())[0, 0, 3]) for result in made] == [1, 2]


def test_every_picture_comes_with_its_facts_seed_and_name(batches, monkeypatch):
    import engine_methods

    contexts, facts = [], {"season": "winter"}
    invert = engine_methods.Invert.translate

    def watched(self, context, *, image):
        contexts.append((context.numbers, context.seeds, context.facts))
        return invert(self, context, image=image)

    monkeypatch.setattr(engine_methods.Invert, "translate", watched)
    chain, pictures = Chain("invert"), [grey(1), grey(2)]
    chain(pictures[0], seed=3, facts=facts)
    list(chain.stream(pictures, seed=3, facts=facts))
    chain.steps(pictures[0], seed=3, facts=facts)
    list(run_jobs(runner("invert"), jobs_of([1, 2], seed=3), facts=facts))
    seed, next_ = mix_seeds(3, 0), mix_seeds(4, 0)
    alone = ((3,), (seed,), (facts,))
    assert contexts[:3] == [alone, ((3, 3), (seed, seed), (facts, facts)), alone]
    assert contexts[3] == ((3, 4), (seed, next_), (facts, facts))


def test_one_picture_and_several_are_computed_on_the_device_and_in_the_arithmetic_chosen(monkeypatch):
    seen, run = [], Translator.run

    def watched(self, ports, **how):
        seen.append((how["device"], how["dtype"], how["memory"], how["size"]))
        return run(self, ports, **how)

    monkeypatch.setattr(Translator, "run", watched)
    monkeypatch.setattr(Runner, "_precision", lambda self, planned: "bf16")
    monkeypatch.setenv("ARTKIT_MEMORY", "3MB")
    one = Runner(plan_chain(Chain("invert"), current_registry(), has_input=True), device="cpu:0")
    for count in (1, 2):
        one.compute([read_picture(grey(1, 6, 8))] * count, range(count))
    assert seen == [(torch.device("cpu:0"), torch.bfloat16, 3_000_000, (6, 8))] * 2


def test_whoever_watches_hears_of_every_step():
    events = []
    runner("invert,mix(style=[dream],seed=4)").run(read_picture(grey(1)), seed=3, on_step=events.append)
    told = [(event.index, event.method, event.seed) for event in events]
    assert told == [(0, "invert", mix_seeds(3, 0)), (1, "mix", mix_seeds(4, 1))]
    assert all(event.seconds > 0 for event in events)


def test_ports_of_several_pictures_are_stacked_where_they_fit_together():
    one, two, wide = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 4)
    several = [{"image": one, "style": None, "name": ("a",)}, {"image": two, "style": None, "name": ("b",)}]
    stacked = _stacked(several)
    assert torch.equal(stacked.pop("image"), torch.cat([one, two]))
    assert stacked == {"style": None, "name": ("a", "b")}
    for odd in (wide, None):
        assert _stacked([{"image": one}, {"image": one}, {"image": odd}]) is None
    assert _stacked([{"style": None}, {"style": None}, {"style": one}]) is None


def test_a_bad_picture_of_a_batch_stops_only_itself(batches):
    results = list(run_jobs(runner("crash"), jobs_of([100, 250, 120])))
    assert [result.error is None for result in results] == [True, False, True]
    assert "the paint ran out" in str(results[1].error)
    assert batches == [3, 1, 1, 1]


def test_a_batch_too_large_for_the_memory_is_computed_one_by_one(batches, monkeypatch):
    import engine_methods

    invert = engine_methods.Invert.translate

    def narrow(self, context, *, image):
        if len(image) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return invert(self, context, image=image)

    monkeypatch.setattr(engine_methods.Invert, "translate", narrow)
    results = list(run_jobs(runner("invert"), jobs_of([1, 2])))
    assert [int(result.picture.numpy()[0, 0, 0]) for result in results] == [254, 253]
    made = runner("invert").compute([read_picture(grey(level, 6, 8)) for level in (1, 2)], [0, 1])
    assert [int(steps[-1].picture.numpy()[0, 0, 0]) for steps in made] == [254, 253]


def test_results_come_in_order_however_long_writing_takes(tmp_path, monkeypatch):
    """The first file is written only when the second is: both are under way at once, and the first comes first."""
    second = threading.Event()

    def write(picture, path, **how):
        if path.name == "0.png":
            assert second.wait(60)
        written = write_picture(picture, path, **how)
        if path.name == "1.png":
            second.set()
        return written

    monkeypatch.setattr(stream, "WRITERS", 2)
    monkeypatch.setattr(stream, "write_picture", write)
    jobs = [Job(grey(level), tmp_path / f"{level}.png", 0, Path(f"{level}.png")) for level in range(4)]
    results = list(run_jobs(runner("invert"), jobs))
    assert [(result.error, result.job) for result in results] == [(None, job) for job in jobs]
    assert [int(np.array(Image.open(job.target))[0, 0, 0]) for job in jobs] == [255, 254, 253, 252]


def test_few_pictures_are_held_at_once(monkeypatch):
    """Ten times as many pictures, and no more of them read ahead of what was delivered."""
    monkeypatch.setattr(stream, "WRITERS", 2)
    taken, most = [0], 0

    def jobs():
        for job in jobs_of(range(60)):
            taken[0] += 1
            yield job

    for delivered, _ in enumerate(run_jobs(runner("invert"), jobs())):
        most = max(most, taken[0] - delivered)
    assert most <= stream.READ_AHEAD + 2 + 2


def test_a_stream_that_nobody_reads_on_ends(tmp_path):
    before = set(threading.enumerate())  # of other tests, too
    results = run_jobs(runner("invert"), jobs_of(range(20)))
    next(results)
    assert set(threading.enumerate()) - before
    results.close()
    assert not set(threading.enumerate()) - before


def test_what_cannot_be_written_is_that_pictures_error(tmp_path):
    jobs = [Job(grey(1), tmp_path / "none" / "a.png", 0, Path("a.png")), Job(grey(2), None, 0, Path("b.png"))]
    first, second = run_jobs(runner("invert"), jobs)
    assert "does not exist" in str(first.error)
    assert first.steps == []
    assert second.error is None


def test_a_bad_size_is_told_of_every_picture():
    (result,) = run_jobs(runner("invert"), jobs_of([1]), size=(10**5, 10**5))
    assert isinstance(result.error, ImageError)
