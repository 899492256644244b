"""Items, users, actions and whole files: what check-data calls an error, the import refuses.

And nothing else, as :mod:`tests.emulator.test_as_check_data` has it of interactions. Cells and
files are such as an adversary would write, or a spreadsheet.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpe.model.errors import Finding
from tests.conftest import Emulated, examples
from tests.data.test_check import check
from tests.emulator.conftest import Builder
from tests.emulator.test_as_check_data import IDS, NUMBERS, TIMES

TEXT = {"type": ["null", "string"]}
SCHEMAS: dict[str, list[dict[str, Any]]] = {
    "items": [
        {"name": "ITEM_ID", "type": "string"},
        {"name": "PRICE", "type": ["float", "null"]},
        {"name": "GENRES", "categorical": True, **TEXT},
        {"name": "BLURB", "textual": True, **TEXT},
        {"name": "LENT", "type": "boolean"},
        {"name": "PAGES", "type": "int"},
        {"name": "CREATION_TIMESTAMP", "type": "long"},
    ],
    "users": [
        {"name": "USER_ID", "type": "string"},
        {"name": "AGE", "type": ["int", "null"]},
        {"name": "CARD", "type": "string", "categorical": True},
    ],
    "actions": [
        {"name": "ACTION_ID", "type": "string"},
        {"name": "VALUE", "type": ["null", "long"]},
        {"name": "KIND", "categorical": True, **TEXT},
        {"name": "EXPIRATION_TIMESTAMP", "type": ["null", "long"]},
    ],
    "actionInteractions": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ACTION_ID", "type": "string"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
    ],
}
GOOD = {
    "items": "i{n},1.5,Comedy|Drama,words of {n},true,{n},1700000000",
    "users": "u{n},30,gold",
    "actions": "a{n},{n},offer,1800000000",
    "actionInteractions": "u{n},a1,Taken,1700000000",
}
TEXTS = ["red", "", " ", "x" * 1000, "x" * 1001, "a|b", '"a,b"', "ITEM_ID", "EVENT_TYPE", "näïve"]
LONG = ["words", "", "x" * 20_001, "ITEM_ID", '"two\nlines"', '"a \\"b\\""', "'"]
FLAGS = ["true", "false", "True", "TRUE", "1", "0", "", "yes", " true"]
WHOLE = ["1", "", "-1", "2147483647", "2147483648", "1.0", "1e3", "+1", "1_0", "٣", "9" * 30]
EVENTS = ["Viewed", "TAKEN", "Not Taken", "not_taken", "NotTaken", "Clicked", "", "taken "]
CELLS: dict[str, list[list[str]]] = {
    "items": [IDS, NUMBERS, TEXTS, LONG, FLAGS, WHOLE, TIMES],
    "users": [IDS, WHOLE, TEXTS],
    "actions": [IDS, WHOLE, TEXTS, TIMES],
    "actionInteractions": [IDS, IDS, EVENTS, TIMES],
}
KINDS = list(SCHEMAS)
RECORDS = {
    "items": ("Items", "Items"),
    "users": ("Users", "Users"),
    "actions": ("Actions", "Actions"),
    "actionInteractions": ("ActionInteractions", "Action_Interactions"),
}
FILES = {
    "items": "items.csv",
    "users": "users.csv",
    "actions": "actions.csv",
    "actionInteractions": "actionInteractions.csv",
}


def header(kind: str) -> str:
    return ",".join(one["name"] for one in SCHEMAS[kind])


def good(kind: str, many: int = 30) -> list[str]:
    return [GOOD[kind].format(n=number) for number in range(many)]


def schema(kind: str) -> dict[str, Any]:
    return {
        "type": "record",
        "name": RECORDS[kind][0],
        "namespace": "com.amazonaws.personalize.schema",
        "fields": SCHEMAS[kind],
        "version": "1.0",
    }


def document(kind: str) -> dict[str, Any]:
    own = {
        "dataset": {"serviceConfig": {"name": f"films-{kind}"}},
        "schema": {"serviceConfig": {"name": f"films-{kind}", "schema": schema(kind)}},
    }
    return {"datasetGroup": {"serviceConfig": {"name": "films"}}, "datasets": {kind: own}}


def findings(kind: str, body: bytes) -> list[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, FILES[kind]).write_bytes(body)
        return check(Path(folder), document(kind))


def refused(kind: str, body: bytes) -> str:
    """Return why the emulator refuses to import a file; else an empty text."""
    build = Builder(Emulated())
    made = build.client.create_schema(name="s", schema=json.dumps(schema(kind)))
    dataset = build.client.create_dataset(
        name="d",
        datasetGroupArn=build.group(),
        datasetType=RECORDS[kind][1],
        schemaArn=made["schemaArn"],
    )["datasetArn"]
    build.wait(60)
    build.emulated.objects.objects["s3://data/train/films/x.csv"] = body
    job = build.client.create_dataset_import_job(
        jobName="job",
        datasetArn=dataset,
        dataSource={"dataLocation": "s3://data/train/films/x.csv"},
        roleArn="arn:aws:iam::000000000000:role/service",
    )["datasetImportJobArn"]
    build.wait(900)
    told = build.client.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
    return "" if told["status"] == "ACTIVE" else str(told["failureReason"])


def agree(kind: str, body: bytes) -> None:
    errors = [one.message for one in findings(kind, body) if one.severity == "error"]
    why = refused(kind, body)
    assert bool(errors) == bool(why), (errors, why)


def csv(kind: str, *lines: str, top: str | None = None, end: str = "\n") -> bytes:
    return (end.join([header(kind) if top is None else top, *lines]) + end).encode()


SINGLE = [
    (kind, ",".join(cell if place == at else one for place, one in enumerate(fine)))
    for kind in KINDS
    for fine in [GOOD[kind].format(n=7).split(",")]
    for at, cells in enumerate(CELLS[kind])
    for cell in cells
]


@pytest.mark.parametrize(("kind", "line"), SINGLE, ids=range(len(SINGLE)))
def test_one_bad_line_is_an_error_where_it_is_refused(kind: str, line: str) -> None:
    lines = good(kind)
    agree(kind, csv(kind, *lines[:20], line, *lines[20:]))


LINES = st.sampled_from(KINDS).flatmap(
    lambda kind: st.tuples(
        st.just(kind),
        st.one_of(
            st.tuples(*map(st.sampled_from, CELLS[kind])).map(",".join), st.text(max_size=60)
        ),
    )
)


@given(drawn=LINES, at=st.sampled_from([0, 1, 20, 30]))
@settings(max_examples=examples(25))
def test_any_line_is_an_error_where_it_is_refused(drawn: tuple[str, str], at: int) -> None:
    kind, line = drawn
    lines = good(kind)
    agree(kind, csv(kind, *lines[:at], line, *lines[at:]))


def _swapped(kind: str) -> str:
    first, second, *more = header(kind).split(",")
    return ",".join([second, first, *more])


WHOLE_FILES: dict[str, Callable[[str], bytes]] = {
    "nothing": lambda kind: b"",
    "a line break alone": lambda kind: b"\n",
    "a header alone": lambda kind: csv(kind),
    "a header without its end": lambda kind: header(kind).encode(),
    "no header": lambda kind: csv(kind, *good(kind)[1:], top=good(kind)[0]),
    "a header in lower case": lambda kind: csv(kind, *good(kind), top=header(kind).lower()),
    "a header with spaces": lambda kind: csv(
        kind, *good(kind), top=header(kind).replace(",", ", ")
    ),
    "a header in quotes": lambda kind: csv(
        kind, *good(kind), top=",".join(f'"{one}"' for one in header(kind).split(","))
    ),
    "a column that is missing": lambda kind: csv(
        kind, *(line.rpartition(",")[0] for line in good(kind)), top=header(kind).rpartition(",")[0]
    ),
    "a column more": lambda kind: csv(
        kind, *(f"{line},x" for line in good(kind)), top=f"{header(kind)},MORE"
    ),
    "a column twice": lambda kind: csv(
        kind,
        *(f"{line},{line.split(',')[0]}" for line in good(kind)),
        top=f"{header(kind)},{header(kind).split(',')[0]}",
    ),
    "a column without a name": lambda kind: csv(
        kind, *(f"{line},x" for line in good(kind)), top=f"{header(kind)},"
    ),
    "columns in another order": lambda kind: csv(
        kind, *(",".join([*line.split(",")[1::-1], *line.split(",")[2:]]) for line in good(kind)),
        top=_swapped(kind),
    ),
    "a byte order mark": lambda kind: b"\xef\xbb\xbf" + csv(kind, *good(kind)),
    "line ends of Windows": lambda kind: csv(kind, *good(kind), end="\r\n"),
    "line ends of old Macs": lambda kind: csv(kind, *good(kind), end="\r"),
    "no end of the last line": lambda kind: csv(kind, *good(kind)).rstrip(b"\n"),
    "blank lines": lambda kind: csv(kind, *good(kind), "", ""),
    "a blank line in the middle": lambda kind: csv(kind, *good(kind), "", *good(kind)),
    "semicolons": lambda kind: csv(kind, *good(kind)).replace(b",", b";"),
    "tabs": lambda kind: csv(kind, *good(kind)).replace(b",", b"\t"),
    "UTF-16": lambda kind: csv(kind, *good(kind)).decode().encode("utf-16"),
    "Latin-1": lambda kind: csv(kind, *good(kind)) + "é".encode("latin-1"),
    "a zero byte": lambda kind: csv(kind, *good(kind), good(kind)[0].replace("0", "\0", 1)),
    "gzip": lambda kind: gzip.compress(csv(kind, *good(kind))),
    "a quotation mark that is never closed": lambda kind: csv(kind, *good(kind), '"u1'),
    "the header twice": lambda kind: csv(kind, *good(kind), header(kind), *good(kind)),
    "an id twice": lambda kind: csv(kind, *good(kind), good(kind)[0]),
    "JSON": lambda kind: b'[{"ITEM_ID": "i1"}]\n',
}  # fmt: skip


@pytest.mark.parametrize("kind", ["items", "actionInteractions"])
@pytest.mark.parametrize("file", WHOLE_FILES.values(), ids=WHOLE_FILES)
def test_a_file_is_an_error_where_it_is_refused(file: Callable[[str], bytes], kind: str) -> None:
    agree(kind, file(kind))
