"""The script that compares programs: what it asks of the others, with checkouts that stand in for them."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[1] / "examples" / "studies" / "peers" / "run.py"
TRAIN = """
import json, pathlib, sys, torch
words = sys.argv[1:]
place = pathlib.Path(words[words.index("--checkpoints_dir") + 1]) / words[words.index("--name") + 1]
place.mkdir(parents=True)
(place / "latest_net_G_A.pth").write_text("weights")
(place / "told.json").write_text(json.dumps([words, torch.rand(1).item(), str(pathlib.Path.cwd())]))
"""
TEST = """
import pathlib, sys
from PIL import Image, ImageOps
words = dict(zip(sys.argv[1:], sys.argv[2:]))
place = pathlib.Path(words["--results_dir"], "peer", "test_latest", "images")
place.mkdir(parents=True)
for photo in pathlib.Path(words["--dataroot"]).iterdir():
    Image.open(photo).save(place / f"{photo.stem}_real.png")
    ImageOps.invert(Image.open(photo)).save(place / f"{photo.stem}_fake.png")
"""
GENERATE = """
import pathlib, sys
from PIL import Image, ImageOps
words = dict(zip(sys.argv[1:], sys.argv[2:]))
assert pathlib.Path(words["--model_in_file"]).read_text() == "weights"
Image.open(words["--img_in"]).save(words["--img_out"])
"""


@pytest.fixture
def asked(tmp_path):
    """The arguments for a small run, beside two checkouts that stand in for the programs'."""
    for name, files in {"cgp": {"test.py": TEST}, "joli": {"scripts/gen_single_image.py": GENERATE}}.items():
        for file, text in {"train.py": TRAIN, **files}.items():
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    small = ["--count", "10", "--side", "32", "--epochs", "1", "--seeds", "1", "--set", "network=resnet_6"]
    small += ["--set", "width=4", "--set", "widths=[4]", "--set", "receptive_field=16"]
    return ["-o", str(tmp_path / "out"), *small]


def distance(folder, made):
    """Return the mean colour distance of what a program made to the true paintings."""
    pairs = [(made(path), path.parents[1] / "painting" / path.name) for path in folder.iterdir()]
    arrays = [[np.asarray(Image.open(path), float) for path in pair] for pair in pairs]
    return np.mean([np.linalg.norm(one - other, axis=2).mean() for one, other in arrays])


def test_three_programs_are_run_and_scored_alike(asked, tmp_path, capsys):
    """Trains a CycleGAN for nine steps and runs a dozen processes: many seconds, as that is what the script does."""
    main = runpy.run_path(str(SCRIPT))["main"]
    peers = ["--cyclegan", str(tmp_path / "cgp"), "--joligen", str(tmp_path / "joli")]
    main([*asked, *peers])
    out = tmp_path / "out"
    rows = {row["program"]: row for row in json.loads((out / "scores.json").read_text())}
    assert list(rows) == ["artkit", "cyclegan", "joligen"]
    photos = out / "data" / "val" / "photo"
    as_it_is = distance(photos, lambda path: path)
    assert rows["joligen"]["scores"]["rgb_distance"] == pytest.approx(as_it_is, rel=1e-4)
    fakes = out / "cyclegan-0" / "results" / "peer" / "test_latest" / "images"
    inverted = distance(photos, lambda path: fakes / f"{path.stem}_fake.png")
    assert rows["cyclegan"]["scores"]["rgb_distance"] == pytest.approx(inverted, rel=1e-4)
    told = {
        name: json.loads((out / f"{name}-0" / "checkpoints" / "peer" / "told.json").read_text())
        for name in ("cyclegan", "joligen")
    }
    assert told["cyclegan"][1] == told["joligen"][1]  # the same seed
    assert [Path(one[2]).name for one in told.values()] == ["cgp", "joli"]
    words = told["cyclegan"][0]
    assert (words[words.index("--n_epochs") + 1], words[words.index("--batch_size") + 1]) == ("1", "1")
    words = told["joligen"][0]
    assert (words[words.index("--model_type") + 1], words[words.index("--gpu_ids") + 1]) == ("cycle_gan", "-1")
    assert len(list((out / "peers-data" / "trainA").iterdir())) == 9
    assert len(capsys.readouterr().out.splitlines()) == 3
    shutil.rmtree(tmp_path / "cgp")
    main([*asked, *peers])  # all is there
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_program_that_fails_is_named_with_what_it_said():
    call = runpy.run_path(str(SCRIPT))["call"]
    with pytest.raises(SystemExit, match="it is broken"):
        call([sys.executable, "-c", "raise SystemExit('it is broken')"])
