"""The files in S3 that jobs read and write, in the name of the role that they were given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mpe.emulator.lifecycle import WorkFailed
from mpe.emulator.objects import ObjectsDenied, ObjectsMissing
from mpe.emulator.resources.base import invalid
from mpe.emulator.state import World

DENIED = "Insufficient privileges for accessing data in Amazon S3"
WRONG = "Invalid Data location"
"""https://docs.aws.amazon.com/personalize/latest/dg/error-messages.html"""


def check_role(world: World, role: str) -> None:
    """Refuse a role that the service may not act in."""
    if not world.objects.role_trusts_service(role, account=world.account):
        raise invalid(f"The service cannot assume the role {role}.")


def check_location(
    world: World,
    location: str,
    role: str,
    ending: str,
    *,
    nested: bool = False,
    prefix: bool = False,
    told: str = WRONG,
) -> None:
    """Refuse a location where there is nothing to read; what may not be read fails later."""
    if not location.startswith("s3://"):
        raise invalid(f"{told}: {location}")
    try:
        found = files(world, location, role, ending, nested=nested, prefix=prefix)
    except ObjectsDenied:
        return
    except ObjectsMissing:
        found = []
    if not found:
        raise invalid(f"{told}: there is no {ending} file at {location}")


def files(
    world: World,
    location: str,
    role: str,
    ending: str,
    *,
    nested: bool = False,
    prefix: bool = False,
) -> list[str]:
    """Return the URLs at a location: one object, or those of a folder.

    A data deletion job alone reads what lies in folders of the folder
    (https://docs.aws.amazon.com/personalize/latest/dg/API_DataSource.html). For batch jobs
    alone a path without a slash at its end is a ``prefix``: all objects that begin so are read
    (https://docs.aws.amazon.com/personalize/latest/dg/creating-batch-seg-job.html).
    """
    keys = world.objects.keys(location, role_arn=role, account=world.account)
    if not location.endswith("/"):
        return keys if prefix else [key for key in keys if key == location]
    return [
        key
        for key in keys
        if key.endswith(ending) and (nested or "/" not in key.removeprefix(location))
    ]


def chunks(world: World, url: str, role: str) -> Iterator[bytes]:
    return world.objects.read(url, role_arn=role, account=world.account)


def write(world: World, url: str, body: str, role: str) -> None:
    world.objects.write(url, body.encode(), role_arn=role, account=world.account)


def working(location: str, work: Callable[[], None]) -> Callable[[], None]:
    """Let work on files fail with the reasons that the service gives."""

    def told() -> None:
        with _reasons(location):
            work()

    return told


@contextmanager
def _reasons(location: str) -> Iterator[None]:
    try:
        yield
    except ObjectsDenied:
        raise WorkFailed(DENIED) from None
    except ObjectsMissing:
        raise WorkFailed(f"{WRONG}: {location}") from None
