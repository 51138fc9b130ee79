"""What is written is what was meant, whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch
from PIL import Image

from artkit.errors import OutputError
from artkit.files import atomic_file
from artkit.images import Picture, encode_picture, read_picture, read_provenance, write_picture
from artkit.spec import ClassSet, Kind, LabelClass

CLASSES = ClassSet("three", (LabelClass("a", (1, 2, 3)), LabelClass("b", (40, 50, 60)), LabelClass("c", (7, 200, 9))))


def image(height: int = 8, width: int = 6, channels: int = 3, dtype: type = np.uint8) -> Picture:
    return read_picture(
        np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (height, width, channels)).astype(dtype)
    )


def labels() -> Picture:
    return Picture(torch.randint(0, 3, (1, 8, 6), generator=torch.Generator().manual_seed(0)), Kind.LABELS, CLASSES)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".PNG"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_and_tiff_round_trip(tmp_path: Path, suffix: str, channels: int, dtype: type) -> None:
    picture = image(channels=channels, dtype=dtype)
    path = picture.save(tmp_path / f"out{suffix}")
    again = read_picture(path)
    assert again.bits == picture.bits
    np.testing.assert_array_equal(again.levels(again.bits), picture.levels(picture.bits))
    assert (again.alpha is None) == (picture.alpha is None)
    if picture.alpha is not None:
        np.testing.assert_array_equal(again.alpha_levels(again.bits), picture.alpha_levels(picture.bits))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_says_nothing_of_how_it_was_written(tmp_path: Path, dtype: type) -> None:
    path = image(channels=3, dtype=dtype).save(tmp_path / "out.tif")
    with Image.open(path) as stored:
        assert 270 not in stored.tag_v2  # ImageDescription


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_is_packed(tmp_path: Path, dtype: type) -> None:
    flat = read_picture(np.full((64, 64, 3), 9, dtype))
    assert flat.save(tmp_path / "out.tif").stat().st_size < flat.levels(flat.bits).nbytes / 4


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".webp"])
def test_jpeg_and_webp_come_near(tmp_path: Path, suffix: str) -> None:
    ramp = torch.linspace(0, 1, 48).expand(1, 3, 32, 48).contiguous()
    again = read_picture(Picture(ramp).save(tmp_path / f"out{suffix}"))
    assert (again.tensor - ramp).abs().max() < 0.02


def test_webp_keeps_alpha_and_jpeg_lays_it_on_white() -> None:
    picture = Picture(torch.zeros(1, 3, 16, 16), alpha=torch.full((1, 1, 16, 16), 0.5))
    assert read_picture(encode_picture(picture, ".webp")).alpha_levels(8)[4, 4] == 128
    flat = read_picture(encode_picture(picture, ".jpg"))
    assert flat.alpha is None
    assert abs(int(flat.numpy()[4, 4, 0]) - 127) <= 2


def test_jpeg_keeps_colour_in_every_pixel_and_webp_what_alpha_hides() -> None:
    stripes = torch.zeros(1, 3, 16, 16)
    stripes[:, 0, :, ::2] = stripes[:, 2, :, 1::2] = 1
    again = read_picture(encode_picture(Picture(stripes), ".jpg"))
    assert (again.tensor - stripes).abs().mean() < 0.05
    ramp = torch.linspace(0, 1, 48).expand(1, 3, 32, 48).contiguous()
    hidden = Picture(ramp, alpha=torch.zeros(1, 1, 32, 48))
    again = read_picture(encode_picture(hidden, ".webp"))
    assert again.alpha_levels(8).max() == 0
    assert (again.tensor - ramp).abs().max() < 0.02


def test_levels_are_rounded() -> None:
    picture = Picture(torch.full((1, 3, 1, 1), 0.999))
    assert picture.numpy()[0, 0, 0] == 255
    assert picture.levels(16)[0, 0, 0] == round(0.999 * 65535)
    assert np.asarray(picture.to_pil())[0, 0, 0] == 255


@pytest.mark.parametrize("bits", [8, 16])
def test_channels_that_are_one_in_memory_have_the_levels_of_three(bits: int) -> None:
    grey = torch.rand(1, 1, 3, 5, generator=torch.Generator().manual_seed(0)).expand(1, 3, 3, 5)
    levels = Picture(grey).levels(bits)
    assert np.array_equal(levels, Picture(grey.clone()).levels(bits))
    assert levels.shape == (3, 5, 3)
    assert np.array_equal(levels[:, :, 2], np.round(grey[0, 0].numpy() * (2**bits - 1)))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_label_maps_keep_every_class(suffix: str) -> None:
    data = encode_picture(labels(), suffix)
    again = read_picture(data, kind=Kind.LABELS, classes=CLASSES)
    assert torch.equal(again.tensor, labels().tensor)
    if suffix == ".png":
        stored = Image.open(BytesIO(data))
        assert stored.mode == "P"
        np.testing.assert_array_equal(np.asarray(stored), labels().numpy())


def test_a_label_map_is_never_written_as_jpeg(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="label map"):
        labels().save(tmp_path / "map.jpg")
    assert list(tmp_path.iterdir()) == []


def test_masks_and_labels_without_classes_are_grey() -> None:
    mask = Picture(torch.rand(1, 1, 4, 5), kind=Kind.MASK)
    assert np.asarray(Image.open(BytesIO(encode_picture(mask, ".png")))).shape == (4, 5)
    bare = Picture(torch.full((1, 4, 5), 2), kind=Kind.LABELS)
    assert np.asarray(Image.open(BytesIO(encode_picture(bare, ".png")))).max() == 2
    with pytest.raises(Exception, match="no class set"):
        bare.painted()


def test_more_classes_than_a_palette_holds() -> None:
    many = ClassSet("many", tuple(LabelClass(f"c{i}", (i % 256, i // 256, 0)) for i in range(300)))
    picture = Picture(torch.arange(300).reshape(1, 15, 20), Kind.LABELS, many)
    again = read_picture(encode_picture(picture, ".png"), kind=Kind.LABELS, classes=many)
    assert torch.equal(again.tensor, picture.tensor)
    assert picture.numpy().max() == 299
    for count, mode in ((256, "P"), (257, "RGB")):
        classes = ClassSet("some", many.classes[:count])
        assert Picture(torch.full((1, 1, 1), count - 1), Kind.LABELS, classes).to_pil().mode == mode


def test_a_png_remembers_its_making(tmp_path: Path) -> None:
    record = {"chain": "semgan,pix2pix(strength=0.5)", "seed": 7, "size": [6, 8], "note": "Grüße 日本"}
    for number, dtype in enumerate((np.uint8, np.uint16)):
        path = write_picture(image(dtype=dtype), tmp_path / f"art{number}.png", provenance=record)
        assert read_provenance(path) == record
        assert read_picture(path).provenance == record
        Image.open(path).verify()
    assert read_provenance(read_picture(path).save(tmp_path / "copy.png")) == record
    assert read_provenance(write_picture(image(), tmp_path / "plain.png")) is None
    assert read_provenance(write_picture(image(), tmp_path / "plain.jpg")) is None


def test_provenance_survives_editors_that_compress_text() -> None:
    from PIL.PngImagePlugin import PngInfo

    for settings in ({"zip": True}, {"zip": False}):
        for method in ("add_text", "add_itxt"):
            info = PngInfo()
            getattr(info, method)("artkit", '{"chain": "can"}', **settings)
            stream = BytesIO()
            Image.new("RGB", (2, 2)).save(stream, "PNG", pnginfo=info)
            assert read_provenance(stream) == {"chain": "can"}


def test_notebooks_get_a_png() -> None:
    assert image()._repr_png_().startswith(b"\x89PNG")
    assert labels()._repr_png_().startswith(b"\x89PNG")
    assert repr(labels()) == "<Picture 'picture' labels 6×8 classes=three>"
    assert repr(image(channels=4, dtype=np.uint16)) == "<Picture 'picture' image 6×8 alpha 16 bit>"


def test_an_existing_file_needs_overwrite(tmp_path: Path) -> None:
    path = image().save(tmp_path / "out.png")
    before = path.read_bytes()
    with pytest.raises(OutputError, match="--overwrite"):
        labels().save(path)
    assert path.read_bytes() == before
    labels().save(path, overwrite=True)
    assert path.read_bytes() != before
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("out.pgn", r"Did you mean '\.png'"),
        ("out", "without a suffix"),
        ("nowhere/out.png", "mkdir -p"),
        ("x" * 300 + ".png", "name is too long"),
    ],
)
def test_impossible_outputs(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(OutputError, match=reason):
        image().save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_or_a_device_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match="folder"):
        image().save(tmp_path / "folder.png", overwrite=True)
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(OutputError, match="not a regular file"):
        image().save(tmp_path / "pipe.png", overwrite=True)


def test_a_picture_too_wide_for_the_format() -> None:
    with pytest.raises(OutputError, match="70000×1"):
        encode_picture(Picture(torch.zeros(1, 3, 1, 70_000)), ".jpg")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EACCES, "permission denied"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "error"),
    ],
)
def test_a_failing_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, reason: str
) -> None:
    path = image().save(tmp_path / "out.png")
    before = path.read_bytes()

    def fail(descriptor: int) -> NoReturn:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match=reason):
        labels().save(path, overwrite=True)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="permission denied"):
        image().save(tmp_path / "out.png")


def test_an_unwritable_folder_for_anyone() -> None:
    with pytest.raises(OutputError, match=r"Cannot write /proc/out\.png"):
        image().save("/proc/out.png")


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with atomic_file(tmp_path / "out.png") as stream:
            stream.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    real = image().save(tmp_path / "real.png")
    link = tmp_path / "link.png"
    link.symlink_to(real)
    labels().save(link, overwrite=True)
    assert link.is_symlink()
    with Image.open(real) as written:
        assert written.mode == "P"


def test_the_usual_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    assert image().save(tmp_path / "out.png").stat().st_mode == plain.stat().st_mode


LIMITED = """
import resource, signal, sys
from pathlib import Path
from artkit.errors import OutputError
from artkit.files import write_atomically

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), b"x" * 100_000)
except OutputError as error:
    print(error)
"""


def test_the_system_stopping_a_write_half_way_leaves_nothing(tmp_path: Path) -> None:
    """A file size limit makes the kernel refuse a write after its first bytes, as a full disk does."""
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "out.png")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == f"Cannot write {tmp_path / 'out.png'}: the file would be larger than allowed here.\n"
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys, time
from pathlib import Path
from artkit.files import write_atomically

def stall(descriptor):
    print("half-way", flush=True)
    time.sleep(60)

os.fsync = stall
write_atomically(Path(sys.argv[1]), b"new" * 100_000, overwrite=True)
"""


@pytest.mark.parametrize("exists", [False, True])
def test_kill_9_in_mid_write_leaves_no_partial_file(tmp_path: Path, exists: bool) -> None:
    path = tmp_path / "out.png"
    if exists:
        path.write_bytes(b"old")
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half-way\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (path.read_bytes() if path.exists() else None) == (b"old" if exists else None)
    assert all(entry.name.endswith(".part") for entry in tmp_path.iterdir() if entry != path)
