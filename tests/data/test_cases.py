"""Other people's files: each of ``cases`` with what must come out of it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from mpe.data.check import Check
from mpe.data.columns import Unsure
from mpe.data.dialect import Manner
from mpe.data.engine import Engine, name, text
from mpe.data.files import Source
from mpe.data.infer import Saying
from mpe.emulator.tables import read_csv
from mpe.model.config.parse import parse
from mpe.model.errors import Finding
from mpe.model.service.avro import fields, loads
from mpe.model.service.dialect import text_records
from tests.data.test_init import Work

CASES = Path(__file__).parent / "cases"
LOG = ("interactions", "log.csv")


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def made(work: Work, case: str, *kinds: str, log: str = "log.csv", **more: Any) -> Any:
    """Return what init makes of a case, from its log and the files of some kinds."""
    work.files = {"interactions": CASES / case / log}
    work.files |= {kind: CASES / case / f"{kind}.csv" for kind in kinds}
    return work.init(**more)


def found(case: str) -> list[Finding]:
    """Return what check-data finds in a case."""
    folder = CASES / case
    config = parse((folder / "config.json").read_bytes())
    places = {
        one.kind: (one.kind, [Source(folder / f"{one.kind}.csv", f"{one.kind}.csv")])
        for one in config.datasets
    }
    with Engine() as engine:
        every = Check(config, engine, now=1_790_000_000)(places)
    return [one for one in every if one.severity != "note"]


def test_na_means_nothing_where_it_stands_among_numbers(work: Work) -> None:
    made(work, "NA-is-a-category", "items")
    assert work.fields("items")["BUDGET"] == "int?"
    assert work.column("items", "BUDGET")[:3] == ["7", "", ""]
    assert "NA" not in work.column("items", "MPAA")
    assert work.fields("items")["MPAA"] == "string?*"


def test_na_stays_a_category_where_nothing_says_otherwise_and_is_told(work: Work) -> None:
    work.events("user,item,ts")
    land = ["NA", "DE", "FR"]
    work.put("items", "id,land\n" + "".join(f"i{n},{land[n % 3]}\n" for n in range(20)))
    notes = work.init().notes
    assert "NA" in work.column("items", "LAND")
    assert any("say --null NA" in one for one in notes)
    work.init(saying=Saying(nulls=("NA",)), force=True)
    assert "NA" not in work.column("items", "LAND")


@pytest.mark.parametrize("word", ["None", "<NA>", "NaT", "-", "?"])
def test_words_for_nothing_among_numbers_are_known(work: Work, word: str) -> None:
    work.events("user,item,ts")
    work.put("items", "id,n\n" + "".join(f"i{n},{word if n % 2 else n}\n" for n in range(20)))
    work.init()
    assert work.fields("items")["N"] == "int?"


def test_rows_without_a_user_are_left_out_when_asked_and_kept_apart(work: Work) -> None:
    with pytest.raises(Unsure, match=r"user_id is empty in [0-9]+.*line 2.*--skip-bad-rows"):
        made(work, "anonymous-rows")
    (dataset,) = made(work, "anonymous-rows", saying=Saying(skip=True)).datasets
    gone = dataset.rejected["user_id is empty"]
    assert (dataset.rows, dataset.kept) == (1200, 1200 - gone)
    assert "" not in work.column("interactions", "USER_ID")
    rejects = (work.out / "rejected-interactions.csv").read_text().splitlines()
    assert len(rejects) == gone + 1
    assert rejects[0] == "why it is left out,file,row,user_id,item_id,ts"
    assert rejects[1].endswith('log.csv,1,"",i29,1700000000')


def test_a_row_that_is_left_out_is_told_by_its_file_and_its_number_there(work: Work) -> None:
    first = work.put(
        "may", "user,item,ts\n" + "".join(f"u{n},i{n},{n + 10**9}\n" for n in range(90))
    )
    second = work.put("june", "user,item,ts\nu1,i1,1000000000\nu2,,1000000001\n,i3,1000000002\n")
    both = (Source(first, "may.csv"), Source(second, "june.csv"))
    work.init(saying=Saying(skip=True), files={"interactions": both})
    rejects = (work.out / "rejected-interactions.csv").read_text().splitlines()
    assert rejects[1:] == [
        'item is empty,june.csv,2,u2,"",1000000001',
        'user is empty,june.csv,3,"",i3,1000000002',
    ]


def test_the_one_bad_time_is_shown_and_can_be_left_out(work: Work) -> None:
    with pytest.raises(
        Unsure, match=r"1 of 1,200 .* are no times.*'unknown' \(.*log.csv, line 779\)"
    ):
        made(work, "one-bad-time")
    (dataset,) = made(work, "one-bad-time", saying=Saying(skip=True)).datasets
    assert dataset.rejected == {"ts is no time": 1}
    assert len(work.column("interactions", "TIMESTAMP")) == 1199


def test_the_filter_is_by_a_column_with_few_categories(work: Work) -> None:
    made(work, "categories-beyond-1000", "items")
    names = [one.params["name"] for one in work.config().filters]
    assert any(one.endswith("by-department") for one in names)
    assert not any(one.endswith("by-author") for one in names)


def test_double_colons_and_no_header(work: Work) -> None:
    names = ("user_id", "item_id", "rating", "timestamp")
    with pytest.raises(Unsure, match="--columns user_id,item_id,rating,timestamp"):
        made(work, "double-colon", log="ratings.dat")
    (dataset,) = made(
        work, "double-colon", log="ratings.dat", manner=Manner(columns=names)
    ).datasets
    assert dataset.rows == 1200
    assert work.column("interactions", "ITEM_ID")[:2] == ["14", "18"]
    assert work.column("interactions", "EVENT_VALUE")[0] == "1"


def test_utf_8_is_never_read_as_anything_else(work: Work) -> None:
    made(work, "encoding-counts-for-all-files", "items", manner=Manner({"": "latin-1"}))
    items = set(work.column("items", "ITEM_ID"))
    assert set(work.column("interactions", "ITEM_ID")) <= items
    assert "café0" in items
    made(work, "encoding-counts-for-all-files", "items",
         manner=Manner({"items": "latin-1"}), force=True)  # fmt: skip
    assert "café0" in work.column("items", "ITEM_ID")


def test_latin_1_is_read_as_it_was_shown(work: Work) -> None:
    result = made(work, "encoding-latin-1-is-cp1252", "items", manner=Manner({"": "latin-1"}))
    assert work.column("items", "TITLE")[0] == "Harry’s “Great” Café – €5 no 0"
    assert "letters beyond ASCII" in result.datasets[1].files[0].told


def test_ids_that_are_written_as_floats_are_joined(work: Work) -> None:
    result = made(work, "float-ids", "users")
    users = set(work.column("users", "USER_ID"))
    assert set(work.column("interactions", "USER_ID")) <= users
    assert any("ids as 1.0" in one for one in result.notes)


def test_lists_are_split_whatever_one_cell_looks_like(work: Work) -> None:
    made(work, "genre-lists-not-split", "items")
    assert work.column("items", "LISTED_IN")[1] == "Comedies|Dramas"
    assert work.column("items", "COUNTRY")[:2] == ["France", "France|Spain"]


def test_json_lines_are_read(work: Work) -> None:
    made(work, "json-lines", log="events.jsonl")
    assert work.column("interactions", "USER_ID")[:2] == ["u0", "u1"]
    assert work.column("interactions", "TIMESTAMP")[0] == "1700000000"


def test_list_cells_keep_their_characters(work: Work) -> None:
    made(work, "list-cells-lose-characters", "items")
    assert work.column("items", "CAST_PY")[:2] == [
        "Pat O'Brien|José Ferrer",
        'Roscoe "Fatty" Arbuckle',
    ]
    assert work.column("items", "CAST_JSON")[:2] == ["Pat O'Brien|José Ferrer", "Smith, Jr."]
    assert work.column("items", "GENRES_JSON")[0] == "action|drama"


def test_event_type_and_event_value_count_to_ten() -> None:
    (warning,) = found("ten-counts-EVENT_TYPE-and-EVENT_VALUE")
    assert "7 event types and 3 columns of metadata, and EVENT_TYPE and EVENT_VALUE: 12" in str(
        warning
    )


def test_text_that_is_escaped_as_the_guide_asks_is_right_everywhere() -> None:
    case = CASES / "textual-backslash-escape"
    assert found(case.name) == []
    content = (case / "items.csv").read_bytes()
    config = json.loads((case / "config.json").read_text())
    schema = fields(loads(config["datasets"]["items"]["schema"]["serviceConfig"]["schema"]))
    first = next(iter(read_csv(iter([content]), schema)))
    assert first["DESCRIPTION"] == 'He said "hi", then left; path C:\\x; no 0'


def test_init_escapes_text_as_the_guide_asks_and_check_data_tells_what_is_not(work: Work) -> None:
    made(work, "textual-init-writes-doubled-quotes", "items")
    written = (work.out / "items.csv").read_text()
    assert r'"He said \"hi\", then left; path C:\\x0\\"' in written
    assert list(text_records(written))[1].cells[2] == 'He said "hi", then left; path C:\\x0\\'


def test_times_in_2055_and_2508() -> None:
    told = {(one.severity, one.lines) for one in found("times-in-2055-and-2508")}
    assert told == {("warning", (7,)), ("error", (8,))}


def test_a_url_is_never_the_textual_column(work: Work) -> None:
    made(work, "url-becomes-textual", "items")
    assert work.fields("items")["TITLE"] == "string~"
    assert work.fields("items")["IMAGE_URL"] == "string"


@pytest.mark.parametrize(
    "value",
    ["https://x.example.com/a/{}", "someone{}@example.com", "0f8fad5b-d9cb-469f-a165-7086728{}",
     "d41d8cd98f00b204e9800998ecf8427e{}", "/var/img/some/long/path/{}.jpg", "AB-12-{}-long-code",
     "images/products/large/{}.png", "+49 89 1234 {}"],
)  # fmt: skip
def test_no_code_or_address_is_the_textual_column(work: Work, value: str) -> None:
    work.events("user,item,ts")
    rows = "".join(f"i{n},A title {n},{value.format(1000 + n)}\n" for n in range(30))
    work.put("items", f"id,title,thing\n{rows}")
    work.init()
    assert work.fields("items")["TITLE"] == "string~"
    assert "~" not in work.fields("items")["THING"]


# More of the same kinds


@pytest.mark.parametrize("form", ["parquet", "gz", "zst", "xlsx", "json"])
def test_other_formats_are_read(work: Work, form: str) -> None:
    rows = [["user", "item", "ts"], *([f"u{n % 9}", f"i{n}", 1_700_000_000 + n] for n in range(60))]
    lines = "\n".join(",".join(map(str, row)) for row in rows)
    path = work.folder / f"log.{form}"
    with Engine() as engine:
        (work.folder / "log.csv").write_text(lines)
        given = f"(SELECT * FROM read_csv({text(str(work.folder / 'log.csv'))}))"
        match form:
            case "parquet":
                engine.rows(f"COPY {given} TO {text(str(path))} (FORMAT PARQUET)")
            case "zst":
                engine.rows(f"COPY {given} TO {text(str(path))} (FORMAT CSV, COMPRESSION ZSTD)")
            case "gz":
                path.write_bytes(gzip.compress(lines.encode()))
            case "json":
                path.write_text(
                    json.dumps([dict(zip(rows[0], one, strict=True)) for one in rows[1:]])
                )
            case "xlsx":
                book = openpyxl.Workbook()
                for row in rows:
                    book.worksheets[0].append(row)
                book.save(path)
    work.files["interactions"] = path
    work.init()
    assert work.column("interactions", "ITEM_ID") == [f"i{n}" for n in range(60)]
    assert work.column("interactions", "TIMESTAMP")[-1] == "1700000059"


def test_several_files_of_a_kind_are_one(work: Work) -> None:
    several = []
    for part, header in enumerate(["user,item,ts", "ts,user,item"]):
        path = work.folder / f"{part}.csv"
        cells = [{"user": f"u{n % 9}", "item": f"{part}-{n}", "ts": 1_700_000_000 + n}
                 for n in range(30)]  # fmt: skip
        rows = [",".join(str(one[key]) for key in header.split(",")) for one in cells]
        path.write_text("\n".join([header, *rows]) + "\n")
        several.append(Source(path, path.name))
    result = work.init(files={"interactions": several})
    assert result.datasets[0].rows == 60
    assert sorted(work.column("interactions", "ITEM_ID"))[::59] == ["0-0", "1-9"]


def test_times_in_several_columns_are_joined(work: Work) -> None:
    rows = "".join(f"u{n % 9},i{n},2024-01-{n % 28 + 1:02},10:{n:02}:00\n" for n in range(60))
    work.put("interactions", f"user,item,day,clock\n{rows}")
    with pytest.raises(Unsure, match=r"--map date\+time=TIMESTAMP"):
        work.init()
    work.init("day+clock=TIMESTAMP")
    assert work.column("interactions", "TIMESTAMP")[0] == "1704103200"
    assert list(work.fields("interactions")) == ["USER_ID", "ITEM_ID", "TIMESTAMP"]


def test_without_times_the_order_of_the_rows_is_taken_and_said(work: Work) -> None:
    work.put("interactions", "user,item\n" + "".join(f"u{n % 9},i{n}\n" for n in range(60)))
    result = work.init(no_times=True)
    assert any("have no times" in one for one in result.notes)
    times = [int(one) for one in work.column("interactions", "TIMESTAMP")]
    assert times == list(range(times[0], times[0] + 60))


def test_a_column_is_what_the_user_says(work: Work) -> None:
    work.events("user,item,ts")
    rows = "".join(f"i{n},x{n}~y{n},{n}\n" for n in range(30))
    work.put("items", f"id,tags,number\n{rows}")
    work.init(saying=Saying(lists={"tags": "~"}, texts=frozenset({"number"})))
    assert work.column("items", "TAGS")[3] == "x3|y3"
    assert work.fields("items")["NUMBER"] == "string~"


@pytest.mark.parametrize("column", ["EAN", "isbn_13", "gtin_code", "plz"])
def test_codes_are_no_numbers(work: Work, column: str) -> None:
    work.events("user,item,ts")
    rows = "".join(f"i{n},{4000000000000 + n % 5}\n" for n in range(30))
    work.put("items", f"id,{column}\n{rows}")
    work.init()
    assert work.fields("items")[column.upper()] == "string*"


def test_dates_with_names_of_months_are_times_and_never_lists(work: Work) -> None:
    work.events("user,item,ts")
    rows = "".join(f'i{n},"September {n % 28 + 1}, 2019"\n' for n in range(60))
    work.put("items", f"id,added\n{rows}")
    work.init()
    assert work.fields("items")["ADDED"] == "long"
    assert work.column("items", "ADDED")[0] == "1567296000"


def test_impressions_are_joined_by_bars(work: Work) -> None:
    rows = "".join(f'u{n % 9},i{n},{1_700_000_000 + n},"i1, i2 i3"\n' for n in range(30))
    work.put("interactions", f"user,item,ts,impression\n{rows}")
    work.init()
    assert work.column("interactions", "IMPRESSION")[0] == "i1|i2|i3"


def test_personal_data_is_told(work: Work) -> None:
    work.events("user,item,ts")
    rows = "".join(f"u{n},Ann Other,a{n % 5}@example.com,{n % 3}\n" for n in range(30))
    work.put("users", f"user_id,name,contact,tier\n{rows}")
    notes = work.init().notes
    personal = [one for one in notes if "personal data" in one]
    assert [one.partition(" of the users looks")[0] for one in personal] == ["name", "contact"]
    assert "--map name=- leaves it out" in personal[0]


def test_no_other_column_is_told_as_personal_data(work: Work) -> None:
    work.events("user,item,ts")
    rows = "".join(f"u{n},brand{n % 4},{n % 3},x@{n % 2}\n" for n in range(30))
    work.put("users", f"user_id,favourite,tier,handle\n{rows}")
    assert not any("personal data" in one for one in work.init().notes)


def test_a_bad_value_among_events_is_left_out_when_asked_and_shown_else(work: Work) -> None:
    rows = [f"u{n % 9},i{n % 20},{n % 5},{1_700_000_000 + n}" for n in range(60)]
    rows[40] = "u1,i1,lots,1700000040"
    work.put("interactions", "user,item,rating,ts\n" + "\n".join(rows) + "\n")
    notes = work.init().notes
    assert any("1 of 60 are not: 'lots' (" in one and "line 42)" in one for one in notes)
    assert "EVENT_VALUE" not in work.fields("interactions")
    (dataset,) = work.init(saying=Saying(skip=True), force=True).datasets
    assert dataset.rejected == {"rating is no number": 1}
    assert work.fields("interactions")["EVENT_VALUE"] == "float"
    assert len(work.column("interactions", "EVENT_VALUE")) == 59
    work.init(saying=Saying(nulls=("lots",)), force=True)
    assert work.column("interactions", "EVENT_VALUE")[40] == ""


def test_lines_count_the_header_and_text_that_goes_over_lines(work: Work) -> None:
    rows = [f'u{n % 9},i{n % 20},"two\nlines, {n}",{1_700_000_000 + n}' for n in range(20)]
    rows[7] = "u1,i1,x,never"
    work.put("interactions", "user,item,note,ts\n" + "\n".join(rows) + "\n")
    with pytest.raises(Unsure, match=r"'never' \(.*my interactions.csv, line 16\)"):
        work.init()


def test_lines_of_json_lines_and_rows_of_excel_are_those_of_the_users_file(work: Work) -> None:
    rows = [{"user": f"u{n % 9}", "item": f"i{n}", "ts": str(1_700_000_000 + n)} for n in range(60)]
    rows[7]["ts"] = "never"
    path = work.folder / "log.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    work.files["interactions"] = path
    with pytest.raises(Unsure, match=r"'never' \(.*, line 8\)"):
        work.init()
    book = openpyxl.Workbook()
    for row in [["user", "item", "ts"], *(list(one.values()) for one in rows)]:
        book.worksheets[0].append(row)
    work.files["interactions"] = work.folder / "log.xlsx"
    book.save(work.files["interactions"])
    with pytest.raises(Unsure, match=r"'never' \(.*, row 9\)"):
        work.init()


def test_backslashes_of_other_programs_are_known(work: Work) -> None:
    work.events("user,item,ts")
    rows = "".join(f'i{n},g{n % 3},"He said \\"hi\\", then {n}"\n' for n in range(30))
    work.put("items", f"id,genre,text\n{rows}")
    work.init()
    assert work.column("items", "TEXT")[0] == 'He said "hi", then 0'
    assert name("x") == '"x"'


# Exports of other programs


def noted(work: Work, told: str) -> bool:
    return any(told in one for one in work.init(force=True).notes)


def test_times_with_a_zone_behind_a_space_are_read(work: Work) -> None:
    rows = "".join(f"u{n % 9},i{n},2024-01-02 10:00:{n:02} +0100\n" for n in range(60))
    work.put("interactions", f"user,item,ts\n{rows}")
    work.init()
    assert work.column("interactions", "TIMESTAMP")[:2] == ["1704186000", "1704186001"]


def test_times_with_an_exponent_are_read_where_no_second_is_lost(work: Work) -> None:
    rows = "".join(f"u{n % 9},i{n},1.7000000{n:02}e+09\n" for n in range(60))
    work.put("interactions", f"user,item,ts\n{rows}")
    work.init()
    assert work.column("interactions", "TIMESTAMP")[59] == "1700000059"
    work.put("interactions", "user,item,ts\n" + "u,i,1.70E+09\n" * 60)
    with pytest.raises(Unsure, match="no form that is known"):
        work.init(force=True)


@pytest.mark.parametrize(
    ("written", "becomes"), [("1.234,50", "1234.50"), ("1,234.50", "1234.50"), ("99", "99")]
)
def test_thousands_are_numbers_where_both_signs_are_there(
    work: Work, written: str, becomes: str
) -> None:
    work.events("user,item,ts")
    other = "2.000,10" if written == "99" else written
    rows = "".join(f'i{n};"{written if n % 2 else other}"\n' for n in range(20))
    work.put("items", f"id;price\n{rows}")
    work.init()
    assert work.fields("items")["PRICE"] == "float"
    assert work.column("items", "PRICE")[1] == becomes


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_known(work: Work, encoding: str) -> None:
    rows = "".join(f"u{n % 9},i{n % 20},{1_700_000_000 + n}\n" for n in range(60))
    work.put("interactions", f"user,item,ts\n{rows}".encode(encoding))
    work.init()
    assert work.column("interactions", "USER_ID")[:2] == ["u0", "u1"]


def test_json_with_quotation_marks_in_a_csv_of_pandas_is_parsed(work: Work) -> None:
    work.events("user,item,ts")
    cell = json.dumps([{"name": 'The "X"'}, {"name": "O'Hara, Y"}]).replace('"', '""')
    work.put("items", "id,cast\n" + "".join(f'i{n},"{cell}"\n' for n in range(20)))
    work.init()
    assert work.column("items", "CAST")[0] == 'The "X"|O\'Hara, Y'


def test_items_of_an_impression_keep_their_spaces(work: Work) -> None:
    rows = "".join(f"u{n % 9},red shoe {n % 3},{1_700_000_000 + n},red shoe 1|red shoe 2\n"
                   for n in range(60))  # fmt: skip
    work.put("interactions", f"user,item,ts,impression\n{rows}")
    work.init()
    assert work.column("interactions", "IMPRESSION")[0] == "red shoe 1|red shoe 2"


@pytest.mark.parametrize("above", ["sep=;\n", "# an export\n#\n", "# made\nsep=;\n"])
def test_what_stands_above_a_header_is_left_out_and_lines_are_those_of_the_file(
    work: Work, above: str
) -> None:
    rows = [f"u{n % 9};i{n % 20};{1_700_000_000 + n}" for n in range(60)]
    work.put("interactions", above + "\n".join(["user;item;ts", *rows]) + "\n")
    work.init()
    assert work.column("interactions", "USER_ID")[0] == "u0"
    rows[4] = "u;i;never"
    work.put("interactions", above + "\n".join(["user;item;ts", *rows]) + "\n")
    with pytest.raises(Unsure, match=rf"line {above.count(chr(10)) + 6}\)"):
        work.init(force=True)


def test_ids_that_are_not_what_they_seem_are_told(work: Work) -> None:
    ids = {
        "4.00638E+12": "a spreadsheet",
        "u1\u00a0": "cannot be seen",
        "u\u200b1": "cannot be seen",
    }
    for one, told in ids.items():
        rows = "".join(f"{one},i{n % 20},{1_700_000_000 + n}\n" for n in range(60))
        work.put("interactions", f"user,item,ts\n{rows}")
        assert noted(work, told), one
    work.events("user,item,ts")
    work.put("items", "id,c\n" + "".join(f"I{n},{n % 3}\n" for n in range(20)))
    assert noted(work, "20 of 20 different ITEM_IDs of the interactions are not among the items")


def test_codes_are_no_numbers_whatever_they_look_like(work: Work) -> None:
    work.events("user,item,ts")
    work.put("items", "id,code,x\n" + "".join(f"i{n},1e{n},{n % 3}\n" for n in range(20)))
    work.init()
    assert work.fields("items")["CODE"].startswith("string")


def test_a_url_with_spaces_is_no_language(work: Work) -> None:
    work.events("user,item,ts")
    work.put(
        "items", "id,link\n" + "".join(f"i{n},https://x.org/{n}?q=a red hat\n" for n in range(40))
    )
    work.init()
    assert work.fields("items")["LINK"] == "string*"  # a category, since there must be one
    assert work.column("items", "LINK")[1] == "https://x.org/1?q=a red hat"


@pytest.mark.parametrize("form", ["${}.99", "{},50 €", "EUR {}", "{}%", "{}:30", "01:{:02d}:30"])
def test_amounts_with_a_unit_are_kept_as_text_and_told(work: Work, form: str) -> None:
    work.events("user,item,ts")
    lines = "".join(f"i{n};{form.format(n % 7)}\n" for n in range(40))
    work.put("items", f"id;price\n{lines}")
    notes = work.init().notes
    assert work.column("items", "PRICE")[:2] == [form.format(0), form.format(1)]
    assert any("price of the items has amounts with a unit or a sign" in one for one in notes)


def test_a_time_of_the_day_beside_its_date_is_told_and_can_be_joined(work: Work) -> None:
    days = "".join(
        f"u{n % 9},i{n % 20},2024-01-{n % 20 + 1:02d},{n % 12 + 1}:05 PM\n" for n in range(60)
    )
    work.put("interactions", f"user,item,date,time\n{days}")
    notes = work.init("date=TIMESTAMP").notes
    assert any("--map date+time=TIMESTAMP" in one for one in notes)
    joined = work.init("date+time=TIMESTAMP", force=True)
    assert not any("days alone" in one for one in joined.notes)
    assert work.column("interactions", "TIMESTAMP")[0] == "1704114300"
