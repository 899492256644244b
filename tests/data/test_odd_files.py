"""Files as other programs write them: each kind is read as it is meant, or told, never half."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from mpe.data.columns import Unsure
from mpe.data.engine import Engine
from tests.data.test_init import START, Work

ROWS = [(f"u{n % 9}", f"i{n * 7 % 20}", "view", n % 5 + 1, START + n * 3_600) for n in range(60)]
HEADER = ("user_id", "item_id", "event_type", "rating", "timestamp")
TIMES = [str(row[-1]) for row in ROWS]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def lines(separator: str = ",", head: tuple[str, ...] = HEADER) -> str:
    return "".join(f"{separator.join(map(str, row))}\n" for row in (head, *ROWS))


def macs() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        target.writestr("export/log.csv", lines())
        target.writestr("__MACOSX/export/._log.csv", "\x00\x05")
        target.writestr("export/.DS_Store", "\x00")
    return content.getvalue()


def nested() -> str:
    return "\n".join(
        json.dumps({"user": {"id": u}, "item": {"id": i, "at": {"ts": t}}, "event": e, "rating": v})
        for u, i, e, v, t in ROWS
    )


def sheet(fill: Callable[[openpyxl.Workbook], None]) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    fill(book)
    book.save(content)
    return content.getvalue()


def titled(book: openpyxl.Workbook) -> None:
    table = book.active
    assert table is not None
    for row in (["Sales of the year"], [], HEADER, *ROWS):
        table.append(list(row))


def second(book: openpyxl.Workbook) -> None:
    assert book.active is not None
    book.active.append(["Read me first"])
    table = book.create_sheet("data")
    for row in (HEADER, *ROWS):
        table.append(list(row))


TEXT = lines()
OBJECTS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
WHOLE: dict[str, str | bytes] = {
    "a header over lines": lines(head=('"user\nid"', '"item\nid"', *HEADER[2:])),
    "carets": lines("^"),
    "tildes": lines("~"),
    "two bars": lines("||"),
    "spaces": lines(" "),
    "unit separators": lines("\x1f"),
    "single quotation marks": "".join(
        ",".join(f"'{cell}'" for cell in row) + "\n" for row in (HEADER, *ROWS)
    ),
    "a table's name before each column": lines(head=tuple(f"events.{one}" for one in HEADER)),
    "a comment without a space": f"#exported by X\n{lines()}",
    "another comment": f"% exported by X\n\n{lines()}",
    "a title": f"Sales of the year\n{lines(';')}",
    "bzip2": bz2.compress(lines().encode()),
    "xz": lzma.compress(lines().encode()),
    "gzip of two parts": b"".join(gzip.compress(one.encode()) for one in (TEXT[:500], TEXT[500:])),
    "a Mac's zip": macs(),
    "JSON lines with a mark": b"\xef\xbb\xbf" + "\n".join(map(json.dumps, OBJECTS)).encode(),
    "objects without a line's end": "".join(map(json.dumps, OBJECTS)),
    "objects over lines": "\n".join(json.dumps(one, indent=1) for one in OBJECTS),
    "one object with the list": json.dumps({"count": 60, "events": OBJECTS}),
    "nested objects": nested(),
    "a title in Excel": sheet(titled),
    "a second sheet": sheet(second),
}  # fmt: skip


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_no_row_and_no_value_of_an_odd_file_is_lost(work: Work, content: str | bytes) -> None:
    work.put("interactions", content)
    work.init()
    assert work.column("interactions", "USER_ID") == [row[0] for row in ROWS]
    assert work.column("interactions", "ITEM_ID") == [row[1] for row in ROWS]
    assert work.column("interactions", "TIMESTAMP") == TIMES


def test_bytes_in_parquet_are_text(work: Work, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    with Engine() as engine:
        engine.run(
            f"COPY (SELECT encode('ü' || i % 9) AS user, ('i' || i % 20)::BLOB AS item, {{'id': "
            f"{START} + i}} AS time FROM range(60) t(i)) TO '{path}' (FORMAT PARQUET)",
            "",
        )
    work.files["interactions"] = path
    work.init("time.id=TIMESTAMP")
    assert work.column("interactions", "USER_ID")[:2] == ["ü0", "ü1"]
    assert work.column("interactions", "TIMESTAMP")[:2] == [str(START), str(START + 1)]


def test_days_and_times_in_cells_of_excel_are_joined(work: Work) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        table = book.active
        assert table is not None
        table.append(["user", "item", "day", "clock"])
        for u, i, *_, t in ROWS:
            moment = datetime.fromtimestamp(t, UTC)
            table.append([u, i, date(*moment.timetuple()[:3]), time(*moment.timetuple()[3:6])])

    work.put("interactions", sheet(fill))
    work.init("day+clock=TIMESTAMP")
    assert work.column("interactions", "TIMESTAMP") == TIMES


def test_rows_without_an_item_are_kept_apart_also_beside_columns_without_names(work: Work) -> None:
    rows = [",".join((*map(str, row), "", "")) for row in ROWS]
    work.put("interactions", "\n".join([",".join((*HEADER, "", "")), *rows, "u1,,,,,,"]) + "\n")
    result = work.init()
    assert result.datasets[0].rejected == {"item_id is empty": 1}
    assert (work.out / "rejected-interactions.csv").read_text().count("\n") == 2


# Times


FORMS: dict[str, str] = {
    "basic": "%Y%m%dT%H%M%SZ",
    "Twitter's": "%a %b %d %H:%M:%S +0000 %Y",
    "a browser's": "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)",
    "HTTP's": "%a, %d %b %Y %H:%M:%S GMT",
    "Db2's": "%Y-%m-%d-%H.%M.%S.000000",
    "BigQuery's": "%Y-%m-%d %H:%M:%S UTC",
    "German, with a comma": "%d.%m.%Y, %H:%M:%S",
    "Japanese": "%Y年%m月%d日 %H:%M:%S",
    "Python's logs": "%Y-%m-%d %H:%M:%S,250",
    "Java's logs": "%d.%m.%Y %H:%M:%S,250",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_time_is_known_however_a_program_writes_it(work: Work, form: str) -> None:
    rows = (f'{u},{i},"{datetime.fromtimestamp(t, UTC).strftime(form)}"' for u, i, *_, t in ROWS)
    work.put("interactions", "\n".join(["user,item,ts", *rows]) + "\n")
    zone = "Asia/Tokyo" if form.endswith(("Z", "GMT", "Time)", "UTC", "+0000 %Y")) else "UTC"
    work.init(zone=zone)
    assert work.column("interactions", "TIMESTAMP") == TIMES


COUNTED = {
    ".NET's ticks": (lambda t: (t + 62_135_596_800) * 10_000_000 + 7, "as .NET counts"),
    "Windows' file times": (lambda t: (t + 11_644_473_600) * 10_000_000 + 7, "as Windows counts"),
    "a browser's history": (lambda t: (t + 11_644_473_600) * 1_000_000 + 7, "as browsers count"),
}


@pytest.mark.parametrize(("count", "told"), COUNTED.values(), ids=COUNTED)
def test_a_time_since_another_day_is_not_taken_for_one_since_1970(
    work: Work, count: Callable[[int], int], told: str
) -> None:
    """1970 is 621,355,968,000,000,000 ticks of .NET and 116,444,736,000,000,000 of Windows
    (https://learn.microsoft.com/windows/win32/sysinfo/converting-a-time-t-value-to-a-file-time)."""
    rows = (f"{u},{i},{count(t)}" for u, i, *_, t in ROWS)
    work.put("interactions", "\n".join(["user,item,ts", *rows]) + "\n")
    work.init()
    assert work.column("interactions", "TIMESTAMP") == TIMES
    assert told in (work.out / "config.md").read_text()


def test_parts_of_a_time_in_four_columns_are_joined(work: Work) -> None:
    moments = [datetime.fromtimestamp(t, UTC) for *_, t in ROWS]
    rows = (
        f"u{n % 9},i,{one.year},{one.month},{one.day},{one.hour}" for n, one in enumerate(moments)
    )
    work.put("interactions", "\n".join(["user,item,year,month,day,hour", *rows]) + "\n")
    work.init("year+month+day+hour=TIMESTAMP")
    assert work.column("interactions", "TIMESTAMP") == [
        str(int(one) // 3_600 * 3_600) for one in TIMES
    ]


@pytest.mark.parametrize("factor", [1_000, 1_000_000, 1_000_000_000])
def test_smaller_parts_of_seconds_in_another_column_are_no_codes(work: Work, factor: int) -> None:
    rows = (f"{u},{i},{t},{t * factor}" for u, i, *_, t in ROWS)
    work.put("interactions", "\n".join(["user,item,ts,modified_at", *rows]) + "\n")
    work.init()
    assert work.column("interactions", "MODIFIED_AT") == TIMES


def test_a_day_of_the_week_beside_a_date_is_not_taken_for_the_time(work: Work) -> None:
    rows = (f"{u},{i},{t},{t % 7}" for u, i, *_, t in ROWS)
    work.put("interactions", "\n".join(["user,item,date,day", *rows]) + "\n")
    work.init()
    assert work.column("interactions", "TIMESTAMP") == TIMES


def test_times_of_the_day_alone_are_told(work: Work) -> None:
    work.put("interactions", "user,item,ts\n" + "u1,i1,10:30\n" * 9)
    with pytest.raises(Unsure, match=r"Join them with the day, such as --map date\+ts=TIMESTAMP"):
        work.init()


# Values


def described(work: Work, name: str, values: list[Any]) -> Any:
    work.events()
    rows = (f'i{n},c{n % 3},"{value}"' for n, value in enumerate(values))
    work.put("items", "\n".join([f"item,kind,{name}", *rows]) + "\n")
    return work.init()


MISSING = [
    "Null", "n.a.", "N.A.", "not available", "#VALUE!", "#DIV/0!", "inf", "k.A.", "Missing", "?",
]  # fmt: skip


@pytest.mark.parametrize("word", MISSING)
def test_a_word_for_nothing_is_none_where_the_rest_are_numbers(work: Work, word: str) -> None:
    described(work, "price", [word if n % 4 == 1 else n * 1.5 for n in range(20)])
    assert work.fields("items")["PRICE"] == "float?"
    assert work.column("items", "PRICE")[:3] == ["0.0", "", "3.0"]


@pytest.mark.parametrize("word", ["lots", "see below", "unknown"])
def test_another_word_among_numbers_is_told(work: Work, word: str) -> None:
    result = described(work, "price", [word if n % 4 == 1 else n * 1.5 for n in range(20)])
    (told,) = (one for one in result.notes if "price" in one)
    assert f"--null '{word}'" in told
    assert "5 of 20 are not" in told


def test_a_number_that_stands_for_none_is_told(work: Work) -> None:
    result = described(work, "price", [-999 if n % 4 == 1 else n for n in range(20)])
    assert any("is -999 in 5 rows" in one and "--null -999" in one for one in result.notes)


@pytest.mark.parametrize("sign", ["'", "\u2019", "\u00a0", "\u202f"])
def test_signs_for_thousands_that_no_code_has_are_dropped(work: Work, sign: str) -> None:
    described(work, "price", [f"{1 + n % 9}{sign}{n:03}{sign}500,50" for n in range(20)])
    assert work.column("items", "PRICE")[:2] == ["1000500.50", "2001500.50"]


AMOUNTS = [
    "{} kg", "{}kg", "{}%", "EUR {}", "({}.5)", "{}.5-", "1,{:03}", "12,34,5{:02}.50", "1 {:03}",
]  # fmt: skip


@pytest.mark.parametrize("form", AMOUNTS)
def test_amounts_that_are_not_surely_one_number_are_told(work: Work, form: str) -> None:
    result = described(work, "price", [form.format(n + 10) for n in range(20)])
    assert work.fields("items")["PRICE"].startswith("string")
    assert any("amounts" in one and form.format(10) in one for one in result.notes)


LISTS: dict[str, tuple[str, str]] = {
    "PostgreSQL's": ('{{rock,""hip hop"",c{}}}', "rock|hip hop|c0"),
    "lists in lists": ("[['Books', 'Sci-Fi'], ['All {}']]", "Books|Sci-Fi|All 0"),
}  # fmt: skip


@pytest.mark.parametrize(("form", "expected"), LISTS.values(), ids=LISTS)
def test_a_list_is_parsed_as_a_program_writes_it(work: Work, form: str, expected: str) -> None:
    described(work, "tags", [form.format(n % 3) for n in range(20)])
    assert work.column("items", "TAGS")[0] == expected


def test_texts_among_lists_are_lists_of_one(work: Work) -> None:
    described(work, "tags", ["a b" if n % 3 else f"['a b', 'c{n}']" for n in range(20)])
    assert work.column("items", "TAGS")[:2] == ["a b|c0", "a b"]


def test_a_few_titles_in_brackets_are_no_lists(work: Work) -> None:
    described(work, "title", [f"[REC {n}]" if n % 5 == 0 else f"A film {n}" for n in range(20)])
    assert work.column("items", "TITLE")[0] == "[REC 0]"


def notes(work: Work, column: str, values: list[str]) -> str:
    """Return what is noted of items with a column of these values, which come again."""
    rows = (f'i{n},"{values[n % len(values)]}",b{n % 2}' for n in range(60))
    work.put("interactions", lines())
    work.put("items", "\n".join([f"item_id,{column},brand", *rows]) + "\n")
    return "\n".join(work.init(force=True).notes)


def test_texts_beside_lists_and_signs_that_may_separate_are_told(work: Work) -> None:
    told = notes(work, "tags", ['[""a"",""b""]', "a;b", '[""c""]'])
    assert "20 of 60 values of tags of the items stand in no brackets" in told
    told = notes(work, "tags", ["a;b;c", "d;e", "f;g"])
    assert "Most values of tags of the items have ';' in them" in told
    assert "say --list 'tags=;'" in told
    assert "have ';'" not in notes(work, "tags", ["a", "b;c", "d"])


def test_a_number_for_none_among_ratings_and_spaces_around_ids_are_told(work: Work) -> None:
    rows = (f" {u} ,{i},{-999 if v == 1 else v},{t}" for u, i, _, v, t in ROWS)
    work.put("interactions", "\n".join(["user_id,item_id,rating,timestamp", *rows]) + "\n")
    told = "\n".join(work.init().notes)
    assert "rating of the interactions is -999 in 12 rows" in told
    assert "user_id of the interactions has ids with spaces around them" in told


def test_a_column_that_numbers_the_rows_is_left_out(work: Work) -> None:
    rows = (f"{n},{u},{i},{t}" for n, (u, i, *_, t) in enumerate(ROWS))
    work.put("interactions", "\n".join(["Unnamed: 0,user_id,item_id,timestamp", *rows]) + "\n")
    (one,) = work.init().datasets
    assert one.inferred.left_out == {"Unnamed: 0": "it has no name, and numbers the rows"}


def test_values_in_the_place_of_names_are_told_before_one_that_is_there_twice(work: Work) -> None:
    work.put("interactions", "u1 - - i1 200 12\nu2 - - i2 200 14\nu3 - - i3 404 9\n")
    with pytest.raises(Unsure, match="has values, not names"):
        work.init()


def test_no_filter_is_proposed_by_objects_in_cells(work: Work) -> None:
    attributes = [f'{{""colour"": {n}}}' for n in range(3)]
    notes(work, "attributes", attributes)
    assert "by-attributes" not in (work.out / "config.json").read_text()
