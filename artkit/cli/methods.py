"""`artkit methods [NAME]`: what there is to put into a chain, and what each method takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.output import echo, json_option, print_columns, print_json
from artkit.cli.parameters import complete_methods

if TYPE_CHECKING:
    from artkit.plugins import Registry
    from artkit.spec import MethodSpec, OptionInfo, SizeRule


@click.command()
@click.argument("name", required=False, shell_complete=complete_methods)
@json_option
@click.pass_obj
def methods(registry: Registry, name: str | None, as_json: bool) -> None:
    """List the methods, or say everything about one."""
    specs = [registry.method(name)] if name else sorted(registry.methods.values(), key=lambda spec: spec.name)
    if as_json:
        records = [_record(spec, registry) for spec in specs]
        print_json(records[0] if name else records)
    elif name:
        _print_method(specs[0], registry)
    elif specs:
        _print_methods(specs)
    else:
        echo("There are no methods: no plugin registers one. See `artkit plugins`.")


GROUPS = ("translate", "dream", "enlarge", "restore and touch up")  # first, in this order; filters come last


def _print_methods(specs: list[MethodSpec]) -> None:
    """Print a line a method, below headings that say what they do."""
    groups: dict[str, list[MethodSpec]] = {name: [] for name in GROUPS}
    for spec in sorted(specs, key=lambda spec: (spec.heading == "filter", spec.heading)):
        groups.setdefault(spec.heading, []).append(spec)
    rows = {spec.name: (f"  {spec.name}", _signature(spec), spec.summary) for spec in specs}
    widths = [max(len(row[column]) for row in rows.values()) for column in range(2)]
    for name, members in groups.items():
        if members:
            echo(f"{name[:1].upper()}{name[1:]}{'s' if name == 'filter' else ''}")
        for spec in members:
            first, second, summary = rows[spec.name]
            echo(f"{first:<{widths[0]}}  {second:<{widths[1]}}  {summary}")


def example(spec: MethodSpec) -> str:
    """Return a command that runs the method alone."""
    if spec.is_source:
        return f"artkit run --chain {spec.name} --seed 7"
    fed = [port for port in spec.inputs[1:] if port.required and not port.original]
    ports = "".join(f" -i {port.name}={'WORDS' if port.kind == 'text' else 'PICTURE'}" for port in fed)
    return f"artkit run PICTURE --chain {spec.name}{ports}"


def _signature(spec: MethodSpec) -> str:
    """Return `image + [mask] -> image`; where many ports are alike, `image + 7 [image] -> image`."""
    counts = Counter(port.kind if port.required else f"[{port.kind}]" for port in spec.inputs)
    inputs = " + ".join(
        f"{count} {kind}" if count > 2 else " + ".join([kind] * count) for kind, count in counts.items()
    )
    return f"{inputs or 'nothing'} -> {spec.output}"


def _print_method(spec: MethodSpec, registry: Registry) -> None:
    record = _record(spec, registry)
    echo(f"{spec.name}: {spec.summary}")
    echo("")
    ports = [_port_text(port) for port in record["inputs"]] or ["none: it dreams"]
    print_columns(
        (
            *zip(("inputs", *[""] * (len(ports) - 1)), ports, strict=True),
            ("output", spec.output),
            ("models", ", ".join(record["models"]) or ("none needed" if not spec.needs_model else "none here")),
            *([("pull", ", ".join(record["to_pull"]))] if record["to_pull"] else []),
            ("size", _size_text(spec.size)),
            ("plugin", record["plugin"]),
            ("try", example(spec)),
        )
    )
    _print_options("options", record["options"])
    if spec.trainer:
        _print_options(f"options of `artkit train {spec.name}` (--set NAME=VALUE)", record["training_options"])


def _size_text(rule: SizeRule) -> str:
    if rule.multiple == rule.minimum == 1:
        return "any"
    return f"any; computed at multiples of {rule.multiple}, from {rule.minimum} px"


def _print_options(title: str, options: list[dict[str, Any]]) -> None:
    if options:
        echo("")
        echo(f"{title}:")
        print_columns((f"  {one['name']}={one['default']}", f"{one['summary']} ({one['type']})") for one in options)


def _record(spec: MethodSpec, registry: Registry) -> dict[str, Any]:
    from artkit.spec import describe_options

    return {
        "name": spec.name,
        "summary": spec.summary,
        "group": spec.heading,
        "plugin": registry.origin(spec.name),
        "inputs": [
            {
                "name": port.name,
                "kind": port.kind,
                "required": port.required,
                "original": port.original,
                "previous": port.previous,
                "most": port.most if port.many else 1,
                "summary": port.summary,
            }
            for port in spec.inputs
        ],
        "output": spec.output,
        "source": spec.is_source,
        "options": _plain(describe_options(spec.options)),
        "trainable": spec.trainer is not None,
        "training_options": _plain(describe_options(spec.training_options)) if spec.trainer else [],
        "default_model": spec.default_model,
        "models": [model.name for model in registry.models if model.method == spec.name and model.file],
        "to_pull": [model.name for model in registry.models if model.method == spec.name and not model.file],
        "size_multiple": spec.size.multiple,
        "size_minimum": spec.size.minimum,
        "tiling": spec.tiling,
    }


def _plain(options: Iterable[OptionInfo]) -> list[dict[str, Any]]:
    from dataclasses import asdict

    return [asdict(option) for option in options]


def _port_text(port: dict[str, Any]) -> str:
    marks = "" if port["required"] else ", optional"
    if port["original"]:
        marks = ", the chain's own input unless fed"
    if port["previous"]:
        marks = f", the picture {port['previous']} before unless fed"
    if port["most"] > 1:
        marks += f", up to {port['most']} pictures"
    text = f"{port['name']} ({port['kind']}{marks})"
    return f"{text}: {port['summary']}" if port["summary"] else text
