"""The registry: lookups, specs of every kind, and the calling of hooks."""

from __future__ import annotations

import cProfile
from pathlib import Path
from typing import Any

import pytest

from artkit.errors import ChainError, PluginError, UsageError
from artkit.hookspecs import hookimpl
from artkit.plugins import PluginSource, Registry, current_registry, use_registry
from artkit.spec import DatasetSpec, Kind, MethodSpec, MetricSpec, ModelSpec, Options, Port, StepEvent, packaged

STEP = StepEvent(0, "negative", 7)


def method(name: str, **changes: Any) -> MethodSpec:
    """Return a small valid method."""
    fields: dict[str, Any] = {"inputs": (Port("image", Kind.IMAGE),), "output": Kind.IMAGE, "translator": "m:T"}
    return MethodSpec(name=name, summary="s", **{**fields, **changes})


class Everything:
    """A plugin that offers one of each."""

    @hookimpl
    def register_methods(self) -> list[MethodSpec]:
        return [method("negative"), method("sketch")]

    @hookimpl
    def register_models(self) -> list[ModelSpec]:
        return [ModelSpec("winter", "negative", "s"), ModelSpec("winter", "sketch", "s")]

    @hookimpl
    def register_datasets(self) -> list[DatasetSpec]:
        return [DatasetSpec("stripes", "s", "m:f")]

    @hookimpl
    def register_metrics(self) -> list[MetricSpec]:
        return [MetricSpec("gap", "s", "m:f")]


def load(*plugins: object) -> Registry:
    """Return a registry of plugin objects, named by their classes."""
    found = Registry()
    for plugin in plugins:
        found.add(PluginSource(type(plugin).__name__, lambda plugin=plugin: plugin))  # type: ignore[misc]
    return found


def test_everything_is_found() -> None:
    found = load(Everything())
    assert list(found.methods) == ["negative", "sketch"]
    assert [(model.method, model.name) for model in found.models] == [("negative", "winter"), ("sketch", "winter")]
    assert found.dataset("stripes").factory == "m:f"
    assert found.metric("gap").better == "lower"
    assert [found.origin(name) for name in ("negative", "negative/winter", "stripes", "gap")] == ["Everything"] * 4
    assert found.plugins[0].hooks == ("register_methods", "register_models", "register_datasets", "register_metrics")


def test_unknown_names_offer_the_nearest() -> None:
    found = load(Everything())
    with pytest.raises(ChainError, match=r"no method 'negativ'.*'negative'"):
        found.method("negativ")
    with pytest.raises(UsageError, match=r"no dataset 'zebra'.*stripes"):
        found.dataset("zebra")
    with pytest.raises(UsageError, match=r"no metric 'gab'.*'gap'"):
        found.metric("gab")
    with pytest.raises(UsageError, match="'nobody'"):
        found.origin("nobody")


def test_views_cannot_be_changed() -> None:
    found = load(Everything())
    with pytest.raises(TypeError):
        found.methods["other"] = method("other")  # type: ignore[index]


def calls_to_load(count: int) -> int:
    """Return how many functions are called while `count` plugins of one method each are loaded."""

    class Plugin:
        def __init__(self, number: int) -> None:
            self.number = number

        @hookimpl
        def register_methods(self) -> list[MethodSpec]:
            return [method(f"m{self.number}")]

    sources = [PluginSource(f"p{number}", lambda number=number: Plugin(number)) for number in range(count)]
    profile = cProfile.Profile()
    found = Registry()
    profile.enable()
    for source in sources:
        found.add(source)
    profile.disable()
    assert len(found.methods) == count
    return sum(entry.callcount for entry in profile.getstats())


def test_loading_a_plugin_costs_the_same_however_many_there_are() -> None:
    assert calls_to_load(400) < 2.1 * calls_to_load(200)


class DuplicateInside:
    """A plugin that registers one name twice, and something good."""

    @hookimpl
    def register_methods(self) -> list[MethodSpec]:
        return [method("fine"), method("twice"), method("twice")]


def test_a_plugin_is_taken_whole_or_not_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    found = load(DuplicateInside(), Everything())
    assert list(found.methods) == ["negative", "sketch"]
    assert "'twice' is already registered by the plugin 'DuplicateInside'" in capsys.readouterr().err


class BadOptions(Options):
    """Options that take a port's name."""

    image: int = 1


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"options": BadOptions}, "'image'"),
        ({"options": dict}, "artkit.Options"),
        ({"inputs": (Port("a", Kind.IMAGE), Port("a", Kind.MASK))}, "'a'"),
        ({"inputs": (Port("model", Kind.IMAGE),)}, "'model'"),
    ],
)
def test_method_that_no_chain_could_use(changes: dict[str, Any], word: str) -> None:
    from artkit.plugins.checks import validate_method

    with pytest.raises(PluginError, match=word):
        validate_method(method("odd", **changes))


