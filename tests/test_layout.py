"""Memory layouts: which machine learns in which; and normalisation, the same in all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch.nn import functional as F

from artkit.nn import InstanceNorm
from artkit.nn.layout import has_bf16_units, inference_format, lay_out, training_format

CPU = torch.device("cpu")


@pytest.fixture(params=["amx", "avx512", "neither"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: request.param == "amx")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: request.param == "avx512")
    has_bf16_units.cache_clear()
    yield request.param
    has_bf16_units.cache_clear()


def test_machines_that_multiply_tiles_learn_channels_last(machine: str) -> None:
    expected = torch.channels_last if machine == "amx" else torch.contiguous_format
    assert has_bf16_units(CPU) is (machine != "neither")
    assert training_format(CPU) is expected
    assert inference_format(CPU) is torch.channels_last
    x = torch.rand(2, 3, 4, 5)
    assert lay_out(x).is_contiguous(memory_format=expected)
    with torch.no_grad():  # what is made without gradients is learned from too
        assert lay_out(x).is_contiguous(memory_format=expected)
    with torch.inference_mode():
        assert lay_out(x).is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(lay_out(x), x)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("batch", [1, 3])
def test_instance_norm_learns_alike_in_all_layouts(memory_format: torch.memory_format, batch: int) -> None:
    values, wanted = torch.randn(batch, 4, 6, 5), torch.randn(batch, 4, 6, 5)
    x = values.clone(memory_format=memory_format).requires_grad_()
    y = InstanceNorm(4)(x)
    (y * wanted).sum().backward()
    plain = values.clone().requires_grad_()
    expected = F.instance_norm(plain)
    (expected * wanted).sum().backward()
    assert x.grad is not None
    assert plain.grad is not None
    assert torch.allclose(y, expected, atol=1e-5)
    assert torch.allclose(x.grad, plain.grad, atol=1e-4)
    if batch == 1:
        assert y.is_contiguous(memory_format=memory_format)
