"""`artkit methods [NAME]`: what there is to put into a chain, and what each method takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.output import json_option, print_columns, print_json
from artkit.cli.parameters import complete_methods

if TYPE_CHECKING:
    from artkit.plugins import Registry
    from artkit.spec import MethodSpec, OptionInfo


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
        print_columns((spec.name, _signature(spec), spec.summary) for spec in specs)
    else:
        click.echo("There are no methods: no plugin registers one. See `artkit plugins`.")


def example(spec: MethodSpec) -> str:
    """Return a command that runs the method alone."""
    if spec.is_source:
        return f"artkit run --chain {spec.name} --seed 7"
    ports = "".join(f" -i {port.name}=PICTURE" for port in spec.inputs[1:] if port.required and not port.original)
    return f"artkit run PICTURE --chain {spec.name}{ports}"


def _signature(spec: MethodSpec) -> str:
    inputs = " + ".join(port.kind if port.required else f"[{port.kind}]" for port in spec.inputs)
    return f"{inputs or 'nothing'} -> {spec.output}"


def _print_method(spec: MethodSpec, registry: Registry) -> None:
    record = _record(spec, registry)
    click.echo(f"{spec.name}: {spec.summary}\n")
    print_columns(
        (
            ("inputs", ", ".join(_port_text(port) for port in record["inputs"]) or "none: it dreams"),
            ("output", spec.output),
            ("models", ", ".join(record["models"]) or ("none needed" if not spec.needs_model else "none yet")),
            ("size", f"any; computed at multiples of {spec.size.multiple}, from {spec.size.minimum} px"),
            ("plugin", record["plugin"]),
            ("try", example(spec)),
        )
    )
    _print_options("options", record["options"])
    if spec.trainer:
        _print_options(f"options of `artkit train {spec.name}` (--set NAME=VALUE)", record["training_options"])


def _print_options(title: str, options: list[dict[str, Any]]) -> None:
    if options:
        click.echo(f"\n{title}:")
        print_columns((f"  {one['name']}={one['default']}", f"{one['summary']} ({one['type']})") for one in options)


def _record(spec: MethodSpec, registry: Registry) -> dict[str, Any]:
    from artkit.spec import describe_options

    return {
        "name": spec.name,
        "summary": spec.summary,
        "plugin": registry.origin(spec.name),
        "inputs": [
            {
                "name": port.name,
                "kind": port.kind,
                "required": port.required,
                "original": port.original,
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
        "models": [model.name for model in registry.models if model.method == spec.name],
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
    text = f"{port['name']} ({port['kind']}{marks})"
    return f"{text}: {port['summary']}" if port["summary"] else text
