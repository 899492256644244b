"""The ``mpe`` command: its groups, and how errors are told.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing is running, 4 the end of a run is not known,
130 interrupted. A command's module is imported when the command is used: the version, the list of
commands and a shell's completions need none (:mod:`mpe.cli.outline`).
"""

from __future__ import annotations

import sys

try:
    from importlib import import_module
    from itertools import pairwise

    import click

    from mpe.cli.outline import COMMANDS, outline
    from mpe.cli.terminal import AS_JSON, answer, say
    from mpe.model.errors import ToldError
except KeyboardInterrupt:  # the imports take long enough for a Ctrl-C
    sys.exit(130)

FAILED = 1
INTERRUPTED = 130
COMPLETE = "_MPE_COMPLETE"
"""The environment variable by which a shell asks for completions."""


class Commands(click.Group):
    """The commands of ``mpe``, each of which is imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; while a shell completes words, only its outline."""
        if cmd_name not in COMMANDS:
            return None
        if ctx.resilient_parsing:
            return outline(cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from their outlines."""
        limit = formatter.width - 6 - max(map(len, COMMANDS))
        rows = [(name, outline(name).get_short_help_str(limit)) for name in COMMANDS]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[AS_JSON] = asks_json(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; where JSON was asked for, an error is told as JSON as well."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, ToldError, OSError) as error:
            if not ctx.meta[AS_JSON] or (ctx.obj["debug"] and not _usage(error)):
                raise
            code = error.exit_code if isinstance(error, click.ClickException) else FAILED
            told = error.format_message() if isinstance(error, click.ClickException) else str(error)
            answer({"error": told, "exit_code": code})
            raise click.exceptions.Exit(code) from None


def asks_json(words: list[str]) -> bool:
    """Tell whether a command line asks for JSON, also one that is wrong otherwise."""
    pairs = pairwise(words)
    return "--output=json" in words or ("--output", "json") in pairs


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the stack trace of an error.")
@click.version_option(package_name="mpe")
@click.pass_context
def mpe(context: click.Context, debug: bool) -> None:
    """Maintain dataset groups of Amazon Personalize."""
    context.obj = {"debug": debug}


def main() -> None:
    """Run the command line; tell a user's error in a line, without a stack trace."""
    debug = "--debug" in sys.argv
    try:
        sys.exit(mpe.main(standalone_mode=False, complete_var=COMPLETE))
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        if debug and not _usage(error):
            raise
        _show(error)
        sys.exit(error.exit_code)
    except (ToldError, OSError) as error:
        if debug:
            raise
        _say_lines(f"mpe: {error}")
        sys.exit(FAILED)


def _usage(error: Exception) -> bool:
    return isinstance(error, click.UsageError)


def _show(error: click.ClickException) -> None:
    if isinstance(error, click.UsageError):
        error.show()  # with the usage; it quotes the command line alone
    else:
        _say_lines(f"Error: {error.format_message()}")


def _say_lines(told: str) -> None:
    """Say an error, with what follows it below: the end of a log, the problems of a config.

    That is indented, so that nothing in it looks like a line of ours.
    """
    head, *more = told.rstrip("\n").split("\n")
    say(head, err=True)
    for line in more:
        say(f"  {line}", err=True)


if __name__ == "__main__":
    main()