class Watcher:
    """A plugin that counts steps."""

    def __init__(self) -> None:
        self.seen: list[StepEvent] = []

    @hookimpl
    def before_step(self, step: StepEvent) -> None:
        self.seen.append(step)

    @hookimpl
    def after_step(self) -> None:
        self.seen.append(STEP)


class Raiser(Watcher):
    """A plugin whose hook raises."""

    @hookimpl
    def before_step(self, step: StepEvent) -> None:
        super().before_step(step)
        raise OSError("disk\nis full")


class Last(Watcher):
    """A watcher under another name."""


def test_raising_hook_is_told_once_and_others_run(capsys: pytest.CaptureFixture[str]) -> None:
    first, broken, last = Watcher(), Raiser(), Last()
    found = load(first, broken, last)
    for _ in range(3):
        found.call("before_step", step=STEP)
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1
    for word in ("'Raiser'", "before_step()", "OSError: disk is full"):
        assert word in err
    assert (len(first.seen), len(broken.seen), len(last.seen)) == (3, 1, 3)
    assert found.plugins[1].error == "before_step() raised OSError: disk is full"
    assert found.plugins[1].hooks == ("before_step", "after_step")


def test_strict_lets_a_hook_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTKIT_STRICT", "1")
    with pytest.raises(OSError, match="disk"):
        load(Raiser()).call("before_step", step=STEP)


def test_hook_may_take_fewer_arguments() -> None:
    watcher = Watcher()
    load(watcher).call("after_step", step=STEP)
    assert watcher.seen == [STEP]


def test_hooks_are_called_in_loading_order_save_for_the_marks() -> None:
    class Early:
        @hookimpl(tryfirst=True)
        def before_step(self) -> None: ...

    class Late:
        @hookimpl(trylast=True)
        def before_step(self) -> None: ...

    found = load(Late(), Watcher(), Last(), Early())
    assert [name for name, _ in found.hook_impls("before_step")] == ["Early", "Watcher", "Last", "Late"]


def test_trace_shows_each_call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ARTKIT_TRACE", "1")
    load(Watcher()).call("before_step", step=STEP)
    err = capsys.readouterr().err
    assert "Watcher: before_step(step=StepEvent(" in err
    assert err.count("\n") == 1


def test_ctrl_c_passes_through() -> None:
    class Interrupted:
        @hookimpl
        def before_step(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(Interrupted()).call("before_step", step=STEP)


def test_registry_of_the_process_can_be_replaced() -> None:
    mine = load(Everything())
    use_registry(mine)
    try:
        assert current_registry() is mine
    finally:
        use_registry(None)
    assert current_registry() is current_registry() is not mine
    use_registry(None)


class Packaged:
    """A plugin whose method has models in its package."""

    @hookimpl
    def register_methods(self) -> list[MethodSpec]:
        models = (packaged("winter", "Snow.", "CC0-1.0"), packaged("summer", "Sun.", "MIT", "a talk"))
        return [method("negative", translator="artkit_negative.translator:Negative", models=models)]


def test_packaged_models_are_registered_with_their_method() -> None:
    found = load(Packaged())
    winter, summer = found.models
    assert winter == ModelSpec(
        name="winter",
        method="negative",
        summary="Snow.",
        file="artkit_negative:weights/winter.safetensors",
        licence="CC0-1.0",
        source="examples/recipes/negative-winter.toml",
    )
    assert (summer.source, summer.licence) == ("a talk", "MIT")
    assert found.origin("negative/winter") == "Packaged"


def test_a_packaged_model_registered_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    class Twice(Packaged):
        @hookimpl
        def register_models(self) -> list[ModelSpec]:
            return [ModelSpec("winter", "negative", "s")]

    found = load(Twice())
    assert not found.models
    assert "its model 'negative/winter' is already registered by the plugin 'Twice'" in capsys.readouterr().err


def test_the_packaged_models_of_the_house_are_there_with_their_recipes() -> None:
    root = Path(__file__).parents[1]
    models = [model for spec in current_registry().methods.values() for model in spec.packaged_models]
    assert {"pix2pix/landscape", "cyclegan/vangogh"} <= {f"{model.method}/{model.name}" for model in models}
    for model in models:
        package, _, place = str(model.file).partition(":")
        assert (root / "plugins" / package / place).is_file()
        assert (root / model.source).is_file()
