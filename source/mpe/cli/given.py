"""What a user gives to be read, brought to this machine: files, folders, a pipe, objects in S3."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from mpe.cli.account import Account
from mpe.cli.check import S3, download, listed
from mpe.data.columns import Unsure
from mpe.data.files import CHUNK, Source, Watcher

PIPE = "-"
BESIDE = re.compile(r"(^|/)[._][^/]*|\.crc$|(^|[._-])manifest(\.json)?$", re.IGNORECASE)
"""What jobs that write many files put beside the data: hidden files, marks, sums and lists of it.

Readers of such folders leave out names that begin with a dot or an underscore, as Iceberg's do
(https://iceberg.apache.org/javadoc/latest/org/apache/iceberg/hadoop/HiddenPathFilter.html).
Redshift can write a list of the files beside them, a manifest
(https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD_command_examples.html); that its name ends
so, and that sums end with ``.crc``, is our own knowledge.
"""
PARTITION = re.compile(r"(^|/)[^/=]+=[^/]*/")
"""A folder of one value of a column, which stands in no file below it."""


def sources(
    given: str, folder: Path, number: int, account: Account, watcher: Watcher
) -> list[Source]:
    """Return the files on this machine of what was given once, brought to a folder where need be.

    Raises Unsure where there is nothing, or where columns stand in the names of folders alone.
    """
    if given == PIPE:
        target = folder / f"given-{number}"
        with target.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, CHUNK)
        return [Source(target, "standard input")]
    if given.startswith(S3):
        return list(_objects(given, folder, number, account.client("s3"), watcher))
    return list(_files(given))


def _files(given: str) -> Iterator[Source]:
    path = Path(given)
    if not path.is_dir():
        if not path.is_file():
            raise Unsure(f"{given} is no file and no folder.")
        yield Source(path, given)
        return
    there = {
        one.relative_to(path).as_posix(): one.stat().st_size
        for one in path.rglob("*")
        if one.is_file()
    }
    for name in _data(given, there.items()):
        yield Source(path / name, str(path / name))


def _objects(
    given: str, folder: Path, number: int, client: Any, watcher: Watcher
) -> Iterator[Source]:
    bucket, _, key = given.removeprefix(S3).partition("/")
    size = _size(client, bucket, key)
    if size is not None:
        below, sizes = "", {key: size}
    else:
        below = f"{key.rstrip('/')}/" if key else ""
        sizes = listed(client, bucket, below)
    names = {one.removeprefix(below): size for one, size in sizes.items()}
    for place, name in enumerate([key] if size is not None else _data(given, names.items())):
        target = folder / f"given-{number}-{place}{PurePosixPath(name).suffix}"
        download(client, bucket, f"{below}{name}", target, names[name], watcher)
        yield Source(target, f"{S3}{bucket}/{below}{name}")


def _size(client: Any, bucket: str, key: str) -> int | None:
    """Return an object's bytes; None where there is none, as of a folder."""
    if not key or key.endswith("/"):
        return None
    try:
        return int(client.head_object(Bucket=bucket, Key=key)["ContentLength"])
    except ClientError as error:
        # Who may not list the bucket is told 403 of an object that is not there.
        if error.response["Error"]["Code"] not in {"404", "NoSuchKey"}:
            raise
        return None


def _data(given: str, there: Iterable[tuple[str, int]]) -> list[str]:
    """Return the names of the files with data below what was given, in their order."""
    names = sorted(name for name, size in there if size and not BESIDE.search(name))
    if not names:
        raise Unsure(f"{given} has no file with data.")
    apart = next((name for name in names if PARTITION.search(name)), None)
    if apart is not None:
        raise Unsure(
            f"{given}: {apart.rpartition('/')[0]} holds a column's values in the names of folders, "
            "which no file has. Copy it to this machine and pass --sql "
            "\"KIND=SELECT * FROM read_parquet('FOLDER/**/*.parquet', hive_partitioning = true)\"."
        )
    return names
