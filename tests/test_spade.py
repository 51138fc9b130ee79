"""spade: its networks by their formulas, what is worked out in closed form, and the steps of a chain."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

import artkit
from artkit.chain.planning import plan_chain
from artkit.data import Dataset
from artkit.engine.loading import load_translator
from artkit.errors import OptionError
from artkit.images import one_hot
from artkit.models.file import load_model
from artkit.nn import MomentsEncoder, fit_codes, fit_style, heights
from artkit.plugins import load_registry
from artkit.testing import check_method
from artkit.training import train
from artkit.training.loop import Loop
from artkit_atelier.classes import COLOURS
from artkit_spade.arguments import ConcatenatedArguments, PaperArguments, TablesArguments, join_input
from artkit_spade.fitting import fit_colours
from artkit_spade.networks import ConcatenatedGenerator, Modulation, TablesGenerator
from artkit_spade.paper import PaperEncoder, Spade
from spade_kit import CONCATENATED, DATA, PAPER, SMALL, data, make, save

REGISTRY = load_registry()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    trainer = make()
    trainer.work_out_start()
    torch.nn.init.normal_(trainer.generator.leave.weight, std=0.3)  # as if trained: strokes and style show
    torch.nn.init.normal_(trainer.words.layers[0].weight)
    return save(trainer, tmp_path_factory.mktemp("spade") / "small.safetensors")


@pytest.fixture
def drawn(tmp_path):
    labels = np.random.default_rng(0).integers(0, 12, (6, 8), np.uint8).repeat(8, 0).repeat(8, 1)
    image = Image.fromarray(labels, "L")
    image.putpalette([value for colour in COLOURS for value in colour])
    image.save(tmp_path / "map.png")
    return tmp_path / "map.png"


def paint(model, drawn, options="", **ports):
    return artkit.Chain(f"spade(model='{model}'{options})")(drawn, seed=3, **ports).tensor


def test_noise_comes_in_as_strongly_as_the_code_says():
    """A gate that is shut makes pictures of any noise the same; one that is half open halves it."""
    torch.manual_seed(0)
    generator = TablesGenerator(3, 2, 8, 1, (4, 4), 6)
    torch.nn.init.normal_(generator.leave.weight)
    onehot, height = one_hot(torch.randint(3, (1, 8, 8)), 3), heights(8, 8)[None]
    z, w = torch.randn(2, 1, 2, 8, 8), torch.randn(1, 6)
    generator.gate.bias.data = torch.tensor([-40.0, 40.0])
    seen = [torch.cat([onehot, noise, height], 1) for noise in z]
    open_alone = [torch.cat([onehot, noise * torch.tensor([0, 1])[:, None, None], height], 1) for noise in z]
    first, second = (generator(x, w) for x in seen)
    assert not torch.allclose(first, second)
    torch.testing.assert_close(first, generator(open_alone[0], w))
    generator.gate.weight.data[:, 0] = torch.tensor([0.0, -1e4])  # a code that shuts the other one too
    shut = torch.tensor([[1.0, 0, 0, 0, 0, 0]])
    torch.testing.assert_close(generator(seen[0], shut), generator(seen[1], shut))
    generator.gate.weight.data.zero_()
    generator.gate.bias.data.fill_(0.1)  # it learns ten times as fast as the rest: this is 1
    partly = generator(seen[0], w)
    generator.gate.bias.data.fill_(40.0)
    weaker = torch.cat([onehot, z[0] * torch.tensor(1.0).sigmoid(), height], 1)
    torch.testing.assert_close(partly, generator(weaker, w))


def test_modulation_is_a_table_of_classes_that_the_code_fills():
    layer, labels = Modulation(5, 3, 4), torch.tensor([[[0, 2], [1, 1]]])
    x, w = torch.randn(1, 5, 2, 2), torch.randn(1, 4)
    around = torch.zeros(1, 16, 2, 2)
    y = layer(x, torch.cat([one_hot(labels, 3), around], 1), w)
    table = (layer.table.weight @ w[0] + layer.table.bias).view(3, 2, 5)
    for row in range(2):
        for column in range(2):
            pixel = x[0, :, row, column]
            gamma, beta = table[labels[0, row, column]]
            expected = pixel / (pixel.square().mean() + 1e-4).sqrt() * (1 + gamma) + beta
            torch.testing.assert_close(y[0, :, row, column], expected)


@pytest.mark.parametrize("norm", ["instance", "none"])
def test_a_code_that_is_concatenated_is_planes_beside_the_map(norm):
    """What it makes is what pix2pix's network makes of map, height and one plane a number of the code."""
    torch.manual_seed(0)
    generator = ConcatenatedGenerator(4, 3, 8, 1, (4, 4), norm)
    seen, w = torch.randn(2, 4, 8, 12), torch.randn(2, 3)
    planes = torch.stack([torch.stack([torch.full((8, 12), float(one)) for one in code]) for code in w])
    made = generator(seen, w)
    torch.testing.assert_close(made, generator.network(torch.cat([seen, planes], 1)))
    assert made.shape == (2, 3, 8, 12)
    assert not torch.allclose(made, generator(seen, w + 1))
    inside = generator.network.blocks[0].norm1(torch.full((1, 8, 4, 4), 3.0))  # a map of one class all over
    assert inside.abs().max() == (0 if norm == "instance" else 3)


