"""igan, stroke after stroke: the way to an edit in frames, sketches of it, and a photo that is searched for once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import artkit
from artkit import ImageError
from artkit.models import save_model
from artkit_igan import IganOptions
from artkit_igan.translator import Igan
from plugin_kit import translator_of
from test_igan import make, photos


@pytest.fixture(scope="module")
def trainer():
    made = make()
    made.work_out_start()
    torch.nn.init.normal_(made.generator.leave.weight, 0, 0.015)  # components alone leave nothing to search for
    return made


@pytest.fixture
def translator(trainer):
    return lambda **options: translator_of(trainer, Igan, IganOptions(**options))


def test_a_morph_is_the_way_there_in_frames(translator, trainer, tmp_path):
    image, mask = photos(1, first=20), torch.zeros(1, 1, 32, 32)
    mask[..., 20:, :8] = 1
    ports = {"image": image, "edit": torch.full((1, 3, 32, 32), 0.9), "mask": mask, "edges": None}
    four = {name: None if value is None else value.expand(4, -1, -1, -1) for name, value in ports.items()}
    way = translator(morph=3, share=0.5).run(four, seeds=(5, 6, 7, 8), numbers=(3, 4, 5, 6), size=(32, 32))
    for frame, share in zip(way, (0.0, 0.25, 0.5, 0.0), strict=True):
        alone = translator(share=share).run(ports, seeds=(0,), size=(32, 32))[0]
        torch.testing.assert_close(frame, alone, atol=2e-3, rtol=0)
    save_model(tmp_path / "model.safetensors", *trainer.export())
    Image.fromarray(np.full((8, 8, 4), 200, np.uint8)).save(tmp_path / "strokes.png")
    chain = artkit.Chain(f"igan(model='{tmp_path}/model.safetensors',morph=2,share=0)")
    dreams = [chain(None, seed=seed, size=(32, 32), edit=tmp_path / "strokes.png").tensor for seed in (0, 1, 2)]
    one, same, other = dreams
    assert torch.equal(one, same)  # a way is of one dream, and the next of another
    assert not torch.equal(one, other)
    with pytest.raises(ImageError, match=r"igan\(morph=...\): the way to where\?"):
        chain(None, size=(32, 32))


def test_sketches_of_an_edit_are_carried_over_to_the_photo(translator):
    image, mask, seen = photos(1, first=20), torch.zeros(1, 1, 32, 32), []
    mask[..., 20:, :8] = 1
    ports = {"image": image, "edit": torch.full((1, 3, 32, 32), 0.9), "mask": mask, "edges": None}

    def watch(share, sketch):
        seen.append((share, sketch()))

    translator(steps=10).run(ports, seeds=(0,), size=(32, 32), progress=watch)
    assert [share for share, _ in seen] == [0.25, 0.5, 0.75, 1]
    kept = [torch.equal(sketch[..., :10, 20:], image[..., :10, 20:]) for _, sketch in seen]
    assert kept == [False, False, True, True]  # what the generator finds, then the edit of the photo


def test_a_photo_is_searched_for_once_however_many_strokes_follow(translator):
    mask, seen = torch.zeros(1, 1, 32, 32), []
    mask[..., 20:, :8] = 1
    kept = translator(steps=10)

    def edit(igan, first, level):
        ports = {
            "image": photos(1, first=first),
            "edit": torch.full((1, 3, 32, 32), level),
            "mask": mask,
            "edges": None,
        }
        seen.clear()
        return igan.run(ports, seeds=(0,), size=(32, 32), progress=lambda share, _: seen.append(share))

    for first, level, shares in ((20, 0.9, [0.25, 0.5, 0.75, 1]), (20, 0.1, [0.75, 1]), (3, 0.1, [0.25, 0.5, 0.75, 1])):
        again = edit(kept, first, level)
        assert seen == shares
        assert torch.equal(again, edit(translator(steps=10), first, level))
