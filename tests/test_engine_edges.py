"""A step and a run at their edges: what a bookmark is named after, whose clock counts, what a record says."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import artkit
from artkit import Chain, Kind, Port
from artkit.chain import plan_chain
from artkit.clips import open_animation
from artkit.engine import Job, Runner, run_jobs, runner as running, stream
from artkit.engine.clip import ClipRun
from artkit.engine.inputs import Input, read_input
from artkit.engine.loading import Loaded, load_translator
from artkit.engine.step import StepRun
from artkit.engine.stream import JobResult, Waiting
from artkit.engine.work import StepResult, Work, settle
from artkit.errors import ImageError, OutputError
from artkit.images import Picture, read_picture, resize_image
from artkit.motion import Motion
from artkit.plugins import current_registry
from artkit.spec import ClassSet, LabelClass
from artkit.translator import Interrupted
from clip_kit import make_clip
from engine_kit import grey, load_plugin

plugin = pytest.fixture(autouse=True)(load_plugin)


def plan(text, **ports):
    return plan_chain(Chain(text), current_registry(), has_input=True, ports=ports)


def step(text="invert", **changes):
    planned = plan(text).steps[0]
    translator = load_translator(planned, current_registry(), torch.device("cpu"), "fp32")
    fed = {"image": read_picture(grey(9))} | ({"style": None} if len(planned.spec.inputs) > 1 else {})
    known = {"number": 7, "dream": (3, 4), "facts": {}, "device": torch.device("cpu"), "dtype": torch.float32}
    return StepRun(planned, Loaded(translator, "digest"), fed, **{**known, **changes})


def test_a_bookmark_is_named_after_all_that_the_output_depends_on(monkeypatch):
    one, image = step("mix(style=[dream])"), torch.zeros(1, 3, 2, 2)
    ports = {"image": image, "style": None}
    other_options = replace(one, planned=plan("mix(strength=0.7,style=[dream])").steps[0])
    variants = [
        (one, ports),
        (other_options, ports),
        (replace(one, loaded=Loaded(one.loaded.translator, "other")), ports),
        (replace(one, number=8), ports),
        (replace(one, planned=replace(one.planned, index=1)), ports),
        (replace(one, fed={"image": read_picture(grey(9, 7, 8))}), ports),
        (replace(one, device=torch.device("cpu", 0)), ports),
        (replace(one, dtype=torch.bfloat16), ports),
        (replace(one, facts={"time": "dusk"}), ports),
        (one, {"image": image + 1, "style": None}),
        (one, {"image": image, "style": image}),
        (one, {"image": image, "style": [image]}),
        (one, {"image": image, "style": [image, image]}),
        (one, {"image": image, "style": ("words",)}),
        (one, {"style": image, "image": None}),
    ]
    names = [run._fingerprint(given) for run, given in variants]
    assert names[11] == names[10]  # a list of one picture is what the picture is
    assert len(set(names)) == len(names) - 1
    assert all(name.startswith("mix-") for name in names)
    assert one._fingerprint(dict(reversed(ports.items()))) == names[0]
    assert replace(one, facts={"a": "1", "b": "2"})._fingerprint(ports) == (
        replace(one, facts={"b": "2", "a": "1"})._fingerprint(ports)
    )
    monkeypatch.setattr("artkit.engine.step.__version__", "0")
    assert one._fingerprint(ports) != names[0]


def test_strokes_ride_on_pictures_of_the_size_of_the_step():
    photo = torch.rand(3, 8, 10, generator=torch.Generator().manual_seed(0))
    anchor = SimpleNamespace(picture=photo)
    one = replace(step(), fed={"image": read_picture(grey(9, 4, 5))})
    assert one._ride() is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("artkit.engine.step.replace", lambda anchor, picture: SimpleNamespace(picture=picture))
        ride = replace(one, motion=Motion(anchors=(anchor,), share=0.25, **others_of(Motion)))._ride()
    torch.testing.assert_close(ride.anchors[0].picture, resize_image(photo[None], (4, 5))[0])
    assert ride.share == 0.25


def others_of(kind):
    """Return nothing for the fields of a record that a test does not look at."""
    return {name: None for name in kind.__dataclass_fields__ if name not in ("anchors", "share")}


@pytest.mark.parametrize("clear", [False, True])
def test_a_port_may_be_fed_by_what_is_clear_in_another(clear):
    alpha = torch.rand(1, 1, 6, 8) if clear else None
    picture = Picture(torch.rand(1, 3, 6, 8), alpha=alpha, stem="sea")
    port = Port("mask", Kind.MASK, alpha_of="image", required=False)
    given = replace(step(), fed={"image": picture, "mask": None})._given(port)
    if clear:
        assert (given.kind, given.stem) == (Kind.MASK, "sea")
        assert torch.equal(given.tensor, alpha)
    else:
        assert given is None
    own = Picture(torch.zeros(1, 1, 6, 8), Kind.MASK)
    assert replace(step(), fed={"image": picture, "mask": own})._given(port) is own


def test_whoever_watches_a_step_sees_how_it_looks_by_now():
    heard = []
    step()._tell(heard.append, 0.5, lambda: torch.full((1, 3, 6, 8), 0.25))
    step()._tell(heard.append, 0.75, None)
    step()._tell(None, 0.9, None)
    assert [(event.index, event.method, event.share) for event in heard] == [(0, "invert", 0.5), (0, "invert", 0.75)]
    assert heard[1].sketch is None
    assert heard[0].sketch().numpy()[0, 0].tolist() == [64] * 3


def test_a_gpu_notes_the_time_before_and_after_each_step(monkeypatch):
    events = []

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing
            events.append(self)

        def record(self):
            self.recorded = True

    monkeypatch.setattr(torch.cuda, "Event", Event)
    one = Runner(plan("invert,invert"))
    assert [result.clock for result in one.compute([read_picture(grey(1))], [0])[0]] == [None, None]
    monkeypatch.setattr(Runner, "on_gpu", True)
    made = one.compute([read_picture(grey(1))], [0])[0]
    assert [result.clock for result in made] == [tuple(events[:2]), tuple(events[2:])]
    assert all(event.recorded for event in events)
    assert len(events) == 4


def test_what_was_made_on_a_cpu_is_settled_as_it_is():
    labels = Picture(torch.zeros(1, 2, 2, dtype=torch.int64), Kind.LABELS)
    result = StepResult(0, "semgan", labels, 0.5, share=0.5, report={"a": 1})
    assert settle([result])[0] == result


def test_a_record_says_how_far_a_step_came_and_what_came_before():
    one = Runner(plan("invert"), precision="fp32")
    one.load()
    given = Input(read_picture(grey(1)), "a.png", "digest")
    before = [Input(read_picture(grey(2)), "b.png", "other"), Input(read_picture(grey(3)))]
    work = Work(given, 7, (4, 5), given_before=before)
    record = one._provenance(work, 0.12345).as_record()
    assert record == {
        "version": artkit.__version__,
        "chain": "invert",
        "seed": 7,
        "models": {},
        "plugins": {"engine_plugin": ""},
        "torch": torch.__version__,
        "device": "cpu",
        "precision": "fp32",
        "size": (4, 5),
        "input": "a.png",
        "input_hash": "digest",
        "before": ["b.png", None],
        "before_hashes": ["other", None],
        "stopped_at": 0.123,
    }
    whole = one._provenance(work, 1.0).as_record()
    assert "stopped_at" not in whole
    frame = one._provenance(replace(work, given=replace(given, frame=3)), 1.0).as_record()
    assert frame == {name: value for name, value in whole.items() if not name.startswith("before")} | {"frame": 3}
    dream = one._provenance(Work(None, 7, None), 1.0).as_record()
    assert not {"input", "input_hash", "size", "before"} & dream.keys()


def test_a_chain_of_several_steps_is_as_whole_as_its_least():
    one = Runner(plan("invert"))
    one.load()
    picture = read_picture(grey(1))
    results = [StepResult(0, "invert", picture, 0.1, share=share) for share in (1.0, 0.25, 1.0)]
    finished = one._finish(Work(None, 7, None, results=results))
    assert [made.picture.provenance is None for made in finished] == [True, True, False]
    assert finished[-1].picture.provenance["stopped_at"] == 0.25
    job = Job(None, None, 7, Path("a.png"))
    assert JobResult(job, steps=results).share == 0.25
    assert JobResult(job).share == 1.0
    assert JobResult(job, steps=results).picture is picture


def test_what_feeds_ports_from_outside_is_read_once(monkeypatch):
    read, picture = [], read_picture
    monkeypatch.setattr(running, "read_picture", lambda source: read.append(source) or picture(source))
    one = Runner(plan("mix(strength=1)", style=grey(200)))
    for level in (1, 2):
        assert one.run(read_picture(grey(level)))[-1].picture.numpy().max() == 200
    assert len(read) == 1


def test_a_result_tells_seconds_of_its_own_whether_it_failed_or_not(monkeypatch):
    now = iter(range(0, 10_000, 2))
    monkeypatch.setattr(stream.time, "perf_counter", lambda: next(now))
    results = list(run_jobs(Runner(plan("crash")), [Job(grey(level), None, 0, Path("a.png")) for level in (1, 255)]))
    assert [result.error is None for result in results] == [True, False]
    assert all(0 < result.seconds < 100 for result in results)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg", ".JPG", None])
def test_label_maps_stay_such_unless_the_file_would_change_their_colours(suffix, monkeypatch):
    asked = []
    monkeypatch.setattr(stream, "read_input", lambda source, known: asked.append(known))
    stream._read("a.png", Path(f"out{suffix}") if suffix else None, ["classes"], False)
    assert asked == [() if suffix and suffix.lower() == ".jpg" else ["classes"]]


def test_a_group_ends_where_reading_failed_and_before_another_size():
    def waiting(size):
        def result():
            if size is None:
                raise ImageError("no picture")
            return Input(Picture(torch.zeros(1, 1, *size), Kind.MASK))

        return Waiting(Job(None, None, 0, Path("a.png")), SimpleNamespace(result=result), ())

    limits = []
    one = SimpleNamespace(batch_limit=lambda pixels: limits.append(pixels) or 3)
    for sizes, first in (([(2, 3)] * 5, 3), ([(2, 3), (3, 2)], 1), ([None, None], 1), ([(2, 3), None], 1)):
        reading = deque(map(waiting, sizes))
        assert len(stream._next_group(one, reading, iter(()), SimpleNamespace(submit=None))) == first
        assert len(reading) == len(sizes) - first
    assert limits == [6, 6, 6]


def test_equal_pictures_have_equal_records_whatever_their_batch():
    pixels = np.stack([grey(level) for level in (3, 4)])
    both = Chain("invert")(pixels, seed=5)
    alone = [Chain("invert")(one, seed=5) for one in pixels]
    assert [one.provenance for one in both] == [one.provenance for one in alone]


def test_by_itself_nothing_is_interruptible_bookmarked_or_overwritten(monkeypatch, tmp_path):
    one, how = step(), []

    def interrupted(self, ports, watcher, bookmarked):
        how.append((watcher, bookmarked))
        raise Interrupted(torch.full((1, 3, 6, 8), 0.5), 0.25)

    monkeypatch.setattr(StepRun, "_run", interrupted)
    with pytest.raises(Interrupted):
        one.compute()
    picture, share = one.compute(interruptible=True, bookmarked=True)
    assert (float(picture.tensor.mean()), share) == (0.5, 0.25)
    assert how == [(None, False), (None, True)]
    runner = Runner(plan("invert"))
    assert (runner.interruptible, runner.bookmarked) == (False, False)
    assert Runner(plan("invert"), interruptible=True).bookmarked
    assert not Runner(plan("invert"), interruptible=True, bookmarked=False).bookmarked
    assert Runner(plan("invert"), bookmarked=True).bookmarked


def test_a_clip_begins_with_its_first_frame_under_seed_0_and_is_not_steadied(tmp_path):
    make_clip(tmp_path / "a.gif", 2)
    run = ClipRun(Runner(plan("invert")), open_animation(tmp_path / "a.gif"), lambda index: tmp_path / f"{index}.png")
    records = [result.picture.provenance for result in run.frames()]
    assert [(record["seed"], record["frame"], "steady" in record) for record in records] == [
        (0, 1, False),
        (0, 2, False),
    ]
    assert (run.done, run.seconds) == (0, [Fraction(1, 20), Fraction(3, 50)])
    again = ClipRun(run.runner, open_animation(tmp_path / "a.gif"), run.place)
    with pytest.raises(OutputError, match=r"0\.png exists"):
        list(again.frames())


def test_a_reader_knows_the_classes_that_the_chain_carries_and_reads_each_picture_once(monkeypatch):
    read = []
    monkeypatch.setattr(stream, "_read", lambda source, target, known, pinned: read.append((source, known, pinned)))
    for look_back, sources in ((0, "abab"), (1, "ab")):
        read.clear()
        chain = SimpleNamespace(plan=SimpleNamespace(look_back=look_back), carried_classes=["sky"], on_gpu=True)
        reader = stream.Reader(chain, SimpleNamespace(submit=lambda work, *about: work(*about) or object()))
        for source, before in (("a", ()), ("b", ("a",)), ("a", ("b", "a")), ("b", ("a",))):
            waiting = reader.submit(Job(source, None, 0, Path("a.png"), before))
            assert len(waiting.before) == min(look_back, len(before))
        assert read == [(source, ["sky"], True) for source in sources]
    for source in ("c", "b"):  # no more are held than are looked back at
        reader.submit(Job(source, None, 0, Path("a.png")))
    reader.submit(Job("a", None, 0, Path("a.png")))
    assert [source for source, *_ in read] == ["a", "b", "c", "a"]


def test_a_photo_where_labels_are_wanted_is_told_the_same_whatever_the_size():
    photo = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    told = []
    for size in (None, (4, 4)):
        with pytest.raises(ImageError, match="is not a label map") as caught:
            Chain("pix2pix")(photo, size=size)
        told.append(str(caught.value))
    assert told[0] == told[1]


@pytest.mark.parametrize("kind", [Kind.LABELS, Kind.IMAGE])
def test_a_dream_of_labels_has_the_classes_of_its_model_and_no_other_has(kind):
    sky = ClassSet("sky", (LabelClass("sky", (1, 2, 3)),))
    planned = SimpleNamespace(output=kind, carries=False, spec=SimpleNamespace(name="dreamer"))
    loaded = SimpleNamespace(translator=SimpleNamespace(class_set=sky))
    dream = replace(step(), planned=planned, loaded=loaded, fed={})
    output = torch.zeros(1, 2, 3, dtype=torch.int64) if kind is Kind.LABELS else torch.zeros(1, 3, 2, 3)
    made = dream._picture(output)
    assert (made.kind, made.stem, made.classes) == (kind, "dreamer", sky if kind is Kind.LABELS else None)


def test_a_label_map_that_is_read_as_such_keeps_its_record(tmp_path):
    two = ClassSet("two", (LabelClass("a", (9, 0, 0)), LabelClass("b", (0, 7, 0))))
    record = {"chain": "semgan"}
    labels = Picture(torch.tensor([[[0, 1], [1, 0]]]), Kind.LABELS, two, provenance=record)
    found = read_input(labels.save(tmp_path / "a.png"), [two]).picture
    assert (found.kind, found.classes, found.provenance, found.stem) == (Kind.LABELS, two, record, "a")


def test_after_ctrl_c_the_pictures_before_it_come_and_the_one_it_ended_and_no_more(monkeypatch):
    def interrupted(self, ports, watcher, bookmarked):
        (image,) = ports.values()
        if float(image.max()) > 0.5:
            raise Interrupted(image, 0.25)
        return image

    monkeypatch.setattr(StepRun, "_run", interrupted)
    jobs = [Job(grey(level), None, 0, Path("a")) for level in (3, 4, 200, 5, 6)]
    results = list(stream.run_jobs(Runner(plan("invert"), interruptible=True), jobs))
    assert [(result.error, result.share) for result in results] == [(None, 1.0), (None, 1.0), (None, 0.25)]


def test_a_chain_in_a_port_is_computed_where_and_how_its_step_is(monkeypatch):
    asked = []
    monkeypatch.setattr(running, "pick_device", lambda name: asked.append(name) or torch.device("cpu"))
    monkeypatch.setattr(running, "pick_precision", lambda name, device: asked.append(name) or name)
    Runner(plan("mix(style=[dream])"), device="cuda:1", precision="fp16")
    assert asked == ["cuda:1", "fp16"] * 2


def test_label_maps_are_read_in_the_classes_of_the_step_that_takes_them():
    runner = Runner(plan("resize(width=8),pix2pix,invert"))
    carrying, painting, inverting = runner.plan.steps
    classes = painting.header.classes
    assert [runner._classes(step) for step in (carrying, painting, inverting)] == [classes, classes, None]
    assert classes is not None
