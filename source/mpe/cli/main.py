"""The ``mpe`` command: its groups, and how errors are told.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing is running, 130 interrupted.
"""

from __future__ import annotations

import sys

try:
    import click

    from mpe.cli.apply import apply, watch
    from mpe.cli.check import check_data
    from mpe.cli.completion import completion
    from mpe.cli.configs import plan, validate
    from mpe.cli.destroy import destroy
    from mpe.cli.export import adopt, export
    from mpe.cli.init import init
    from mpe.cli.local import local
    from mpe.cli.models import models
    from mpe.cli.runs import runs, status
    from mpe.cli.schedules import schedule
    from mpe.cli.terminal import say
    from mpe.data.engine import EngineError
    from mpe.local.errors import LocalCloudError
    from mpe.local.ministack.process import VersionError
except KeyboardInterrupt:  # the imports take long enough for a Ctrl-C
    sys.exit(130)

FAILED = 1
INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the stack trace of an error.")
@click.version_option(package_name="mpe")
@click.pass_context
def mpe(context: click.Context, debug: bool) -> None:
    """Maintain dataset groups of Amazon Personalize."""
    context.obj = {"debug": debug}


for command in (
    init,
    check_data,
    validate,
    plan,
    apply,
    watch,
    export,
    adopt,
    destroy,
    runs,
    status,
    models,
    schedule,
    local,
    completion,
):
    mpe.add_command(command)


def main() -> None:
    """Run the command line; tell a user's error in a line, without a stack trace."""
    debug = "--debug" in sys.argv
    try:
        sys.exit(mpe.main(standalone_mode=False))
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        if debug and not isinstance(error, click.UsageError):
            raise
        _show(error)
        sys.exit(error.exit_code)
    except (EngineError, LocalCloudError, VersionError, OSError) as error:
        if debug:
            raise
        _say_lines(f"mpe: {error}")
        sys.exit(FAILED)


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
