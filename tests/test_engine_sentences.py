"""What the engine refuses, said in full; and its small parts, each by itself, at their limits and past them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import artkit
from artkit import Chain, Kind, Port
from artkit.chain import plan_chain
from artkit.engine import Job, Runner, clip, devices, loading, pick_device, pick_precision
from artkit.engine.blame import blame_file, blame_plugin
from artkit.engine.clip import describe_run
from artkit.engine.inputs import read_input
from artkit.engine.job import look_back
from artkit.engine.loading import KEPT, KEPT_BYTES, Loaded, Shelf
from artkit.engine.memory import parse_bytes
from artkit.engine.step import _stacked, place, resize
from artkit.engine.work import DREAM_SIZE, StepResult, Work, extent_of, own_seed
from artkit.engine.workplace import PIECE, Workplace
from artkit.errors import ArtkitError, ImageError, ModelError, OutputError, PluginError, UsageError
from artkit.images import Picture, read_picture
from artkit.images.formats import FORMAT_OF, LABEL_SUFFIXES
from artkit.plugins import current_registry
from engine_kit import grey, load_plugin

plugin = pytest.fixture(autouse=True)(load_plugin)
CPU, CARD = torch.device("cpu"), torch.device("cuda")


def said(call, kind=ArtkitError):
    """Return the sentence that a call ends in."""
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def plan(text):
    return plan_chain(Chain(text), current_registry(), has_input=True)


SENTENCES = {
    "no device": (
        lambda: pick_device(None),
        "a device has a name, such as 'auto', 'cpu' or 'cuda', and is no NoneType.",
    ),
    "unknown device": (lambda: pick_device("cpuu"), "unknown device 'cpuu'. Did you mean 'cpu' or 'cuda'?"),
    "strange device": (lambda: pick_device("12345"), "unknown device '12345'. Known: auto, cpu, cuda, mps."),
    "absent device": (
        lambda: pick_device("xpu"),
        "no device 'xpu' on this machine: use --device auto or --device cpu.",
    ),
    "unknown precision": (
        lambda: pick_precision("bf61", CPU),
        "unknown precision 'bf61'. Did you mean 'bf16' or 'fp16'?",
    ),
    "strange precision": (lambda: pick_precision(7, CPU), "unknown precision '7'. Known: auto, bf16, fp16, fp32."),
    "half a card": (
        lambda: pick_precision("fp16", CPU),
        "fp16 needs a GPU: use --precision bf16 or fp32 on the CPU.",
    ),
    "memory": (lambda: parse_bytes("many"), "ARTKIT_MEMORY=many is no size: write 4GB or 800MB."),
    "no picture": (lambda: Runner(plan("invert")).run(), "the chain invert needs a picture."),
    "one picture": (
        lambda: Chain("invert").stream("a.png"),
        "many pictures are wanted: give a list of paths, arrays or pictures.",
    ),
    "no model": (
        lambda: artkit.load(7),
        "a model is a name, such as 'pix2pix/landscape', or a path, not int.",
    ),
    "unknown model": (lambda: artkit.load("nothing"), "there is no model 'nothing'. To see the models: artkit models"),
    "keyword": (
        lambda: Chain("invert")(grey(1), zzz=3),
        "invert takes no 'zzz': it takes seed, size, device, precision, facts, and the ports image.",
    ),
    "keyword of a source": (
        lambda: Chain("dream")(seeds=3),
        "dream takes no 'seeds': it takes seed, size, device, precision, facts. Did you mean 'seed'?",
    ),
    "crash": (
        lambda: Chain("crash")(grey(255)),
        "crash (plugin 'engine_plugin') failed: RuntimeError: the paint ran out. ARTKIT_STRICT=1 shows where.",
    ),
}


@pytest.mark.parametrize(("call", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_sentences(call, sentence):
    assert said(call) == sentence


@pytest.mark.parametrize("strict", [False, True])
def test_whose_fault_it_is(strict, monkeypatch):
    monkeypatch.setenv("ARTKIT_STRICT", str(int(strict)))

    def blamed(block, error):
        with block:
            raise error

    for full in (MemoryError(), torch.OutOfMemoryError("x")):
        told = said(lambda full=full: blamed(blame_plugin("nst", "art"), full), ImageError)
        assert told == "nst ran out of memory: give a smaller --size, or --device cpu."
    own = UsageError("as it is")
    for block in (blame_plugin("nst", "art"), blame_file(Path("m"), "nst")):
        assert said(lambda block=block: blamed(block, own), UsageError) == "as it is"
    for error, sentence in ((ModelError("no lake"), "m: no lake"), (ModelError("m has no lake"), "m has no lake")):
        assert said(lambda error=error: blamed(blame_file(Path("m"), "nst"), error), ModelError) == sentence
    fault = KeyError("lake")
    if strict:
        for block in (blame_plugin("nst", "art"), blame_file(Path("m"), "nst")):
            assert said(lambda block=block: blamed(block, fault), KeyError) == "'lake'"
        return
    told = said(lambda: blamed(blame_plugin("nst", "art"), fault), PluginError)
    assert told == "nst (plugin 'art') failed: KeyError: 'lake'. ARTKIT_STRICT=1 shows where."
    told = said(lambda: blamed(blame_file(Path("m"), "nst"), fault), ModelError)
    assert told == (
        "m: its header describes no network that nst can build: KeyError: 'lake'. ARTKIT_STRICT=1 shows where."
    )


def test_a_device_may_be_one_of_torch_and_a_card_is_counted(monkeypatch):
    assert pick_device(CPU) == pick_device("cpu") == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert pick_device("cuda:0") == torch.device("cuda:0")
    for wrong in ("cuda:1", "mps"):
        assert said(lambda wrong=wrong: pick_device(wrong)).startswith(f"no device '{wrong}' on this machine")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert said(lambda: pick_device("cuda")).startswith("no device 'cuda' on this machine")


@pytest.mark.parametrize("units", [False, True])
def test_auto_takes_bf16_where_there_are_units_for_it(units, monkeypatch):
    asked = []
    monkeypatch.setattr(devices, "has_bf16_units", lambda device: asked.append(device) or units)
    assert pick_precision("auto", CARD) == ("bf16" if units else "fp32")
    assert asked == [CARD]
    for name in ("fp32", "bf16", "fp16"):
        assert pick_precision(name, CARD) == name


def test_the_report_of_a_card_and_that_of_a_slow_cpu(monkeypatch):
    slow = "this CPU has no bf16 matrix units (AMX or AVX512-BF16): networks run in fp32, about half as fast"
    monkeypatch.setattr(devices, "memory_limit", lambda device: 12_340_000_000)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", "card {}".format)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX9")
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    about = {"torch": torch.__version__, "cuda": ["card 0", "card 1"], "cpu": "AVX9", "threads": 8}
    for card, mac, units in ((True, False, True), (False, True, True), (False, False, True), (False, False, False)):
        monkeypatch.setattr(torch.cuda, "is_available", lambda card=card: card)
        monkeypatch.setattr(devices, "_has_mps", lambda mac=mac: mac)
        monkeypatch.setattr(devices, "has_bf16_units", lambda device, units=units: units)
        reasons = [] if card or mac else ["no GPU was found: networks run on the CPU"]
        assert devices.report() == about | {
            "device": "cuda" if card else "mps" if mac else "cpu",
            "mps": mac,
            "precision": "bf16" if units else "fp32",
            "memory": "12.3 GB for a step",
            "slow": [*reasons, *([] if units else [slow])],
        }
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    assert devices.report()["slow"][-1] == "OMP_NUM_THREADS=8 keeps networks from using all 8 cores"


@pytest.mark.parametrize(
    ("text", "size"),
    [(f"2{unit}{end}", 2 * size) for unit, size in zip("KMGT", (1e3, 1e6, 1e9, 1e12), strict=True) for end in ("", "B")]
    + [(f"2{unit}iB", 2 * size) for unit, size in zip("KMGT", (2**10, 2**20, 2**30, 2**40), strict=True)]
    + [("1", 1), ("1B", 1), ("0.4", None), ("1IB", None), ("1.", None), (".5G", None)],
)
def test_sizes_of_memory(text, size):
    if size is None:
        assert said(lambda: parse_bytes(text)) == f"ARTKIT_MEMORY={text} is no size: write 4GB or 800MB."
    else:
        assert parse_bytes(text) == size


@pytest.mark.parametrize(
    ("wanted", "source", "size"),
    [
        ("30x20", None, (30, 20)),
        (256, None, (256, 192)),
        (100, (200, 50), (25, 100)),
        (100, (50, 200), (100, 25)),
        (10, (1, 1000), (10, 1)),
        (10, (1000, 1), (1, 10)),
        (3, (4, 8), (3, 2)),
    ],
)
def test_the_longest_side_keeps_proportions(wanted, source, size):
    picture = Picture(torch.zeros(1, 1, *source), Kind.MASK) if source else None
    assert DREAM_SIZE == (512, 384)
    assert extent_of(wanted, picture) == size


def test_sizes_past_the_limit_and_at_it(monkeypatch):
    monkeypatch.setenv("ARTKIT_MAX_PIXELS", "600")
    assert extent_of("30x20", None) == (30, 20)
    assert said(lambda: extent_of("31x20", None)) == (
        "31x20 are more pixels than the limit of 600: give a smaller --size, or set ARTKIT_MAX_PIXELS higher."
    )


def test_what_feeds_a_port():
    source, now, last, older = (Picture(torch.full((1, 3, 2, 2), level)) for level in (0.1, 0.2, 0.3, 0.4))
    work = Work(None, 7, None, source=source, picture=now, before=[last, older])
    port = Port("image", Kind.IMAGE)
    assert work.bound("previous", port) is now
    assert work.bound("original", port) is source
    for count, found in ((1, last), (2, older)):
        assert work.bound("before", Port("before", Kind.IMAGE, previous=count, required=False)) is found
    late, needed = (Port("before", Kind.IMAGE, previous=3, required=required) for required in (False, True))
    assert work.bound("before", late) is None
    assert work.bound("before", needed) is older
    alone = Work(None, 7, None, source=source)
    assert alone.bound("before", needed) is source
    assert alone.bound("before", late) is None
    assert [work.number(SimpleNamespace(seed=seed)) for seed in (None, 0, 3)] == [7, 0, 3]


def test_a_pictures_own_seed_stays_what_it_was():
    """Records name no such seed: pictures that were made with `vary` are made again only while it stays."""
    assert own_seed(read_picture(grey(9))) == 55028767886702731
    assert own_seed(read_picture(grey(9))) == own_seed(Picture(torch.full((1, 3, 8, 6), 9 / 255).mT))
    assert own_seed(read_picture(grey(10))) != own_seed(read_picture(grey(9)))
    assert 0 < own_seed(read_picture(grey(9))) <= 2**56


def loaded(count):
    return Loaded(SimpleNamespace(state_dict=lambda: {"w": torch.zeros(count, dtype=torch.uint8)}), None)


def test_a_shelf_keeps_what_was_used_last_up_to_its_limits():
    assert (KEPT, KEPT_BYTES) == (16, 2**30)
    for shelf, kept in ((Shelf(2, 100), "bc"), (Shelf(9, 20), "bc"), (Shelf(9, 19), "c"), (Shelf(9, 5), "c")):
        for key in "abc":
            shelf.get(key, lambda: loaded(10))
        anew = []
        for key in "cba":
            shelf.get(key, lambda key=key, anew=anew: anew.append(key) or loaded(0))
        assert anew == [key for key in "cba" if key not in kept]
    shelf = Shelf(2, 100)
    for key in "abac":
        shelf.get(key, lambda: loaded(10))
    assert shelf.get("a", lambda: pytest.fail("it was used last")).nbytes == 10
    shelf.clear()
    assert len(shelf) == 0


def test_rows_of_jobs():
    def jobs(*sources):
        return [Job(source, None, seed, Path("a.png")) for source, seed in sources]

    rows = jobs(("a/1", 0), ("b/1", 0), ("a/2", 0), (None, 0), ("a/3", 1), ("a/3", 0), (b"x", 0), (b"y", 0))
    assert [job.before for job in look_back(rows, 2)] == [
        *((), (), ("a/1",), ()),
        *((), ("a/2", "a/1"), (), (b"x",)),
    ]
    assert [job.before for job in look_back(rows, 1)][5] == ("a/2",)
    assert list(look_back(rows, 0)) == rows


def test_a_workplace_for_what_is_no_folder(tmp_path):
    place_ = tmp_path / ".a.gif.frames"
    for make in (place_.touch, lambda: place_.symlink_to(tmp_path)):
        make()
        told = said(lambda: Workplace(tmp_path / "a.gif", {}), OutputError)
        assert told == f"{place_} is no folder, and frames are to be kept there: move it away."
        place_.unlink()


def test_a_workplace_counts_frames_and_packs_pieces(tmp_path):
    packed = []
    run = {"seed": 7, "size": (3, 4)}

    def pack(frames, piece):
        packed.append([frame.name for frame in frames])
        frames[0].unlink()  # whoever packs may take frames away
        piece.touch()

    one = Workplace(tmp_path / "a.mkv", run, pack)
    assert (one.done, one.size, PIECE) == (0, None, 48)
    for index in range(PIECE + 2):
        one.frame(index).touch()
        one.accept(index, (3, 4))
        assert len(packed) == (index >= PIECE - 1)
    assert packed == [[f"{index:06}.png" for index in range(PIECE)]]
    again = Workplace(tmp_path / "a.mkv", dict(reversed(run.items())), pack)
    assert (again.done, again.size) == (PIECE + 2, (3, 4))
    assert [piece.name for piece in again.pieces] == ["00000000-00000048.mkv"]
    assert [piece.name for piece in again.finish(PIECE + 2)] == ["00000000-00000048.mkv", "00000048-00000050.mkv"]
    assert again.finish(PIECE + 2) == again.pieces
    assert len(again.pieces) == 2
    assert Workplace(tmp_path / "a.mkv", {**run, "seed": 8}).done == 0


def test_ports_of_lists_and_texts_are_stacked():
    one, two, wide = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 4)
    both = _stacked([{"styles": [one, wide]}, {"styles": [two, wide]}])["styles"]
    assert [tuple(part.shape) for part in both] == [(2, 3, 2, 2), (2, 3, 2, 4)]
    assert torch.equal(both[0], torch.cat([one, two]))
    for odd in ([one], [wide, wide], [wide, one]):
        assert _stacked([{"styles": [one, wide]}, {"styles": odd}]) is None
    assert _stacked([{"name": ("a",)}, {"name": ("b",)}, {"name": ("c",)}]) == {"name": ("a", "b", "c")}


def test_pictures_are_resized_by_width_and_height_and_labels_as_labels():
    photo = Picture(torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0)))
    assert resize(photo, (6, 4)) is photo
    assert resize(photo, (4, 6)).size == (6, 4)
    labels = Picture(torch.tensor([[[0, 200]]]), Kind.LABELS)
    assert resize(labels, (5, 1)).tensor.tolist() == [[[0, 0, 200, 200, 200]]]
    assert place(photo, CPU) is photo


def test_an_input_is_what_was_read(tmp_path):
    path = tmp_path / "a.b.png"
    read_picture(grey(7)).save(path)
    for source in (path, str(path)):
        found = read_input(source)
        assert (found.name, found.picture.stem, found.frame) == ("a.b.png", "a.b", None)
        assert len(found.digest) == 64
        assert read_input(found) is found
    for source in (path.read_bytes(), bytearray(path.read_bytes()), memoryview(path.read_bytes())):
        assert (read_input(source).digest, read_input(source).name) == (found.digest, None)
    assert (read_input(grey(7)).digest, read_input(found.picture).picture) == (None, found.picture)
    for missing in (tmp_path / "no.png", "a\0b"):
        assert said(lambda missing=missing: read_input(missing), ImageError).startswith(("There is no", "Cannot read"))


def test_files_that_would_change_a_label_map_are_those_of_jpeg():
    assert {suffix for suffix in FORMAT_OF if suffix not in LABEL_SUFFIXES} >= {".jpg", ".jpeg"}
    assert {".png", ".webp", ".tif", ".tiff"} <= set(LABEL_SUFFIXES)


def test_what_the_frames_of_a_clip_depend_on(monkeypatch):
    monkeypatch.setattr(clip, "estimator", lambda: "flow")
    runner = Runner(plan("invert"), precision="fp32")
    film = SimpleNamespace(key="film")
    expected = {
        "version": artkit.__version__,
        "torch": torch.__version__,
        "chain": "invert",
        "clip": "film",
        "seed": 3,
        "size": (4, 5),
        "steady": 0,
        "models": {},
        "plugins": {"engine_plugin": ""},
        "ports": [],
        "device": "cpu",
        "precision": "fp32",
    }
    assert describe_run(runner, film, 3, (4, 5)) == expected
    assert describe_run(runner, film, 3, (4, 5), 0.25) == expected | {"steady": [0.25, "flow"]}


def test_a_result_is_whole_unless_it_is_said_otherwise():
    one = StepResult(0, "invert", read_picture(grey(1)), 0.5)
    assert (one.report, one.nested, one.share, one.batch, one.clock) == ({}, {}, 1.0, 1, None)


def test_a_clip_whose_frames_differ_says_which_size_would_do(tmp_path):
    result = SimpleNamespace(picture=SimpleNamespace(size=(20, 30)), job=Job(None, None, 0, Path("a.png")))
    assert clip._another_size(result, (10, 40)) == (
        "seed 0 comes out as 30x20 pixels, and the first frame as 40x10: a clip has one size. Add --size 40x10."
    )
    named = clip._named(ImageError("too dark"), "frame 2 of a.gif")
    assert (type(named), str(named)) == (ImageError, "frame 2 of a.gif: too dark")
    assert str(clip._named(ImageError("b.png is too dark"), "b.png")) == "b.png is too dark"


def test_a_model_that_changes_while_it_is_read(monkeypatch):
    runner = Runner(plan("touchup"))
    path = runner.plan.steps[0].model
    monkeypatch.setattr(loading, "SHELF", Shelf())
    monkeypatch.setattr(loading, "stamp", lambda path: (0,))
    assert said(runner.load, ModelError) == f"{path} changed while it was being read: run again."
