"""The same pictures on an accelerator; skipped where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from artkit import Chain
from artkit.training import train

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
