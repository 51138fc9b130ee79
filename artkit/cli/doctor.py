"""`artkit doctor`: what is installed, what is slow and why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.output import echo, json_option, print_columns, print_json
from artkit.cli.plugins import plugin_records

if TYPE_CHECKING:
    from artkit.plugins import Registry


SLOW_PLUGIN = 0.5  # seconds
LIBRARIES = ("torch", "numpy", "pillow", "scikit-image", "safetensors", "msgspec", "click", "pluggy", "rich")


@click.command()
@json_option
@click.pass_obj
def doctor(registry: Registry, as_json: bool) -> int:
    """Say what is here, wrong, or slow.

    The exit code is 1 when something is wrong.
    """
    report = examine(registry)
    if as_json:
        print_json(report)
    else:
        _print_report(report)
    return 1 if report["wrong"] else 0


def examine(registry: Registry) -> dict[str, Any]:
    """Return the whole report as plain data; `wrong` and `slow` are lists of sentences."""
    from artkit.engine import devices
    from artkit.models.store import data_home, list_models

    plugins, models = plugin_records(registry), list_models(registry)
    hardware = devices.report()
    slow = hardware.pop("slow", [])
    return {
        "versions": _versions(),
        "hardware": {**hardware, "cores": os.cpu_count()},
        "settings": {name: value for name, value in os.environ.items() if name.startswith("ARTKIT_")},
        "store": str(data_home()),
        "models": {f"{one.method}/{one.name}": one.origin for one in models},
        "plugins": {one["name"]: one["version"] for one in plugins},
        "wrong": [
            *(f"plugin {one['name']}: {one['error']}" for one in plugins if one["error"]),
            *(f"model {one.method}/{one.name}: {one.error}" for one in models if one.error),
            *_store_faults(data_home()),
        ],
        "slow": [*slow, *(_slow_start(one) for one in plugins if one["seconds"] > SLOW_PLUGIN)],
    }


def _slow_start(plugin: dict[str, Any]) -> str:
    return f"plugin {plugin['name']} takes {plugin['seconds']:.1f} s to load, at every start: import torch in functions"


def _versions() -> dict[str, str]:
    import platform

    from artkit import __version__

    system = {"artkit": __version__, "python": platform.python_version(), "system": platform.platform()}
    return system | {name: _version(name) for name in LIBRARIES}


def _version(distribution: str) -> str:
    from importlib import metadata  # which brings the email package: a third of a start

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "missing"


def _store_faults(home: os.PathLike[str]) -> list[str]:
    """Say when the user's data folder is there and cannot be written."""
    if os.path.exists(home) and not os.access(home, os.W_OK):
        return [f"the store {home} cannot be written; set ARTKIT_HOME to a folder that can"]
    return []


def _print_report(report: dict[str, Any]) -> None:
    rows = [(name, version) for name, version in report["versions"].items()]
    rows += [(name, _text(value)) for name, value in report["hardware"].items() if name != "torch"]
    rows += [("store", report["store"])]
    rows += [(key, _text(report[key])) for key in ("models", "plugins", "settings")]
    print_columns(rows)
    for title in ("slow", "wrong"):
        for sentence in report[title]:
            echo(f"{title}: {sentence}")
    if not report["wrong"]:
        echo("Nothing is wrong.")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} ({item})" if item else key for key, item in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
