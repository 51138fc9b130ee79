"""stackgan: words are read, layouts follow them, no right caption is called wrong, both stages obey the papers."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from artkit import Chain, OptionError
from artkit.images import match_exactly, one_hot
from artkit.models import save_model
from artkit.testing import check_spec
from artkit_stackgan import SPEC, StackganOptions
from artkit_stackgan.discriminators import LayoutEncoder
from artkit_stackgan.fitting import Examples, find_visible, fit_colours, fit_layouts, fit_reader, regress
from artkit_stackgan.layouts import REACH, STEEPNESS, layout_logits
from artkit_stackgan.networks import Colours, LayoutGenerator, Reader, TextEncoder
from artkit_stackgan.translator import Stackgan
from artkit_stackgan.words import Vocabulary, bag_of, drop_words
from plugin_kit import translator_of
from stackgan_kit import CLASSES, LIGHT, WORDS, batch_of, make


@pytest.fixture(scope="module")
def examples():
    batch = batch_of(*range(60))
    shares = F.avg_pool2d(one_hot(batch["label"], 3), 4)
    return Examples(shares, F.avg_pool2d(batch["photo"], 4) * 2 - 1, WORDS.encode(batch["caption"]))


@pytest.fixture(scope="module")
def trainer():
    made = make()
    made.work_out_start()
    torch.nn.init.normal_(made.painter.leave.weight, 0, 0.02)  # so that noise and words are seen in the picture
    return made


@pytest.fixture(scope="module")
def model(trainer, tmp_path_factory):
    path = tmp_path_factory.mktemp("stackgan") / "model.safetensors"
    save_model(path, *trainer.export())
    return path


@pytest.fixture
def translator(trainer):
    return lambda **options: translator_of(trainer, Stackgan, StackganOptions(**options))


def dream(translator, *numbers, size=(32, 32), **about):
    return translator.run({}, seeds=tuple(7 + number for number in numbers), numbers=numbers, size=size, **about)


def test_the_spec_keeps_the_contract():
    check_spec(SPEC)
    assert SPEC.is_source


# -- words ---


def test_sentences_are_taken_apart():
    vocabulary = Vocabulary.of(["A lake's edge.", "a LAKE's  edge; a tree", "rock"], 100)
    assert vocabulary.words == ("a", "edge", "lake's")  # a tree and a rock are told of once
    assert Vocabulary.of(["b a", "a b", "a"], 1).words == ("a",)
    assert vocabulary.known("The edge, a castle: Edge") == ["edge", "a", "edge"]
    assert vocabulary.unknown("The edge: a castle, the moat") == ["the", "castle", "moat"]
    assert vocabulary.encode(["edge a", "", "castle"]).tolist() == [[2, 1], [0, 0], [0, 0]]
    assert bag_of(vocabulary.encode(["edge a edge"]), 3).tolist() == [[1, 1, 0]]


def test_words_are_left_out_as_often_as_asked():
    torch.manual_seed(0)
    text = torch.ones(2, 4000, dtype=torch.long)
    kept = drop_words(text, torch.tensor([0.0, 0.3])).float().mean(1)
    assert kept[0] == 1
    assert kept[1] == pytest.approx(0.7, abs=0.03)


def test_the_padding_of_a_sentence_means_nothing():
    torch.manual_seed(0)
    encoder = TextEncoder(9, 5, 8)
    torch.nn.init.normal_(encoder.leave.weight)
    short, padded = torch.tensor([[3, 1]]), torch.tensor([[3, 1, 0, 0, 0]])
    for one, other in zip(encoder(short), encoder(padded), strict=True):
        torch.testing.assert_close(one, other)
    turned = encoder(torch.tensor([[1, 3]]))[1]
    assert not torch.allclose(turned, encoder(short)[1])  # the order counts


# -- what is worked out ---


def test_layouts_are_signed_distances():
    """Against distances from every place to every place."""
    labels = torch.tensor([[0, 0, 1, 1], [0, 2, 1, 1], [0, 0, 1, 1], [0, 0, 0, 0]])
    logits = layout_logits(one_hot(labels[None], 4))[0] / STEEPNESS * 4
    places = torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0))
    apart = torch.cdist(places, places)
    for index in range(3):
        own = (labels == index).flatten()
        inside, outside = apart[:, ~own].amin(1) - 0.5, 0.5 - apart[:, own].amin(1)
        expected = torch.where(own, inside, outside).clamp(-4 * REACH, 4 * REACH)
        torch.testing.assert_close(logits[index].flatten(), expected)
    assert bool((logits[3] == -4 * REACH).all())  # a class that is nowhere
    assert bool((logits.argmax(0) == labels).all())


def test_a_regression_is_that_of_least_squares_with_the_ridge_as_rows():
    torch.manual_seed(0)
    x, y = torch.randn(30, 4, dtype=torch.float64) + 3, torch.randn(30, 2, dtype=torch.float64)
    weights, level = regress(x, y, ridge=0.5)
    centred = x - x.mean(0)
    ridge = 0.5 * centred.square().sum(0).mean()
    rows = torch.cat([centred, ridge.sqrt() * torch.eye(4, dtype=torch.float64)])
    targets = torch.cat([y - y.mean(0), torch.zeros(4, 2, dtype=torch.float64)])
    torch.testing.assert_close(weights, torch.linalg.lstsq(rows, targets).solution, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close((x @ weights + level).mean(0), y.mean(0))


def test_codes_are_components_and_what_words_leave_open_is_normal(examples):
    torch.manual_seed(0)
    text, encoder, generator = TextEncoder(9, 5, 8), LayoutEncoder(5, 3, 16, 4), LayoutGenerator(5, 3, 16, 4)
    fit_layouts(text, encoder, generator, examples)
    x = layout_logits(examples.shares).flatten(1)
    codes = encoder.base(x)
    u, s, v = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    best = (u[:, :5] * s[:5]) @ v[:5] + x.mean(0)
    torch.testing.assert_close(generator.base(codes), best, atol=2e-3, rtol=0)
    left = codes - text(examples.text)[0]
    covariance = left.T @ left / len(left)
    torch.testing.assert_close(covariance, torch.eye(5), atol=0.02, rtol=0)
    lake, meadow = (text(WORDS.encode([f"a {word}"]))[0] for word in ("lake", "meadow"))
    water = [F.softmax(generator(code), 1)[:, 2].mean() for code in (lake, meadow)]
    assert water[0] > 3 * water[1]


def test_more_numbers_than_pictures_mean_nothing(examples):
    few = Examples(examples.shares[:3], examples.colours[:3], examples.text[:3])
    text, encoder, generator = TextEncoder(9, 6, 8), LayoutEncoder(6, 3, 16, 4), LayoutGenerator(6, 3, 16, 4)
    fit_layouts(text, encoder, generator, few)
    assert int((generator.base.weight.abs().sum(0) > 0).sum()) == 2  # three layouts differ in two directions
    assert torch.isfinite(torch.cat([text(few.text)[0], encoder.base(layout_logits(few.shares).flatten(1))])).all()


def test_colours_are_those_of_the_light_that_is_named(examples):
    torch.manual_seed(0)
    colours = Colours(3, 9)
    fit_colours(colours, examples)
    for light, expected in LIGHT.items():
        said = bag_of(WORDS.encode([f"a lake at {light}"]), 9)
        made = (colours(torch.eye(3).view(3, 3, 1, 1), said.expand(3, -1))[:, :, 0, 0] + 1) / 2
        torch.testing.assert_close(made, torch.tensor(expected) / 255, atol=0.1, rtol=0)


def test_heights_are_learned():
    """A class that is lighter at the top is painted so, and by as much."""
    ramp = torch.linspace(1, -1, 17).unfold(0, 2, 1).mean(1)  # means of cells of heights
    colours = (0.3 * ramp)[None, None, :, None].expand(6, 3, -1, 16)
    told = Examples(torch.ones(6, 1, 16, 16), colours, torch.ones(6, 1, dtype=torch.long))
    table = Colours(1, 1)
    fit_colours(table, told)
    torch.testing.assert_close(table(told.shares[:1], torch.ones(1, 1)), colours[:1], atol=5e-3, rtol=0)


def test_words_that_are_seen_are_found(examples):
    said = bag_of(examples.text, 9)
    torch.manual_seed(0)
    seen = torch.stack([said[:, 3] + 0.1 * torch.randn(60), torch.randn(60)], 1)
    assert [WORDS.words[i] for i in find_visible(seen, said).nonzero()[:, 0]] == ["lake", "meadow"]


def test_the_reader_reads(examples):
    reader = Reader(9)
    fit_reader(reader, examples)
    scores = dict(zip(WORDS.words, reader(batch_of(0)["photo"])[0].tolist(), strict=True))
    assert scores["noon"] > 0.8 > 0.2 > scores["dusk"]
    assert scores["lake"] > scores["meadow"]


# -- pictures ---


def test_the_label_map_is_in_class_colours_and_the_picture_is_painted_on_it(translator):
    for size in ((32, 32), (17, 33)):
        labels, exact = match_exactly(dream(translator(text="a lake at noon", stage=0), *range(6), size=size), CLASSES)
        assert exact.all()
    assert set(labels.unique().tolist()) == {0, 1, 2}
    sketch = dream(translator(text="a lake at noon", stage=1), 1)
    picture = dream(translator(text="a lake at noon"), 1)
    noon = torch.tensor(LIGHT["noon"]) / 255
    assert (sketch[0, :, 0].mean(1) - noon[0]).abs().max() < 0.1  # the sky of noon, in both
    assert (picture[0, :, 0].mean(1) - noon[0]).abs().max() < 0.15


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_every_stage_computes_in_bf16(translator, stage):
    made = translator(text="a lake at noon", stage=stage)
    plain, half = dream(made, 0), dream(made.to(torch.bfloat16), 0, dtype=torch.bfloat16)
    assert (plain - half).abs().mean() < 0.02


def test_the_sentence_decides(translator):
    def water(text):
        labels = match_exactly(dream(translator(text=text, stage=0, truncation=0.3), *range(6)), CLASSES)[0]
        return float((labels == 2).float().mean())

    assert water("a lake at noon") > 3 * water("a meadow at noon")
    light, dark = (dream(translator(text=f"a meadow at {word}"), 1).mean() for word in ("noon", "dusk"))
    assert light > dark + 0.1


def test_truncation_is_how_far_layouts_stray(translator):
    still = dream(translator(text="a lake", stage=0, truncation=0.0), 1, 2)
    assert torch.equal(still[0], still[1])
    loose = dream(translator(text="a lake", stage=0, truncation=1.5), 1, 2)
    assert not torch.equal(loose[0], loose[1])


def test_tries_keep_the_sketch_in_which_the_words_are_read_best(translator):
    one, many = (translator(text="a lake at noon", stage=1, tries=tries, truncation=1.0) for tries in (1, 9))
    said = bag_of(WORDS.encode(["a lake at noon"]), 9)

    def score(made):
        return (made.reader(dream(made, *range(8))).clamp(0, 1) * said).sum(1).mean()

    assert score(many) > score(one) + 0.02


def test_a_morph_goes_from_one_sentence_to_the_other(translator):
    first, last = (dream(translator(text=f"a {word}"), 4) for word in ("lake at noon", "meadow at dusk"))
    way = {"text": "a lake at noon", "morph": "a meadow at dusk"}
    for share, end in ((0.0, first), (1.0, last)):
        assert torch.equal(dream(translator(**way, share=share), 4), end)
    halfway = dream(translator(**way), 4)
    assert last.mean() < halfway.mean() < first.mean()
    frames = dream(translator(**way, frames=3), 0, 1, 2, 3)
    assert frames[0].mean() > frames[1].mean() > frames[2].mean()
    assert not torch.equal(frames[3], frames[0])  # the next way, in another chance


def test_where_nothing_is_said_the_caption_is_painted(translator):
    told = dream(translator(), 3, facts=({"caption": "a lake at noon"},))
    assert torch.equal(told, dream(translator(text="a lake at noon"), 3))
    said = dream(translator(text="a meadow"), 3, facts=({"caption": "a lake at noon"},))
    assert torch.equal(said, dream(translator(text="a meadow"), 3))
    assert torch.isfinite(dream(translator(), 3)).all()


def test_a_batch_equals_its_pictures_one_by_one(translator):
    made = translator(text="a lake")
    both = dream(made, 1, 2)
    assert torch.equal(both, torch.cat([dream(made, 1), dream(made, 2)]))


def test_unknown_words_are_named_with_the_nearest(translator, capsys):
    made = [translator(text="a quite lake at Noon, with swans") for _ in range(2)][1]
    told = capsys.readouterr().err
    assert told.count("never read 'swans'") == 1
    assert "never read 'quite', and leaves it out. Did you mean 'quiet'?" in told
    assert "never read 'swans'" in told
    [report] = made.report(dream(made, 1))
    assert report["words"] == ["a", "lake", "at", "noon"]
    assert report["unknown"] == ["quite", "with", "swans"]
    assert report["read"]["noon"] > 0.5
    with pytest.raises(OptionError, match=r"knows none of these words\. Did you mean 'meadow'"):
        translator(text="meadows")
    with pytest.raises(OptionError, match="knows none of these words"):
        translator(text="")
    with pytest.raises(OptionError, match="Say a second sentence"):
        translator(text="a lake", frames=3)


def test_a_model_runs_in_a_chain(model):
    picture = Chain(f"stackgan(model='{model}',text='a lake')")(size=(40, 32))
    assert picture.tensor.shape == (1, 3, 32, 40)


def test_the_default_model_follows_the_sentence():
    def share(text, colour):
        made = [Chain(f"stackgan(text='{text}',stage=0)")(seed=seed, size=(48, 48)).tensor for seed in range(3)]
        return (torch.cat(made) * 255).round().eq(torch.tensor(colour)[:, None, None]).all(1).float().mean()

    water, sand = (50, 95, 160), (225, 205, 150)
    assert share("a quiet lake below blue mountains", water) > 0.15 > 0.03 > share("a wide plain", water)
    assert share("a sandy coast", sand) > 3 * share("a green valley among green hills", sand)
    noon, dusk = (Chain(f"stackgan(text='a lake at {word}')")(size=(48, 48)).tensor.mean() for word in ("noon", "dusk"))
    assert noon > dusk + 0.1
