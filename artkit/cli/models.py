"""`artkit models`: the store's models listed, shown, imported; `pull` and `export` have files of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from artkit.cli.export import export
from artkit.cli.output import echo, json_option, log, print_columns, print_json
from artkit.cli.pull import pull, push
from artkit.errors import ModelError

if TYPE_CHECKING:
    from artkit.models.store import StoredModel
    from artkit.plugins import Registry
    from artkit.spec import ModelHeader, ModelSpec


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--name", required=True, metavar="NAME", help="What the model is called from now on.")
@click.option("--method", metavar="METHOD", help="Whose model it becomes; the first method that takes it otherwise.")
@click.option("--direction", type=click.Choice(["AtoB", "BtoA"]), help="Which way it translates.")
@click.option(
    "--size", type=click.IntRange(1), metavar="N", help="Side of the pictures it was trained on, to be noted."
)
@click.option(
    "--classes",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="`index name R G B` a line: the classes of the label maps it takes.",
)
@click.option("--licence", default="", metavar="TEXT", help="The licence of the weights.")
@click.option("--overwrite", is_flag=True, help="Replace the model of that name.")
@json_option
@click.pass_obj
def import_command(registry: Registry, files: tuple[Path, ...], as_json: bool, **given: Any) -> None:
    """Make a model of weights of pytorch-CycleGAN-and-pix2pix or CUT.

    FILE is a generator (latest_net_G.pth); several make one model: both directions (..._G_A.pth ..._G_B.pth),
    discriminators (..._D.pth) to go on training with. Their tensors tell what they are.
    """
    from artkit.images.classes import read_classes_file
    from artkit.models.foreign import announce, import_model, keep_model
    from artkit.spec import Hints

    if given["method"] is not None:
        registry.method(given["method"])
    classes = read_classes_file(given["classes"]) if given["classes"] else None
    hints = Hints(given["direction"], given["size"], classes, given["licence"])
    model = import_model(files, given["method"], registry, hints)
    announce(model)
    path = keep_model(model, given["name"], overwrite=given["overwrite"])
    if as_json:
        header = model.header
        print_json({"model": path, "name": given["name"], "method": header.method, "recognised": header.summary})
    else:
        echo(str(path))


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def models(ctx: click.Context, as_json: bool) -> None:
    """List models, show one; pull, push, import or export one."""
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


models.add_command(import_command)
models.add_command(pull)
models.add_command(push)
models.add_command(export)


@models.command("list")
@click.option("--all", "everything", is_flag=True, help="List the models that can be pulled, too.")
@json_option
@click.pass_obj
def list_command(registry: Registry, everything: bool, as_json: bool) -> None:
    """List the models on this machine."""
    _list(registry, as_json, everything)


def _complete_models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from artkit.models.store import list_models

    return [CompletionItem(one.name) for one in list_models(ctx.find_root().obj) if one.name.startswith(incomplete)]


@models.command()
@click.argument("name", shell_complete=_complete_models)
@json_option
@click.pass_obj
def show(registry: Registry, name: str, as_json: bool) -> None:
    """Show the header of a model: NAME, METHOD/NAME or a file."""
    found = Path(name) if Path(name).is_file() else _find(name, registry)
    record = _file_record(found, registry) if isinstance(found, Path) else _entry_record(found, registry)
    if as_json:
        print_json(record)
    else:
        print_columns((key, _short(value)) for key, value in record.items() if value not in (None, "", [], {}))


def _list(registry: Registry, as_json: bool, everything: bool = False) -> None:
    from artkit.models.store import list_models

    stored = list_models(registry)
    to_pull = _to_pull(registry, stored)
    if as_json:
        print_json([_record(one) for one in stored] + [_entry_record(spec, registry) for spec in to_pull if everything])
        return
    rows = [(one.method, one.name, one.origin, _remark(one)) for one in stored]
    rows += [(spec.method, spec.name, _weight(spec), spec.summary) for spec in to_pull if everything]
    if rows:
        print_columns(rows)
    else:
        echo("There are no models yet. Train one: artkit train METHOD DATA -o RUN")
    if to_pull and not everything:
        log(f"{len(to_pull)} more can be pulled: artkit models list --all")


def _to_pull(registry: Registry, stored: list[StoredModel]) -> list[ModelSpec]:
    from artkit.models.catalogue import list_entries

    here = {(one.method, one.name) for one in stored}
    return [spec for spec in list_entries(registry) if (spec.method, spec.name) not in here]


def _weight(spec: ModelSpec) -> str:
    from artkit.models.catalogue import in_megabytes

    return f"to pull, {in_megabytes(spec.size)}" if spec.size else "to pull"


def _find(name: str, registry: Registry) -> Path | ModelSpec:
    """Return the file of a model that is here, or the entry of one that can be pulled."""
    from artkit.models.catalogue import nearest_model
    from artkit.models.store import list_models

    stored = list_models(registry)
    known: dict[str, Path | ModelSpec] = {f"{one.method}/{one.name}": one.path for one in stored}
    known |= {f"{spec.method}/{spec.name}": spec for spec in _to_pull(registry, stored)}
    matches = [key for key in known if name in (key, key.partition("/")[2])]
    if not matches:
        raise ModelError(f"there is no model '{name}'.{nearest_model(name, known)}")
    if len(matches) > 1:
        raise ModelError(f"several models are called '{name}': {', '.join(matches)}.")
    return known[matches[0]]


def _record(stored: StoredModel) -> dict[str, Any]:
    return {
        "name": stored.name,
        "method": stored.method,
        "origin": stored.origin,
        "path": str(stored.path),
        "summary": _summary(stored),
        "error": stored.error,
        "header": _header_record(stored.header) if stored.header else None,
    }


def _file_record(path: Path, registry: Registry) -> dict[str, Any]:
    from artkit.models.opening import open_header

    return {"path": str(path), "bytes": path.stat().st_size, **_header_record(open_header(path, None, registry))}


def _entry_record(spec: ModelSpec, registry: Registry) -> dict[str, Any]:
    from artkit.models.catalogue import pull_command

    facts = {"name": spec.name, "method": spec.method, "origin": "catalogue", "summary": spec.summary, "url": spec.url}
    more = {"bytes": spec.size, "sha256": spec.sha256, "trained_on": spec.trained_on, "source": spec.source}
    return facts | more | {"licence": spec.licence, "pull": pull_command(spec, registry)}


def _header_record(header: ModelHeader) -> dict[str, Any]:
    import msgspec

    record: dict[str, Any] = msgspec.to_builtins(header)
    return record


def _remark(stored: StoredModel) -> str:
    return f"BROKEN: {stored.error}" if stored.error else _summary(stored)


def _summary(stored: StoredModel) -> str:
    return (stored.header and stored.header.summary) or (stored.spec and stored.spec.summary) or ""


def _short(value: Any) -> str:
    """Put one value of a header on a line; a class set becomes its names."""
    if isinstance(value, dict) and "classes" in value:
        return f"{value['name']}: {', '.join(one['name'] for one in value['classes'])}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_short(item) for item in value)
    return str(value)
