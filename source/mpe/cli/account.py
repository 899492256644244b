"""Which stack a command is about, and how it prints: what several commands share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

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
from mpe.cli.refusals import next_step
from mpe.cli.settings import settings
from mpe.cli.terminal import LINE_LIMIT, answer, console, fits, print_plain, say
from mpe.cli.terminal import OUTPUT as OUTPUT
from mpe.local.records import Record, state_directory
from mpe.model.endpoints import LOOPBACK, NO_ENDPOINT, is_endpoint
from mpe.model.errors import NewerForm, ToldError
from mpe.model.plan.desired import Place
from mpe.model.text import plain

STACK = "PersonalizedExperiences"
KEY_PARAMETER = "PersonalizeKmsKeyArn"
"""The stack's parameter with the key that dataset groups are created with."""
LOOK, LOOK_LOCALLY = 10.0, 0.5
"""Seconds between two looks: in AWS each costs a call for every resource."""
UNSEEN = "UNSEEN"
"""In the place of the status of a stack that may not be looked at."""
SETTINGS = "the environment's AWS_ variables, and the profile"


@dataclass(frozen=True)
class Account:
    """Where the stack is, as the command line says."""

    stack: str
    profile: str | None = None
    region: str | None = None
    endpoint: str | None = None
    keys: tuple[str, str] | None = field(default=None, repr=False)
    """The local cloud's own credentials, where the SDK has none."""

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

    @property
    def looks_every(self) -> float:
        """Return how many seconds lie between two looks at what is under way.

        Another endpoint is asked more often; so is one on this machine that a setting of the SDK's
        own names, such as AWS_ENDPOINT_URL.
        """
        if self.endpoint:
            return LOOK_LOCALLY
        host = urlsplit(self.client("personalize").meta.endpoint_url).hostname
        return LOOK_LOCALLY if host in LOOPBACK else LOOK

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    @cached_property
    def _database(self) -> Any:
        with _telling():
            return self._session.resource("dynamodb", endpoint_url=self.endpoint)

    @cached_property
    def _session(self) -> boto3.Session:
        key, secret = self.keys or (None, None)
        return boto3.Session(
            profile_name=self.profile,
            region_name=self.region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )

    @cached_property
    def _description(self) -> dict[str, Any]:
        found = self.client("cloudformation").describe_stacks(StackName=self.stack)
        return dict(found["Stacks"][0])

    @property
    def outputs(self) -> dict[str, str]:
        found = self._description.get("Outputs", ())
        return {one["OutputKey"]: one["OutputValue"] for one in found}

    @property
    def parameters(self) -> dict[str, str]:
        found = self._description.get("Parameters", ())
        return {one["ParameterKey"]: one["ParameterValue"] for one in found}

    def output(self, name: str) -> str:
        """Return an output of the stack, or tell what the stack is that has none of that name."""
        found = self.outputs.get(name)
        if found is None:
            raise click.ClickException(
                f"the stack {self.stack} ({self._description['StackStatus']}) has no output "
                f"{name}: is it this project's, and is it deployed?"
            )
        return found

    def status_of(self, stack: str) -> str | None:
        """Return the status of another stack, None without one, or that it may not be seen.

        CloudFormation says ValidationError of a stack that is not there
        (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html).
        """
        try:
            found = self.client("cloudformation").describe_stacks(StackName=stack)
        except ClientError as error:
            return None if error.response["Error"]["Code"] == "ValidationError" else UNSEEN
        return str(found["Stacks"][0]["StackStatus"])

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
        stack = str(self._description["StackName"])
        key = self.parameters.get(KEY_PARAMETER, "")
        return Place(region, account, bucket, role, partition, stack, key)


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
    stack = click.option("--stack", show_default=STACK, help="The stack.")
    return stack(in_cloud(command))


def in_cloud(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which account is meant, as one :class:`Account`.

    What AWS refuses is told in a line, with what to do, and so is what answers and is no AWS, and
    what only a newer release can read.
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
        stack: str | None = None,
        profile: str | None,
        region: str | None,
        endpoint_url: str | None,
        **more: Any,
    ) -> Any:
        with telling(endpoint_url):
            account = chosen(stack, profile, region, endpoint_url)
        with telling(account.endpoint):
            return command(*args, account=account, **more)

    return with_account


