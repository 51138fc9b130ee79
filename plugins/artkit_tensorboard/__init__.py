"""TensorBoard: `ARTKIT_TENSORBOARD=1 artkit train ...` writes what a run tells into `RUN/tensorboard`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from artkit import hookimpl

if TYPE_CHECKING:
    from artkit.spec import TrainingEvent

SWITCH = "ARTKIT_TENSORBOARD"
"""The variable that switches it on: what is installed for something else is not used unasked."""


@hookimpl
def training_event(event: TrainingEvent) -> None:
    """Write the event, where it is asked for. Raises UsageError where TensorBoard is not here."""
    if os.environ.get(SWITCH, "") not in ("", "0"):
        from artkit_tensorboard.writing import write_event

        write_event(event)
