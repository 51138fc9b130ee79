"""nst stopped on its way: Ctrl-C keeps what there is, and the same run goes on to the same bits."""

from __future__ import annotations

import logging

import pytest
import torch

import vgg_kit
from artkit import Chain, Kind, Picture
from artkit.chain import plan_chain
from artkit.engine import Runner
from artkit.engine.step import ProgressEvent
from artkit.plugins import current_registry
from artkit_nst.vgg import network as network_module
from artkit_nst.vgg.transfer import TimeBudget
from vgg_kit import torchvision

PORTS = {
    "style": Picture(torch.rand(1, 3, 60, 90, generator=torch.Generator().manual_seed(9)) ** 2),
    "importance": Picture(torch.linspace(0, 1, 210)[:, None].expand(1, 1, 210, 40), kind=Kind.MASK),
}
PATCH = "quality=draft,engine=patch"
ADAM = "quality=draft,engine=vgg,weights='w.pth',steps=4"
CHAINS = {
    "patch": f"nst({PATCH})",
    "patch, luminance": f"nst({PATCH},colours=luminance)",
    "patch, palette": f"nst({PATCH},colours=palette)",
    "vgg, adam": f"nst({ADAM})",
    "vgg, lbfgs": f"nst({ADAM},optimiser=lbfgs,start=noise,loss=gram)",
    "vgg, luminance": f"nst({ADAM},colours=luminance,start=photo,loss=sliced)",
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Work in a folder with a narrow VGG-19, and artkit's data folder in it."""
    monkeypatch.setattr(network_module, "WIDTHS", vgg_kit.WIDTHS)
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    torch.save(torchvision(), "w.pth")
    monkeypatch.setattr("artkit.engine.bookmarks.COST", 1e9)  # every pass is noted
    return tmp_path / "home" / "unfinished"


def photo(seed: int = 0) -> Picture:
    return Picture(torch.rand(1, 3, 210, 40, generator=torch.Generator().manual_seed(seed)))


def runner(chain: str) -> Runner:
    return Runner(plan_chain(Chain(chain), current_registry(), has_input=True, ports=PORTS), interruptible=True)


class Stopping:
    """Presses Ctrl-C after a number of passes; `last` is what there was to see."""

    def __init__(self, passes: int) -> None:
        self.passes, self.last, self.shares = passes, photo(), []

    def __call__(self, event: ProgressEvent) -> None:
        assert event.sketch is not None
        self.passes -= 1
        self.shares.append(event.share)
        if self.passes == 0:
            self.last = event.sketch()
            raise KeyboardInterrupt


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_a_stopped_run_keeps_what_it_has_and_goes_on_to_the_same_bits(chain, home):
    """It is stopped twice: at a coarse size, and after it has gone on from there, at the finest."""
    whole = runner(chain).run(photo(), seed=4)[-1]
    shares = []
    for passes in (2, 3):
        stopping = Stopping(passes)
        stopped = runner(chain).run(photo(), seed=4, on_progress=stopping)[-1]
        shares.append(stopped.share)
        assert torch.equal(stopped.picture.tensor, stopping.last.tensor)
        assert stopped.picture.size == (210, 40)
    assert 0 < shares[0] < shares[1] < 1
    again = runner(chain).run(photo(), seed=4)[-1]
    assert torch.equal(again.picture.tensor, whole.picture.tensor)
    assert again.share == 1
    assert list(home.iterdir()) == []


def test_a_run_of_another_seed_photo_or_option_begins_anew(home):
    stopping = Stopping(5)
    runner(CHAINS["patch"]).run(photo(), seed=4, on_progress=stopping)
    (left,) = home.iterdir()
    for chain, picture, seed in [
        (CHAINS["patch"], photo(), 5),
        (CHAINS["patch"], photo(1), 4),
        (CHAINS["patch, palette"], photo(), 4),
    ]:
        share = runner(chain).run(picture, seed=seed, on_progress=Stopping(1))[-1].share
        assert share == stopping.shares[0]
        assert left in home.iterdir()


def test_other_weights_begin_anew():
    whole = runner(CHAINS["vgg, adam"]).run(photo(), seed=4)[-1]
    runner(CHAINS["vgg, adam"]).run(photo(), seed=4, on_progress=Stopping(9))
    torch.save({name: tensor * 1.1 for name, tensor in torchvision().items()}, "w.pth")
    other = runner(CHAINS["vgg, adam"]).run(photo(), seed=4)[-1]
    assert not torch.equal(other.picture.tensor, whole.picture.tensor)


def test_python_keeps_nothing_and_is_interrupted_as_ever(home):
    plain = Runner(plan_chain(Chain(CHAINS["patch"]), current_registry(), has_input=True, ports=PORTS))
    with pytest.raises(KeyboardInterrupt):
        plain.run(photo(), on_progress=Stopping(2))
    assert not home.exists()


# -- time -----------------------------------------------------------------------------------------------


def test_a_clock_counts_steps_and_shares():
    budget = TimeBudget(None, [(10, 10), (20, 10)], [4, 2])
    shares = [budget.share for number in (0, 1) for _ in budget.count(number)]
    assert shares == [0.125, 0.25, 0.375, 0.5, 0.75, 1.0]
    assert [budget.share for _ in budget.count(1, done=1)] == [1.0]
    assert budget.affords(1)


def test_a_clock_plans_by_what_it_measures(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("artkit_nst.vgg.transfer.time.monotonic", lambda: now[0])
    budget = TimeBudget(10.0, [(10, 10), (100, 100)], [10, 5])
    steps = []
    for step in budget.count(0):
        now[0] += 0.5
        steps.append(step)
    assert steps == [0]  # the small size has a fiftieth of the time, and one step at least
    assert not budget.affords(1)  # a step there takes 50 seconds
    assert TimeBudget(10.0, [(10, 10)], [5], spent=20.0).affords(0)
    assert list(TimeBudget(10.0, [(10, 10)], [5], spent=20.0).count(0)) == [0]


def test_too_little_time_gives_a_smaller_picture_enlarged_and_says_so(caplog):
    with caplog.at_level(logging.WARNING, "artkit.nst"):
        made = runner(f"nst({ADAM},time_budget=0.000001)".replace("steps=4", "steps=100")).run(photo())[-1]
    assert "time runs out" in caplog.text
    assert made.picture.size == (210, 40)
    assert made.share == 1
