"""`artkit plugins`: what was found, what it brings, and what is wrong with it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.output import json_option, print_columns, print_json

if TYPE_CHECKING:
    from artkit.plugins import Registry


@click.command()
@json_option
@click.pass_obj
def plugins(registry: Registry, as_json: bool) -> None:
    """List the plugins, broken ones with their error."""
    records = plugin_records(registry)
    if as_json:
        print_json(records)
    elif not records:
        click.echo("No plugins were found.")
    else:
        print_columns(
            (one["name"], one["version"] or "-", f"{one['seconds'] * 1000:.0f} ms", _brings(one)) for one in records
        )


def plugin_records(registry: Registry) -> list[dict[str, Any]]:
    """Return each plugin as plain data: name, distribution, version, hooks, methods, error, seconds to load."""
    methods = defaultdict(list)
    for name in sorted(registry.methods):
        methods[registry.origin(name)].append(name)
    return [
        {
            "name": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "hooks": list(plugin.hooks),
            "methods": methods[plugin.name],
            "error": plugin.error,
            "seconds": round(plugin.seconds, 4),
        }
        for plugin in registry.plugins
    ]


def _brings(record: dict[str, Any]) -> str:
    if record["error"]:
        return f"BROKEN: {record['error']}"
    return ", ".join(record["methods"]) or f"hooks: {', '.join(record['hooks']) or 'none'}"
