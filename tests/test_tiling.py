"""Networks in tiles: equal to the whole, within the memory, smaller when memory runs out."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from artkit import Context, ImageError, Kind, MethodSpec, Port, Tiling, Translator, hookimpl
from artkit.nn import DilatedBlock, Edsr, ResnetGenerator, RrdbNet, SrResnet, SubpixelNet, UnetGenerator
from artkit.nn.tiling import (
    SMALLEST,
    check_memory,
    fix_tiles,
    in_tiles,
    is_out_of_memory,
    limit_memory,
    peak_bytes,
    reach,
    whole_sum,
)
from artkit.plugins import PluginSource, current_registry, load_registry, use_registry
from artkit.testing import check_method

NETWORKS = {
    "resnet": lambda: ResnetGenerator(3, 3, 2, 4),
    "resnet batch": lambda: ResnetGenerator(3, 3, 1, 4, "batch"),
    "resnet cut": lambda: ResnetGenerator(3, 3, 1, 4, antialias=True),
    "resnet resize": lambda: ResnetGenerator(3, 3, 1, 4, upsample="resize"),
    "subpixel": lambda: SubpixelNet(3, 3, 8, 5, (4, 4), "none", upsample="resize"),
    "subpixel instance": lambda: SubpixelNet(3, 3, 8, 3, (4, 4), "instance", residual=True),
    "edsr": lambda: Edsr(2, 4, 2),
    "srresnet": lambda: SrResnet(4, 4, 2),
    "rrdb": lambda: RrdbNet(4, 2, 2),
    "rrdb unshuffled": lambda: RrdbNet(4, 1, 2, unshuffle=2),
}


def network(name: str) -> nn.Module:
    """Build a tiny network whose every layer has weights that matter."""
    made, generator = NETWORKS[name](), torch.Generator().manual_seed(0)
    for layer in made.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0, 0.2, generator)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.3, generator)
            nn.init.normal_(layer.bias, 0, 0.3, generator)
    return made.eval().requires_grad_(False)


def picture(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=8)
@given(rows=st.integers(2, 13), columns=st.integers(2, 13), side=st.integers(1, 40))
def test_tiled_equals_whole(name, rows, columns, side):
    made, image = network(name).double(), picture(2, 3, 4 * rows, 4 * columns).double()
    with fix_tiles(side):
        tiled = made(image)
    assert torch.allclose(tiled, made(image), atol=1e-5 if name == "edsr" else 1e-9)  # edsr enlarges in float32


@pytest.mark.parametrize("name", NETWORKS)
def test_tiled_equals_whole_in_usual_arithmetic(name):
    torch.manual_seed(0)
    made, image = NETWORKS[name]().eval().requires_grad_(False), picture(1, 3, 72, 100)
    with fix_tiles(28):
        tiled = made(image)
    assert torch.allclose(tiled, made(image), atol=1e-5)


@settings(max_examples=20)
@given(height=st.integers(1, 40), width=st.integers(1, 40), side=st.integers(1, 40), dilation=st.integers(1, 3))
def test_conditioned_blocks_take_any_size(height, width, side, dilation):
    block = DilatedBlock(4, dilation, "instance", 2).eval().requires_grad_(False)
    image, condition = picture(1, 4, height, width), torch.tensor([[1.0, -0.5]])
    with fix_tiles(side):
        tiled = block(image, condition)
    assert torch.allclose(tiled, block(image, condition), atol=1e-5)


def test_statistics_of_single_tiles_would_show():
    image = picture(1, 3, 32, 32) * torch.linspace(0, 1, 32)
    made = network("resnet")
    alone = torch.cat([made(half) for half in image.split(16, 3)], 3)
    assert not torch.allclose(alone, made(image), atol=1e-2)


def test_a_smaller_halo_would_show():
    blur = nn.AvgPool2d(5, 1, 2)
    image = picture(1, 1, 20, 20)
    with fix_tiles(8):
        assert torch.allclose(in_tiles(blur, image, halo=2), blur(image), atol=1e-6)
        assert not torch.allclose(in_tiles(blur, image, halo=1), blur(image), atol=1e-3)


def test_norms_of_coarse_arithmetic_agree_within_its_steps():
    made, image = network("subpixel instance").bfloat16(), picture(1, 3, 32, 24).bfloat16()
    with fix_tiles(8):
        tiled = made(image)
    assert tiled.dtype == torch.bfloat16
    assert torch.allclose(tiled.float(), made(image).float(), atol=0.05 * float(made(image).float().std()))


def test_sums_are_those_of_the_whole():
    image = picture(2, 3, 9, 14)

    def centred(x: Tensor) -> Tensor:
        count, total = whole_sum(lambda own: torch.stack((torch.ones_like(own).sum((2, 3)), own.sum((2, 3)))), x)
        assert total.dtype == torch.float64
        return x - (total / count)[..., None, None].float()

    with fix_tiles(4):
        tiled = in_tiles(centred, image, halo=1)
    assert torch.allclose(tiled, image - image.mean((2, 3), keepdim=True), atol=1e-6)


def test_sums_over_many_pixels_do_not_depend_on_how_they_are_cut():
    """In float32 they differ by 1e-6 of themselves: enough for a label map to change."""
    image = picture(1, 3, 300, 400)

    def total(x: Tensor) -> Tensor:
        return whole_sum(lambda own: own.exp().sum((2, 3)), x)

    sums = []
    for side in (16, 50, 128):
        with fix_tiles(side):
            in_tiles(lambda x: sums.append(total(x)) or x, image, halo=1)
    assert torch.allclose(sums[0], sums[-1], rtol=1e-13, atol=0)
    assert torch.allclose(sums[0], total(image), rtol=1e-13, atol=0)


LAYERS = {
    "one 5 x 5": ((5, 1),),
    "two 3 x 3": ((3, 1), (3, 1)),
    "3 x 3 and 7 x 7": ((3, 1), (7, 1)),
    "1 x 1": ((1, 1),),
    "at half the resolution": ((3, 0.5), (3, 1)),
}


class Row(nn.Module):
    """Convolutions in a row without padding colours of their own; at half the resolution between two resamplings."""

    def __init__(self, layers):
        super().__init__()
        self.layers = layers
        self.kernels = [picture(1, 1, side, side).double() for side, _ in layers]

    def forward(self, x: Tensor) -> Tensor:
        for (side, resolution), kernel in zip(self.layers, self.kernels, strict=True):
            small = F.avg_pool2d(x, 2) if resolution == 0.5 else x
            small = F.conv2d(small, kernel, padding=side // 2)
            x = F.interpolate(small, scale_factor=2) if resolution == 0.5 else small
        return x


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_the_receptive_field_is_that_of_the_layers_and_one_less_shows(layers):
    row, image = Row(layers), picture(1, 1, 48, 64).double()
    whole, halo = row(image), reach(*layers)
    multiple = 2 if any(resolution < 1 for _, resolution in layers) else 1
    with fix_tiles(16):
        assert torch.allclose(in_tiles(row, image, halo=halo, multiple=multiple), whole, rtol=1e-12)
        if halo:
            assert not torch.allclose(in_tiles(row, image, halo=halo - multiple, multiple=multiple), whole, rtol=1e-6)


@pytest.mark.parametrize("scale", [1, 2])
@given(length=st.integers(1, 60), side=st.integers(1, 20), halo=st.integers(0, 9))
def test_every_pixel_is_computed_once_from_all_that_it_sees(length, side, halo, scale):
    """A network that copies: where a tile's place or cut were off by one pixel, others would be written."""
    image = torch.arange(2.0 * length).reshape(1, 1, 2, length)

    def enlarge(x: Tensor) -> Tensor:
        assert x.shape[-1] <= max(side, 2) + 2 * halo
        return x.repeat_interleave(scale, 2).repeat_interleave(scale, 3)

    with fix_tiles(side):
        made = in_tiles(enlarge, image, halo=halo)
    assert torch.equal(made, image.repeat_interleave(scale, 2).repeat_interleave(scale, 3))


