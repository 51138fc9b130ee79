"""`artkit models export NAME FILE.onnx`: a file that gives artkit's pictures in onnxruntime, or is refused."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import artkit
from artkit.cli import main
from artkit.exporting import export_network, graphs, trying
from artkit.nn import Portable
from artkit.plugins import current_registry
from cli_kit import ROOT

try:
    import onnx  # noqa: F401
    import onnxruntime
except ImportError:
    pytestmark = pytest.mark.skip(reason="ONNX is not tested: pip install -c constraints.txt '.[onnx]'")

SCRIPT = ROOT / "examples" / "run_onnx.py"
PICTURES = (
    "touchup/landscape", "nextframe/walks", "superres/faithful", "superres(scale=4)", "superres(quality=best)",
    "can/atelier",
)  # fmt: skip


def open_session(path: Path) -> tuple[onnxruntime.InferenceSession, dict]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session, json.loads(session.get_modelmeta().custom_metadata_map["artkit"])


@pytest.mark.parametrize(
    "source",
    [
        *(*PICTURES, "semgan", "spade(light=dusk,strength=0.8)", "stackgan", "cyclegan/monet", "funit"),
        "igan(projection=encoder)",
    ],
)
def test_a_default_network_gives_artkits_pictures_at_every_size(source, tmp_path):
    """What `try_out` finds is trusted here: the next tests see that it finds what is wrong."""
    made = export_network(source, tmp_path / "out.onnx", "onnx", current_registry())
    assert [(trial.height, trial.width) for trial in made.trials] == [(64, 96), (120, 88), (97, 131)]
    assert max(trial.difference for trial in made.trials) < 1e-5
    session, facts = open_session(made.path)
    assert [one.name for one in session.get_inputs()] == [field["name"] for field in facts["inputs"]]
    assert [one.name for one in session.get_outputs()] == [facts["output"]["name"]]
    assert facts["licence"] == "CC0-1.0"
    assert len(facts["tried"]) == 3


def run_script(monkeypatch: pytest.MonkeyPatch, *files: Path) -> np.ndarray:
    """Run the script on a model, a place for the result, and pictures."""
    monkeypatch.setattr(sys, "argv", ["run_onnx.py", *map(str, files)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    with Image.open(files[1]) as made:
        return np.asarray(made)


@pytest.mark.parametrize("step", ["touchup", "superres"])
def test_the_script_makes_artkits_picture_without_artkit(step, tmp_path, monkeypatch):
    """A network that takes a picture alone leaves nothing to chance: the same picture, but for rounding."""
    picture = np.random.default_rng(0).integers(0, 256, (45, 70, 3), np.uint8)
    model, result, source = (tmp_path / name for name in ("model.onnx", "out.png", "in.png"))
    Image.fromarray(picture).save(source)
    export_network(step, model, "onnx", current_registry())
    made = run_script(monkeypatch, model, result, source)
    wanted = artkit.Chain(step)(source, precision="fp32").numpy()
    assert made.shape == wanted.shape
    assert np.abs(made.astype(int) - wanted).max() <= 1


def test_the_script_paints_a_map_with_strokes_of_its_own(tmp_path, monkeypatch):
    """Its strokes are others, so the picture is: but what is where, and in which colours, is artkit's."""
    model, result, source = (tmp_path / name for name in ("model.onnx", "out.png", "map.png"))
    with Image.open(ROOT / "examples" / "semantic.png") as drawn:
        drawn.convert("RGB").resize((96, 72), Image.Resampling.NEAREST).save(source)
    assert main(["models", "export", "pix2pix/landscape", str(model)]) == 0
    _, facts = open_session(model)
    assert [field["kind"] for field in facts["inputs"]] == ["labels", "strokes", "condition"]
    assert facts["inputs"][0]["classes"][0] == {"name": "sky", "colour": [110, 170, 220]}
    assert facts["size"] | {"meaning": ""} == {"multiple": 4, "minimum": 4, "margin": 16, "meaning": ""}
    monkeypatch.setenv("WORDS", "noon clear")
    made = run_script(monkeypatch, model, result, source)
    wanted = artkit.Chain("pix2pix(condition='noon clear')")(source, precision="fp32").numpy()
    soft = artkit.Chain("blur(sigma=6)")
    assert np.abs(soft(made).numpy().astype(int) - soft(wanted).numpy()).mean() < 8


class Scale(torch.nn.Module):
    """Knows the size that it was traced at, as a careless network would."""

    def __init__(self, frozen: bool) -> None:
        super().__init__()
        self.frozen = frozen

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        rows = int(image.shape[-2]) if self.frozen else image.shape[-2]
        return image * (rows / 1000)


