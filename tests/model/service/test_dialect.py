"""The dialect of the CSVs, held to pandas, which reads it as a second implementation."""

from __future__ import annotations

import io

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpe.model.service.avro import Field
from mpe.model.service.csvs import Head, check_head
from mpe.model.service.dialect import Record, Unended, text_records, written

CELLS = st.text(st.sampled_from("ab \",\\|;é'x"), max_size=8)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6)


def cells(text: str, **more: bool) -> list[list[str]]:
    return [one.cells for one in text_records(text, **more)]


@given(rows=ROWS)
def test_what_is_written_is_read_again(rows: list[tuple[str, str, str]]) -> None:
    text = "".join(f"{written(row)}\n" for row in [("a", "b", "c"), *rows])
    assert cells(text) == [["a", "b", "c"], *map(list, rows)]
    assert not any(one.doubled or one.bare for one in text_records(text))


@given(rows=ROWS)
def test_what_is_written_is_read_alike_by_pandas(rows: list[tuple[str, str, str]]) -> None:
    text = "".join(f"{written(row)}\n" for row in [("a", "b", "c"), *rows])
    read = pandas.read_csv(
        io.StringIO(text), escapechar="\\", doublequote=False, dtype=str, keep_default_na=False
    )
    assert read.to_numpy().tolist() == [list(row) for row in rows]


@pytest.mark.parametrize(
    ("text", "row", "doubled", "bare"),
    [
        ('1,"He said \\"hi\\"; C:\\\\x"', ["1", 'He said "hi"; C:\\x'],
         False, False),
        ('1,"He said ""hi"""', ["1", 'He said "hi"'], True, False),
        ('1,"C:\\x"', ["1", "C:\\x"], False, True),
        ("1,C:\\x", ["1", "C:\\x"], False, False),
        ('1,""', ["1", ""], False, False),
        ('1,a"b', ["1", 'a"b'], False, False),
        ('1,"a"b', ["1", "ab"], False, False),
    ],
)  # fmt: skip
def test_text_is_read_as_the_guide_has_it_and_what_is_not_so_is_marked(
    text: str, row: list[str], doubled: bool, bare: bool
) -> None:
    assert list(text_records(text)) == [Record(1, row, doubled, bare, 1)]


def test_records_know_their_lines() -> None:
    text = 'a,b\r\n\r\n1,"x\ny"\r2,z\n'
    assert [(one.line, one.last, one.cells) for one in text_records(text)] == [
        (1, 1, ["a", "b"]), (3, 4, ["1", "x\ny"]), (5, 5, ["2", "z"])
    ]  # fmt: skip


def test_a_quotation_mark_that_is_never_closed_is_told_with_its_line() -> None:
    with pytest.raises(Unended, match="line 2"):
        list(text_records('a,b\n1,"x\\"\n2,y\n'))
    assert cells('a,b\n1,"x\\"\n2,y\n', whole=False) == [["a", "b"]]


def test_a_last_record_that_may_be_cut_off_is_left_out() -> None:
    assert cells("a,b\n1,2\n3,", whole=False) == [["a", "b"], ["1", "2"]]


def test_any_text_separates_the_cells_and_other_programs_know_no_escapes() -> None:
    assert [one.cells for one in text_records("1::2\n3::4\n", delimiter="::")] == [
        ["1", "2"], ["3", "4"]
    ]  # fmt: skip
    assert cells('1,"C:\\x\\"\n', escapes=False) == [["1", "C:\\x\\"]]


def test_the_import_step_tells_text_that_is_not_escaped_as_the_guide_asks() -> None:
    fields = [Field("ITEM_ID", ("string",)), Field("TEXT", ("string",), textual=True)]
    text = 'ITEM_ID,TEXT\n1,"He said ""hi"""\n2,"C:\\x"\n3,"a \\"b\\" \\\\"\n'
    found = check_head(Head("f.csv", text.encode()), "items", fields)
    assert [(one.severity, one.lines) for one in found] == [("warning", (2,)), ("warning", (3,))]
    (error,) = check_head(Head("f.csv", (text + '4,"x\\"\n').encode()), "items", fields)
    assert error.severity == "error"
    assert "not closed" in error.message
