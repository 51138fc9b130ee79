"""The training loop that every method shares."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from artkit.data.batches import Batches
from artkit.data.dataset import Dataset
from artkit.engine.devices import pick_device, pick_precision
from artkit.errors import TrainingError
from artkit.images import make_strip, read_picture, write_picture
from artkit.nn import Ema
from artkit.nn.layout import training_format
from artkit.plugins import current_registry
from artkit.seeds import mix_seeds
from artkit.spec import TrainingEvent
from artkit.training.checking import blame_trainer
from artkit.training.checkpoint import load_checkpoint, save_checkpoint
from artkit.training.distribution import Processes
from artkit.training.report import CsvLog, Reporter
from artkit.training.trainer import Trainer

EventKind = Literal["start", "step", "sample", "checkpoint", "end"]

CHECKPOINT, LOG, SAMPLES = "checkpoint.pt", "log.csv", "samples"
PREVIEW_PICTURES = 4


class Loop:
    """One run of one trainer in one folder; `run` goes to the last step, or to where it is interrupted.

    Of several `processes`, each computes its share of every batch; the first writes what is written.
    """

    def __init__(
        self,
        trainer: Trainer,
        dataset: Dataset,
        preview: Dataset,
        run: Path,
        reporter: Reporter,
        processes: Processes | None = None,
    ) -> None:
        settings = trainer.settings
        self.trainer, self.run_directory, self.reporter, self.settings = trainer, run, reporter, settings
        self.processes = processes or Processes()
        self.device = pick_device(settings.device)
        self.precision = pick_precision(settings.precision, self.device)
        if self.device.type == "cuda":
            _tune_cuda()
        for network in trainer.networks.values():
            network.to(self.device, memory_format=training_format(self.device)).train()  # type: ignore[call-overload]
        self.averages = self._make_averages()
        self.processes.connect(trainer.optimisers.values())
        if self.processes.count > 1:  # networks are drawn alike; what each draws while training is its own
            torch.manual_seed(mix_seeds(settings.seed, self.processes.rank))
        self.batches = self._batches(
            dataset, settings.batch, settings.crop, mirror=settings.mirror, jitter=settings.jitter, share=self._share()
        )
        self.previews = self._batches(preview, min(PREVIEW_PICTURES, len(preview)), None)
        self.step = 0
        self._stop = False

    def resume(self) -> None:
        """Go on from the run's checkpoint."""
        self.step = load_checkpoint(self.run_directory / CHECKPOINT, self.trainer, self.averages, self.processes)

    def run(self) -> None:
        """Train to the last step. Ctrl-C ends the step at hand, writes a checkpoint and raises KeyboardInterrupt."""
        settings = self.settings
        log = CsvLog(self.run_directory / LOG, self.step) if self.processes.first else None
        self.reporter.start(settings.steps, self.step)
        self._tell("start")
        self.reporter.note(f"training on {self.device} in {self.precision}")
        meter = Meter(settings.batch, self.step)
        with stop_on_interrupt(self._ask_to_stop):
            for batch in self.batches.stream(self.step, settings.steps):
                meter.add(self._train(batch))
                stop = self.processes.any(self._stop)
                self.reporter.tick(self.step)
                if self.step % settings.log_every == 0 or self.step == settings.steps:
                    self._log(log, meter)
                if self.processes.first and (self.step % settings.sample_every == 0 or self.step == settings.steps):
                    self.write_sheet()
                if stop or self.step % settings.checkpoint_every == 0 or self.step == settings.steps:
                    self._refuse_nan(meter.means())
                    self.save()
                if stop:
                    raise KeyboardInterrupt
        self._tell("end")

    def save(self) -> None:
        """Write the checkpoint."""
        save_checkpoint(self.run_directory / CHECKPOINT, self.trainer, self.averages, self.step, self.processes)
        self._tell("checkpoint")

    def write_sheet(self) -> None:
        """Write `samples/STEP.png`, the trainer's preview, a row a picture; the random state stays as it was."""
        path = self.run_directory / SAMPLES / f"{self.step:06d}.png"
        path.parent.mkdir(exist_ok=True)
        batch = self._to_device(self.previews.at(0))  # made in full precision, whatever the networks compute in
        with torch.random.fork_rng(), torch.inference_mode(), self._autocast():
            torch.manual_seed(self.settings.seed)
            columns = self.trainer.preview(batch)
        rows = [
            [(read_picture(picture.float().cpu().clamp(0, 1)), "") for picture in row]
            for row in zip(*columns, strict=True)
        ]
        write_picture(make_strip(rows), path, overwrite=True)
        self.reporter.sheet(path)
        self._tell("sample")

    def _train(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        factor = self.settings.rate(self.step)
        for optimiser in self.trainer.optimisers.values():
            for group in optimiser.param_groups:
                group.setdefault("initial_lr", group["lr"])
                group["lr"] = group["initial_lr"] * factor
        self.trainer.step = self.step
        with self._autocast(), blame_trainer(self.trainer):
            losses = self.trainer.training_step(self._to_device(batch))
        self.processes.share_buffers(self.trainer.networks.values())
        for name, ema in self.averages.items():
            ema.update(self.trainer.networks[name])
        self.step += 1
        return losses

    def _log(self, log: CsvLog | None, meter: Meter) -> None:
        losses, speed = meter.read()
        losses = self.processes.mean(losses)
        self._refuse_nan(losses)
        if log is None:
            return
        log.add(self.step, losses, speed)
        left = (self.settings.steps - self.step) * self.settings.batch / max(speed, 1e-9)
        self.reporter.step(self.step, losses, speed, left)
        self._tell("step", losses)

    def _refuse_nan(self, losses: dict[str, float]) -> None:
        """Raise TrainingError when a loss is NaN: neither the log nor a checkpoint may hold what comes of it."""
        broken = [name for name, value in losses.items() if value != value]
        if broken:
            raise TrainingError(
                f"the loss '{broken[0]}' became NaN before step {self.step}: lower --set learning_rate=..., or try "
                "--set precision=fp32; the last checkpoint is whole."
            )

    def _make_averages(self) -> dict[str, Ema]:
        if not self.settings.ema:
            return {}
        averages = {name: Ema(self.trainer.networks[name], self.settings.ema) for name in self.trainer.averaged}
        self.trainer.averages = {name: ema.module for name, ema in averages.items()}
        return averages

    def _share(self) -> range:
        """Return the places in the batch that this process computes."""
        size = self.processes.share_of(self.settings.batch)
        return range(self.processes.rank * size, (self.processes.rank + 1) * size)

    def _batches(self, dataset: Dataset, size: int, crop: int | None, **augmentation: Any) -> Batches:
        how = {name: getattr(self.trainer, name) for name in ("prepare", "unpaired", "balance")}
        how |= {"seed": self.settings.seed, "load": self.settings.load_size}
        return Batches(dataset, self.trainer.columns, size=size, crop=crop, **how, **augmentation)

    def _to_device(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {name: self._place(value) if isinstance(value, Tensor) else value for name, value in batch.items()}

    def _place(self, value: Tensor) -> Tensor:
        if self.device.type == "cuda":
            value = value.pin_memory()  # so that the copy runs while the CPU goes on
        layout = training_format(self.device) if value.dim() == 4 else torch.contiguous_format
        return value.to(self.device, non_blocking=True).contiguous(memory_format=layout)

    def _autocast(self) -> Any:
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def _tell(self, kind: EventKind, losses: dict[str, float] | None = None) -> None:
        event = TrainingEvent(kind, self.run_directory, self.step, losses or {})
        if self.processes.first:
            current_registry().call("training_event", event=event)

    def _ask_to_stop(self) -> None:
        self._stop = True


def _tune_cuda() -> None:
    """Let CUDA multiply float32 in TF32, and try which algorithms are fastest: every step has the same shapes."""
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True


class Meter:
    """Mean losses and pictures a second since the last reading."""

    def __init__(self, batch: int, step: int) -> None:
        self.batch = batch
        self._clear()

    def _clear(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.count, self.since = 0, time.monotonic()

    def add(self, losses: dict[str, Tensor]) -> None:
        """Count one step's losses, without waiting for the device."""
        self.count += 1
        for name, loss in losses.items():
            value = loss.detach().float()
            self.sums[name] = self.sums[name] + value if name in self.sums else value

    def means(self) -> dict[str, float]:
        """Return the means of the losses so far."""
        return {name: float(total) / self.count for name, total in self.sums.items()}

    def read(self) -> tuple[dict[str, float], float]:
        """Return the means and the speed, and start anew."""
        means = self.means()
        speed = self.count * self.batch / max(time.monotonic() - self.since, 1e-9)
        self._clear()
        return means, speed


@contextmanager
def stop_on_interrupt(ask: Any) -> Iterator[None]:
    """Call `ask` at the first Ctrl-C inside the block; the second one interrupts at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def handle(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        ask()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
