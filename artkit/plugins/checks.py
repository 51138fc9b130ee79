"""The mistakes plugins make, found before they do harm; each raises PluginError saying what to change."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from artkit import hookspecs
from artkit.errors import PluginError, nearest
from artkit.spec import API_VERSION, Kind, MethodSpec, Options

CORE_OPTIONS = ("method", "model", "seed", "vary")
"""Names the core understands in every step, which no method may use for an option or a port of its own."""

HOOK_NAMES = tuple(name for name, value in vars(hookspecs).items() if hasattr(value, "artkit_spec"))
"""The hooks that exist, in the order of `artkit/hookspecs.py`."""


@dataclass(frozen=True)
class Hook:
    """A plugin's function for a hook; it takes `arguments` of those the hook offers, -1 in `order` is called first."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    order: int

    def __call__(self, **offered: Any) -> Any:
        """Call the function with those arguments that it takes."""
        return self.function(**{name: offered[name] for name in self.arguments})


def find_hooks(plugin: object) -> list[Hook]:
    """Return the hooks that `plugin` (a module, usually) implements.

    Raises PluginError for a hook that does not exist, an argument that a hook does not offer, a hook's function without
    `@hookimpl`, a wrapper, or no hook.
    """
    found = []
    for name, function in _members(plugin):
        marks = getattr(getattr(function, "__func__", function), "artkit_impl", None)
        if isinstance(marks, dict):
            found.append(_check_hook(marks.get("specname") or name, marks, getattr(plugin, name)))
        elif name in HOOK_NAMES and _is_own_function(plugin, function):
            raise PluginError(f"{name}() is not marked: write @artkit.hookimpl above it")
    if not found:
        raise PluginError("it has no hook: mark functions such as register_methods() with @artkit.hookimpl")
    return [hook for hook in found if hook.name in HOOK_NAMES]


def _members(plugin: object) -> Iterable[tuple[str, object]]:
    """List what is in a plugin, by name, without running any property of it."""
    if isinstance(plugin, ModuleType):
        return sorted(vars(plugin).items())
    return [(name, inspect.getattr_static(plugin, name)) for name in dir(plugin)]


def _check_hook(name: str, marks: dict[str, Any], function: Callable[..., Any]) -> Hook:
    arguments = _check_arguments(name, function) if name in HOOK_NAMES else ()
    if name not in HOOK_NAMES and not marks.get("optionalhook"):
        raise PluginError(f"artkit has no hook '{name}'.{nearest(name, HOOK_NAMES)}")
    if marks.get("wrapper") or marks.get("hookwrapper"):
        raise PluginError(f"{name}() is a wrapper, but artkit calls every plugin's hook by itself: make it a function")
    return Hook(name, function, arguments, bool(marks.get("trylast")) - bool(marks.get("tryfirst")))


def _check_arguments(name: str, function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the arguments to call with; refuse one that the hook does not offer.

    One with a default is the plugin's own affair.
    """
    parameters = inspect.signature(function).parameters.values()
    needed = [one.name for one in parameters if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
    for argument in needed:
        if argument not in _offered(name):
            hint = nearest(argument, _offered(name))
            raise PluginError(f"{name}() takes '{argument}', which the hook does not offer.{hint}")
    return tuple(needed)


@cache
def _offered(name: str) -> tuple[str, ...]:
    return tuple(inspect.signature(getattr(hookspecs, name)).parameters)


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
    options = list(spec.options.__struct_fields__)
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
    if any(port.feeds_itself or port.any_size for port in spec.inputs[:1]):
        raise PluginError(f"method '{spec.name}': the main port can be neither 'original', 'previous' nor 'any_size'")
    if any(port.previous < 0 or (port.previous and port.kind is Kind.TEXT) for port in spec.inputs):
        raise PluginError(f"method '{spec.name}': 'previous' counts pictures back, from 1, and is for no text")
    for index, port in enumerate(spec.inputs):
        if port.many and (index == 0 or port.kind is Kind.TEXT or port.feeds_itself or port.most < 1):
            raise PluginError(
                f"method '{spec.name}': the port '{port.name}' cannot be 'many': that is for pictures, at least one, "
                "through a port that is not the main one and that the chain's input does not feed"
            )
    _check_alpha(spec)


def _check_alpha(spec: MethodSpec) -> None:
    """Raise PluginError unless what takes an alpha channel is an optional mask, and there is a picture to have one."""
    images = {port.name for port in spec.inputs if port.kind is Kind.IMAGE and not port.many}
    for port in spec.inputs:
        if port.alpha_of and (port.alpha_of not in images or port.kind is not Kind.MASK or port.required):
            raise PluginError(
                f"method '{spec.name}': port '{port.name}' takes the alpha channel of '{port.alpha_of}': it must be an "
                "optional mask, and that the name of an image's port"
            )
