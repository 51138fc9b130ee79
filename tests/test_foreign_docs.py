"""The commands and the example of docs/foreign.md run."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from foreign_reference import patch_state, resnet_state, unet_state
from test_docs import BLOCK, ROOT, run_commands


def test_every_block_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    shutil.copy(ROOT / "examples" / "semantic.png", tmp_path)
    Path("checkpoints/facades").mkdir(parents=True)
    torch.save(unet_state(), "checkpoints/facades/latest_net_G.pth")
    torch.save(patch_state(inside=6), "checkpoints/facades/latest_net_D.pth")
    Path("checkpoints/zebra").mkdir()
    for side in "AB":
        torch.save(resnet_state(blocks=6), f"checkpoints/zebra/latest_net_G_{side}.pth")
    Path("data/facades/train").mkdir(parents=True)
    Image.fromarray(np.zeros((256, 512, 3), np.uint8)).save("data/facades/train/1_AB.png")
    for language, _, text in BLOCK.findall((ROOT / "docs" / "foreign.md").read_text(encoding="utf-8")):
        if language == "python":
            Path("block.py").write_text(text)
            runpy.run_path("block.py", run_name="__main__")
        else:
            run_commands(text)
    assert torch.load("exported/latest_net_D.pth", weights_only=True).keys() == patch_state(inside=6).keys()