def chosen(
    stack: str | None, profile: str | None, region: str | None, endpoint: str | None
) -> Account:
    """Return the account that the options, the settings or a local cloud that runs tell of."""
    given = {"stack": stack, "profile": profile, "region": region, "endpoint_url": endpoint}
    found = settings() | {name: value for name, value in given.items() if value is not None}
    endpoint = found.get("endpoint_url")
    if endpoint is not None and not is_endpoint(endpoint):
        raise click.ClickException(
            f"{NO_ENDPOINT.format(endpoint)}. See MPE_ENDPOINT_URL, mpe.toml."
        )
    account = Account(
        found.get("stack", STACK), found.get("profile"), found.get("region"), endpoint
    )
    if account.profile or (os.environ.get("AWS_ENDPOINT_URL") and endpoint is None):
        return account
    return _of_local_cloud(account)


def _of_local_cloud(account: Account) -> Account:
    """Return the account in the local cloud, where no other is told or known and one runs.

    Of a local cloud that is named its own credentials are taken, where the SDK knows none.
    """
    if (account.region and not account.endpoint) or not any(state_directory().glob("local-*.json")):
        return account
    if boto3.Session().get_credentials() is not None:
        return account
    running = [one for one in Record.running() if account.endpoint in (None, one.endpoint)]
    if len(running) != 1:
        return account
    (one,) = running
    if account.endpoint is None:
        say(f"The local cloud at {one.endpoint} is asked: the SDK has no credentials.", err=True)
    region = account.region or one.environment["AWS_DEFAULT_REGION"]
    keys = (one.environment["AWS_ACCESS_KEY_ID"], one.environment["AWS_SECRET_ACCESS_KEY"])
    return replace(account, endpoint=one.endpoint, region=region, keys=keys)


OURS = (click.ClickException, click.exceptions.Abort, click.exceptions.Exit, ToldError, OSError)
"""What is told elsewhere."""


@contextmanager
def telling(endpoint: str | None) -> Iterator[None]:
    """Tell what AWS, the SDK or whoever answers at an endpoint says, in a line or two."""
    try:
        yield
    except (ServiceError, ClientError, BotoCoreError) as error:
        step = next_step(error.__cause__ if isinstance(error.__cause__, ClientError) else error)
        told = f"{error}".rstrip()
        raise click.ClickException(f"{told}\n{step}" if step else told) from error
    except NewerForm as error:
        raise click.ClickException(f"{error}") from error
    except (click.ClickException, click.exceptions.Abort, click.exceptions.Exit):
        raise
    except (ToldError, OSError):  # told elsewhere; some of the SDK's are OSErrors, and were above
        raise
    except Exception as error:
        where = endpoint or os.environ.get("AWS_ENDPOINT_URL")
        if where is None:
            raise
        raise click.ClickException(
            f"what answers at {where} is not understood ({type(error).__name__}: {error}).\n"
            "Is that AWS, or a local cloud (`mpe local status`)? `mpe --debug` tells more."
        ) from error


def show(rows: Iterable[Mapping[str, Any]], output: str, columns: Mapping[str, str]) -> None:
    """Print rows as JSON, or as a table with some of their members under headings."""
    rows = list(rows)
    if output == "json":
        answer(rows)
        return
    cells = [[_cell(row.get(key)) for key in columns] for row in rows]
    shown = console()
    if not shown.is_terminal:
        shown.width = 400
    if fits(
        [list(columns.values()), *([cell.plain for cell in row] for row in cells)], shown.width
    ):
        _print_table(shown, columns.values(), cells)
    else:
        _print_blocks(shown, list(columns.values()), cells)


def _print_table(shown: Console, headings: Iterable[str], rows: Iterable[Sequence[Text]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    shown.print(table)


def _print_blocks(shown: Console, headings: Sequence[str], rows: Iterable[Sequence[Text]]) -> None:
    """Print each row as lines of its own, where a table would break words."""
    for row in rows:
        for number, (heading, cell) in enumerate(zip(headings, row, strict=True)):
            if cell.plain:
                print_plain(shown, f"{'' if number == 0 else '  '}{heading}: {cell.plain}")


def _cell(value: Any) -> Text:
    """Return a cell that is text, whatever it looks like."""
    if isinstance(value, datetime):
        value = f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return Text("" if value is None else plain(value, LINE_LIMIT))
