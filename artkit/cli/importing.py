"""`artkit models import`: a model file from another program's weights; and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.output import json_option, print_json

if TYPE_CHECKING:
    from artkit.plugins import Registry


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
def import_command(registry: Registry, files: tuple[Path, ...], as_json: bool, **told: Any) -> None:
    """Make a model of weights of pytorch-CycleGAN-and-pix2pix or CUT.

    FILE is a generator (latest_net_G.pth); several make one model: both directions (..._G_A.pth ..._G_B.pth),
    discriminators (..._D.pth) to go on training with. What they are is told by their tensors.
    """
    from artkit.images.classes import read_classes_file
    from artkit.models.foreign import Hints, announce, import_model, keep_model

    if told["method"] is not None:
        registry.method(told["method"])
    classes = read_classes_file(told["classes"]) if told["classes"] else None
    hints = Hints(told["direction"], told["size"], classes, told["licence"])
    model = import_model(files, told["method"], registry, hints)
    announce(model)
    path = keep_model(model, told["name"], overwrite=told["overwrite"])
    if as_json:
        header = model.header
        print_json({"model": path, "name": told["name"], "method": header.method, "recognised": header.summary})
    else:
        click.echo(str(path))


def export_layout(name: str, target: Path, registry: Registry, *, overwrite: bool) -> list[Path]:
    """Write the model NAME, METHOD/NAME or file to `target` in the other project's layout; return what was written."""
    from artkit.models.foreign import write_networks
    from artkit.models.opening import open_model
    from artkit.models.store import find_listed

    path = Path(name) if Path(name).is_file() else find_listed(name, registry).path
    return write_networks(open_model(path, None, registry), target, overwrite=overwrite)
