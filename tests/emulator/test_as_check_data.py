"""What ``mpe check-data`` calls an error, an import or a training refuses, and nothing else.

Found with cells that an adversary would write. Both sides are ours, but not one code: DuckDB and
SQL on the one, the emulator's reader on the other. Whether the service refuses the same is not
known from here.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpe.model.errors import Finding
from tests.conftest import Emulated, examples
from tests.data.test_check import check
from tests.data.writing import config, schema
from tests.emulator.conftest import Builder

HEADER = "USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP"
GOOD = [f"u{n % 40},i{n % 25},View,{n % 5}.5,{1_700_000_000 + n}" for n in range(1_100)]
IDS = [
    "u1",
    "",
    " ",
    "''",
    '""',
    '"u1"',
    "x" * 256,
    "x" * 257,
    "näïve",
    "a b",
    '"a,b"',
    "NULL",
    "0",
]
TYPES = ["View", "", " ", "x" * 256, "x" * 1000, "x" * 1001, '"', '"View"', "Vi|ew", "\\", 'a""b']
NUMBERS = ["1", "", " ", "-1", "1e3", "1,5", '"1.5"', "nan", "NaN", "inf", "-inf", "1_000", "０",
           "much", "true", "1.", ".5", "+1", "0x10", "1e400"]  # fmt: skip
TIMES = ["1700000000", "", " ", "0", "-1", "1700000000000", "17000000000", "1700000000.0", "1.7e9",
         "+1700000000", "2023-11-14", "0001700000000", "９", "99999999999999999999",
         '"1700000000"']  # fmt: skip
LINES = ["", " ", ",,,,", "u1,i1", "u1,i1,View,1,1700000000,more", '"u1,i1,View,1,1700000000',
         "u1,i1,View,1,1700000000,", "\x00", HEADER]  # fmt: skip


def findings(lines: list[str]) -> list[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "interactions.csv").write_text("\n".join([HEADER, *lines]) + "\n")
        return check(Path(folder), document())


def document() -> dict[str, Any]:
    return config("interactions")


def refused(lines: list[str]) -> str:
    """Return why the emulator refuses to import this, or to train on it; else an empty text."""
    build = Builder(Emulated())
    group = build.group()
    text = json.dumps(schema("interactions"))
    dataset = build.client.create_dataset(
        name="d",
        datasetGroupArn=group,
        datasetType="Interactions",
        schemaArn=build.client.create_schema(name="s", schema=text)["schemaArn"],
    )["datasetArn"]
    build.wait(60)
    job = build.begin_import(dataset, "\n".join([HEADER, *lines]) + "\n")
    build.wait(900)
    told = build.client.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
    if told["status"] != "ACTIVE":
        return f"import: {told.get('failureReason', told['status'])}"
    version = build.version(build.solution(group))
    told = build.client.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    return "" if told["status"] == "ACTIVE" else f"training: {told['failureReason']}"


def with_line(line: str, at: int) -> list[str]:
    return [*GOOD[:at], line, *GOOD[at:]]


ROWS = st.tuples(*map(st.sampled_from, (IDS, IDS, TYPES, NUMBERS, TIMES))).map(",".join)
SINGLE = [
    ",".join(cell if place == at else GOOD[0].split(",")[place] for place in range(5))
    for at, cells in enumerate((IDS, IDS, TYPES, NUMBERS, TIMES))
    for cell in cells
]


@pytest.mark.parametrize("line", [*LINES, *SINGLE], ids=range(len(LINES) + len(SINGLE)))
def test_one_bad_line_is_an_error_where_it_is_refused(line: str) -> None:
    agree(with_line(line, 700))


@given(line=st.one_of(ROWS, st.text(max_size=60)), at=st.sampled_from([0, 1, 700, 1100]))
@settings(max_examples=examples(25))
def test_any_line_is_an_error_where_it_is_refused(line: str, at: int) -> None:
    agree(with_line(line, at))


@pytest.mark.parametrize("count", [0, 1, 999, 1000])
def test_too_few_lines_are_an_error_where_they_are_refused(count: int) -> None:
    agree(GOOD[:count])


def agree(lines: list[str]) -> None:
    errors = [one.message for one in findings(lines) if one.severity == "error"]
    why = refused(lines)
    assert bool(errors) == bool(why), (errors, why)
