"""The local engine: devices, precision, and running chains."""

from __future__ import annotations

from artkit.engine.devices import pick_device, pick_precision
from artkit.engine.local import load, run_chain
from artkit.engine.runner import Runner, StepResult
from artkit.engine.stream import Job, JobResult, run_jobs

__all__ = ["Job", "JobResult", "Runner", "StepResult", "load", "pick_device", "pick_precision", "run_chain", "run_jobs"]
