"""Import what a spec names as `"package.module:name"`, on first use."""

from __future__ import annotations

import importlib
from typing import Any

from artkit.errors import PluginError
from artkit.plugins.reporting import one_line, strict


def resolve(reference: str, owner: str) -> Any:
    """Return the object that `reference` (`"package.module:name"`) names.

    Raises PluginError naming `owner`, the plugin that wrote the reference, when it cannot be imported; with
    `ARTKIT_STRICT=1` the original error instead.
    """
    module_name, _, name = reference.partition(":")
    if not (module_name and name):
        raise PluginError(f"Plugin '{owner}' names '{reference}', which is not of the form 'package.module:name'.")
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:
        if strict():
            raise
        message = f"Plugin '{owner}': {reference} cannot be imported: {one_line(error)}. ARTKIT_STRICT=1 shows where."
        raise PluginError(message) from error
    return found
