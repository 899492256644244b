"""What ``mpe init`` reads: files, folders, and objects in S3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from mpe.cli.main import mpe
from tests import clients

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
        client = clients.client("s3")
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


@pytest.mark.parametrize(
    "nested",
    ["day=1/part_00", "a/b/day=1/x.parquet", "_day=1/a", "_year=2026/_day=1/x.csv", "__date=x/a"],
)
def test_columns_in_the_names_of_folders_are_not_lost_unsaid(
    bucket: Any, tmp_path: Path, nested: str
) -> None:
    """Spark reads all such folders: HadoopFSUtils leaves no name out that has ``=``."""
    unloaded(bucket, **{nested: HALVES[0]})
    (tmp_path / "may" / nested).parent.mkdir(parents=True)
    (tmp_path / "may" / nested).write_text(HALVES[0])
    for given in ("s3://warehouse/may/", tmp_path / "may"):
        made = init(given, tmp_path / "shop")
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


def folder(tmp_path: Path, *more: str) -> Path:
    """Return a folder with data and what is named beside it."""
    there = tmp_path / "may"
    for name in ("a.csv", *more):
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_text(HALVES[0])
    return there


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        (["_SUCCESS"], "1 hidden (_SUCCESS)"),
        (["_orders.csv", ".old.csv"], "2 hidden (.old.csv, _orders.csv)"),
        (["_delta_log/0.json", "_delta_log/1.json"], "2 hidden (_delta_log)"),
        (["b.csv._COPYING_"], "1 hidden (b.csv._COPYING_)"),
        ([".crc/x", "manifest", "b.csv.crc", "x-manifest.json"],
         "3 beside the data (b.csv.crc, manifest, x-manifest.json), 1 hidden (.crc)"),
        ([f"_{n}" for n in range(5)], "5 hidden (_0, _1, _2, ...)"),
    ],
)  # fmt: skip
def test_what_is_not_read_in_a_folder_is_told_by_name_and_number(
    tmp_path: Path, beside: list[str], told: str
) -> None:
    given = folder(tmp_path, *beside)
    made = init(given, tmp_path / "shop")
    assert made.exit_code == 0, made.output
    assert f"note: Of {given} 1 files are read, and not {told}." in made.output


def test_empty_files_and_links_to_nothing_are_told(tmp_path: Path) -> None:
    given = folder(tmp_path)
    (given / "b.csv").touch()
    (given / "c.csv").symlink_to(given / "gone.csv")
    made = init(given, tmp_path / "shop")
    assert "and not 1 empty (b.csv), 1 no file (c.csv)." in made.output


def test_a_folder_without_data_tells_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "may").mkdir()
    (tmp_path / "may" / "_orders.csv").write_text(HALVES[0])
    made = init(tmp_path / "may", tmp_path / "shop")
    assert made.exit_code == 1
    assert "has no file with data. Not read are 1 hidden (_orders.csv)." in made.output


def test_what_is_not_read_in_s3_is_told(bucket: Any, tmp_path: Path) -> None:
    unloaded(bucket)
    bucket.put_object(Bucket="warehouse", Key="may/", Body=b"")
    bucket.put_object(Bucket="warehouse", Key="may/older/", Body=b"")
    made = init("s3://warehouse/may/", tmp_path / "shop")
    told = "2 files are read, and not 2 hidden (.part_00.crc, _SUCCESS), 1 empty (empty), 1 beside"
    assert told in made.output


def test_data_in_linked_folders_is_read_and_a_circle_ends(tmp_path: Path) -> None:
    given = folder(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.csv").write_text(HALVES[1])
    (given / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(given)
    made = init(given, tmp_path / "shop")
    assert made.exit_code == 0, made.output
    assert count(tmp_path / "shop") == 1200


def test_a_table_whose_files_do_not_all_count_is_told(tmp_path: Path) -> None:
    made = init(folder(tmp_path, "_delta_log/0.json"), tmp_path / "shop")
    assert "is a Delta table: files that it has replaced are read as well" in made.output


def test_the_value_in_the_name_of_a_folder_that_was_given_is_told(tmp_path: Path) -> None:
    given = folder(tmp_path, "day=1/b.csv") / "day=1"
    for one in (given, given / "b.csv"):
        made = init(one, tmp_path / f"shop-{one.name}")
        assert made.exit_code == 0, made.output
        assert "lies in day=1: that value is in no file, and is not taken." in made.output


def test_the_query_that_is_proposed_reads_csvs_of_folders_too(tmp_path: Path) -> None:
    given = folder(tmp_path, "_day=1/b.csv")
    (given / "a.csv").unlink()
    made = init(given, tmp_path / "shop")
    said = " ".join(made.output.split())
    query = said[said.index("SELECT") : said.rindex('"')].replace("FOLDER", str(given))
    asked = CliRunner().invoke(
        mpe, ["init", "--sql", f"interactions={query}", "--out", str(tmp_path / "shop")]
    )
    assert asked.exit_code == 0, asked.output
    assert "| _day |" in (tmp_path / "shop" / "config.md").read_text()


def test_other_sheets_and_what_stands_beside_a_list_are_told(tmp_path: Path) -> None:
    import openpyxl

    rows = [line.split(",") for line in HALVES[0].splitlines()]
    book = openpyxl.Workbook()
    for title in ("May", "June"):
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "log.xlsx")
    made = init(tmp_path / "log.xlsx", tmp_path / "shop")
    assert "the sheet May is read, and 1 others with rows are not: June." in made.output
    objects = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    (tmp_path / "log.json").write_text(json.dumps({"page": 1, "rows": objects}))
    made = init(tmp_path / "log.json", tmp_path / "other")
    assert "log.json has page beside its list of rows, which is not taken." in made.output


def test_lines_above_a_header_are_told(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("# made by hand\n# in May\n" + HALVES[0])
    made = init(tmp_path / "log.csv", tmp_path / "shop")
    assert "2 lines above the header" in made.output
