"""Mean losses and speed between two rows of the log."""

from __future__ import annotations

import time
from typing import Any

from torch import Tensor


class Meter:
    """Mean losses and pictures a second since the last reading; `batch` is the pictures of a step."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}
        self.start()

    def start(self) -> None:
        """Measure speed from now on."""
        self.steps, self.since = 0, time.monotonic()

    def add(self, losses: dict[str, Tensor]) -> None:
        """Count one step's losses, without waiting for the device."""
        self.steps += 1
        for name, loss in losses.items():
            value = loss.detach().float()
            self.sums[name] = self.sums[name] + value if name in self.sums else value
            self.counts[name] = self.counts.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        """Return the means of the losses so far, each over the steps that had it."""
        return {name: float(total) / self.counts[name] for name, total in self.sums.items()}

    def read(self) -> tuple[dict[str, float], float]:
        """Return the means and the speed, and start anew."""
        means = self.means()
        speed = self.steps * self.batch / max(time.monotonic() - self.since, 1e-9)
        self.clear()
        return means, speed

    def state(self) -> dict[str, Any]:
        """Return the sums since the last reading: a resumed run's next row is that of a run nobody touched."""
        return {"sums": dict(self.sums), "counts": dict(self.counts)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned; speed is measured from now on."""
        self.clear()
        self.sums, self.counts = dict(state["sums"]), dict(state["counts"])
