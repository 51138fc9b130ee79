"""The pictures that are to be touched up: what a chain makes of a dataset's samples."""

from __future__ import annotations

import torch
from torch import Tensor

from artkit import Chain, Kind, OptionError, Picture, TrainingError
from artkit.chain import Plan, plan_chain
from artkit.data import Column, Sample
from artkit.engine import Runner
from artkit.images import convert
from artkit.plugins import registry


class Base:
    """A chain made ready to paint samples from one of their columns."""

    def __init__(self, chain: str, source: Column, *, device: str, precision: str) -> None:
        """Load the chain's models; raises ChainError, OptionError or ModelError when it cannot run."""
        self.plan = plan_base(chain)
        self.source = source
        self.runner = Runner(self.plan, device=device, precision=precision)
        with torch.random.fork_rng():  # building networks draws weights that the loaded ones replace
            self.runner.load()

    def paint(self, sample: Sample, target: str, seed: int) -> Tensor:
        """Run the chain on a sample, told its text columns; return uint8 3HW, of the target's size.

        Raises TrainingError when the chain changes the size.
        """
        facts = {name: value for name, value in sample.items() if isinstance(value, str)}
        result = self.runner.run(self._picture(sample), seed=seed, facts=facts)[-1].picture
        painted = convert(result, Kind.IMAGE).tensor[0]
        wanted = sample[target]
        assert isinstance(wanted, Tensor)
        if painted.shape != wanted.shape:
            height, width = wanted.shape[-2:]
            raise TrainingError(
                f"the base {self.plan.chain} makes {painted.shape[-1]}x{painted.shape[-2]} pixels where '{target}' has "
                f"{width}x{height}: give a base that keeps the size."
            )
        return (painted * 255).round().to(torch.uint8)

    def has_seen(self, data: str) -> bool:
        """Tell whether a model of the chain says that it was trained on a folder of this name."""
        return any(step.header.training.get("data") == data for step in self.plan.steps if step.header)

    def _picture(self, sample: Sample) -> Picture:
        value = sample[self.source.name]
        assert isinstance(value, Tensor)
        if self.source.kind is Kind.LABELS:
            return Picture(value[None].long(), kind=Kind.LABELS, classes=self.source.classes)
        return Picture(value[None].float() / 255)


def plan_base(chain: str) -> Plan:
    """Check the chain that training touchup is to start from."""
    plan = plan_chain(Chain(chain), registry(), has_input=True)
    if plan.output not in (Kind.IMAGE, Kind.LABELS):
        raise OptionError(f"training touchup(base={chain}): the chain gives {plan.output}, not a picture.")
    return plan
