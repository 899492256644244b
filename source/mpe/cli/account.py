"""Which stack a command is about, and how it prints: what several commands share."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mpe.aws.clock import Clock
from mpe.aws.ledger import Ledger
from mpe.aws.personalize import ServiceError
from mpe.aws.turns import Turns
from mpe.cli.terminal import LINE_LIMIT
from mpe.model.endpoints import NO_ENDPOINT, is_endpoint
from mpe.model.plan.desired import Place
from mpe.model.text import plain

STACK = "PersonalizedExperiences"
SETTINGS = "the environment's AWS_ variables, and the profile"
OUTPUT = click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)


@dataclass(frozen=True)
class Account:
    """Where the stack is, as the command line says."""

    stack: str
    profile: str | None = None
    region: str | None = None
    endpoint: str | None = None

    def client(self, service: str) -> Any:
        """Return the client of a service, which is made once."""
        if service not in self._clients:
            with _telling():
                made = self._session.client(service, endpoint_url=self.endpoint)
            self._clients[service] = made
        return self._clients[service]

    def table(self, output: str) -> Any:
        """Return a DynamoDB table of the stack by the output that names it."""
        return self._database.Table(self.output(output))

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    @cached_property
    def _database(self) -> Any:
        with _telling():
            return self._session.resource("dynamodb", endpoint_url=self.endpoint)

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(profile_name=self.profile, region_name=self.region)

    @cached_property
    def _description(self) -> dict[str, Any]:
        found = self.client("cloudformation").describe_stacks(StackName=self.stack)
        return dict(found["Stacks"][0])

    @property
    def outputs(self) -> dict[str, str]:
        found = self._description.get("Outputs", ())
        return {one["OutputKey"]: one["OutputValue"] for one in found}

    def output(self, name: str) -> str:
        """Return an output of the stack, or tell what the stack is that has none of that name."""
        found = self.outputs.get(name)
        if found is None:
            raise click.ClickException(
                f"the stack {self.stack} ({self._description['StackStatus']}) has no output "
                f"{name}: is it this project's, and is it deployed?"
            )
        return found

    def known_output(self, name: str) -> str | None:
        """Return an output of the stack, or None where there is no such stack."""
        try:
            return self.outputs.get(name)
        except ClientError:
            return None

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.table("LedgerTable"))

    @property
    def turns(self) -> Turns:
        return Turns(self.table("TurnsTable"))

    @property
    def clock(self) -> Clock:
        return Clock()

    def place(self) -> Place:
        """Return the place that the stack's outputs tell of."""
        bucket, role = self.output("DataBucket"), self.output("PersonalizeRole")
        _, partition, _, region, account, *_ = self._description["StackId"].split(":")
        return Place(region, account, bucket, role, partition)


@contextmanager
def _telling() -> Iterator[None]:
    """Tell of a setting that the SDK has only a ValueError for, such as AWS_ENDPOINT_URL."""
    try:
        yield
    except BotoCoreError:  # some of which are ValueErrors as well
        raise
    except ValueError as error:
        raise click.ClickException(f"{error}. See {SETTINGS}.") from error


def _endpoint(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_endpoint(value):
        raise click.BadParameter(NO_ENDPOINT.format(value))
    return value


def in_account(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say where the stack is, as one :class:`Account`."""
    stack = click.option("--stack", default=STACK, show_default=True, help="The stack.")
    return stack(in_cloud(command))


def in_cloud(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which account is meant, as one :class:`Account`.

    What AWS refuses is told in a line.
    """

    @click.option("--profile", help="The AWS profile.")
    @click.option("--region", help="The AWS region.")
    @click.option(
        "--endpoint-url",
        callback=_endpoint,
        help="Another endpoint than AWS's: the local cloud's.",
    )
    @functools.wraps(command)
    def with_account(
        *args: Any,
        stack: str = STACK,
        profile: str | None,
        region: str | None,
        endpoint_url: str | None,
        **more: Any,
    ) -> Any:
        try:
            account = Account(stack, profile, region, endpoint_url)
            return command(*args, account=account, **more)
        except (ServiceError, ClientError, BotoCoreError) as error:
            raise click.ClickException(f"{error}") from error

    return with_account


def show(rows: Iterable[Mapping[str, Any]], output: str, columns: Mapping[str, str]) -> None:
    """Print rows as JSON, or as a table with some of their members under headings."""
    rows = list(rows)
    if output == "json":
        click.echo(json.dumps(rows, indent=2, default=str))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(key)) for key in columns))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 400
    console.print(table)


def _cell(value: Any) -> Text:
    """Return a cell that is text, whatever it looks like."""
    return Text("" if value is None else plain(value, LINE_LIMIT))
