"""The mistakes plugins make, found before they do harm; each raises PluginError saying what to change."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import msgspec

from artkit import hookspecs
from artkit.errors import PluginError, nearest
from artkit.spec import API_VERSION, Kind, MethodSpec, Options

CORE_OPTIONS = ("method", "model", "seed", "vary")
"""Names the core understands in every step, which no method may use for an option or a port of its own."""

HOOK_NAMES = tuple(name for name, value in vars(hookspecs).items() if hasattr(value, "artkit_spec"))
"""The hooks that exist, in the order of `artkit/hookspecs.py`."""


def check_hooks(plugin: object) -> tuple[str, ...]:
    """Return the names of the hooks that `plugin` (a module, usually) implements.

    Raises PluginError for a hook that does not exist, an argument that a hook does not offer, a hook's function without
    `@hookimpl`, a wrapper, or no hook.
    """
    found = []
    for name in dir(plugin):
        function = inspect.getattr_static(plugin, name)
        marks = getattr(getattr(function, "__func__", function), "artkit_impl", None)
        if isinstance(marks, dict):
            found.append(_check_hook(marks.get("specname") or name, marks, getattr(plugin, name)))
        elif name in HOOK_NAMES and _is_own_function(plugin, function):
            raise PluginError(f"{name}() is not marked: write @artkit.hookimpl above it")
    if not found:
        raise PluginError("it has no hook: mark functions such as register_methods() with @artkit.hookimpl")
    return tuple(name for name in HOOK_NAMES if name in found)


def _check_hook(name: str, marks: dict[str, Any], function: Callable[..., Any]) -> str:
    if name in HOOK_NAMES:
        _check_arguments(name, function)
    elif not marks.get("optionalhook"):
        raise PluginError(f"artkit has no hook '{name}'.{nearest(name, HOOK_NAMES)}")
    if marks.get("wrapper") or marks.get("hookwrapper"):
        raise PluginError(f"{name}() is a wrapper, but artkit calls every plugin's hook by itself: make it a function")
    return name


def _check_arguments(name: str, function: Callable[..., Any]) -> None:
    """Refuse an argument that the hook does not offer; one with a default is the plugin's own affair."""
    offered = inspect.signature(getattr(hookspecs, name)).parameters
    for argument in inspect.signature(function).parameters.values():
        needed = argument.default is argument.empty and argument.kind is argument.POSITIONAL_OR_KEYWORD
        if needed and argument.name not in offered:
            hint = nearest(argument.name, offered)
            raise PluginError(f"{name}() takes '{argument.name}', which the hook does not offer.{hint}")


def _is_own_function(plugin: object, function: object) -> bool:
    function = getattr(function, "__func__", function)
    if not inspect.isfunction(function):
        return False
    return not isinstance(plugin, ModuleType) or function.__module__ == plugin.__name__


def check_specs(hook: str, kind: type, result: object) -> list[Any]:
    """Return the specs that a registration hook returned, as a list.

    Raises PluginError when it is not a list of `kind`, or a spec is not valid.
    """
    if isinstance(result, str | bytes | dict) or not isinstance(result, Iterable):
        raise PluginError(f"{hook}() must return a list of {kind.__name__}, not {_a(result)}")
    specs = list(result)
    for spec in specs:
        if not isinstance(spec, kind):
            raise PluginError(f"{hook}() must return a list of {kind.__name__}; one item is {_a(spec)}")
        if isinstance(spec, MethodSpec):
            validate_method(spec)
    return specs


def _a(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def validate_method(spec: MethodSpec) -> None:
    """Raise PluginError when a method could not be written in a chain, or speaks a newer language than this artkit."""
    if spec.api > API_VERSION:
        versions = f"plugin API {spec.api}, this artkit speaks {API_VERSION}"
        raise PluginError(f"method '{spec.name}' is written for {versions}: upgrade artkit")
    if not (isinstance(spec.options, type) and issubclass(spec.options, Options)):
        raise PluginError(f"the options of method '{spec.name}' must be a subclass of artkit.Options")
    options = [field.name for field in msgspec.structs.fields(spec.options)]
    taken = set(CORE_OPTIONS)
    shared = {port.name for port in spec.inputs[1:] if not port.required}  # an option may be its word, see Port
    for name in [port.name for port in spec.inputs] + [name for name in options if name not in shared]:
        if name in taken:
            raise PluginError(f"method '{spec.name}' uses the name '{name}' twice, or for what artkit keeps for itself")
        taken.add(name)
    for name in [spec.name, *taken]:
        if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name):
            raise PluginError(f"method '{spec.name}': '{name}' is not a plain word: use letters, digits and '_'")
    _check_ports(spec)


def _check_ports(spec: MethodSpec) -> None:
    """Raise PluginError unless the main port, and no other, takes any picture where the output is what came in."""
    main, others = [port.kind for port in spec.inputs[:1]], [port.kind for port in spec.inputs[1:]]
    if Kind.PICTURE in others or (spec.output is Kind.PICTURE) != (Kind.PICTURE in main):
        raise PluginError(f"method '{spec.name}': kind 'picture' is for the main port and the output, both or neither")
    if any(port.original or port.any_size for port in spec.inputs[:1]):
        raise PluginError(f"method '{spec.name}': the main port can be neither 'original' nor 'any_size'")
