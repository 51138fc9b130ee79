"""The models on this machine, as Python asks for them: `artkit.models()`."""

from __future__ import annotations

from artkit.models.store import StoredModel, list_models
from artkit.plugins import current_registry


def models(method: str | None = None) -> dict[str, StoredModel]:
    """Return the models on this machine by `method/name`, which is what `artkit.load` takes; of one method, if named.

    Only their headers are read. Raises ChainError for a method that there is not.
    """
    registry = current_registry()
    if method is not None:
        registry.method(method)
    found = list_models(registry)
    return {f"{model.method}/{model.name}": model for model in found if method in (None, model.method)}
