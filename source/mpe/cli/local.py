"""``mpe local``: the local cloud on the command line."""

from __future__ import annotations

import signal
import time
from types import FrameType

import click
from rich.console import Console

from mpe.cli.account import OUTPUT
from mpe.cli.terminal import answer, say
from mpe.local.cloud import DEFAULT_SPEED, LocalCloud
from mpe.local.errors import LocalCloudError, ServerDiedError
from mpe.local.records import Record, log_path

DEFAULT_PORT = 4566
NOT_RUNNING = 3
INTERRUPTED = 130
PORT = click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="The port of the endpoint.",
)


@click.group()
def local() -> None:
    """Run the whole stack on this machine, without an AWS account."""


@local.command()
@PORT
@click.option(
    "--time-scale",
    default=DEFAULT_SPEED,
    show_default=True,
    type=click.FloatRange(1, 10_000),
    help="How many times faster than AWS jobs and waits pass.",
)
@click.option(
    "--email",
    default="you@example.com",
    show_default=True,
    help="Who would be told; nothing is really sent.",
)
@click.option("--detach", is_flag=True, help="Leave it running in the background.")
@OUTPUT
def up(port: int, time_scale: float, email: str, detach: bool, output: str) -> None:
    """Start the local cloud and deploy the stack.

    Without --detach it runs until Ctrl-C. Exit code 130 when it is interrupted before it is
    up. Example: mpe local up --time-scale 500
    """
    if Record.find(port):
        raise LocalCloudError(
            f"a local cloud is already up at port {port}. "
            f"See it with `mpe local status --port {port}`, "
            f"stop it with `mpe local down --port {port}`."
        )
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, _interrupt)
    cloud = LocalCloud(port=port, speed=time_scale, email=email, log=log_path(port))
    click.echo(f"Starting the local cloud at {cloud.endpoint} ...", err=True)
    record = None
    try:
        cloud.start()
        record = Record.of(cloud)
        record.save()
        if detach:
            cloud.release()
        if output == "json":
            answer(record.shown())
        else:
            _show(record)
        if not detach:
            _stay(cloud, record)
    except KeyboardInterrupt:
        click.echo("Stopping the local cloud ...", err=True)
        cloud.stop()
        if record is None:
            raise click.exceptions.Exit(INTERRUPTED) from None
        record.forget()


@local.command()
@PORT
@OUTPUT
def status(port: int, output: str) -> None:
    """Tell whether the local cloud is up, and where what is.

    Example: mpe local status --output json
    """
    record = Record.find(port)
    if output == "json":
        answer(record.shown() if record else None)
    elif record:
        _show(record)
    if record is None:
        say(f"No local cloud is up at port {port}.", err=True)
        raise click.exceptions.Exit(NOT_RUNNING)


@local.command()
@PORT
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
def mail(port: int, output: str) -> None:
    """Show the mails that were sent to people in the local cloud, the oldest first.

    Example: mpe local mail
    """
    found = _record(port).mail()
    if output == "json":
        answer(found)
        return
    for one in found:
        lines = [one["time"], f"To: {one['to']}", f"Subject: {one['subject']}", ""]
        for line in [*lines, *one["body"].splitlines(), ""]:
            say(line)


@local.command()
@PORT
@OUTPUT
def down(port: int, output: str) -> None:
    """Stop the local cloud; all that is in it is gone.

    Example: mpe local down
    """
    _record(port).stop()
    say(f"The local cloud at port {port} is stopped.")
    if output == "json":
        answer({"port": port, "stopped": True})


def _record(port: int) -> Record:
    """Return the local cloud at a port, or end where none is up."""
    record = Record.find(port)
    if record is None:
        raise NotRunning(f"no local cloud is up at port {port}.")
    return record


class NotRunning(click.ClickException):
    """There is no local cloud at a port."""

    exit_code = NOT_RUNNING


def _stay(cloud: LocalCloud, record: Record) -> None:
    """Stay until Ctrl-C, or until `mpe local down` or a crash ends the servers."""
    click.echo("\nCtrl-C stops it.", err=True)
    while True:
        time.sleep(0.5)
        try:
            cloud.check()
        except ServerDiedError:
            crashed = record.kept()
            cloud.stop()
            record.forget()
            if crashed:
                raise
            click.echo("The local cloud was stopped.", err=True)
            return


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _show(record: Record) -> None:
    console = Console(highlight=False)
    console.print(
        f"Local cloud at {record.endpoint}\n", style="bold", highlight=False, markup=False
    )
    rows = {"Stack": record.stack, **record.outputs, "Log": record.log}
    width = max(map(len, rows))
    for name, value in rows.items():
        console.print(f"  {name:{width}}  {value}", highlight=False, soft_wrap=True, markup=False)
    settings = record.environment
    first = f"export AWS_ENDPOINT_URL={settings['AWS_ENDPOINT_URL']}"
    rest = " ".join(f"{key}={value}" for key, value in settings.items() if "URL" not in key)
    console.print("\nPoint the aws CLI at it:\n", style="bold")
    click.echo(f"{first}\nexport {rest}")
