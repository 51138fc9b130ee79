"""Whether a method's classes are what its declaration says they are."""

from __future__ import annotations

import importlib.util
import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from artkit.errors import PluginError
from artkit.plugins import resolve
from artkit.spec import MethodSpec
from artkit.training import Trainer
from artkit.translator import Translator

HEAVY = ("torch", "numpy", "PIL", "skimage", "scipy", "rich")
"""What a plugin's root module must not import: it is read whenever artkit starts."""

_LIST_HEAVY = (
    f"import sys, importlib; importlib.import_module(sys.argv[1]); print(*[x for x in {HEAVY} if x in sys.modules])"
)


def implementation_faults(spec: MethodSpec) -> Iterator[str]:
    """Yield what is wrong with a method's root module, translator and trainer, one line each."""
    yield from _root_faults(spec.translator.partition(":")[0].partition(".")[0])
    try:
        yield from _translator_faults(spec, resolve(spec.translator, spec.name))
        if spec.trainer is not None:
            yield from _class_faults("trainer", resolve(spec.trainer, spec.name), Trainer)
    except PluginError as error:
        yield str(error)


def _root_faults(root: str) -> Iterator[str]:
    """Import a package in a fresh Python and see what came along; a one-file plugin may import what it likes."""
    found = importlib.util.find_spec(root)
    if found is None or found.submodule_search_locations is None:
        return
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _LIST_HEAVY, root]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"importing {root} fails: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    elif done.stdout.strip():
        yield f"importing {root} also imports {', '.join(done.stdout.split())}: move that into the modules that use it"


def _translator_faults(spec: MethodSpec, translator: Any) -> Iterator[str]:
    yield from _class_faults("translator", translator, Translator)
    if not inspect.isfunction(getattr(translator, "translate", None)):
        return
    wanted = ", ".join(["self", "context", *(["*"] if spec.inputs else []), *(port.name for port in spec.inputs)])
    written = inspect.signature(translator.translate)
    if not _fits(written, [port.name for port in spec.inputs]):
        bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in written.parameters.values()]
        yield f"{translator.__name__}.translate takes {inspect.Signature(bare)}, but its ports ask for ({wanted})"


def _fits(written: inspect.Signature, ports: list[str]) -> bool:
    """Tell whether a signature is `(self, context, *, <ports>)`, the ports in any order."""
    kinds = inspect.Parameter
    parameters = list(written.parameters.values())
    positional = [p for p in parameters if p.kind is kinds.POSITIONAL_OR_KEYWORD]
    named = [p.name for p in parameters if p.kind is kinds.KEYWORD_ONLY]
    return (
        len(parameters) == len(positional) + len(named)
        and [p.name for p in positional] == ["self", "context"]
        and sorted(named) == sorted(ports)
    )


def _class_faults(role: str, found: Any, base: type) -> Iterator[str]:
    """Check that a role is filled by a finished class of the right family."""
    missing = getattr(found, "__abstractmethods__", ())
    if not isinstance(found, type) or not issubclass(found, base):
        yield f"its {role} is no artkit.{base.__name__}: {found!r}"
    elif missing:
        yield f"its {role} {found.__name__} lacks {', '.join(sorted(missing))}"
