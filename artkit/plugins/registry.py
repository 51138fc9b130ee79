"""The registry: what all loaded plugins offer, who offers it, and the calling of their hooks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from artkit.errors import ChainError, PluginError, UsageError, nearest
from artkit.plugins.checks import HOOK_NAMES, Hook, check_specs, find_hooks
from artkit.plugins.synonyms import by_meaning
from artkit.reporting import one_line, restricted, sentence, strict, trace, tracing, warn
from artkit.spec import DatasetSpec, MethodSpec, MetricSpec, ModelSpec

_REGISTRATIONS: dict[str, type] = {
    "register_methods": MethodSpec,
    "register_models": ModelSpec,
    "register_datasets": DatasetSpec,
    "register_metrics": MetricSpec,
}


@dataclass(frozen=True)
class PluginSource:
    """A plugin that may be loaded: `load()` imports and returns it, or raises."""

    name: str
    load: Callable[[], object]
    distribution: str = ""
    version: str = ""


@dataclass(frozen=True)
class PluginInfo:
    """A plugin as `artkit plugins` shows it; `seconds` is what importing and registering it took."""

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...]
    error: str | None
    seconds: float

    def __str__(self) -> str:
        """Return the name and where the plugin comes from, for messages."""
        place = " ".join(filter(None, (self.distribution, self.version)))
        return f"'{self.name}' ({place})" if place else f"'{self.name}'"


class Registry:
    """What plugins offer. A plugin that breaks a rule is left out whole, told once, and kept in `plugins`."""

    def __init__(self, files: tuple[Path, ...] = ()) -> None:
        """Start empty; `load_registry` fills one with the installed plugins, and those in `files`."""
        self.files = files
        self._hooks: dict[str, list[tuple[str, Hook]]] = {name: [] for name in HOOK_NAMES}
        self._plugins: dict[str, PluginInfo] = {}
        self._refused: list[PluginInfo] = []
        self._specs: dict[type, dict[str, Any]] = {kind: {} for kind in _REGISTRATIONS.values()}
        self._origins: dict[tuple[type, str], str] = {}

    # -- loading ------------------------------------------------------------------------------------------------

    def add(self, source: PluginSource) -> None:
        """Load one plugin, all of it or nothing. A failure is told on stderr and remembered, not raised.

        With `ARTKIT_STRICT=1` the original error is raised instead.
        """
        start = time.perf_counter()
        hooks: tuple[str, ...] = ()
        error = None
        try:
            hooks = self._load(source)
        except (Exception, SystemExit) as problem:
            if strict():
                raise
            error = one_line(problem)
        seconds = time.perf_counter() - start
        info = PluginInfo(source.name, source.distribution, source.version, hooks, error, seconds)
        if error is not None:
            warn(f"plugin {info} is left out: {sentence(error)} 'artkit plugins' lists it.")
        if source.name in self._plugins:
            self._refused.append(info)
        else:
            self._plugins[source.name] = info

    def _load(self, source: PluginSource) -> tuple[str, ...]:
        if source.name in self._plugins:
            raise PluginError(f"its name is already taken by the plugin {self._plugins[source.name]}")
        hooks = find_hooks(source.load())
        self._accept(source.name, self._offers(source.name, hooks))
        for hook in hooks:
            self._hooks[hook.name].append((source.name, hook))
        names = {hook.name for hook in hooks}
        return tuple(name for name in HOOK_NAMES if name in names)

    def _offers(self, plugin: str, hooks: list[Hook]) -> list[tuple[type, str, Any]]:
        """Collect what one plugin registers as (kind, key, spec), refusing what is already there."""
        offers: dict[tuple[type, str], Any] = {}
        for hook in sorted(hooks, key=lambda hook: hook.order):
            kind = _REGISTRATIONS.get(hook.name)
            for spec in _with_models(check_specs(hook.name, kind, hook())) if kind else []:
                of: type = type(spec)
                key = f"{spec.method}/{spec.name}" if of is ModelSpec else spec.name
                owner = plugin if (of, key) in offers else self._origins.get((of, key))
                if owner is not None:
                    what = of.__name__.removesuffix("Spec").lower()
                    raise PluginError(f"its {what} '{key}' is already registered by the plugin '{owner}'")
                offers[of, key] = spec
        return [(kind, key, spec) for (kind, key), spec in offers.items()]

    def _accept(self, plugin: str, offers: list[tuple[type, str, Any]]) -> None:
        for kind, key, spec in offers:
            self._specs[kind][key] = spec
            self._origins[kind, key] = plugin

    # -- what there is ------------------------------------------------------------------------------------------

    @property
    def plugins(self) -> list[PluginInfo]:
        """Every plugin that was found, in loading order, the failed ones with their error."""
        return [*self._plugins.values(), *self._refused]

    @property
    def methods(self) -> Mapping[str, MethodSpec]:
        """The methods by name."""
        return MappingProxyType(self._specs[MethodSpec])

    @property
    def models(self) -> list[ModelSpec]:
        """The registered models of all methods."""
        return list(self._specs[ModelSpec].values())

    @property
    def datasets(self) -> Mapping[str, DatasetSpec]:
        """The datasets by name."""
        return MappingProxyType(self._specs[DatasetSpec])

    @property
    def metrics(self) -> Mapping[str, MetricSpec]:
        """The metrics by name."""
        return MappingProxyType(self._specs[MetricSpec])

    def method(self, name: str) -> MethodSpec:
        """Return a method; ChainError with the nearest names, by meaning or by letters, when there is none."""
        if not isinstance(name, str):
            raise ChainError(f"There is no method {name!r}: a method's name is text.")
        if name in self.methods or not (like := by_meaning(name, self.methods.values())):
            return self._get(MethodSpec, name, ChainError)
        raise ChainError(f"There is no method '{name}'. Did you mean {' or '.join(map(repr, like))}?")

    def dataset(self, name: str) -> DatasetSpec:
        """Return a dataset; UsageError with the nearest names when there is none."""
        return self._get(DatasetSpec, name, UsageError)

    def metric(self, name: str) -> MetricSpec:
        """Return a metric; UsageError with the nearest names when there is none."""
        return self._get(MetricSpec, name, UsageError)

    def origin(self, name: str) -> str:
        """Return the plugin that registered the method, model (`method/name`), dataset or metric called `name`."""
        for kind in self._specs:
            if (kind, name) in self._origins:
                return self._origins[kind, name]
        raise UsageError(f"No plugin registered '{name}'.")

    def offers(self, plugin: str) -> list[Any]:
        """Return the specs that a plugin registered: methods first, then models, datasets and metrics."""
        known = ((kind, key, spec) for kind, specs in self._specs.items() for key, spec in specs.items())
        return [spec for kind, key, spec in known if self._origins[kind, key] == plugin]

    def _get(self, kind: type, name: str, error: type[UsageError]) -> Any:
        known = self._specs[kind]
        if isinstance(name, str) and name in known:
            return known[name]
        what = kind.__name__.removesuffix("Spec").lower()
        raise error(f"There is no {what} '{name}'.{nearest(str(name), known)}{self._failures(name)}")

    def _failures(self, name: str) -> str:
        """Return what went wrong with plugins, as the end of a message: the one called `name`, or all their names."""
        failed = [info for info in self.plugins if not info.hooks]
        for info in failed:
            if info.name == name:
                return f" The plugin {info} did not load: {sentence(info.error or '')}"
        if failed:
            names = ", ".join(f"'{info.name}'" for info in failed)
            return f" Some plugins did not load ({names}): see 'artkit plugins'."
        return " ARTKIT_PLUGINS restricts which plugins are loaded." if restricted() else ""

    # -- hooks --------------------------------------------------------------------------------------------------

    def hook_impls(self, hook: str) -> list[tuple[str, Hook]]:
        """List (plugin name, function) for a hook, in call order; the functions take the hook's keywords."""
        return sorted(self._hooks[hook], key=lambda found: found[1].order)

    def call(self, hook: str, **arguments: Any) -> None:
        """Call an event hook of every plugin. One that raises is told once, remembered, and not called again."""
        for plugin, function in self.hook_impls(hook):
            if self._plugins[plugin].error is None:
                self._call_one(plugin, hook, function, arguments)

    def _call_one(self, plugin: str, hook: str, function: Hook, arguments: dict[str, Any]) -> None:
        start = time.perf_counter()
        try:
            function(**arguments)
        except (Exception, SystemExit) as problem:
            if strict():
                raise
            error = f"{hook}() raised {one_line(problem)}"
            self._plugins[plugin] = replace(self._plugins[plugin], error=error)
            warn(f"plugin '{plugin}': {sentence(error)} Its hooks are not called again.")
        if tracing():
            written = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
            trace(f"{plugin}: {hook}({written}) {1000 * (time.perf_counter() - start):.1f} ms")


def _with_models(specs: list[Any]) -> list[Any]:
    """Return specs, those of methods followed by the models in their packages."""
    return specs + [model for spec in specs if isinstance(spec, MethodSpec) for model in spec.packaged_models]