def test_whole_where_memory_allows_and_the_same_bits():
    made, image, seen = network("edsr"), picture(1, 3, 200, 150), []
    watched = made._enlarge
    made._enlarge = lambda x: (seen.append(tuple(x.shape[-2:])), watched(x))[1]
    with limit_memory(10**9):
        assert torch.equal(made(image), watched(image))
    assert seen.count((200, 150)) == 1


def test_tiles_follow_the_memory():
    made, image = ResnetGenerator(3, 3, 2, 16).eval().requires_grad_(False), picture(1, 3, 512, 512)
    whole = peak_bytes(lambda: made(image))
    with limit_memory(whole / 2):
        assert peak_bytes(lambda: made(image)) < 0.6 * whole
        tiled = made(image)
    assert torch.allclose(tiled, made(image), atol=5e-5)  # sums over 512 x 512 pixels


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("can't allocate memory: you tried"), torch.OutOfMemoryError()]
)
def test_tiles_step_down_when_memory_runs_out(error):
    image, sizes = picture(1, 1, 200, 300), []

    def greedy(x: Tensor) -> Tensor:
        sizes.append(tuple(x.shape[-2:]))
        if x.shape[-2] * x.shape[-1] > 90**2:
            raise error
        return F.avg_pool2d(x, 3, 1, 1)

    with limit_memory(10**12):
        tiled = in_tiles(greedy, image, halo=1)
    assert torch.allclose(tiled, F.avg_pool2d(image, 3, 1, 1))
    assert sizes[:3] == [(200, 300), (151, 151), (76, 76)]


