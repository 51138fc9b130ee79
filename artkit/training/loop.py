"""The training loop that every method shares."""

from __future__ import annotations

import copy
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from io import BytesIO
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
from artkit.reporting import warn
from artkit.runs.record import BEST_FILE, CHECKPOINT, LOG, NOTES, REPORT_FILE, SAMPLES, SCORES
from artkit.runs.report import write_report
from artkit.runs.run import BEST, read_run
from artkit.runs.tables import CsvLog, add_note
from artkit.seeds import mix_seeds
from artkit.spec import TrainingEvent
from artkit.training.accumulating import Accumulation
from artkit.training.checking import blame_trainer
from artkit.training.checkpoint import load_checkpoint, save_checkpoint
from artkit.training.distribution import Processes
from artkit.training.exporting import export_trainer
from artkit.training.guard import MOST_ROLLBACKS, Diverged, Guard
from artkit.training.meter import Meter
from artkit.training.report import Reporter
from artkit.training.scoring import Best, Scoring
from artkit.training.trainer import Trainer

EventKind = Literal["start", "step", "score", "sample", "checkpoint", "end"]

PREVIEW_PICTURES = 4


class Loop:
    """One run of one trainer in one folder; `run` goes to the last step, or to where it is interrupted.

    Of several `processes`, each computes its share of every batch; the first writes what is written. `scoring` says
    how models are scored, where they are.
    """

    def __init__(
        self,
        trainer: Trainer,
        dataset: Dataset,
        preview: Dataset,
        run: Path,
        reporter: Reporter,
        processes: Processes | None = None,
        scoring: Scoring | None = None,
    ) -> None:
        settings = trainer.settings
        self.trainer, self.run_directory, self.reporter, self.settings = trainer, run, reporter, settings
        self.processes, self.scoring = processes or Processes(), scoring
        self.device = pick_device(settings.device)
        self.precision = pick_precision(settings.precision, self.device)
        if self.device.type == "cuda":
            _tune_cuda()
        for network in trainer.networks.values():
            network.to(self.device, memory_format=training_format(self.device)).train()  # type: ignore[call-overload]
        self.averages = self._make_averages()
        self.processes.connect(trainer.optimisers.values())
        if settings.accumulate > 1:
            trainer.accumulation = Accumulation(trainer.optimisers, settings.accumulate)
        if self.processes.count > 1:  # networks are drawn alike; what each draws while training is its own
            torch.manual_seed(mix_seeds(settings.seed, self.processes.rank))
        augmentation = {name: getattr(settings, name) for name in ("mirror", "jitter", "focus")}
        self.batches = self._batches(dataset, settings.pictures, settings.crop, share=self._share(), **augmentation)
        self.previews = self._batches(preview, min(PREVIEW_PICTURES, len(preview)), None)
        self.step = 0
        self.guard, self.meter = Guard(), Meter(settings.pictures)
        self.best = Best(scoring.metrics[0] if scoring else None, settings.patience)
        self._begin: BytesIO | None = None  # the state to go back to as long as there is no checkpoint
        self._stop = False

    def resume(self) -> None:
        """Go on from the run's checkpoint."""
        self.step = self._load(self.run_directory / CHECKPOINT)

    def run(self) -> None:
        """Train to the last step. Ctrl-C ends the step at hand, writes a checkpoint and raises KeyboardInterrupt.

        Raises TrainingError where the run diverges again and again.
        """
        self._open_tables()
        self.reporter.start(self.settings.steps, self.step)
        self._tell("start")
        self.reporter.note(f"training on {self.device} in {self.precision}")
        self.note(f"training on {self.device} in {self.precision}")
        if not self.step:
            self._begin = BytesIO()
            self._save(self._begin)
            self._score()
        self.meter.start()
        with stop_on_interrupt(self._ask_to_stop):
            while not self._is_over():
                try:
                    self._go_on()
                except Diverged as reason:
                    self._roll_back(str(reason))
        if self.step < self.settings.steps and self.best.metric:
            self.note(f"no better {self.best.metric.name} in {self.best.waited} checkpoints: it ends here")
        self._tell("end")

    def save(self) -> None:
        """Write the checkpoint."""
        self._save(self.run_directory / CHECKPOINT)
        self._begin = None
        self._tell("checkpoint")

    def note(self, text: str) -> None:
        """Write down what happened, in `notes.csv`."""
        if self.processes.first:
            add_note(self.run_directory / NOTES, self.step, text)

    def _go_on(self) -> None:
        """Train to where the run is over. Raises Diverged, in all processes, where it has to go back."""
        with closing(self.batches.stream(self.step, self.settings.steps)) as batches:
            for batch in batches:
                self.meter.add(self._train(batch))
                if self._follow_step():
                    return

    def _follow_step(self) -> bool:
        """Write what is due after a step; return whether the run is over before its last. Ctrl-C ends it here."""
        settings = self.settings
        stop, last = self.processes.any(self._stop), self.step == settings.steps
        self.reporter.tick(self.step)
        if self.step % settings.log_every == 0 or last:
            self._log()
        sheet, due = (self.step % every == 0 or last for every in (settings.sample_every, settings.checkpoint_every))
        if stop or due:
            self.guard.check_numbers(self.processes.mean(self.meter.means()), self.step)
            self.guard.check_weights(self.trainer.networks, self.step)
        if sheet and self.processes.first:
            self.write_sheet()
        if due:
            self._score()
        if stop or due:
            self.save()
        if sheet or due:
            self._report()
        if stop:
            raise KeyboardInterrupt
        return due and self._is_over()

    def _is_over(self) -> bool:
        """Tell whether the last step is taken, or patience at its end; all processes have to ask."""
        return self.step >= self.settings.steps or self.processes.any(self.best.is_over)

    def _roll_back(self, reason: str) -> None:
        """Go back to the last checkpoint, or to the beginning, with half the learning rate."""
        if self.processes.any(self._stop):  # a resumed run will come to the same place
            raise KeyboardInterrupt
        rollbacks = self.guard.rollbacks + 1
        if rollbacks > MOST_ROLLBACKS:
            raise TrainingError(
                f"{reason}, even with {self.guard.factor:g} of the learning rate: start anew with a lower "
                "--set learning_rate=..., or with --set precision=fp32; the last checkpoint is whole."
            )
        checkpoint = self.run_directory / CHECKPOINT
        self.step = self._load(self._begin or checkpoint)
        self.guard.rollbacks = rollbacks
        self._open_tables()
        told = f"{reason}: back to step {self.step}, and on with {self.guard.factor:g} of the learning rate"
        if self.processes.first:
            warn(f"{told}.")
        self.note(told)
        self._tell("start")
        self._report()

    def _save(self, target: Path | BytesIO) -> None:
        save_checkpoint(target, self.trainer, self.averages, self.step, self.processes, self._parts())

    def _load(self, source: Path | BytesIO) -> int:
        return load_checkpoint(source, self.trainer, self.averages, self.processes, self._parts())

    def _parts(self) -> dict[str, Guard | Meter | Best]:
        return {"guard": self.guard, "meter": self.meter, "best": self.best}

    def _open_tables(self) -> None:
        """Open the tables of losses and scores at the step at hand: rows past it are dropped."""
        if self.processes.first:
            self.log, self.scores = (CsvLog(self.run_directory / name, self.step) for name in (LOG, SCORES))

    def _report(self) -> None:
        if self.processes.first:
            write_report(read_run(self.run_directory, running=True), self.run_directory / REPORT_FILE)

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
        factor = self.settings.rate(self.step) * self.guard.factor
        for optimiser in self.trainer.optimisers.values():
            for group in optimiser.param_groups:
                group.setdefault("initial_lr", group["lr"])
                group["lr"] = group["initial_lr"] * factor
        self.trainer.step = self.step
        with blame_trainer(self.trainer):
            losses = self._compute(batch)
        self.processes.share_buffers(self.trainer.networks.values())
        for name, ema in self.averages.items():
            ema.update(self.trainer.networks[name])
        self.step += 1
        return losses

    def _compute(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take the trainer's step: on the batch, or on equal parts of it, one after another."""
        trainer, count = self.trainer, self.settings.accumulate
        if trainer.accumulation is None:
            with self._autocast():
                return trainer.training_step(self._to_device(batch))
        remembered = copy.deepcopy(trainer.extra_state())

        def compute(index: int) -> dict[str, Tensor]:
            with self._autocast():
                return trainer.training_step(self._to_device(_part(batch, index, count)))

        return trainer.accumulation.run(compute, lambda: trainer.load_extra_state(copy.deepcopy(remembered)))

    def _log(self) -> None:
        """Report the mean losses since the last row. Raises Diverged where they say so."""
        losses, speed = self.meter.read()
        losses = self.processes.mean(losses)
        self.guard.check_row(losses, self.step)
        if not self.processes.first:
            return
        settings = self.settings
        rate = settings.learning_rate * settings.rate(self.step - 1) * self.guard.factor
        self.log.add(self.step, losses | {"learning_rate": rate, "images_per_second": speed})
        left = (settings.steps - self.step) * settings.pictures / max(speed, 1e-9)
        self.reporter.step(self.step, losses, speed, left)
        self._tell("step", losses=losses, learning_rate=rate)

    def _score(self) -> None:
        """Score the model as it is now; the first process does. No chance is used up."""
        if self.scoring is not None and self.processes.first:
            with torch.random.fork_rng():
                scores = self._take_scores(self.scoring)
            self._tell("score", scores=scores)

    def _take_scores(self, scoring: Scoring) -> dict[str, float]:
        """Score the model on held-out pictures; the best so far becomes `best.safetensors`."""
        scores = scoring.score(lambda file: export_trainer(self.trainer, scoring.data, file))
        name = scoring.metrics[0].name
        if best := self.best.take(scores[name]):
            facts = {"step": self.step, name: round(scores[name], 6)}
            export_trainer(self.trainer, scoring.data, self.run_directory / BEST_FILE, facts)
            self.reporter.note(f"step {self.step}: {name} {scores[name]:.4g}, the best so far")
        self.scores.add(self.step, scores | {BEST: float(best)})
        return scores

    def _make_averages(self) -> dict[str, Ema]:
        if not self.settings.ema:
            return {}
        averages = {name: Ema(self.trainer.networks[name], self.settings.ema) for name in self.trainer.averaged}
        self.trainer.averages = {name: ema.module for name, ema in averages.items()}
        return averages

    def _share(self) -> range:
        """Return the places among the pictures of a step that this process computes."""
        self.processes.share_of(self.settings.batch)  # each part has to be shared, where gradients are accumulated
        size = self.processes.share_of(self.settings.pictures)
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

    def _tell(self, kind: EventKind, **told: Any) -> None:
        if self.processes.first:
            event = TrainingEvent(kind, self.run_directory, self.step, **told)
            current_registry().call("training_event", event=event)

    def _ask_to_stop(self) -> None:
        self._stop = True


def _tune_cuda() -> None:
    """Let CUDA multiply float32 in TF32, and try which algorithms are fastest: every step has the same shapes."""
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True


def _part(batch: dict[str, Any], index: int, count: int) -> dict[str, Any]:
    """Return part `index` of `count` equal ones of a batch."""
    size = len(next(iter(batch.values()))) // count
    return {name: value[index * size : (index + 1) * size] for name, value in batch.items()}


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