def test_codes_that_are_concatenated_are_worked_out_too_and_learn_slowly():
    trainer = make(**CONCATENATED)
    before = {name: value.clone() for name, value in trainer.encoder.state_dict().items()}
    trainer.work_out_start()
    assert any(not torch.equal(value, before[name]) for name, value in trainer.encoder.state_dict().items())
    fast, slow = trainer.optimisers["generator"].param_groups
    assert set(slow["params"]) == set(trainer.encoder.parameters())
    assert slow["lr"] == pytest.approx(0.1 * fast["lr"])
    assert fast["betas"] == (0.0, 0.99)
    told = trainer.words(torch.eye(1 + trainer.conditions.channels))
    torch.testing.assert_close(told.square().sum(1), torch.full((len(told),), 6.0))  # of one length, as pictures' are


def test_the_papers_layer_scales_and_shifts_by_convolutions_of_the_map():
    layer, labels = Spade(4, 3, "batch"), one_hot(torch.randint(3, (2, 6, 6)), 3)
    x = torch.randn(2, 4, 6, 6)
    hidden = F.relu(layer.shared(labels))
    normal = (x - x.mean((0, 2, 3), keepdim=True)) / (x.var((0, 2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(layer(x, labels), normal * (1 + layer.gamma(hidden)) + layer.beta(hidden))


def test_the_papers_encoder_has_as_many_weights_as_the_authors_print():
    encoder = PaperEncoder(64, 256, 256)  # 10.5 million (SPADE issue 34)
    assert round(sum(one.numel() for one in encoder.parameters()) / 1e6, 1) == 10.5
    mean, log_variance = encoder.spread(torch.rand(1, 3, 40, 50))
    assert mean.shape == log_variance.shape == (1, 256)


def test_codes_are_of_one_length_for_pictures_of_any_size():
    encoder = MomentsEncoder(4, 6)
    torch.nn.init.normal_(encoder.refine[2].weight)
    for size in ((1, 1), (500, 40), (64, 48)):
        code = encoder(fit_style(torch.rand(2, 3, *size)))
        torch.testing.assert_close(code.square().sum(1), torch.full((2,), 6.0))
    assert max(fit_style(torch.rand(1, 3, 900, 500)).shape[-2:]) == 384


def test_codes_start_as_principal_components_and_colours_as_what_they_explain():
    chance = torch.Generator().manual_seed(0)
    tints = torch.rand(40, 3, 1, 1, generator=chance)
    pictures = [(tint + 0.1 * torch.randn(1, 3, 32, 32, generator=chance)).clamp(0, 1) * 2 - 1 for tint in tints]
    encoder, generator = MomentsEncoder(4, 6), TablesGenerator(3, 0, 4, 1, (4, 4), 6)
    codes = fit_codes(encoder, pictures)
    torch.testing.assert_close(encoder(torch.cat(pictures[:3])), codes[:3])
    tables = torch.randn(6, 7, 3, generator=chance) * 0.2  # true levels and slopes of three classes, of (1, code)
    shares = [one_hot(torch.randint(3, (1, 8, 8), generator=chance), 3)[0] for _ in pictures]
    height = heights(8, 8)
    colours = [
        torch.einsum("khw,kcr,c->rhw", torch.cat([share, share * height]), tables, torch.cat([torch.ones(1), code]))
        for share, code in zip(shares, codes, strict=True)
    ]
    fit_colours(generator, codes, shares, colours)
    made = generator.paint_base(torch.stack(shares), height.expand(40, 1, 8, 8), codes)
    assert (made - torch.stack(colours)).abs().mean() < 0.03 * torch.stack(colours).abs().mean()
    seen = join_input(torch.stack(shares)[:2], None, height.expand(2, 1, 8, 8))
    torch.testing.assert_close(generator(seen, codes[:2]), made[:2])  # the network adds nothing yet


def test_all_networks_keep_the_contract(model, tmp_path):
    check_method("spade", REGISTRY, model=model, sizes=((1, 1), (17, 33)))
    paper = save(make(**PAPER), tmp_path / "paper.safetensors")
    check_method("spade", REGISTRY, model=paper, sizes=((1, 7), (40, 24)))
    concatenated = save(make(**CONCATENATED), tmp_path / "concatenated.safetensors")
    check_method("spade", REGISTRY, model=concatenated, sizes=((1, 7), (40, 24)))
    check_method("spade", REGISTRY, model=model, options={"working_size": 16, "style": "any"}, sizes=((40, 24),))


def test_words_and_pictures_steer_the_style(model, drawn, tmp_path):
    plain, dusk, ink = (paint(model, drawn, text) for text in ("", ",light=dusk", ",style=ink"))
    assert torch.equal(plain, paint(model, drawn, ",light=noon,weather=clear,style=photo"))
    assert (dusk - plain).abs().mean() > 1e-3
    assert (ink - dusk).abs().mean() > 1e-3
    Image.fromarray(np.full((20, 30, 3), (200, 40, 30), np.uint8)).save(tmp_path / "red.png")
    red = paint(model, drawn, style=tmp_path / "red.png")
    nested = artkit.Chain(f"spade(model='{model}',style=[can(seed=3)])")(drawn, seed=3).tensor
    assert len({float(one.mean()) for one in (plain, dusk, ink, red, nested)}) == 5
    assert torch.equal(paint(model, drawn, ",strength=0", style=tmp_path / "red.png"), plain)
    half = paint(model, drawn, ",strength=0.5", style=tmp_path / "red.png")
    assert 0 < (half - plain).abs().mean() < (red - plain).abs().mean()


def test_any_draws_words_from_the_seed(model):
    labels, seeds = torch.arange(12).repeat(4, 16, 2)[..., :16].contiguous(), (1, 2, 3, 4)

    def run(options, facts=()):
        ports = {"labels": labels, "style": None}
        return load(model, options).run(ports, seeds=seeds, size=(16, 16), facts=facts)

    drawn = run(",light=any,style=any", facts=({"weather": "misty", "time": "dusk"},) * 4)
    times, styles = ("morning", "noon", "golden", "dusk"), ("photo", "ink")
    told = {(time, style): run(f",light={time},weather=misty,style={style}") for time in times for style in styles}
    found = [[words for words, made in told.items() if torch.allclose(made[one], drawn[one])] for one in range(4)]
    assert all(len(words) == 1 for words in found)
    assert len({words[0] for words in found}) > 1


def test_what_is_known_of_a_picture_is_its_look(model):
    plain, dusk = load(model), load(model, ",light=dusk")
    ports, how = {"labels": torch.zeros(1, 16, 16, dtype=torch.long), "style": None}, {"seeds": (0,), "size": (16, 16)}
    told = plain.run(ports, facts=({"time": "dusk", "style": "wild"},), **how)
    assert not torch.equal(told, plain.run(ports, **how))
    assert torch.equal(told, dusk.run(ports, **how))


def load(model, options=""):
    plan = plan_chain(artkit.Chain(f"spade(model='{model}'{options})"), REGISTRY, has_input=True)
    return load_translator(plan.steps[0], REGISTRY, torch.device("cpu"), "fp32")


def test_words_that_do_not_fit(model, drawn, tmp_path):
    for text, message in (
        (",light=dask", "this model knows no 'dask'.*dusk"),
        (",style=noon", "this model knows no 'noon'"),
        (",strength=2", "strength"),
    ):
        with pytest.raises(OptionError, match=message):
            paint(model, drawn, text)
    Image.new("RGB", (16, 16)).save(tmp_path / "black.png")
    with pytest.raises(OptionError, match="leave light out"):
        paint(model, drawn, ",light=dusk", style=tmp_path / "black.png")
    wordless = save(make(dataset=Wordless(), default_conditions=()), tmp_path / "wordless.safetensors")
    assert paint(wordless, drawn).shape == (1, 3, 48, 64)
    with pytest.raises(OptionError, match="give it a picture: -i style=PICTURE"):
        paint(wordless, drawn, ",light=dusk")


class Wordless(Dataset):
    """Label maps and pictures, and nothing known of them."""

    def __init__(self):
        self.columns = {name: data().columns[name] for name in ("label", "painting")}

    def __len__(self):
        return 0

    def load(self, index, names):
        raise AssertionError


@pytest.mark.parametrize("changes", [{}, CONCATENATED, PAPER], ids=["tables", "concatenated", "paper"])
def test_stopping_and_resuming_changes_nothing(tmp_path, changes, monkeypatch):
    values = SMALL | changes | {"batch": 2, "crop": 32, "precision": "fp32", "steps": 3, "sample_every": 3}
    whole = train("spade", DATA, tmp_path / "whole", values=values)
    train_step = Loop._train

    def stopping(self, batch):
        losses = train_step(self, batch)
        self._stop = self.step == 1
        return losses

    monkeypatch.setattr(Loop, "_train", stopping)
    with pytest.raises(KeyboardInterrupt):
        train("spade", DATA, tmp_path / "half", values=values)
    monkeypatch.undo()
    half = train("spade", DATA, tmp_path / "half", values=values, resume=True)
    assert half.read_bytes() == whole.read_bytes()
    made = load_model(whole)
    assert {name.split(".")[0] for name in made.tensors} == {"generator", "encoder", "words"}
    assert made.header.conditions.keys() == {"time", "weather", "style"}
    with Image.open(tmp_path / "whole" / "samples" / "000003.png") as sheet:
        assert sheet.width > 4 * 32  # map, style, by style, by words, target


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (TablesArguments, "blocks"),
        (TablesArguments, "width"),
        (ConcatenatedArguments, "code"),
        (PaperArguments, "side"),
    ],
)
def test_no_header_asks_for_networks_beyond_all_sizes(arguments, field):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"network": arguments.__struct_config__.tag, "classes": 12, field: 10**6}, arguments)
