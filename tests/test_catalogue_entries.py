"""The catalogue: what can be pulled, how it is listed, and what is said of a model that is not here yet."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

import cli_kit
from artkit.errors import ModelError
from artkit.models import find_model
from artkit.models.catalogue import find_entry, how_to_pull, in_megabytes, list_entries, nearest_model, pull_command
from artkit.models.store import find_listed
from artkit.spec import ModelSpec
from artkit_cyclegan.published import CATALOGUE as CYCLEGAN
from artkit_pix2pix.published import CATALOGUE as PIX2PIX

FAR = "https://example.org/models"
ROSE = ModelSpec("rose", "paint", "Roses.", url=f"{FAR}/rose.pth", size=12_345_678)
LAND = ModelSpec("land", "paint", "Land.", url=f"{FAR}/land.pth")
OTHER_LAND = ModelSpec("land", "blur", "Blurred land.", url=f"{FAR}/other/land.pth")
PACKAGED = ModelSpec("small", "paint", "Ships.", file="somewhere:small.safetensors")
REGISTRY = SimpleNamespace(models=[ROSE, LAND, PACKAGED, OTHER_LAND])

shell = pytest.fixture(cli_kit.open_shell)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))


def test_the_published_models_are_listed():
    one_way = "apple2orange orange2apple summer2winter_yosemite winter2summer_yosemite horse2zebra zebra2horse"
    painters = "monet2photo style_monet style_cezanne style_ukiyoe style_vangogh sat2map map2sat iphone2dslr_flower"
    places = "cityscapes_photo2label cityscapes_label2photo facades_photo2label facades_label2photo"
    assert {spec.name for spec in CYCLEGAN} == set(f"{one_way} {painters} {places}".split())
    assert [spec.name for spec in PIX2PIX] == ["edges2shoes", "sat2map", "map2sat", "facades_label2photo", "day2night"]


@pytest.mark.parametrize("spec", CYCLEGAN + PIX2PIX, ids=lambda spec: f"{spec.method}-{spec.name}")
def test_an_entry_says_all_there_is_to_know(spec):
    folder = {"cyclegan": "/cyclegan/pretrained_models", "pix2pix": "/pix2pix/models-pytorch"}[spec.method]
    address = urlsplit(spec.url)
    assert (address.scheme, address.hostname) == ("https", "efrosgans.eecs.berkeley.edu")
    assert address.path == f"{folder}/{spec.name}.pth"
    assert spec.summary.endswith(".")
    assert spec.trained_on.endswith((", A to B", ", B to A"))
    assert spec.licence
    assert spec.source
    assert spec.sha256 is None  # nobody published any: an invented one would be worse than none
    assert 40e6 < spec.size < 250e6


def test_catalogue_holds_what_has_an_address():
    assert list_entries(REGISTRY) == [OTHER_LAND, LAND, ROSE]


def test_an_entry_is_found_by_its_name():
    assert find_entry("rose", REGISTRY) is ROSE
    assert find_entry("paint/rose", REGISTRY) is ROSE
    assert find_entry("blur/land", REGISTRY) is OTHER_LAND


def test_a_name_of_several_methods_says_what_to_type():
    with pytest.raises(ModelError, match="`artkit models pull blur/land` or `artkit models pull paint/land`"):
        find_entry("land", REGISTRY)
    assert pull_command(LAND, REGISTRY) == "artkit models pull paint/land"
    assert pull_command(ROSE, REGISTRY) == "artkit models pull rose"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("rosa", "Did you mean 'rose'?"),
        ("paint/rosa", "Did you mean 'paint/rose' or 'paint/land'?"),
        ("xyzzy", "artkit models list --all"),
        ("", "artkit models list --all"),
        ("small", "comes with its plugin: there is nothing to pull"),
        ("../rose", "no model"),
    ],
)
def test_a_name_that_is_none(name, says):
    with pytest.raises(ModelError) as caught:
        find_entry(name, REGISTRY)
    assert says in str(caught.value)


def test_a_model_that_is_not_here_says_the_one_command():
    with pytest.raises(ModelError) as caught:
        find_model("paint", "rose", REGISTRY, None)
    assert str(caught.value) == how_to_pull(ROSE, REGISTRY)
    assert str(caught.value) == (
        "The model 'rose' of paint is not here yet. To download it (12.3 MB): artkit models pull rose"
    )
    with pytest.raises(ModelError, match=r"To download it: artkit models pull blur/land$"):
        find_model("blur", "land", REGISTRY, None)


def test_python_is_told_the_same():
    with pytest.raises(ModelError, match=r"not here yet\. .*: artkit models pull rose$"):
        find_listed("rose", REGISTRY)
    with pytest.raises(ModelError, match="Several methods have a model 'land'"):
        find_listed("land", REGISTRY)


@pytest.mark.parametrize(("size", "text"), [(0, "0.0 MB"), (45_600_000, "45.6 MB"), (2 * 10**9, "2000.0 MB")])
def test_megabytes(size, text):
    assert in_megabytes(size) == text


PLUGIN = """
from artkit import ModelSpec, hookimpl


@hookimpl
def register_models():
    return [
        ModelSpec("rose", "fade", "Roses.", url="https://example.org/rose.pth", size=12_345_678, licence="CC0-1.0"),
        ModelSpec("land", "fade", "Land.", url="https://example.org/land.pth"),
        ModelSpec("land", "invert", "Land.", url="https://example.org/other/land.pth"),
    ]
"""


@pytest.fixture
def far_shell(shell, monkeypatch):
    monkeypatch.delitem(sys.modules, "far", raising=False)  # of the test before
    (shell.folder / "far.py").write_text(PLUGIN)
    return lambda *arguments: shell("--plugin", "far.py", "models", *arguments)


def test_the_list_tells_what_can_be_pulled(far_shell):
    assert far_shell().err == "artkit: 3 more can be pulled: artkit models list --all\n"
    assert far_shell("list", "--all").lines() == [
        "fade    land  to pull           Land.",
        "fade    rose  to pull, 12.3 MB  Roses.",
        "invert  land  to pull           Land.",
    ]
    assert json.loads(far_shell("list", "--json").out) == []
    records = json.loads(far_shell("list", "--all", "--json").out)
    assert [record["pull"].split()[-1] for record in records] == ["fade/land", "rose", "invert/land"]
    assert records[1]["url"] == "https://example.org/rose.pth"


def test_an_entry_is_shown_before_the_pull(far_shell):
    lines = dict(line.split(maxsplit=1) for line in far_shell("show", "rose").lines())
    assert lines["pull"] == "artkit models pull rose"
    assert lines["licence"] == "CC0-1.0"
    assert lines["bytes"] == "12345678"
    assert json.loads(far_shell("show", "fade/land", "--json").out)["pull"] == "artkit models pull fade/land"
    assert "several models are called 'land': fade/land, invert/land" in far_shell("show", "land").err


def test_pull_of_a_name_that_is_none(far_shell):
    outcome = far_shell("pull", "rosy")
    assert outcome.code == 1
    assert outcome.err == "artkit: There is no model 'rosy' to pull. Did you mean 'rose'?\n"


def test_a_misspelt_model_is_answered_by_the_nearest_names_or_by_how_to_list_all():
    known = ["monet", "vangogh", "cezanne"]
    assert nearest_model("monett", known) == " Did you mean 'monet'?"
    assert nearest_model("xyz", known) == " To see those there are: artkit models list --all"
