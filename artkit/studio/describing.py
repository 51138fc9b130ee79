"""Methods and models as the studio's page sees them, from specs and headers alone."""

from __future__ import annotations

from artkit.models import StoredModel, list_models
from artkit.plugins import Registry
from artkit.spec import ClassSet, MethodSpec
from artkit.studio.answers import ClassInfo, MethodInfo, ModelInfo, PortInfo
from artkit.studio.forms import option_forms


def describe_methods(registry: Registry) -> list[MethodInfo]:
    """Return every method, plugins' too, by name."""
    names: dict[str, list[str]] = {}
    for stored in list_models(registry):
        if stored.header is not None:
            names.setdefault(stored.method, []).append(stored.name)
    specs = sorted(registry.methods.values(), key=lambda spec: spec.name)
    return [_describe(spec, names.get(spec.name, [])) for spec in specs]


def _describe(spec: MethodSpec, models: list[str]) -> MethodInfo:
    return MethodInfo(
        name=spec.name,
        group=spec.heading,
        summary=spec.summary,
        source=spec.is_source,
        inputs=[PortInfo(port.name, str(port.kind), port.summary, port.required) for port in spec.inputs],
        output=str(spec.output),
        options=option_forms(spec),
        needs_model=spec.needs_model,
        default_model=spec.default_model,
        models=models,
    )


def describe_models(registry: Registry) -> list[ModelInfo]:
    """Return every model on this machine whose header can be read and whose method is there."""
    return [
        _model(stored, registry.methods[stored.method])
        for stored in list_models(registry)
        if stored.header is not None and stored.method in registry.methods
    ]


def _model(stored: StoredModel, spec: MethodSpec) -> ModelInfo:
    header = stored.header
    assert header is not None  # the caller leaves the damaged ones out
    return ModelInfo(
        method=stored.method,
        name=stored.name,
        summary=header.summary or (stored.spec.summary if stored.spec else ""),
        licence=header.licence or (stored.spec.licence if stored.spec else ""),
        classes=describe_classes(header.classes),
        inputs={port: str(kind) for port, kind in header.inputs.items()},
        output=str(header.output),
        conditions={name: list(words) for name, words in header.conditions.items()},
        default=stored.name == spec.default_model,
    )


def describe_classes(classes: ClassSet | None) -> list[ClassInfo] | None:
    """Return the classes of a set with their indices, colours as `#rrggbb`."""
    if classes is None:
        return None
    return [
        ClassInfo(index, item.name, "#{:02x}{:02x}{:02x}".format(*item.colour))
        for index, item in enumerate(classes.classes)
    ]
