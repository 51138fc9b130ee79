"""superres' trainer: both losses learn, runs resume to the bit, and models run as they were shown."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

import artkit
from artkit import Chain, Kind, OptionError, TrainingError
from artkit.data import Column, FolderDataset
from artkit.models import load_model, read_header
from artkit.nn import compress_jpeg
from artkit.spec import parse_options
from artkit.training import Settings, train
from artkit_superres import SuperresTraining
from artkit_superres.degradation import degrade, shrink
from artkit_superres.losses import texture_loss
from artkit_superres.trainer import SuperresTrainer

TINY = {"width": 8, "blocks": 1, "widths": [4], "receptive_field": 16}
RUN = {"crop": 32, "batch": 2, "log_every": 2, "sample_every": 100, "checkpoint_every": 2, "ema": 0.5, **TINY}
SHARP = {"adversarial": 0.01, "matching": 0.1, "texture": 0.5, "content": 1.0}


@pytest.fixture
def folder(tmp_path):
    """Pictures of hard-edged stripes, which a network soon learns to enlarge better than bicubic does."""
    for index in range(6):
        y, x = np.mgrid[:48, :48]
        stripes = ((np.cos(index) * x + np.sin(index) * y) // 6 % 2).astype(np.uint8)
        path = tmp_path / "data" / "photo" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.stack([60 + 150 * stripes, 200 - 90 * stripes, 90 + 30 * stripes], -1)).save(path)
    return tmp_path / "data"


def trainer(folder, **options: object) -> SuperresTrainer:
    torch.manual_seed(0)
    values = parse_options(SuperresTraining, {**TINY, **options}, "superres")
    return SuperresTrainer(values, Settings(crop=32, batch=4, learning_rate=3e-3), FolderDataset(folder))


def batch_of(folder) -> dict[str, torch.Tensor]:
    data = FolderDataset(folder)
    pictures = [data.load(index, ["photo"])["photo"][:, :32, :32] for index in range(4)]
    return {"photo": torch.stack(pictures).float() / 255}


@pytest.fixture
def pictures():
    """Twelve pictures of stripes as fine as pixels, which shrinking without antialiasing turns into something else."""
    x = torch.arange(32)
    rows = torch.stack([(x * (index + 2) % 7 < 3).float() for index in range(12)])
    return rows[:, None, None, :].expand(-1, 3, 32, -1).contiguous()


def test_a_share_of_the_small_pictures_is_shrunk_without_antialiasing(pictures):
    torch.manual_seed(0)
    smooth, rough = shrink(pictures, 4), F.interpolate(pictures, size=(8, 8), mode="bicubic")
    rough = (rough.clamp(0, 1) * 255).round() / 255
    assert torch.equal(degrade(pictures, 4, plain=0.0, jpeg=0.0), smooth)
    assert torch.equal(degrade(pictures, 4, plain=1.0, jpeg=0.0), rough)
    some = degrade(pictures, 4, plain=0.5, jpeg=0.0)
    aliased = [torch.equal(*pair) for pair in zip(some, rough, strict=True)]
    assert 2 <= sum(aliased) <= 10
    assert all(torch.equal(one, rough[i] if aliased[i] else smooth[i]) for i, one in enumerate(some))


def test_a_share_of_the_small_pictures_goes_through_jpeg(pictures, monkeypatch):
    qualities = []

    def compress(picture, quality):
        qualities.append(quality)
        return 1 - picture

    monkeypatch.setattr("artkit_superres.degradation.compress_jpeg", compress)
    torch.manual_seed(0)
    small = shrink(pictures, 2)
    assert torch.equal(degrade(pictures, 2, plain=0.0, jpeg=1.0), 1 - small)
    assert len(qualities) == 12
    assert 40 <= min(qualities) < max(qualities) < 95
    some = degrade(pictures, 2, plain=0.0, jpeg=0.5)
    assert 2 <= len(qualities) - 12 <= 10
    assert sum(not torch.equal(*pair) for pair in zip(some, small, strict=True)) == len(qualities) - 12


def test_jpeg_is_that_of_a_file(tmp_path):
    picture = torch.rand(3, 19, 22, generator=torch.Generator().manual_seed(4))
    levels = (picture * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    Image.fromarray(levels).save(tmp_path / "a.jpg", quality=30)
    written = torch.tensor(np.array(Image.open(tmp_path / "a.jpg"))).permute(2, 0, 1) / 255
    assert torch.equal(compress_jpeg(picture, 30), written)
    gap = [float((compress_jpeg(picture, quality) - picture).abs().mean()) for quality in (20, 60, 95)]
    assert gap[0] > gap[1] > gap[2] > 0


def test_training_learns_from_degraded_pictures(folder, monkeypatch):
    """What the network sees is degraded by the options, and what it is to make of it is not."""
    seen = []
    monkeypatch.setattr("artkit_superres.trainer.degrade", lambda *how: seen.append(how) or shrink(how[0], how[1]))
    made, batch = trainer(folder, plain=0.25, jpeg=0.75), batch_of(folder)
    made.training_step(batch)
    assert [how[1:] for how in seen] == [(2, 0.25, 0.75), (4, 0.25, 0.75)]
    assert torch.equal(seen[1][0], batch["photo"])


def test_small_pictures_are_whole_levels_of_the_right_size():
    small = shrink(torch.rand(2, 3, 16, 24), 4)
    assert small.shape == (2, 3, 4, 6)
    assert torch.equal((small * 255).round() / 255, small)
    assert torch.allclose(shrink(torch.full((1, 3, 8, 8), 51 / 255), 2), torch.tensor(51 / 255))


@pytest.mark.parametrize(("options", "gap"), [({}, F.mse_loss), (SHARP, texture_loss)])
def test_training_beats_bicubic(folder, options, gap):
    made, batch = trainer(folder, scales=(2,), **options), batch_of(folder)
    for _ in range(50):
        losses = made.training_step(batch)
    with torch.no_grad():
        bicubic, ours, target = made.preview(batch)
    assert gap(ours, target) < 0.8 * gap(bicubic, target)
    names = {"mse"} | ({"texture", "adversarial", "matching", "discriminator"} if options else set())
    assert set(losses) == {f"{name}_x2" for name in names}


def test_every_scale_learns(folder):
    made, batch = trainer(folder), batch_of(folder)
    before = {name: made.networks[name].leave.weight.clone() for name in ("x2", "x4")}
    made.training_step(batch)
    assert all(not torch.equal(made.networks[name].leave.weight, weight) for name, weight in before.items())


@pytest.mark.parametrize("network", ["srresnet", "rrdb"])
def test_the_papers_networks_train(folder, network):
    made = trainer(folder, network=network)
    losses = made.training_step(batch_of(folder))
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert made.preview(batch_of(folder))[1].shape == (4, 3, 32, 32)


def test_texture_loss_minds_strength_and_not_place():
    grain = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.1 + 0.5
    other = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 0.1 + 0.5
    blurred = F.avg_pool2d(grain, 3, 1, 1, count_include_pad=False)
    assert texture_loss(grain, grain) == 0
    assert texture_loss(other, grain) < 0.3 * texture_loss(blurred, grain)


def test_texture_loss_has_finite_gradients_on_flat_pictures():
    flat = torch.full((1, 3, 16, 16), 0.5, requires_grad=True)
    texture_loss(flat, torch.rand(1, 3, 16, 16)).backward()
    assert torch.isfinite(flat.grad).all()


@pytest.mark.parametrize("options", [{}, SHARP])
def test_resumed_run_equals_an_uninterrupted_one(folder, tmp_path, options):
    values = {**RUN, **options, "decay_from": 1.0}
    whole = train("superres", str(folder), tmp_path / "whole", values={**values, "steps": 4})
    train("superres", str(folder), tmp_path / "halves", values={**values, "steps": 2})
    halves = train("superres", "", tmp_path / "halves", values={"steps": 4}, resume=True)
    assert whole.read_bytes() == halves.read_bytes()


def test_a_model_starts_from_another(folder, tmp_path):
    twin = train("superres", str(folder), tmp_path / "twin", values={**RUN, "steps": 2})
    values = {**RUN, **SHARP, "steps": 1, "start": str(twin), "learning_rate": 1e-9, "ema": 0}
    values = {name: value for name, value in values.items() if name not in ("width", "blocks")}  # the twin's are taken
    sharp = train("superres", str(folder), tmp_path / "sharp", values=values)
    tensors = load_model(twin).tensors
    assert all(torch.allclose(value, tensors[name], atol=1e-3) for name, value in load_model(sharp).tensors.items())
    assert read_header(sharp).training["start"]
    with pytest.raises(TrainingError, match="misshaped"):
        train("superres", str(folder), tmp_path / "other", values={**values, "width": 6})


@pytest.mark.parametrize("grown", [{"blocks": 3}, {"width": 12}, {"width": 12, "blocks": 3}])
def test_a_larger_network_goes_on_from_a_smaller_one(grown, folder, tmp_path):
    small = train("superres", str(folder), tmp_path / "small", values={**RUN, "steps": 2})
    values = {**RUN, "steps": 1, "start": str(small), "learning_rate": 1e-12, "ema": 0, **grown}
    large = train("superres", str(folder), tmp_path / "large", values=values)
    for network in read_header(large).arguments["networks"]:
        assert grown.items() <= network.items()
    picture = torch.rand(1, 3, 20, 24)
    for scale in (2, 4):
        before, after = (artkit.load(path, scale=scale)(picture).tensor for path in (small, large))
        torch.testing.assert_close(after, before, rtol=0, atol=1e-5)
    added = load_model(large).tensors[f"x4.blocks.{grown.get('blocks', 1) - 1}.conv1.weight"].float()
    assert added[-4:].std() > 0.03  # zero too, they would never learn
    misfit = r"unexpected: blocks\.1" if "blocks" in grown else "misshaped"  # the other way round nothing fits
    with pytest.raises(TrainingError, match=misfit):
        train("superres", str(folder), tmp_path / "back", values={**RUN, "steps": 1, "start": str(large)})


def test_exported_model_does_what_the_trainer_showed(folder, tmp_path):
    model = train("superres", str(folder), tmp_path / "run", values={**RUN, "steps": 2})
    out = Chain(f"superres(scale=4, model={str(model)!r})")(torch.rand(1, 3, 13, 10))
    assert out.size == (52, 40)
    assert artkit.load(model)(torch.rand(1, 3, 3, 2)).size == (6, 4)


@pytest.mark.parametrize(
    ("values", "message"),
    [({"scales": (3,)}, "scales 2 and 4"), ({"scales": ()}, "scales 2 and 4"), ({"scales": (2, 2)}, "each once")],
)
def test_bad_options_are_one_line(folder, values, message):
    with pytest.raises(OptionError, match=message):
        trainer(folder, **values)


def test_crop_must_fit_the_scales(folder, tmp_path):
    with pytest.raises(OptionError, match=r"crop=20.*multiple of 8"):
        train("superres", str(folder), tmp_path / "run", values={**RUN, "crop": 20})


def test_data_without_pictures_are_refused(folder):
    labels = FolderDataset(folder)
    labels.columns = {"label": Column("label", Kind.LABELS)}
    with pytest.raises(OptionError, match=r"^training superres: the data has no column of pictures to learn from\.$"):
        SuperresTrainer(SuperresTraining(), Settings(crop=32), labels)
