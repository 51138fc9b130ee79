"""What tests of training objectives share: a twin trained by formulas of the test's own, and a witness of whole runs.

A trainer takes its step; then its twin, copied from it before the first one, takes the same step on losses that the
test writes down from the paper. Gradients must agree in every step, and in the later ones only do if both also moved
alike: in the same order, by the same Adam.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from artkit.training import Trainer


class Twin:
    """Copies of a trainer's networks; each of `optimisers` is an Adam over the networks it names, with these betas."""

    def __init__(self, trainer: Trainer, optimisers: dict[tuple[str, ...], tuple[float, float]]) -> None:
        self.trainer, self.networks = trainer, copy.deepcopy(trainer.networks)
        assert {name for names in optimisers for name in names} == set(trainer.networks)
        rate = trainer.settings.learning_rate
        self.adams = {
            names: torch.optim.Adam(self.parameters(names), lr=rate, betas=betas) for names, betas in optimisers.items()
        }

    def parameters(self, names: Iterable[str]) -> list[nn.Parameter]:
        return [parameter for name in names for parameter in self.networks[name].parameters()]

    def learn(self, *names: str, loss: Tensor, close: float = 2e-3) -> None:
        """Take the step that the trainer has just taken for these networks; its gradients must be those of `loss`."""
        mine = self.parameters(names)
        gradients = torch.autograd.grad(loss, mine)
        theirs = [parameter.grad for name in names for parameter in self.trainer.networks[name].parameters()]
        largest = max(float(gradient.norm()) for gradient in gradients)
        assert largest > 0
        for parameter, gradient, other in zip(mine, gradients, theirs, strict=True):
            assert other is not None
            assert float((gradient - other).norm()) <= close * float(gradient.norm()) + 1e-5 * largest
            parameter.grad = other.clone()  # rounding, which Adam blows up where gradients are nothing else, stays out
        self.adams[names].step()


def enliven(trainer: Trainer) -> Trainer:
    """Draw weights that matter: those that training starts from are so faint that many a term would go unnoticed."""
    chance = torch.Generator().manual_seed(1)
    for network in trainer.networks.values():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                nn.init.kaiming_normal_(parameter, generator=chance)
    return trainer


def listen(network: nn.Module) -> list[Tensor]:
    """Return a list that will hold the first argument of every call of `network`, detached."""
    heard: list[Tensor] = []
    network.register_forward_pre_hook(lambda _, arguments: heard.append(arguments[0].detach().clone()))
    return heard


def agree(losses: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    """Check logged losses, all of them."""
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        assert losses[name].item() == pytest.approx(value.item(), rel=1e-3, abs=1e-5), name


def no(logits: Tensor) -> Tensor:
    """-log(1 - D), from the logits of D."""
    return -torch.log(1 - torch.sigmoid(logits.double())).mean()


def yes(logits: Tensor) -> Tensor:
    """-log D, from the logits of D."""
    return -torch.log(torch.sigmoid(logits.double())).mean()


def check_run(
    monkeypatch: pytest.MonkeyPatch, kind: type[Trainer], run: Callable[[dict[str, Any]], object], fields: set[str]
) -> None:
    """Check a run of 6 steps: the rate of every optimiser in each step, and the averages that are exported.

    `run` trains with the given settings; `fields` names the networks that are averaged.
    """
    rates: list[set[float]] = []
    weights: list[dict[str, list[Tensor]]] = []
    exported: dict[str, list[Tensor]] = {}

    def copies(networks: dict[str, nn.Module]) -> dict[str, list[Tensor]]:
        return {name: [one.detach().clone() for one in networks[name].parameters()] for name in fields}

    step, export, init = kind.training_step, kind.export, kind.__init__

    def watched_init(self: Trainer, *arguments: Any) -> None:
        init(self, *arguments)
        weights.append(copies(self.networks))

    def watched_step(self: Trainer, batch: dict[str, Any]) -> dict[str, Tensor]:
        rates.append({group["lr"] for optimiser in self.optimisers.values() for group in optimiser.param_groups})
        losses = step(self, batch)
        weights.append(copies(self.networks))
        return losses

    def watched_export(self: Trainer) -> Any:
        assert set(self.averaged) == fields
        exported.update(copies({name: self.exported(name) for name in self.averaged}))
        return export(self)

    monkeypatch.setattr(kind, "__init__", watched_init)
    monkeypatch.setattr(kind, "training_step", watched_step)
    monkeypatch.setattr(kind, "export", watched_export)
    run({"steps": 6, "learning_rate": 2e-3, "decay_from": 0.5, "ema": 0.3})
    assert [rate for (rate,) in rates] == pytest.approx([2e-3, 2e-3, 2e-3, 2e-3, 2e-3 * 2 / 3, 2e-3 / 3])
    average = weights[0]
    for count, now in enumerate(weights[1:], 1):
        keep = min(0.3, (1 + count) / (10 + count))
        average = {
            name: [keep * old + (1 - keep) * new for old, new in zip(average[name], now[name], strict=True)]
            for name in fields
        }
    for name in fields:
        assert any(not torch.equal(*pair) for pair in zip(weights[0][name], weights[-1][name], strict=True))
        for value, wanted in zip(exported[name], average[name], strict=True):
            torch.testing.assert_close(value, wanted, rtol=1e-4, atol=1e-6)
