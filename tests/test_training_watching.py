"""What a training run writes for whoever watches, and how it hears Ctrl-C and gives up."""

from __future__ import annotations

import signal
import threading
from types import SimpleNamespace

import pytest
import torch

from artkit.errors import OutputError, TrainingError
from artkit.runs.tables import CsvLog
from artkit.training import Restart
from artkit.training.loop import stop_on_interrupt
from artkit.training.meter import Meter
from artkit.training.run import MOST_RESTARTS, _run


def test_rows_past_the_checkpoint_are_dropped_when_a_run_goes_on(tmp_path):
    path = tmp_path / "log.csv"
    log = CsvLog(path, 0)
    for step in (2, 4, 6):
        log.add(step, {"l1": step / 10, "images_per_second": 5.0})
    log = CsvLog(path, 4)
    log.add(6, {"l1": 0.9, "images_per_second": 7.25})
    assert path.read_text().split() == ["step,l1,images_per_second", "2,0.2,5", "4,0.4,5", "6,0.9,7.25"]
    log.add(8, {"l1": 1.0, "gan": 3.0})  # a loss that sets in later
    assert path.read_text().split()[-2:] == ["6,0.9,7.25,", "8,1,,3"]
    CsvLog(path, 6)
    assert path.read_text().split()[0] == "step,l1,images_per_second,gan"
    assert len(path.read_text().split()) == 4
    CsvLog(path, 0)
    assert not path.exists()
    path.mkdir()
    with pytest.raises(OutputError, match=rf"{path}"):
        CsvLog(path, 0)


def test_a_meter_tells_means_and_speed_since_it_was_read(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("artkit.training.meter.time.monotonic", lambda: now[0])
    meter = Meter(batch=8)
    for value in (1.0, 2.0, 6.0):
        now[0] += 2
        meter.add({"l1": torch.tensor(value, requires_grad=True)})
    assert meter.read() == ({"l1": 3.0}, 4.0)
    now[0] += 1
    meter.add({"l1": torch.tensor(5.0)})
    assert meter.read() == ({"l1": 5.0}, 8.0)
    meter.add({"l1": torch.tensor(5.0)})
    meter.add({"l1": torch.tensor(7.0), "gan": torch.tensor(1.0)})  # one that not every step has
    other = Meter(batch=8)
    other.load_state(meter.state())
    assert other.means() == {"l1": 6.0, "gan": 1.0}


@pytest.fixture
def _with_ctrl_c():
    """Hear Ctrl-C as at a terminal: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_with_ctrl_c")
def test_the_first_ctrl_c_asks_and_the_second_interrupts():
    before, heard = signal.getsignal(signal.SIGINT), []

    def work():
        with stop_on_interrupt(lambda: heard.append("asked")):
            signal.raise_signal(signal.SIGINT)
            heard.append("goes on")
            signal.raise_signal(signal.SIGINT)
            heard.append("goes on again")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert heard == ["asked", "goes on"]
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_leaves_ctrl_c_alone():
    seen = []

    def watch():
        with stop_on_interrupt(seen.clear):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


def losing(seed, count=1, times=100):
    """A run that gives up as often as `times` says."""

    def run():
        if seed < times:
            raise Restart("colours are inverted")

    return SimpleNamespace(
        run=run, note=print, processes=SimpleNamespace(count=count), settings=SimpleNamespace(seed=seed)
    )


@pytest.mark.filterwarnings("ignore:colours are inverted")
def test_a_lost_run_starts_anew_a_few_times_and_alone():
    assert _run(losing(0, times=MOST_RESTARTS), lambda seed: losing(seed, times=MOST_RESTARTS)).settings.seed == 3
    with pytest.raises(TrainingError, match=f"inverted, with {MOST_RESTARTS + 1} seeds in a row: try other data"):
        _run(losing(0), losing)
    with pytest.raises(TrainingError, match="inverted: start anew with another --seed"):
        _run(losing(0, count=2), losing)
