"""Adam over weights in either order of memory, beside its formula."""

from __future__ import annotations

import itertools

import pytest
import torch

from artkit.training.adam import Adam

RATE, BETAS, EPSILON = 0.01, (0.5, 0.999), 1e-8
ORDERS = (torch.contiguous_format, torch.channels_last)
SHAPES = ((6, 4, 3, 3), (5, 7, 1, 1), (8,), (3, 9), (1, 1, 4, 4))


def gradients(step: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    return [torch.randn(shape, generator=generator) for shape in SHAPES]


def place(tensor: torch.Tensor, order: torch.memory_format) -> torch.Tensor:
    return tensor.contiguous(memory_format=order) if tensor.dim() == 4 else tensor


def adam(steps: int) -> list[torch.Tensor]:
    """Kingma and Ba 2015, algorithm 1, in double precision, from the weights of seed 100."""
    weights = [weight.double() for weight in gradients(100)]
    means, squares = ([torch.zeros_like(weight) for weight in weights] for _ in range(2))
    for step in range(1, steps + 1):
        for index, gradient in enumerate(gradients(step)):
            g = gradient.double()
            means[index] = BETAS[0] * means[index] + (1 - BETAS[0]) * g
            squares[index] = BETAS[1] * squares[index] + (1 - BETAS[1]) * g * g
            unbiased = means[index] / (1 - BETAS[0] ** step), squares[index] / (1 - BETAS[1] ** step)
            weights[index] = weights[index] - RATE * unbiased[0] / (unbiased[1].sqrt() + EPSILON)
    return weights


def learn(order: torch.memory_format, of_gradients: torch.memory_format, steps: int) -> list[torch.nn.Parameter]:
    weights = [torch.nn.Parameter(place(weight, order)) for weight in gradients(100)]
    optimiser = Adam(weights, RATE, BETAS)
    for step in range(1, steps + 1):
        for weight, gradient in zip(weights, gradients(step), strict=True):
            weight.grad = place(gradient, of_gradients)
        optimiser.step()
    return weights


@pytest.mark.parametrize(("order", "of_gradients"), list(itertools.product(ORDERS, ORDERS)))
def test_adam_is_the_papers_in_either_order_of_weights_and_of_gradients(order, of_gradients):
    for weight, expected in zip(learn(order, of_gradients, 4), adam(4), strict=True):
        torch.testing.assert_close(weight.detach().double(), expected, rtol=0, atol=2e-6)
        assert weight.stride() == place(expected, order).stride()


def test_the_kernel_gets_tensors_in_the_order_that_it_takes(monkeypatch):
    seen = []
    fused = torch._fused_adam_

    def watched(*lists, **settings):
        seen.extend(tensor.is_contiguous() for tensors in lists[:4] for tensor in tensors)
        return fused(*lists, **settings)

    monkeypatch.setattr(torch, "_fused_adam_", watched)
    learn(torch.channels_last, torch.channels_last, 2)
    assert seen == [True] * (2 * 4 * len(SHAPES))


@pytest.mark.parametrize("order", ORDERS)
def test_moments_of_another_order_are_brought_into_that_of_the_weights(order):
    """A checkpoint may hold them so: it was written on another machine."""
    other = ORDERS[1 - ORDERS.index(order)]
    weight = torch.nn.Parameter(place(gradients(100)[0], order))
    optimiser = Adam([weight], RATE, BETAS)
    for step in range(1, 5):
        weight.grad = gradients(step)[0]
        optimiser.step()
        state = optimiser.state[weight]
        state.update({name: place(state[name], other) for name in ("exp_avg", "exp_avg_sq")})
    torch.testing.assert_close(weight.detach().double(), adam(4)[0], rtol=0, atol=2e-6)
