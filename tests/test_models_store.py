"""The store: where a model name leads, and what is listed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from artkit.errors import ModelError
from artkit.models import data_home, find_model, list_models, save_model, user_model_path
from artkit.models.store import find_listed
from artkit.spec import Kind, ModelHeader, ModelSpec


def write_model(path: Path, method: str = "paint", name: str = "") -> Path:
    """Write a small sound model."""
    header = ModelHeader(method=method, name=name, architecture="net", inputs={"input": Kind.IMAGE}, output=Kind.IMAGE)
    save_model(path, header, {"weight": torch.ones(2)})
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's data folder inside the test."""
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the weights folder of a plugin package that must not be imported."""
    package = tmp_path / "site" / "heavy_plugin"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(package.parent)
    write_model(package / "weights" / "landscape.safetensors", name="landscape")
    return package / "weights"


def registry_of(*specs: ModelSpec) -> Any:
    """Return as much of a registry as the store looks at."""
    return SimpleNamespace(models=list(specs), methods={})


LANDSCAPE = ModelSpec("landscape", "paint", "hills", file="heavy_plugin:weights/landscape.safetensors")


def test_home_follows_the_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_home() == home
    monkeypatch.setenv("ARTKIT_HOME", "~/pictures")
    assert data_home() == Path.home() / "pictures"
    monkeypatch.delenv("ARTKIT_HOME")
    assert data_home().name == "artkit"


def test_packaged_model_is_found_without_importing_its_package(packaged: Path) -> None:
    assert find_model("paint", "landscape", registry_of(LANDSCAPE), None) == packaged / "landscape.safetensors"
    assert "heavy_plugin" not in sys.modules


def test_default_stands_in_for_no_name(packaged: Path) -> None:
    assert find_model("paint", None, registry_of(LANDSCAPE), "landscape").name == "landscape.safetensors"


def test_no_name_and_no_default(packaged: Path) -> None:
    with pytest.raises(ModelError, match=r"paint\(model=NAME\)\. Known: landscape\."):
        find_model("paint", None, registry_of(LANDSCAPE), None)


def test_user_model_comes_before_the_packaged_one(packaged: Path, home: Path) -> None:
    mine = write_model(home / "models" / "paint" / "landscape.safetensors")
    assert find_model("paint", "landscape", registry_of(LANDSCAPE), None) == mine
    assert mine == user_model_path("paint", "landscape")


def test_path_wins_and_need_not_end_in_safetensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_model(tmp_path / "runs" / "best")
    monkeypatch.chdir(tmp_path)
    assert find_model("paint", str(path), registry_of(), None) == path
    assert find_model("paint", "./runs/best", registry_of(), None) == Path("runs/best")


def test_missing_path_names_the_files_beside_it(tmp_path: Path) -> None:
    write_model(tmp_path / "forest.safetensors")
    with pytest.raises(ModelError, match=r"Did you mean 'forest\.safetensors'\?"):
        find_model("paint", str(tmp_path / "forrest.safetensors"), registry_of(), None)
    with pytest.raises(ModelError, match="There is no model file"):
        find_model("paint", str(tmp_path / "none" / "m.safetensors"), registry_of(), None)


def test_unknown_name_says_where_it_looked(packaged: Path, home: Path) -> None:
    write_model(user_model_path("paint", "harbour"))
    registry = registry_of(LANDSCAPE, ModelSpec("landscapes", "other", ""))
    with pytest.raises(ModelError) as caught:
        find_model("paint", "landscap", registry, None)
    assert str(home / "models" / "paint" / "landscap.safetensors") in str(caught.value)
    assert "Did you mean 'landscape'?" in str(caught.value)
    with pytest.raises(ModelError, match="Did you mean 'harbour'"):
        find_model("paint", "harbor", registry, None)


@pytest.mark.parametrize("name", ["", "a b", "-x", "né", "a\x00b", "a\nb", "*", "~root", "a:b"])
def test_names_never_leave_the_store(name: str) -> None:
    with pytest.raises(ModelError, match="no model name"):
        user_model_path("paint", name)
    with pytest.raises(ModelError):
        find_model("paint", name, registry_of(), None)


@pytest.mark.parametrize("name", ["..", "../paint", "a/../../b", "/etc/passwd", ".hidden"])
def test_path_escapes_are_no_names(name: str) -> None:
    with pytest.raises(ModelError, match="no model name"):
        user_model_path("paint", name)
    with pytest.raises(ModelError, match="no model name"):
        user_model_path(name, "small")


def test_registered_file_that_is_gone(packaged: Path) -> None:
    (packaged / "landscape.safetensors").unlink()
    with pytest.raises(ModelError, match="missing from its plugin"):
        find_model("paint", "landscape", registry_of(LANDSCAPE), None)
    for package in ("no_such_package", "no_such.package", ""):
        nowhere = ModelSpec("landscape", "paint", "", file=f"{package}:m.safetensors")
        with pytest.raises(ModelError, match="missing from its plugin"):
            find_model("paint", "landscape", registry_of(nowhere), None)


def test_list_is_sorted_and_tells_origins_and_errors(packaged: Path, home: Path) -> None:
    write_model(user_model_path("paint", "harbour"), name="harbour")
    write_model(user_model_path("blur", "soft"), method="blur")
    user_model_path("paint", "broken").write_bytes(b"nothing")
    far = ModelSpec("big", "paint", "", url="https://example.org/big.safetensors")
    models = list_models(registry_of(LANDSCAPE, far))
    assert [(model.method, model.name, model.origin) for model in models] == [
        ("blur", "soft", "user"),
        ("paint", "broken", "user"),
        ("paint", "harbour", "user"),
        ("paint", "landscape", "packaged"),
    ]
    assert models[1].header is None
    assert "cut short" in (models[1].error or "")
    assert models[3].spec is LANDSCAPE
    assert models[3].header is not None
    assert models[3].header.name == "landscape"


def test_user_model_replaces_the_packaged_one_in_the_list(packaged: Path) -> None:
    write_model(user_model_path("paint", "landscape"))
    assert [model.origin for model in list_models(registry_of(LANDSCAPE))] == ["user"]


def test_empty_store_is_an_empty_list() -> None:
    assert list_models(registry_of()) == []


def test_a_listed_model_is_found_by_its_name_and_where_two_share_one_by_its_method() -> None:
    for method in ("blur", "paint"):
        write_model(user_model_path(method, "soft"), method=method)
    write_model(user_model_path("paint", "harbour"))
    assert find_listed("harbour", registry_of()).method == "paint"
    assert find_listed("blur/soft", registry_of()).method == "blur"
    with pytest.raises(ModelError, match="several methods have a model 'soft': say 'blur/soft' or 'paint/soft'"):
        find_listed("soft", registry_of())
    with pytest.raises(ModelError, match="there is no model 'blur/harbour'"):
        find_listed("blur/harbour", registry_of())