class Half(artkit.Translator):
    spec = artkit.MethodSpec(
        name="half",
        summary="For tests.",
        inputs=(artkit.Port("image", artkit.Kind.IMAGE, "a picture"),),
        output=artkit.Kind.IMAGE,
        translator="x:Half",
        needs_model=False,
    )

    def translate(self, context, *, image):
        return image * (image.shape[-2] / 1000)


def half(network: torch.nn.Module) -> tuple[Half, Portable]:
    from artkit.nn import IMAGE_FIELD, RESULT_FIELD

    return Half(None, None), Portable(network, (IMAGE_FIELD,), RESULT_FIELD, lambda context, *, image: (image,))


def test_a_graph_that_keeps_the_size_it_was_traced_at_is_refused():
    translator, portable = half(Scale(frozen=True))
    example = trying.example_of(translator, portable)
    data = graphs.to_onnx(portable, example, translator.size_rule)
    with pytest.raises(
        artkit.ModelError, match=r"nothing was written: at 88x120 pixels .* off by 0\.05\d*, where 0\.001"
    ):
        trying.try_out(translator, portable, graphs.run_onnx(data))
    assert "translate" not in vars(translator)


@pytest.mark.parametrize("name", ["onnx", "pt2", "torchscript"])
def test_every_format_runs_at_other_sizes_and_carries_its_facts(name, tmp_path):
    from artkit.exporting.writing import DESCRIBERS, RUNNERS, WRITERS

    translator, portable = half(Scale(frozen=False))
    data = WRITERS[name](portable, trying.example_of(translator, portable), translator.size_rule)
    described = DESCRIBERS[name](data, {"artkit": "1", "method": "half"})
    assert max(trial.difference for trial in trying.try_out(translator, portable, RUNNERS[name](described))) < 1e-6
    assert b'"method": "half"' in described


def test_what_is_no_network_is_one_line(tmp_path, capsys):
    assert main(["models", "export", "nst", str(tmp_path / "n.onnx")]) == 1
    assert capsys.readouterr().err == (
        "artkit: nst cannot be exported: it is not one network that other programs could run.\n"
    )
    assert main(["models", "export", "semgan,pix2pix(condition=dusk)", str(tmp_path / "n.onnx")]) == 1
    assert "networks are exported one by one" in capsys.readouterr().err
    assert main(["models", "export", "nobody", str(tmp_path / "n.onnx")]) == 1
    assert "there is no model 'nobody'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_was_exported_as_json_and_in_lines(tmp_path, capsys, monkeypatch):
    made = SimpleNamespace(facts={"method": "half"}, trials=[trying.Trial(16, 24, 1.23e-6)])
    monkeypatch.setattr("artkit.exporting.export_network", lambda *given, **named: made)
    file = str(tmp_path / "n.onnx")
    assert main(["models", "export", "half", file, "--json"]) == 0
    expected = {"model": file, "files": [file], "format": "onnx", "facts": {"method": "half"}}
    assert json.loads(capsys.readouterr().out) == expected
    assert main(["models", "export", "half", file]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == (f"{file}\n", "artkit: at 24x16 pixels off by 1.2e-06 at most.\n")


def test_formats_and_names_that_contradict_each_other(tmp_path, capsys):
    assert main(["models", "export", "touchup", str(tmp_path / "t.onnx"), "--format", "pt2"]) == 2
    assert "contradict each other: name the file t.pt2" in capsys.readouterr().err
    assert (
        main(["models", "export", "touchup", str(tmp_path / "t.onnx"), "--format", "onnx", "--layout", "cyclegan"]) == 2
    )
    (tmp_path / "t.onnx").write_text("mine")
    assert main(["models", "export", "touchup", str(tmp_path / "t.onnx")]) == 1
    assert (tmp_path / "t.onnx").read_text() == "mine"


def test_without_the_packages_it_says_what_to_type(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main(["models", "export", "touchup", str(tmp_path / "t.onnx")]) == 1
    assert "pip install -c constraints.txt '.[onnx]'" in capsys.readouterr().err


def test_the_layout_of_the_other_project_is_as_it_was(tmp_path):
    """`.pth` is no format of networks."""
    from artkit.exporting import format_of

    assert format_of(Path("a.pth"), None) is None
    assert format_of(Path("a.safetensors"), None) is None
    assert format_of(Path("A.ONNX"), None) == "onnx"
