"""`artkit models export`: a model for artkit, for another project, or for any program that runs networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from artkit.cli.output import echo, json_option, log, print_json
from artkit.errors import OutputError, UsageError

if TYPE_CHECKING:
    from artkit.plugins import Registry


@click.command()
@click.argument("source", metavar="RUN|MODEL")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--layout", type=click.Choice(["cyclegan"]), help="Write weights as pytorch-CycleGAN-and-pix2pix has them."
)
@click.option(
    "--format",
    "asked",
    type=click.Choice(["onnx", "pt2", "torchscript"]),
    help="Write the network itself; the name's end says it too: .onnx, .pt2, .pt.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@json_option
@click.pass_obj
def export(
    registry: Registry,
    source: str,
    file: Path,
    layout: str | None,
    asked: str | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the model of a training RUN, as of its last checkpoint, to FILE (.safetensors).

    Or a MODEL's network, for programs without artkit, to FILE.onnx, once it gives artkit's own pictures at three
    sizes. MODEL is a name, METHOD/NAME, a file, or a step: "superres(scale=4)". With --layout, write its weights for
    that project: the generator to FILE (.pth), or every network to a folder.
    """
    from artkit.exporting import format_of

    format = None if layout else format_of(file, asked)
    if layout and asked:
        raise UsageError("--layout writes weights and --format a network: leave one of them out.")
    if format:
        _export_network(source, file, format, registry, overwrite=overwrite, as_json=as_json)
        return
    if layout:
        written = export_layout(source, file, registry, overwrite=overwrite)
    else:
        from artkit.training import export_run

        if file.exists() and not overwrite:
            raise OutputError(f"{file} exists already. Add --overwrite, or name another file.")
        written = [export_run(Path(source), file)]
    if as_json:
        print_json({"model": str(written[0]), "files": [str(path) for path in written]})
        return
    for path in written:
        echo(str(path))


def export_layout(name: str, target: Path, registry: Registry, *, overwrite: bool) -> list[Path]:
    """Write the model NAME, METHOD/NAME or file to `target` in the other project's layout; return what was written."""
    from artkit.models.foreign import write_networks
    from artkit.models.opening import open_model
    from artkit.models.store import find_listed

    path = Path(name) if Path(name).is_file() else find_listed(name, registry).path
    return write_networks(open_model(path, None, registry), target, overwrite=overwrite)


def _export_network(
    source: str, file: Path, format: str, registry: Registry, *, overwrite: bool, as_json: bool
) -> None:
    """Write a network, and say how far it was from artkit's own pictures at each size that was tried."""
    from artkit.exporting import export_network

    made = export_network(source, file, format, registry, overwrite=overwrite)
    if as_json:
        print_json({"model": str(file), "files": [str(file)], "format": format, "facts": made.facts})
        return
    for trial in made.trials:
        log(f"at {trial.width}x{trial.height} pixels off by {trial.difference:.1e} at most.")
    echo(str(file))
