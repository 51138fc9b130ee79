"""igan, stroke after stroke: the way to an edit in frames, sketches of it, and a photo that is searched for once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import artkit
from artkit import ImageError
from artkit.images import resize_image
from artkit.models import save_model
from artkit.nn import decode_image
from artkit_igan import IganOptions
from artkit_igan.search import RATE, find_code
from artkit_igan.translator import Igan, _same, gather
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


def codes_of(igan):
    """A list that gains the codes that a translator's generator makes pictures of."""
    seen = []
    igan.generator.register_forward_pre_hook(lambda _, given: seen.append(given[0].clone()))
    return seen


def test_the_temperature_is_how_far_dreams_are_from_the_mean(translator):
    ports = dict.fromkeys(("image", "edit", "mask", "edges"))

    def dream(temperature, seed):
        igan = translator(temperature=temperature)
        codes, made = codes_of(igan), igan.run(ports, seeds=(seed,), size=(32, 32))
        return codes[0], made

    tame, wild, other = dream(0.4, 1)[0], dream(1.6, 1)[0], dream(1.6, 2)[0]
    torch.testing.assert_close(wild, 4 * tame)
    assert not torch.equal(wild, other)
    assert 0.5 < wild.std() / 1.6 < 1.5
    assert torch.equal(dream(0.0, 1)[1], dream(0.0, 2)[1])


def test_without_transfer_the_generators_picture_is_shown(translator):
    image, mask = photos(1, first=20), torch.zeros(1, 1, 32, 32)
    mask[..., 20:, :8] = 1
    ports = {"image": image, "edit": torch.full((1, 3, 32, 32), 0.9), "mask": mask, "edges": None}
    igan = translator(steps=10, transfer=False)
    codes, shown = codes_of(igan), igan.run(ports, seeds=(0,), size=(48, 40))
    with torch.no_grad():
        expected = resize_image(decode_image(igan.generator(codes[-1])), (48, 40))
    torch.testing.assert_close(shown, expected.clamp(0, 1), atol=1e-5, rtol=0)


def test_the_rate_of_a_search_falls_to_a_tenth_in_a_line():
    """Down a slope of the same steepness everywhere, Adam's step is its rate."""
    start = torch.zeros(1, 3)
    found = find_code(torch.nn.Identity(), start, lambda made, z: z.sum(1), 20, lambda *_: None)
    expected = RATE * sum(1 - 0.9 * step / 20 for step in range(20))
    torch.testing.assert_close(found, start - expected, atol=1e-4, rtol=0)


def test_a_mask_of_another_size_is_brought_to_that_of_the_strokes():
    edit, mask = torch.rand(1, 3, 40, 60), torch.zeros(1, 1, 20, 30)
    mask[..., 10:, :15] = 1
    whole = torch.zeros(1, 1, 40, 60)
    whole[..., 20:, :30] = 1
    for found, expected in zip(gather(edit, mask, 10), gather(edit, whole, 10), strict=True):
        assert found.shape == expected.shape
        torch.testing.assert_close(found[..., 6:, :4], expected[..., 6:, :4], atol=0.01, rtol=0)


def test_photos_of_another_kind_are_other_photos():
    photo = torch.zeros(1, 3, 4, 4)
    assert _same(photo, photo.clone())
    assert not _same(photo, photo + 1)
    assert not _same(photo, photo.bfloat16())


def test_edges_alone_steer_each_picture_of_a_batch(translator):
    edges = torch.zeros(2, 1, 32, 32)
    edges[0, :, :, 16] = edges[1, :, 8] = 1
    ports = {"image": photos(2), "edit": None, "mask": None, "edges": edges}
    both = translator(edge=2.0, steps=5).run(ports, seeds=(1, 2), size=(32, 32))
    for index in range(2):
        one = {name: None if value is None else value[index : index + 1] for name, value in ports.items()}
        alone = translator(edge=2.0, steps=5).run(one, seeds=(index + 1,), size=(32, 32))
        torch.testing.assert_close(alone[0], both[index], atol=2e-3, rtol=0)
    assert not torch.equal(both, photos(2))
