"""`artkit completion SHELL`: the script that makes a shell complete commands, options and methods."""

from __future__ import annotations

import click

SHELLS = {
    "bash": 'eval "$(artkit completion bash)"  in ~/.bashrc',
    "zsh": 'eval "$(artkit completion zsh)"  in ~/.zshrc',
    "fish": "artkit completion fish > ~/.config/fish/completions/artkit.fish",
}


@click.command(epilog="\b\nTo switch it on:\n" + "\n".join(f"  {line}" for line in SHELLS.values()))
@click.argument("shell", type=click.Choice(tuple(SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    assert script is not None  # SHELLS names only shells that click knows
    click.echo(script(ctx.find_root().command, {}, "artkit", "_ARTKIT_COMPLETE").source())
