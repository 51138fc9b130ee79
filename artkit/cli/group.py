"""The `artkit` command group, and shell completion."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from artkit.cli.output import echo, set_verbose
from artkit.errors import PluginError, nearest

if TYPE_CHECKING:
    from artkit.plugins import Registry


WELCOME = """\
artkit turns pictures into other pictures. Worth typing:

  artkit run semantic.png --chain semgan,pix2pix,touchup            a label map becomes a painting
  artkit run --chain semgan,pix2pix,touchup -n 9 -o dreams/ --show  nine paintings from nothing but a seed
  artkit methods                                                    what there is to put into a chain

The rest: artkit --help"""


VERBOSE = "Say more, and show what lies behind an error."


class LateCommand(click.Command):
    """The name and the short help of a command whose module, `"package.module:name"`, is imported when it is used."""

    def __init__(self, name: str, reference: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help)
        self.reference = reference

    def load(self) -> click.Command:
        """Import the command itself."""
        module, _, name = self.reference.partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found


class ArtkitGroup(click.Group):
    """A group whose own commands no plugin can replace, and that knows the nearest command to a misspelt one.

    Commands that are late are imported when somebody wants them; listing them does not.
    """

    sealed: frozenset[str] = frozenset()

    def seal(self) -> None:
        """Keep the commands added so far from being replaced."""
        self.sealed = frozenset(self.commands)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command; raise PluginError when it would replace one of artkit's own."""
        name = name or cmd.name
        if name in self.sealed:
            raise PluginError(f"the command '{name}' is artkit's own; a plugin needs another name.")
        super().add_command(cmd, name)

    def get_command(self, ctx: click.Context | None, name: str) -> click.Command | None:
        """Return a command, imported now if it was late."""
        command = self.commands.get(name)
        if isinstance(command, LateCommand):
            command = self.commands[name] = command.load()
            accept_verbose(command)
        return command

    def load_all(self) -> None:
        """Import every late command, for plugins that look at them."""
        for name in list(self.commands):
            self.get_command(None, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their short help."""
        shown = {name: command for name, command in self.commands.items() if not command.hidden}
        limit = formatter.width - 6 - max(map(len, shown))
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(limit)) for name, command in shown.items()])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order they were added: the most used first."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or fail with the nearest names (a picture in its place: `artkit run`)."""
        name = args[0]
        if self.get_command(ctx, name) is None and not ctx.resilient_parsing and not name.startswith("-"):
            if os.path.exists(name):
                raise click.UsageError(f"'{name}' is no command. Did you mean `artkit run {name}`?", ctx)
            raise click.UsageError(f"no command '{name}'.{nearest(name, self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)


def accept_verbose(command: click.Command) -> None:
    """Let `-v` stand behind a command, and those below it, too; one that means something else by it keeps it."""
    names = ["-v", "--verbose"]
    if not any(name in parameter.opts for parameter in command.params for name in names):
        option = click.Option(
            names, is_flag=True, is_eager=True, expose_value=False, callback=_turn_verbose, help=VERBOSE
        )
        command.params.append(option)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            if not isinstance(below, LateCommand):
                accept_verbose(below)


def make_group(registry: Registry) -> ArtkitGroup:
    """Build the empty `artkit` group; its commands find `registry` as the context's object."""

    @click.group(
        cls=ArtkitGroup,
        invoke_without_command=True,
        context_settings={"obj": registry, "help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    @click.option(
        "--plugin",
        type=click.Path(path_type=Path),
        metavar="FILE",
        multiple=True,
        expose_value=False,
        help="Use a one-file plugin as well. Repeatable, anywhere on the line.",
    )
    @click.option("-v", "--verbose", is_flag=True, help=VERBOSE)
    @click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version)
    @click.pass_context
    def artkit(ctx: click.Context, verbose: bool) -> None:
        """Turn pictures into other pictures: methods are plugins, and plugins compose into chains."""
        set_verbose(verbose)
        if ctx.invoked_subcommand is None:
            click.echo(WELCOME)

    return artkit


def _print_version(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        from artkit import __version__

        echo(f"artkit {__version__}")
        ctx.exit()


def _turn_verbose(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value:
        set_verbose(True)


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
