"""What a user gives to be read, brought to this machine: files, folders, a pipe, objects in S3."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from botocore.exceptions import ClientError

from mpe.cli.account import Account
from mpe.cli.check import S3, download, listed
from mpe.data.columns import Unsure
from mpe.data.files import CHUNK, Source, Watcher

PIPE = "-"
_BESIDE = re.compile(r"\.crc$|(^|[._-])manifest(\.json)?$", re.IGNORECASE)
"""Sums and lists of data, which jobs that write many files put beside it.

Redshift can write a list of the files beside them, a manifest
(https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD_command_examples.html); that its name ends
so, and that sums end with ``.crc``, is our own knowledge.
"""
PARTITION = re.compile(r"(^|/)([^/=]+=[^/]*)/")
"""A folder of one value of a column, which stands in no file below it."""
TABLES = {"_delta_log": "Delta", ".hoodie": "Hudi"}
"""Folders of tables whose files do not all count: which ones do stands in there.

https://github.com/delta-io/delta/blob/master/PROTOCOL.md#file-types,
https://hudi.apache.org/docs/storage_layouts.
"""
READERS = {
    "parquet": "read_parquet",
    "json": "read_json",
    "jsonl": "read_json",
    "ndjson": "read_json",
}
MOST_NAMED = 3
NONE = -1
"""The size of what is no file, such as a link to nothing."""


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
        found = list(_objects(given, folder, number, account.client("s3"), watcher))
    else:
        found = list(_files(given))
    apart = PARTITION.search(given if found[0].name == given else f"{given}/")
    if apart:
        note = f"{given} lies in {apart[2]}: that value is in no file, and is not taken."
        found[0] = replace(found[0], notes=(*found[0].notes, note))
    return found


def _files(given: str) -> Iterator[Source]:
    path = Path(given)
    if not path.is_dir():
        if not path.is_file():
            raise Unsure(f"{given} is no file and no folder.")
        yield Source(path, given)
        return
    names, notes = _data(given, _below(path))
    for name in names:
        yield Source(path / name, str(path / name), notes if name == names[0] else ())


def _below(path: Path) -> dict[str, int]:
    """Return the files below a folder with their bytes, also those in linked folders.

    A folder that cannot be read is an OSError; one that is met again by a link is left out.
    """
    found: dict[str, int] = {}
    met = {path.resolve()}
    for folder, below, files in os.walk(path, followlinks=True, onerror=_raise):
        below[:] = [one for one in below if (Path(folder) / one).resolve() not in met]
        met |= {(Path(folder) / one).resolve() for one in below}
        for one in map(Path(folder).joinpath, files):
            found[one.relative_to(path).as_posix()] = one.stat().st_size if one.is_file() else NONE
    return found


def _raise(error: OSError) -> None:
    raise Unsure(f"{error.filename} cannot be read: {error.strerror}.")


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
    there = {one.removeprefix(below): size for one, size in sizes.items() if one != below}
    names, notes = ([key], ()) if size is not None else _data(given, there)
    for place, name in enumerate(names):
        target = folder / f"given-{number}-{place}{PurePosixPath(name).suffix}"
        download(client, bucket, f"{below}{name}", target, there[name], watcher)
        yield Source(target, f"{S3}{bucket}/{below}{name}", () if place else notes)


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


def _data(given: str, there: Mapping[str, int]) -> tuple[list[str], tuple[str, ...]]:
    """Return the names of the files with data below what was given, and what to note of others."""
    skipped = {
        name: told
        for name, size in there.items()
        if not name.endswith("/") and (told := _skipped(name, size))  # S3's consoles make folders
    }
    names = sorted(name for name in there if name not in skipped and not name.endswith("/"))
    others = _told(skipped)
    if not names:
        more = f" Not read are {others}." if others else ""
        raise Unsure(f"{given} has no file with data.{more}")
    apart = next((name for name in names if PARTITION.search(name)), None)
    if apart is not None:
        raise Unsure(
            f"{given}: {apart.rpartition('/')[0]} holds a column's values in the names of folders, "
            f"which no file has. Copy it to this machine and pass {_query(apart)}"
        )
    notes = [f"Of {given} {len(names):,} files are read, and not {others}."] if others else []
    parts = {part for name in skipped for part in name.split("/")}
    notes += [
        f"{given} is a {table} table: files that it has replaced are read as well. Export what it "
        f"has now, and pass that."
        for mark, table in TABLES.items()
        if mark in parts
    ]
    return names, tuple(notes)


def _skipped(name: str, size: int) -> tuple[str, str] | None:
    """Return why a file is not read, and by which name it is told; None where it is.

    Hidden is what Spark takes for it, which are names with a dot or an underscore before them, but
    for columns such as ``_day=1``, and copies that are not whole
    (https://github.com/apache/spark/blob/master/core/src/main/scala/org/apache/spark/util/HadoopFSUtils.scala);
    and its summaries of Parquet, which have no rows.
    """
    parts = name.split("/")
    for number, part in enumerate(parts):
        mark = part.startswith("_") and "=" not in part
        if mark or part.startswith(".") or part.endswith("._COPYING_"):
            return "hidden", "/".join(parts[: number + 1])
    if _BESIDE.search(name):
        return "beside the data", name
    if size == NONE:
        return "no file", name
    return None if size else ("empty", name)


def _told(skipped: Mapping[str, tuple[str, str]]) -> str:
    """Name the files that are not read, with their number, by reason."""
    told = []
    for why, count in Counter(why for why, _ in skipped.values()).most_common():
        names = sorted({name for one, name in skipped.values() if one == why})
        more = ", ..." if len(names) > MOST_NAMED else ""
        told.append(f"{count:,} {why} ({', '.join(names[:MOST_NAMED])}{more})")
    return ", ".join(told)


def _query(name: str) -> str:
    """Return what reads files like one with the columns in the names of their folders."""
    _, dot, end = name.rpartition("/")[2].partition(".")
    reader = next((READERS[one] for one in end.lower().split(".") if one in READERS), "read_csv")
    return (
        f"--sql \"KIND=SELECT * FROM {reader}('FOLDER/**/*{dot}{end}', hive_partitioning = true)\"."
    )
