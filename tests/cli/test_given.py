"""What ``mpe init`` reads: files, folders, and objects in S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from mpe.cli.main import mpe

HEADER = "user,item,when"
HALVES = [
    "\n".join([HEADER, *(f"u{n % 90},i{n % 30},{1_700_000_000 + n}" for n in rows)]) + "\n"
    for rows in (range(700), range(700, 1200))
]


def init(given: str | Path, out: Path) -> Result:
    return CliRunner().invoke(mpe, ["init", "--interactions", str(given), "--out", str(out)])


def count(out: Path) -> int:
    return len((out / "interactions.csv").read_text().splitlines()) - 1


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket="warehouse")
        yield client


def unloaded(client: Any, **more: str) -> None:
    """Write what a warehouse does: parts without a suffix, and what it puts beside them."""
    parts = {"part_00": HALVES[0], "part_01": HALVES[1], "empty": "", "_SUCCESS": "done"}
    for name, body in {**parts, "manifest": '{"entries": []}', ".part_00.crc": "x", **more}.items():
        client.put_object(Bucket="warehouse", Key=f"may/{name}", Body=body.encode())


def test_an_object_is_read_from_s3(bucket: Any, tmp_path: Path) -> None:
    unloaded(bucket)
    made = init("s3://warehouse/may/part_00", tmp_path / "shop")
    assert made.exit_code == 0, made.output
    assert "s3://warehouse/may/part_00: 700 rows -> interactions.csv" in made.output


@pytest.mark.parametrize("given", ["s3://warehouse/may/", "s3://warehouse/may"])
def test_all_data_below_a_prefix_is_read(bucket: Any, tmp_path: Path, given: str) -> None:
    unloaded(bucket)
    made = init(given, tmp_path / "shop")
    assert made.exit_code == 0, made.output
    assert count(tmp_path / "shop") == 1200


def test_a_prefix_without_data_is_told(bucket: Any, tmp_path: Path) -> None:
    made = init("s3://warehouse/june/", tmp_path / "shop")
    assert made.exit_code == 1
    assert "s3://warehouse/june/ has no file with data." in made.output


@pytest.mark.parametrize("nested", ["day=1/part_00", "a/b/day=1/x.parquet"])
def test_columns_in_the_names_of_folders_are_not_lost_unsaid(
    bucket: Any, tmp_path: Path, nested: str
) -> None:
    unloaded(bucket, **{nested: HALVES[0]})
    made = init("s3://warehouse/may/", tmp_path / "shop")
    assert made.exit_code == 1
    assert "values in the names of folders" in made.output
    assert "hive_partitioning = true" in made.output


def test_all_data_in_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "may" / "deep").mkdir(parents=True)
    for name, half in zip(("a.csv", "deep/b.csv"), HALVES, strict=True):
        (tmp_path / "may" / name).write_text(half)
    (tmp_path / "may" / ".DS_Store").write_bytes(b"\0\1")
    made = init(tmp_path / "may", tmp_path / "shop")
    assert made.exit_code == 0, made.output
    assert count(tmp_path / "shop") == 1200


def test_the_query_that_is_proposed_reads_the_columns_of_folders(tmp_path: Path) -> None:
    import duckdb

    (tmp_path / "log" / "item=i1").mkdir(parents=True)
    duckdb.sql(f"COPY (SELECT 'u1' AS user) TO '{tmp_path}/log/item=i1/a.parquet'")
    made = init(tmp_path / "log", tmp_path / "shop")
    (query,) = (line for line in made.output.splitlines() if "hive_partitioning" in line)
    statement = query[query.index("SELECT") : query.rindex('"')].replace(
        "FOLDER", f"{tmp_path}/log"
    )
    assert duckdb.sql(statement).fetchall() == [("u1", "i1")]


def test_nothing_there_is_told(tmp_path: Path) -> None:
    made = init(tmp_path / "none.csv", tmp_path / "shop")
    assert made.exit_code == 1
    assert "is no file and no folder" in made.output
