"""`artkit plugins`: those that were found, a new one, and whether one keeps the contract."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.output import echo, json_option, log, print_columns, print_json
from artkit.cli.parameters import Assignment, collect_settings
from artkit.cli.progress import progress
from artkit.errors import UsageError, nearest
from artkit.plugins.scaffold import KINDS, LICENCES, write_plugin

if TYPE_CHECKING:
    from artkit.plugins import Registry
    from artkit.testing.plugin import Check


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """List plugins, write a new one, or check one.

    Broken ones are listed with their error.
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


def _list(registry: Registry, as_json: bool) -> None:
    records = plugin_records(registry)
    if as_json:
        print_json(records)
    elif not records:
        echo("No plugins were found.")
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


@plugins.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(tuple(KINDS)), default="filter", help="What it offers.  [default: filter]")
@click.option("--licence", type=click.Choice(LICENCES), default="MIT", help="Its licence.  [default: MIT]")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=".",
    metavar="DIR",
    help="Where its folder goes.  [default: here]",
)
@json_option
@click.pass_obj
def new(registry: Registry, name: str, kind: str, licence: str, output: Path, as_json: bool) -> None:
    """Write a new plugin's package, with an example that works and its tests.

    Its folder is `artkit-NAME`. Kinds: a filter of pictures; a method that runs a network trained elsewhere; a trainer,
    which is a method that learns; a dataset; a metric.
    """
    folder = write_plugin(name, kind, licence, output, registry)
    if as_json:
        print_json({"plugin": name, "kind": kind, "licence": licence, "folder": str(folder)})
        return
    echo(str(folder))
    log(f"next: cd {folder}, then pip install -e '.[test]', pytest, artkit plugins check")


@plugins.command()
@click.argument("target", metavar="[NAME|DIR]", default=".")
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="FILE", help="What a method without a model runs with."
)
@click.option("--data", metavar="DATA", help="What to train on.  [default: made-up pictures]")
@click.option(
    "--set",
    "settings",
    type=Assignment("KEY=VALUE", "width=8"),
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting or training option, to make large networks small. Repeatable.",
)
@json_option
@click.pass_obj
def check(
    registry: Registry,
    target: str,
    model: Path | None,
    data: str | None,
    settings: tuple[tuple[str, str], ...],
    as_json: bool,
) -> int:
    """Say whether a plugin keeps the contract, and what to mend.

    NAME is a plugin that `artkit plugins` lists, or a method; DIR a plugin's folder, by default the one at hand. The
    code of the plugin is run, and what trains is trained for a moment. The exit code is 1 when something is to mend.
    """
    import tempfile

    with progress(f"checking {target}") as bar, tempfile.TemporaryDirectory(prefix="artkit-contract-") as folder:
        names, docs = _find(target, registry)
        from artkit.testing.plugin import Given, plugin_checks

        given = Given(Path(folder), model, data, collect_settings(settings), docs)
        records = []
        for one in (check for name in names for check in plugin_checks(name, registry, given)):
            bar.advance(f"checking {one.subject}: {one.name}")
            records.append(_record(one))
    if as_json:
        print_json(records)
    else:
        _print(records)
    return 1 if any(record["faults"] for record in records) else 0


def _find(target: str, registry: Registry) -> tuple[list[str], str | None]:
    """Return the plugins that the target means, and the text of their docs where they lie in a folder."""
    from artkit.plugins.project import load_project, read_project

    known = [plugin.name for plugin in registry.plugins]
    if target in known:
        return [target], None
    if target in registry.methods:
        return [registry.origin(target)], None
    if not Path(target).is_dir():
        raise UsageError(f"there is no plugin, method or folder '{target}'.{nearest(target, known)}")
    project = read_project(Path(target))
    load_project(project, registry)
    return list(project.plugins), project.docs


def _record(check: Check) -> dict[str, Any]:
    """Run a check and return what became of it."""
    from artkit.testing.plugin import NotChecked

    record: dict[str, Any] = {"subject": check.subject, "check": check.name, "faults": [], "not_checked": None}
    try:
        record["faults"] = check.run()
    except NotChecked as reason:
        record["not_checked"] = str(reason)
    return record | {"page": check.page}


def _print(records: list[dict[str, Any]]) -> None:
    if not records:
        echo("It offers nothing that the contract is about: no methods, models, datasets or metrics.")
    print_columns((record["subject"], record["check"], _verdict(record)) for record in records)
    for record in records:
        if record["faults"]:
            echo("")
            echo(f"To mend in {record['subject']}, by {record['page']}:")
        for fault in record["faults"]:
            echo(f"  {fault}")


def _verdict(record: dict[str, Any]) -> str:
    if record["not_checked"]:
        return f"not checked: {record['not_checked']}"
    count = len(record["faults"])
    return f"{count} fault{'s' if count > 1 else ''}" if count else "ok"
