"""The rules for the CSVs, on the first rows of a file."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpe.model.config.parse import parse
from mpe.model.errors import ConfigError, DataError, Finding
from mpe.model.service.avro import Field
from mpe.model.service.csvs import Head, cell_rules, check_head
from tests.data.writing import config

FIELDS = [
    Field("USER_ID", ("string",)),
    Field("ITEM_ID", ("string",)),
    Field("EVENT_VALUE", ("null", "float")),
    Field("SALE", ("boolean",)),
    Field("COUNT", ("int",)),
    Field("TIMESTAMP", ("long",)),
]
HEADER = "USER_ID,ITEM_ID,EVENT_VALUE,SALE,COUNT,TIMESTAMP\n"
GOOD = "u1,i1,1.5,true,3,1700000000\n"


def check(text: str | bytes, kind: str = "interactions", *, whole: bool = True) -> list[Finding]:
    content = text.encode() if isinstance(text, str) else text
    return check_head(Head("f.csv", content, whole), kind, FIELDS)


def told(findings: list[Finding]) -> list[tuple[str, str | None, int, tuple[int, ...]]]:
    return [(one.severity, one.column, one.count, one.lines) for one in findings]


def test_what_is_right_has_no_findings() -> None:
    assert check(HEADER + GOOD * 3) == []


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        (",i1,1,true,3,1700000000", "USER_ID", "is empty"),
        ("u1,i1,,true,,1700000000", "COUNT", "is empty"),
        ("u1,i1,many,true,3,1700000000", "EVENT_VALUE", "is not a number"),
        ('u1,i1,"1,5",true,3,1700000000', "EVENT_VALUE", "is not a number"),
        ("u1,i1,1,TRUE,3,1700000000", "SALE", "is not true or false"),
        ("u1,i1,1,true,3.0,1700000000", "COUNT", "is not a whole number"),
        ("u1,i1,1,true,1_000,1700000000", "COUNT", "is not a whole number"),
        ("u1,i1,1,true,3000000000,1700000000", "COUNT", "too large for the type int"),
        ("u1,i1,1,true,3,1700000000000", "TIMESTAMP", "is not in seconds"),
        ("u1,i1,1,true,3,2024-01-31", "TIMESTAMP", "is not a whole number"),
        ("u1,i1,1,true,3,99999999999999999999", "TIMESTAMP", "too large for the type long"),
        (f"{'u' * 257},i1,1,true,3,1700000000", "USER_ID", "more than 256 characters"),
        ("USER_ID,i1,1,true,3,1700000000", "USER_ID", "is a reserved word"),
        ("u1,i1,1,true,3", None, "has not the 6 cells"),
        ("u1,i1,1,true,3,1700000000,more", None, "has not the 6 cells"),
    ],
)
def test_a_wrong_cell_is_told_with_its_line_and_column(
    row: str, column: str | None, message: str
) -> None:
    found = check(f"{HEADER}{GOOD}{row}\n{GOOD}{row}\n")
    errors = [one for one in found if message in one.message]
    assert told(errors) == [("error", column, 2, (3, 5))]
    assert errors[0].remedy


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("u1,i1,1,true,3,20240131", "before 1974"),
        ('u1,"i\n1",1,true,3,1700000000', "over several lines"),
    ],
)
def test_what_is_merely_odd_is_a_warning(row: str, message: str) -> None:
    found = check(f"{HEADER}{row}\n")
    assert {(one.severity, one.lines) for one in found} == {("warning", (2,))}
    assert any(message in one.message for one in found)


@pytest.mark.parametrize(
    ("header", "severity", "column", "message", "remedy"),
    [
        (
            HEADER.replace("TIMESTAMP", "TimeStamp"),
            "error",
            "TIMESTAMP",
            "Input CSV is missing the following columns:[TIMESTAMP].",
            "'TimeStamp' meant for TIMESTAMP",
        ),
        (HEADER.replace(",", ";"), "error", None, "missing", "separated by semicolons"),
        ("", "error", None, "missing", "The file is empty"),
        (HEADER.replace("COUNT", "COUNT,COUNT"), "error", "COUNT", "2 times", "Rename"),
        (
            "ITEM_ID,USER_ID,EVENT_VALUE,SALE,COUNT,TIMESTAMP\n",
            "warning",
            None,
            "another order",
            "USER_ID, ITEM_ID",
        ),
        (
            HEADER.replace("COUNT", "COUNT,MORE"),
            "warning",
            "MORE",
            "no such column: MORE",
            "Add it to the schema",
        ),
        (HEADER.replace("USER_ID", '"USER_ID"'), "warning", None, "quotation marks", "Remove"),
    ],
)
def test_a_wrong_header_is_told(
    header: str, severity: str, column: str | None, message: str, remedy: str
) -> None:
    found = check(header)
    assert [one.severity for one in found].count("error") == (severity == "error")
    wrong = next(one for one in found if one.severity == severity)
    assert message in wrong.message
    assert remedy in wrong.remedy
    assert wrong.lines == (1,)
    if column:
        assert wrong.column == column


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert check(b"\xef\xbb\xbf" + (HEADER + GOOD).encode()) == []


def test_what_is_not_utf_8_is_told_with_its_line() -> None:
    (found,) = check(
        (HEADER + GOOD).encode() + "u1,caf\xe9,1,true,3,1700000000\n".encode("latin-1")
    )
    assert (found.severity, found.lines) == ("error", (3,))
    assert "UTF-8" in found.message


@pytest.mark.parametrize("magic", [b"\x1f\x8b\x08", b"PK\x03\x04", b"PAR1"])
def test_a_packed_file_is_no_csv(magic: bytes) -> None:
    (found,) = check(magic + b"whatever")
    assert "not a CSV" in found.message


def test_lines_are_those_of_the_file_after_values_over_several_lines_and_blank_lines() -> None:
    text = f'{HEADER}u1,"a\nb",1,true,3,1700000000\n\n{GOOD}u1,i1,x,true,3,1700000000\n'
    wrong = [one for one in check(text) if one.severity == "error"]
    assert told(wrong) == [("error", "EVENT_VALUE", 1, (6,))]


@given(st.integers(len(HEADER), len(HEADER + GOOD * 40)), st.booleans())
def test_a_part_of_a_good_file_is_good_wherever_it_is_cut(size: int, several: bool) -> None:
    row = 'u1,"é, ü\n",1.5,true,3,1700000000\n' if several else GOOD
    content = (HEADER + row * 40).encode()[:size]
    assert [one for one in check(content, whole=False) if one.severity == "error"] == []


def test_a_cell_without_an_end_is_told() -> None:
    text = f'{HEADER}{GOOD}u1,"i1,1,true,3,1700000000\n{GOOD}'
    assert ("error", None, 1, (3,)) in told(check(text))


def test_only_some_lines_are_named_and_all_are_counted() -> None:
    (found,) = check(HEADER + "u1,i1,x,true,3,1700000000\n" * 9)
    assert (found.count, found.lines) == (9, (2, 3, 4, 5, 6))


def test_a_textual_value_may_be_longer_than_a_category() -> None:
    fields = [Field("ITEM_ID", ("string",)), Field("TEXT", ("string",), textual=True)]
    limits = {
        one.column: one.argument for one in cell_rules("items", fields) if one.test == "longer"
    }
    assert limits == {"ITEM_ID": 256, "TEXT": 20_000}


def test_actions_have_their_own_event_types() -> None:
    fields = [Field("EVENT_TYPE", ("string",))]
    head = Head("f.csv", b"EVENT_TYPE\nTAKEN\nNOT_TAKEN\nNot taken\nclicked\n")
    assert told(check_head(head, "actionInteractions", fields)) == [
        ("error", "EVENT_TYPE", 1, (5,))
    ]


def test_the_error_of_an_import_stays_short() -> None:
    finding = Finding("error", "f.csv", "is wrong.", "Mend it.", count=1200, lines=(2, 3))
    message = str(DataError([finding] * 12))
    assert message.splitlines()[0] == "f.csv, lines 2, 3: is wrong. (1,200 times) Mend it."
    assert len(message.splitlines()) == 11
    assert message.endswith("And 2 more: see mpe check-data.")


EVERY = {
    "interactions": ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "STEPS"],
    "items": ["ITEM_ID", "CREATION_TIMESTAMP", "PRICE", "STEPS"],
    "users": ["USER_ID", "STEPS"],
}
TYPES = {
    "TIMESTAMP": "long",
    "CREATION_TIMESTAMP": "long",
    "EVENT_VALUE": "float",
    "PRICE": "float",
}


def accepted(kind: str, column: str, types: object) -> bool:
    """Tell whether a config is taken in which one column has other types."""
    document = config("interactions", *({kind} - {"interactions"}))
    fields = [
        {"name": one, "type": TYPES.get(one, "int" if one == "STEPS" else "string")}
        for one in EVERY[kind]
    ]
    for one in fields:
        if one["name"] == column:
            one["type"] = types  # type: ignore[assignment]
    document["datasets"][kind]["schema"]["serviceConfig"]["schema"]["fields"] = fields
    try:
        parse(json.dumps(document))
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "column"), [(kind, one) for kind, names in EVERY.items() for one in names]
)
def test_what_is_advised_of_a_columns_type_is_what_a_config_may_have(
    kind: str, column: str
) -> None:
    """Where a null is not advised, a config that has one is refused."""
    type = TYPES.get(column, "int" if column == "STEPS" else "string")
    rules = {one.test: one.remedy for one in cell_rules(kind, [Field(column, (type,))])}
    assert accepted(kind, column, type)
    assert ("give it the type" in rules["empty"]) == accepted(kind, column, ["null", type])
    if "beyond" in rules:
        advised = [one for one in ("long", "double", "string") if f" {one}" in rules["beyond"]]
        assert all(accepted(kind, column, one) for one in advised)
        assert bool(advised) == (column == "STEPS")


@pytest.mark.parametrize("name", ["release year", "Größe", "1st", "x" * 200])
def test_a_column_that_no_schema_may_have_is_not_to_be_added_as_it_is(name: str) -> None:
    (found,) = check(HEADER.replace("COUNT", f"COUNT,{name}"))
    assert "under a name of letters, digits and _" in found.remedy
