"""Whatever a CSV begins with: its check ends soon, and tells what it found in a few short lines."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpe.model.errors import Finding
from mpe.model.messages import message_for
from mpe.model.service.avro import Field
from mpe.model.service.csvs import HEAD, Head, cell_rules, check_head
from tests.hostile.inputs import COLUMNS, check_csv
from tests.hostile.test_parsing import NASTY, SLOW
from tests.model.test_messages import RUN

NAMES = [one.name for one in COLUMNS["interactions"]]
CELLS = st.one_of(
    st.text(max_size=20),
    NASTY,
    st.sampled_from(["9" * 5_000, "-" + "0" * 5_000 + "7", "1" * 5_000 + "x", "1e999", "NaN"]),
)
HEADERS = st.one_of(
    st.just(NAMES), st.permutations(NAMES), st.lists(st.one_of(st.sampled_from(NAMES), CELLS))
)
GOOD = ["u1", "i1", "watch", "1", "1700000000"]


def written(header: list[str], *rows: list[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode("utf-8", "surrogatepass")


def check(header: list[str], *rows: list[str]) -> list[Finding]:
    head = Head("f.csv", written(header, *rows))
    return check_head(head, "interactions", COLUMNS["interactions"])


@SLOW
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes(data: bytes, whole: bool) -> None:
    check_csv(data, whole=whole)


@SLOW
@given(HEADERS, st.lists(st.lists(CELLS, max_size=6), max_size=4), st.booleans())
def test_any_cells(header: list[str], rows: list[list[str]], whole: bool) -> None:
    check_csv(written(header, *rows), whole=whole)


@pytest.mark.parametrize(
    ("cell", "wrong"),
    [
        ("1" * 100_000 + "x", "EVENT_VALUE is not a number"),
        ("1." + "1" * 100_000 + "e", "EVENT_VALUE is not a number"),
        ("1e" + "1" * 100_000 + "-", "EVENT_VALUE is not a number"),
    ],
)
def test_a_cell_as_long_as_it_gets_is_soon_refused(cell: str, wrong: str) -> None:
    (found,) = check(NAMES, [*GOOD[:3], cell, GOOD[4]])
    assert found.message.startswith(wrong)


@pytest.mark.parametrize(
    ("cell", "beyond"),
    [
        ("9" * 100_000, True),
        ("-" + "9" * 100_000, True),
        ("0" * 100_000 + "7", False),
        ("-" + "0" * 30, False),
        (str(2**63), True),
        (str(2**63 - 1), False),
        (str(-(2**63)), False),
        (str(-(2**63) - 1), True),
        (str(2**63).zfill(40), True),
    ],
)
def test_a_number_of_any_length_is_compared(cell: str, beyond: bool) -> None:
    rules = cell_rules("interactions", [Field("COUNT", ("long",))])
    assert [one.broken_by(cell) for one in rules if one.test == "beyond"] == [beyond]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("x," * (HEAD // 2), id="the-same"),
        pytest.param(",".join(f"USER_I{number}" for number in range(24_000)), id="near-ones"),
        pytest.param("USER_I" * (HEAD // 6), id="one-long"),
        pytest.param("a\nb," + '"' + "\x1b[31m" * 1_000 + '"', id="escapes"),
        pytest.param("\u202e" * (HEAD // 3), id="right-to-left"),
        pytest.param('"' * (HEAD - 1), id="quotes"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_header_as_long_as_it_gets_is_told_in_a_few_names(header: str, whole: bool) -> None:
    check_csv(f"{header}\n".encode(), whole=whole)


def test_what_is_wrong_with_a_csv_stands_in_the_mail_line_by_line() -> None:
    failure = {
        **dict.fromkeys(("Resource", "Name", "Path", "Remedy"), "x"),
        "Error": "DataError",
        "Reason": "a.csv, line 2: is wrong.\nb.csv, line 3: is empty.",
    }
    detail = {**RUN, "Status": "FAILED", "Failures": [failure], "Failed": 1}
    lines = message_for("Maintenance Run State Change", detail, region="x").text.split("\n")
    at = lines.index("      a.csv, line 2: is wrong.")
    assert lines[at + 1] == "      b.csv, line 3: is empty."