def test_tiles_keep_to_multiples_when_they_step_down():
    image = picture(1, 1, 200, 300)

    def greedy(x: Tensor) -> Tensor:
        if x.shape[-1] > 200:
            raise MemoryError
        return F.pixel_unshuffle(x, 4)

    with limit_memory(10**12):
        tiled = in_tiles(greedy, image, halo=0, multiple=4)
    assert torch.equal(tiled, F.pixel_unshuffle(image, 4))


def test_stepping_down_ends_and_other_errors_pass():
    def fail(x: Tensor) -> Tensor:
        tried.append(x.shape[-1])
        raise error

    for error, multiple, last in (
        (MemoryError(), 1, SMALLEST),
        (MemoryError(), 100, 100),
        (RuntimeError("no"), 1, 300),
    ):
        tried: list[int] = []
        with limit_memory(10**12), pytest.raises(type(error)):
            in_tiles(fail, picture(1, 1, 300, 300), halo=0, multiple=multiple)
        assert tried[-1] == last


def test_a_network_that_sees_everything_names_the_size_that_fits():
    made, image = network_of_all_sides(), picture(1, 3, 192, 128)
    needed = peak_bytes(lambda: made(image))
    with limit_memory(needed / 4), pytest.raises(ImageError, match=r"192|give --size 64x96|set ARTKIT_MEMORY"):
        made(image)
    with limit_memory(2 * needed):
        assert made(image).shape == image.shape


def network_of_all_sides() -> nn.Module:
    return UnetGenerator(3, 3, 3, 4).eval().requires_grad_(False)


def test_training_is_never_cut():
    seen = []
    in_tiles(lambda x: seen.append(x.shape) or x, torch.rand(1, 3, 2000, 20), halo=1)
    assert seen == [(1, 3, 2000, 20)]


def test_the_page_shows_a_network_that_is_cut_right():
    page = (Path(__file__).parents[1] / "docs" / "images.md").read_text(encoding="utf-8")
    names: dict[str, type[nn.Module]] = {}
    exec(next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "in_tiles" in block), names)
    torch.manual_seed(0)
    painter, image = names["Painter"]().requires_grad_(False), picture(1, 3, 30, 46)
    with fix_tiles(8) as limits:
        tiled = painter(image)
    assert limits.asked
    assert torch.allclose(tiled, painter(image), atol=1e-5)


class Blur(Translator):
    """Blurs by 5 pixels, in tiles that see `seen` pixels around."""

    seen = 2
    spec = MethodSpec(
        name="blur_in_tiles",
        summary="For tests.",
        inputs=(Port("image", Kind.IMAGE, "a picture"),),
        output=Kind.IMAGE,
        translator=f"{__name__}:Blur",
        needs_model=False,
        tiling=Tiling.EXACT,
    )

    def translate(self, context: Context, *, image: Tensor) -> Tensor:
        blur = nn.AvgPool2d(5, 1, 2)
        return blur(image) if self.seen is None else in_tiles(blur, image, halo=self.seen)


class Plugin:
    @hookimpl
    def register_methods(self) -> list[MethodSpec]:
        return [Blur.spec]


@pytest.mark.parametrize(
    ("seen", "fault"),
    [(2, None), (1, "a halo or a multiple is too small"), (None, "computes every picture as a whole")],
)
def test_the_kit_compares_tiles_with_the_whole(seen, fault, monkeypatch):
    monkeypatch.setattr(Blur, "seen", seen)
    before, methods = current_registry(), load_registry()
    methods.add(PluginSource("tiles_plugin", Plugin))
    use_registry(methods)
    try:
        with pytest.raises(AssertionError, match=fault) if fault else nullcontext():
            check_method(Blur.spec.name, methods)
    finally:
        use_registry(before)


def test_memory_is_counted_while_it_lives():
    x = torch.zeros(1000)

    def compute() -> Tensor:
        a = x + 1
        b = a * 2
        del a
        return b.view(10, 100) + b.view(10, 100)

    assert peak_bytes(compute) == 2 * x.nbytes


def test_a_network_that_sees_all_at_once_says_what_it_takes_and_what_would_fit():
    """A quarter of the bytes is there, so half of each side fits, down to a multiple of what the network takes."""
    check_memory(4e9, 4e9, torch.empty(1, 3, 4, 4), 1)
    with pytest.raises(ImageError) as caught:
        check_memory(8e9, 2e9, torch.empty(1, 3, 100, 70), 4)
    assert "70x100 pixels take about 8.0 GB where 2.0 GB may be used: give --size 32x48" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("x"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("shapes do not match"), False),
    ],
)
def test_running_out_of_memory_is_known_by_its_words(error, told):
    assert is_out_of_memory(error) is told
