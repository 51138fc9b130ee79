"""`artkit studio`: artkit as a page in the browser, and as a REST API."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from artkit.cli.output import echo
from artkit.cli.parameters import ChainText
from artkit.errors import UsageError

if TYPE_CHECKING:
    from artkit.plugins import Registry

NEEDS = ("starlette", "uvicorn", "python_multipart")


@click.command("studio")
@click.option("--chain", type=ChainText(), metavar="TEXT", help="The chain to begin with.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Port (8765, or the next free one).")
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="H",
    help="Address to listen at. Any but this machine's own asks visitors for the token in the printed address.",
)
@click.option("--open/--no-open", "browser", default=True, help="Open the page in a browser.")
@click.pass_obj
def studio(registry: Registry, chain: str | None, port: int | None, host: str, browser: bool) -> int:
    """Open the studio, a page in the browser.

    Paint a label map there, or drop a photo, and see what a chain makes of it. Page and REST API are for this machine
    alone, unless --host says otherwise.
    """
    if any(find_spec(name) is None for name in NEEDS):
        raise UsageError("the studio needs a web server, which is not here: pip install 'artkit-images[studio]'")
    if chain is not None:
        from artkit.chain import Chain

        chain = str(Chain(chain))
    from artkit.studio.serving import serve

    serve(registry, host=host, port=port, chain=chain, browser=browser, tell=echo)
    return 0
