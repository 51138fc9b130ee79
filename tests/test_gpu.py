"""The same pictures on an accelerator; skipped where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from artkit import Chain, Picture, PluginError
from artkit.chain import plan_chain
from artkit.engine import Runner, StepResult
from artkit.engine.work import settle
from artkit.plugins import current_registry
from artkit.training import train
from artkit.translator import mark_unfinite

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize(("precision", "levels"), [("fp32", 2), ("bf16", 12)])
def test_the_gpu_paints_what_the_cpu_paints(precision, levels):
    chain, size = Chain("semgan,pix2pix"), (64, 48)
    expected = chain(seed=1, size=size, device="cpu", precision="fp32").numpy().astype(int)
    got = chain(seed=1, size=size, device="cuda", precision=precision).numpy().astype(int)
    assert np.abs(got - expected).mean() <= levels


def test_training_runs_and_resumes_on_the_gpu(tmp_path):
    values = {"network": "resnet_6", "width": 4, "batch": 2, "crop": 32, "device": "cuda"}
    data = "landscapes(count=20,size=[48,32])"
    train("pix2pix", data, tmp_path / "run", values={**values, "steps": 2})
    assert train("pix2pix", data, tmp_path / "run", values={"steps": 4}, resume=True).is_file()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_batch_on_the_gpu_is_its_pictures_one_by_one(precision):
    plan = plan_chain(Chain("semgan,pix2pix,touchup"), current_registry(), has_input=False)
    runner = Runner(plan, device="cuda", precision=precision)
    assert runner.batch_limit(48 * 64) > 1
    together = [settle(steps)[-1] for steps in runner.compute([None] * 3, [1, 2, 3], size=(64, 48))]
    for seed, among in zip((1, 2, 3), together, strict=True):
        alone = runner.run(None, seed=seed, size=(64, 48))[-1]
        assert np.abs(alone.picture.numpy().astype(int) - among.picture.numpy()).mean() <= 1
        assert among.picture.tensor.device.type == "cpu"
        assert among.seconds > 0


def test_pictures_stay_on_the_gpu_between_steps():
    runner = Runner(plan_chain(Chain("semgan,pix2pix,touchup"), current_registry(), has_input=False), device="cuda")
    (steps,) = runner.compute([None], [1], size=(64, 48))
    assert {result.picture.tensor.device.type for result in steps} == {"cuda"}


def test_a_spoilt_picture_is_told_of_when_it_leaves_the_gpu():
    marked = mark_unfinite(torch.full((1, 3, 4, 4), float("inf"), device="cuda"))
    with pytest.raises(PluginError, match="nst produced NaN"):
        settle([StepResult(0, "nst", Picture(marked), 0.0)])
