"""From strange CSVs to a valid config and CSVs that the service takes."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from mpe.data.columns import ALIASES, DOMAIN_ALIASES, Unsure, mapping, own_name
from mpe.data.dialect import Manner
from mpe.data.engine import Engine
from mpe.data.infer import Saying
from mpe.data.init import Request, Result, initialise
from mpe.model.config.parse import parse
from mpe.model.config.sections import Config
from mpe.model.service.avro import fields, loads, problems
from mpe.model.service.csvs import Head, check_head
from mpe.model.service.dialect import text_records
from tests.conftest import examples

START = 1_700_000_000


class Answers:
    """Answers each question with the option that has a text in it; None without one."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked: list[str] = []

    def choose(self, question: str, options: Sequence[str]) -> str | None:
        self.asked.append(question)
        if not self.texts:
            return None
        wanted = self.texts.pop(0)
        return next(one for one in options if wanted in one)


class Work:
    """A folder with a user's files, and what init makes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.files: dict[str, Path] = {}
        self.asker = Answers()

    def put(self, kind: str, text: str | bytes) -> Path:
        path = self.folder / f"my {kind}.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        self.files[kind] = path
        return path

    def events(self, header: str = "user,item,ts", end: str = "", count: int = 60) -> None:
        rows = [f"u{n % 9},i{n % 20},{START + n}{end}" for n in range(count)]
        self.put("interactions", "\n".join([header, *rows]) + "\n")

    def init(self, *maps: str, **more: Any) -> Result:
        manner, saying = more.pop("manner", None), more.pop("saying", None)
        encoding, delimiter = more.pop("encoding", None), more.pop("delimiter", None)
        encodings = {"": encoding} if encoding else {}
        more["manner"] = manner or Manner(encodings, delimiter)
        more["saying"] = saying or Saying()
        request = Request(
            **{
                "files": self.files,
                "out": self.out,
                "mappings": [mapping(one) for one in maps],
                **more,
            }
        )
        with Engine(memory="500MB") as engine:
            return initialise(request, engine, self.asker)

    def config(self) -> Config:
        return parse((self.out / "config.json").read_text())

    def fields(self, kind: str) -> dict[str, Any]:
        """Return the schema's fields, in short: ``string?`` may be empty, ``*`` is a category."""
        (dataset,) = (one for one in self.config().datasets if one.kind == kind)
        return {
            one.name: one.type
            + ("?" if one.nullable else "")
            + ("*" if one.categorical else "")
            + ("~" if one.textual else "")
            for one in fields(loads(dataset.schema.params["schema"]))
        }

    def column(self, kind: str, name: str) -> list[str]:
        text = (self.out / f"{kind}.csv").read_bytes().decode()
        header, *rows = [one.cells for one in text_records(text)]
        return [row[header.index(name)] for row in rows]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


# Columns


@pytest.mark.parametrize(
    "header",
    [
        "USER_ID,ITEM_ID,TIMESTAMP",
        "userId,movieId,timestamp",
        "user,item,ts",
        "customer_id,product_id,when",
        "visitorid,itemid,event_time",
        "Customer ID,SKU,Order Date",
        "\ufeffuser,item,ts",
    ],
)
def test_the_columns_are_known_by_many_names(work: Work, header: str) -> None:
    work.events(header)
    work.init()
    assert work.fields("interactions") == {
        "USER_ID": "string", "ITEM_ID": "string", "TIMESTAMP": "long"
    }  # fmt: skip
    assert work.column("interactions", "TIMESTAMP")[:2] == [str(START), str(START + 1)]


def test_no_name_means_two_things() -> None:
    for kind, aliases in ALIASES.items():
        for domain in ("", "ECOMMERCE", "VIDEO_ON_DEMAND"):
            several = {**aliases, **DOMAIN_ALIASES.get((domain, kind), {})}
            words = [word for one in several.values() for word in one.split()]
            assert len(words) == len(set(words)), kind


def test_other_columns_are_mapped(work: Work) -> None:
    work.events("wer,was,wann")
    work.init("wer=USER_ID", "interactions.was=ITEM_ID", "wann=timestamp")
    assert list(work.fields("interactions")) == ["USER_ID", "ITEM_ID", "TIMESTAMP"]


def test_what_is_mapped_to_nothing_is_left_out(work: Work) -> None:
    work.events("user,item,ts,note", ",a")
    result = work.init("note=-")
    assert "NOTE" not in work.fields("interactions")
    assert result.datasets[0].inferred.left_out == {"note": "you said so"}


@pytest.mark.parametrize(
    ("header", "maps", "told"),
    [
        ("wer,item,ts", (), "Which column of the interactions is USER_ID? It could be: wer, item"),
        ("user,customer,ts", (), "It could be: user, customer. Say so with --map COLUMN=USER_ID"),
        ("user,item,ts", ("usr=USER_ID",), "--map usr=USER_ID: there is no such column"),
        ("user,item,ts", ("user",), "write it as --map column=TARGET"),
        ("who,item,ts", ("who=USER_IDD",), "--map who=USER_IDD: is USER_ID meant?"),
        ("user,item,when2", ("when2=TIMESTMP",), "--map when2=TIMESTMP: is TIMESTAMP meant?"),
        ("user,item,ts", ("user=A B",), "use letters, digits and _"),
        ("user,item,ts", ("user=X", "item=X"), "both user and item are mapped to X"),
        ("user,user,ts", (), "has the column 'user' twice"),
    ],
)
def test_what_is_not_sure_is_refused_with_what_to_pass(
    work: Work, header: str, maps: tuple[str, ...], told: str
) -> None:
    work.events(header)
    with pytest.raises(Unsure) as refused:
        work.init(*maps)
    assert told in str(refused.value)
    assert not work.out.exists()


def test_where_there_is_somebody_they_are_asked(work: Work) -> None:
    work.events("wer,item,ts")
    work.asker = Answers("wer")
    work.init()
    assert work.asker.asked == ["Which column of the interactions is USER_ID?"]
    assert work.column("interactions", "USER_ID")[0] == "u0"


@given(st.lists(st.text(max_size=200), max_size=30))
def test_own_names_are_the_services_whatever_the_columns_are_called(columns: list[str]) -> None:
    taken: list[str] = []
    for column in columns:
        taken.append(own_name(column, taken))
    schema = {"fields": [{"name": one, "type": "string"} for one in taken]}
    document = {"type": "record", "name": "Users", **schema}
    assert not [one for one in problems(document, "users") if ".name" in one.path]


# Times


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1706695200", 1706695200),
        ("1706695200.75", 1706695200),
        ("1706695200123", 1706695200),
        ("1706695200123456", 1706695200),
        ("1706695200123456789", 1706695200),
        ("2024-01-31", 1706659200),
        ("2024-01-31 10:00:00", 1706695200),
        ("2024-01-31T10:00:00Z", 1706695200),
        ("2024-01-31T12:00:00.999+02:00", 1706695200),
        ("2024-01-31 10:00:00 UTC", 1706695200),
        ("31.01.2024 10:00", 1706695200),
        ("31/01/2024 10:00:00", 1706695200),
        ("01/31/2024 10:00 AM", 1706695200),
        ("20240131", 1706659200),
        ("20240131100000", 1706695200),
        ("1969-12-31 23:59:58.5", -2),
    ],
)
def test_times_become_whole_seconds(work: Work, written: str, seconds: int) -> None:
    work.put("interactions", f"user,item,ts\nu,i,{written}\nu,j,{written}\n")
    work.init()
    assert work.column("interactions", "TIMESTAMP") == [str(seconds)] * 2


def test_times_without_a_zone_are_in_the_users(work: Work) -> None:
    work.put("interactions", "user,item,ts\nu,i,2024-07-01 12:00:00\nu,i,2024-07-01T12:00:00Z\n")
    work.init(zone="Europe/Berlin")
    assert work.column("interactions", "TIMESTAMP") == ["1719828000", "1719835200"]
    assert work.config().group.workflow["timeZone"] == "Europe/Berlin"


def test_a_day_and_a_month_are_not_guessed(work: Work) -> None:
    work.put("interactions", "user,item,ts\nu,i,01/02/2024\nu,i,03/04/2024\n")
    with pytest.raises(Unsure, match="--time-format"):
        work.init()
    work.init(time_format="%d/%m/%Y")
    assert work.column("interactions", "TIMESTAMP") == ["1706745600", "1712102400"]
    work.asker = Answers("%m/%d/%Y")
    work.init(force=True)
    assert work.column("interactions", "TIMESTAMP")[0] == "1704153600"


SLASHED = ("13/01/2024", "14/02/2024", "13/02/2024", "14/01/2024")
UNSURE = ("01/02/2024", "02/01/2024", "01/01/2024", "02/02/2024")


def dated(work: Work, dates: Sequence[str], column: str) -> None:
    """Put a file of users or items with recurring dates."""
    work.events()
    kind = "items" if column == "created" else "users"
    rows = [f'{kind[0]}{n},"{dates[n % len(dates)]}",{n % 5}' for n in range(20)]
    work.put(kind, "\n".join([f"id,{column},number", *rows]))


@pytest.mark.parametrize(
    "dates",
    [
        SLASHED,
        ["13.01.2024 10:00"],
        ["13/Jan/2024:10:00:00 +0000"],
        ["Sat, 13 Jan 2024 10:00:00 +0000"],
    ],
)
def test_dates_of_any_column_become_seconds(work: Work, dates: Sequence[str]) -> None:
    dated(work, dates, "signup")
    work.init()
    assert work.fields("users")["SIGNUP"] == "long"
    assert int(work.column("users", "SIGNUP")[0]) // 86_400 == 1705104000 // 86_400


@pytest.mark.parametrize(("column", "target"), [("signup", "SIGNUP"), ("created", "CREATED")])
def test_a_day_and_a_month_of_any_column_are_noted_and_not_split(
    work: Work, column: str, target: str
) -> None:
    dated(work, UNSURE, column)
    result = work.init()
    kind = result.datasets[1].kind
    assert work.column(kind, target)[:4] == list(UNSURE)
    (note,) = result.notes
    assert f"in {column} %d/%m/%Y or %m/%d/%Y? Say so with --time-format" in note


@pytest.mark.parametrize("column", ["signup", "created"])
def test_a_format_counts_for_every_column_that_it_fits(work: Work, column: str) -> None:
    target = {"signup": "SIGNUP", "created": "CREATION_TIMESTAMP"}[column]
    dated(work, UNSURE, column)
    result = work.init(time_format="%m/%d/%Y")
    assert work.column(result.datasets[1].kind, target)[:2] == ["1704153600", "1706745600"]
    assert work.column("interactions", "TIMESTAMP")[0] == str(START)
    (note,) = result.notes
    assert "fits no time in ts, which has seconds since 1970" in note


def test_a_format_counts_for_dates_that_no_other_form_knows(work: Work) -> None:
    dated(work, ["January 13, 2024"], "signup")
    work.init(time_format="%B %d, %Y")
    assert work.column("users", "SIGNUP")[0] == "1705104000"


def test_a_format_that_only_some_times_have_is_refused(work: Work) -> None:
    work.put("interactions", "user,item,ts\nu,i,01/13/2024\nu,i,03/04/2024\n")
    with pytest.raises(
        Unsure,
        match=r"1 of 2 values .* the format %d/%m/%Y, in UTC: '01/13/2024'",
    ):
        work.init(time_format="%d/%m/%Y")


def test_years_of_two_digits_are_not_taken_for_those_of_antiquity(work: Work) -> None:
    work.put("interactions", "user,item,ts\nu,i,13/01/24\nu,i,14/01/24\n")
    with pytest.raises(Unsure, match=r"'13/01/24' \(.*, line 2\), '14/01/24' \(.*, line 3\)\. Say"):
        work.init()
    work.init(time_format="%d/%m/%y")
    assert work.column("interactions", "TIMESTAMP") == ["1705104000", "1705190400"]


@pytest.mark.parametrize("form", ["%Q", "%", ""])
def test_a_format_that_is_none_is_told(work: Work, form: str) -> None:
    work.events()
    with pytest.raises(Unsure) as refused:
        work.init(time_format=form)
    assert str(refused.value).startswith(f"--time-format {form}: ")
    assert "Write it as strptime does" in str(refused.value)


def test_a_zone_that_the_engine_does_not_know_is_told(work: Work) -> None:
    work.events()
    with pytest.raises(Unsure, match=r"^--time-zone localtime: "):
        work.init(zone="localtime")


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (("1706695200", "1706695200123"), "1 of 2 values of ts are no times as milliseconds"),
        (("12", "13"), "are in no form that is known here"),
        (("2024-01-31", "yesterday"), "'yesterday'"),
        (("2024-01-31", "2024-02-31"), "'2024-02-31'"),
    ],
)
def test_times_that_are_not_all_of_one_form_are_refused(
    work: Work, times: tuple[str, str], told: str
) -> None:
    work.put("interactions", f"user,item,ts\nu,i,{times[0]}\nu,i,{times[1]}\n")
    with pytest.raises(Unsure) as refused:
        work.init()
    assert told in str(refused.value)


# Types


@pytest.mark.parametrize(
    ("values", "type", "converted"),
    [
        (["1", "22", "-3", "4"], "int", None),
        (["1", "", "3", "NULL"], "int?", ["1", "", "3", ""]),
        (["1", "3000000000", "3", "4"], "long", None),
        (["1.5", "2", ".5", "1e3"], "float", None),
        (["1,5", "2,25", "7", "1000,1"], "float", ["1.5", "2.25", "7", "1000.1"]),
        (["1,500", "2,250", "7", "1,000"], "string", None),
        (["True", "false", "TRUE", "False"], "string*", ["true", "false", "true", "false"]),
        (["01234", "04567", "01234", "01234"], "string*", None),
        (["red", "blue", "red", "red"], "string*", None),
        (["a|b", "b|a", "a", "b|a"], "string*", None),
        (["a;b", "b;a", "a", "b; a"], "string*", ["a|b", "b|a", "a", "b|a"]),
        (["a, b", "b, c", "c, a", "a, c"], "string*", ["a|b", "b|c", "c|a", "a|c"]),
        (["['a', 'b']", "['a']", "[]", "['c']"], "string?*", ["a|b", "a", "", "c"]),
        (["one long text", "two long text", "three, long text", "4, a text"], "string~", None),
        (["2024-01-31", "2024-02-01", "2024-02-02", "1950-01-01"], "long",
         ["1706659200", "1706745600", "1706832000", "-631152000"]),
        (["a\nb c d e", "b c d e f", "c d e f g", "d e f g h"], "string~",
         ["a b c d e", "b c d e f", "c d e f g", "d e f g h"]),
    ],
)  # fmt: skip
def test_each_column_gets_its_type(
    work: Work, values: list[str], type: str, converted: list[str] | None
) -> None:
    work.events()
    rows = [f'i{n},"{value}",{n}' for n, value in enumerate(values)]
    work.put("items", "\n".join(["id,thing,number", *rows]))
    work.init()
    assert work.fields("items")["THING"] == type
    assert work.column("items", "THING") == (converted or values)


def test_columns_of_no_use_are_left_out_with_the_reason(work: Work) -> None:
    work.events("user,item,ts,session,empty,price", ",s{n},,1")
    text = work.files["interactions"].read_text()
    for n in range(60):
        text = text.replace("s{n}", f"s{n}", 1)
    work.put("interactions", text)
    result = work.init()
    assert set(work.fields("interactions")) == {"USER_ID", "ITEM_ID", "TIMESTAMP", "PRICE"}
    assert set(result.datasets[0].inferred.left_out) == {"session", "empty"}
    assert "| session | left out |" in (work.out / "config.md").read_text()


def test_names_that_differ_in_their_case_only_are_two_columns(work: Work) -> None:
    work.events()
    work.put("items", "id,Size,SIZE\ni1,1,2\ni2,3,4\n")
    work.init()
    assert work.column("items", "SIZE") == ["1", "3"]
    assert work.column("items", "SIZE_X2") == ["2", "4"]


def test_too_many_columns_are_cut_to_what_the_service_takes(work: Work) -> None:
    work.events("user,item,ts," + ",".join(f"n{n}" for n in range(8)), ",1" * 8)
    work.init()
    assert len(work.fields("interactions")) == 3 + 5


@pytest.mark.parametrize(
    ("events", "kept", "refused"),
    [(7, ["A", "B"], False), (8, ["A"], False), (10, [], False), (11, [], True)],
)
def test_event_types_and_columns_are_counted_together(
    work: Work, events: int, kept: list[str], refused: bool
) -> None:
    rows = [f"u{n % 9},i{n},{START + n},e{n % events},{n % 2},{n % 3},{n % 4}" for n in range(60)]
    rows.append(f",i,{START},another,1,1,1")  # which is left out for want of a user
    work.put("interactions", "\n".join(["user,item,ts,event,a,b,c", *rows]))
    notes = work.init().notes
    assert list(work.fields("interactions"))[4:] == kept
    gone = [one.lower() for one in ("A", "B", "C") if one not in kept]
    assert [f"left out: {', '.join(gone)})" in note for note in notes] == [True] * bool(gone)
    assert ["mpe check-data refuses" in note for note in notes] == [refused] * bool(gone)


def test_event_types_that_are_too_many_alone_are_noted(work: Work) -> None:
    rows = [f"u{n % 9},i{n},{START + n},e{n % 11}" for n in range(60)]
    work.put("interactions", "\n".join(["user,item,ts,event", *rows]))
    (note,) = work.init().notes
    assert "there are 11 event types, and the service takes 10" in note


@pytest.mark.parametrize("values", [["2024-01-31T10:00:00Z"], ["e0", "e1"]])
def test_items_have_no_event_types_whatever_their_columns_are_called(
    work: Work, values: list[str]
) -> None:
    work.events()
    rows = [f"i{n},{values[n % len(values)]}" + f",{n % 7}" * 10 for n in range(20)]
    columns = ["item", "EVENT_TYPE", *(f"n{n}" for n in range(10))]
    work.put("items", "\n".join([",".join(columns), *rows]))
    assert work.init().notes == []
    assert len(work.fields("items")) == len(columns)


def test_what_is_said_of_a_file_that_is_not_taken_is_no_missing_column(work: Work) -> None:
    work.events()
    work.put("users", "user,key\nu1,a\nu2,b\n")
    result = work.init("users.key=-")
    assert [one.kind for one in result.datasets] == ["interactions"]
    with pytest.raises(Unsure, match=r"There are interactions: user, item, ts; users: user, key\."):
        work.init("users.kye=-", force=True)


def test_a_file_with_ids_only_is_not_taken(work: Work) -> None:
    work.events()
    work.put("users", "user,\nu1,\nu2,\n")
    result = work.init()
    assert not work.config().has("users")
    assert any("is not taken" in note for note in result.notes)
    assert not (work.out / "users.csv").exists()


def test_a_reserved_column_with_longer_values_than_the_service_takes_is_left_out(
    work: Work,
) -> None:
    work.events("user,item,ts,impression", f",{'x' * 1001}")
    result = work.init()
    assert "more than 1,000 characters" in result.datasets[0].inferred.left_out["impression"]
    assert "IMPRESSION" not in work.fields("interactions")


def test_some_rows_without_an_id_are_left_out_and_many_are_refused(work: Work) -> None:
    rows = [f"u{n},i,{START}" for n in range(100)]
    rows[7] = f",i,{START}"
    work.put("interactions", "\n".join(["user,item,ts", *rows]))
    result = work.init()
    assert (result.datasets[0].rows, result.datasets[0].kept) == (100, 99)
    assert len(work.column("interactions", "USER_ID")) == 99
    work.put("interactions", "\n".join(["user,item,ts", *rows, *[rows[7]] * 9]))
    with pytest.raises(Unsure, match="10 of 109 rows"):
        work.init(force=True)


# Files


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter_will_do(work: Work, delimiter: str) -> None:
    rows = ["user,item,ts", *(f'"u{n}","a, ""b"" c",{START}' for n in range(5))]
    body = "\n".join(row.replace('","', f'"{delimiter}"') for row in rows)
    body = body.replace('c",1', f'c"{delimiter}1').replace(
        rows[0], delimiter.join(rows[0].split(","))
    )
    work.put("interactions", body)
    work.init()
    assert work.column("interactions", "ITEM_ID") == ['a, "b" c'] * 5


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(work: Work, end: str) -> None:
    work.events()
    text = work.files["interactions"].read_text()
    work.put("interactions", text.replace("\n", end))
    work.init()
    assert len(work.column("interactions", "USER_ID")) == 60


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_known_by_its_marks(work: Work, encoding: str) -> None:
    body = f"user,item,ts\nZoë,Käse,{START}\nZoë,Brot,{START}\n"
    work.put("interactions", body.encode(encoding))
    work.init()
    assert work.column("interactions", "USER_ID") == ["Zoë", "Zoë"]


def test_latin_1_is_converted_once_somebody_says_so(work: Work) -> None:
    work.put("interactions", f"user,item,ts\nZoë,Käse,{START}\n".encode("latin-1"))
    with pytest.raises(Unsure, match=r"line 2.*Zoë,Käse.*--encoding latin-1"):
        work.init()
    work.init(encoding="latin-1")
    assert work.column("interactions", "ITEM_ID") == ["Käse"]
    work.asker = Answers("yes")
    work.init(force=True)
    assert work.column("interactions", "ITEM_ID") == ["Käse"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "UTF-8"])
def test_what_is_not_the_encoding_that_was_said_is_refused(work: Work, encoding: str) -> None:
    work.put("interactions", f"user,item,ts\nZoë,Käse,{START}\n".encode("latin-1"))
    with pytest.raises(Unsure, match=f"is not {encoding}.*Pass another --encoding"):
        work.init(encoding=encoding)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"\x1f\x8b\x08\x00", "cannot be unpacked"),
        (b"PK\x03\x04", "begins as a zip or Excel file and is none"),
        (b"user\nu1\n", "only one column"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n\n", "is empty"),
        (b"1,2,1700000000\n1,3,1700000000\n", "has values, not names"),
        (b"user,item,ts\n", "has no rows"),
        (b"user,item,ts\nu,i\nu,i,1700000000\n", "have not the 3 cells"),
        (b"a,b;c\n1,2;3\n", "may be separated by commas or semicolons"),
    ],
)
def test_files_that_cannot_be_used_are_refused(work: Work, body: bytes, told: str) -> None:
    work.put("interactions", body)
    with pytest.raises(Unsure) as refused:
        work.init()
    assert told in str(refused.value)


def test_what_a_file_has_commands_no_terminal_from_the_reasons(work: Work) -> None:
    work.events("user,item,ts,\x1b[31mred\x9b", ",1")
    work.init()
    text = (work.out / "config.md").read_text()
    assert "\\x1b[31mred\\x9b" in text
    assert all(line.isprintable() for line in text.split("\n"))


def hashes(work: Work) -> dict[str, str]:
    return {
        kind: hashlib.sha256(path.read_bytes()).hexdigest() for kind, path in work.files.items()
    }


def test_the_users_files_stay_as_they_are(work: Work) -> None:
    work.events()
    work.put("items", "id,price\ni1,2\ni2,3\n")
    before = hashes(work)
    work.init(out=work.folder)
    assert hashes(work) == before
    assert (work.folder / "interactions.csv").exists()


@pytest.mark.parametrize("force", [False, True])
def test_the_users_files_are_not_overwritten_even_by_force(work: Work, force: bool) -> None:
    work.events()
    original = work.files["interactions"].rename(work.folder / "interactions.csv")
    work.files["interactions"] = original
    before = hashes(work)
    with pytest.raises(Unsure, match=r"would be overwritten. Pass another folder with --out"):
        work.init(out=work.folder, force=force)
    assert hashes(work) == before
    assert not (work.folder / "config.json").exists()


def test_a_link_to_a_users_file_is_not_overwritten_either(work: Work) -> None:
    work.events()
    work.out.mkdir()
    (work.out / "interactions.csv").hardlink_to(work.files["interactions"])
    with pytest.raises(Unsure, match="your own files"):
        work.init(force=True)


def test_what_an_earlier_init_wrote_is_overwritten_by_force_only(work: Work) -> None:
    work.events()
    work.init()
    with pytest.raises(Unsure, match="--force"):
        work.init()
    work.init(force=True)


# The config


def recipes(work: Work) -> list[str]:
    return [one.recipe.name for one in work.config().solutions if one.recipe]


def test_a_custom_group_gets_solutions_on_schedules_and_one_campaign(work: Work) -> None:
    work.events("user,item,ts,event", ",purchase")
    work.init(group="films")
    config = work.config()
    assert config.group.params["name"] == "films"
    assert recipes(work) == ["aws-user-personalization-v2", "aws-popularity-count"]
    assert [len(one.campaigns) for one in config.solutions] == [1, 0]
    assert config.group.workflow["schedules"]["import"] == "cron(0 2 * * ? *)"
    weekly = [one.solution.workflow["schedules"]["full"] for one in config.solutions]
    assert weekly == ["cron(0 4 ? * SUN *)", "cron(0 5 ? * SUN *)"]
    assert config.event_tracker
    (only,) = config.filters
    assert only.params["filterExpression"].endswith('EVENT_TYPE IN ("purchase")')


def test_items_with_metadata_get_similar_items_and_a_filter(work: Work) -> None:
    work.events()
    rows = [f"i{n},{'red' if n % 2 else 'blue'}" for n in range(9)]
    work.put("items", "\n".join(["id,colour", *rows]))
    work.init()
    assert "aws-similar-items" in recipes(work)
    (only,) = work.config().filters
    assert only.params["filterExpression"] == "INCLUDE ItemID WHERE Items.COLOUR IN ($COLOUR)"


def test_a_domain_gets_the_use_cases_whose_events_are_enough(work: Work) -> None:
    rows = [
        f"u{n % 90},i{n % 20},{START + n},{'view' if n % 3 else 'PURCHASE'}" for n in range(1600)
    ]
    work.put("interactions", "\n".join(["user,item,ts,event", *rows]))
    work.init(domain="ECOMMERCE", group="shop")
    config = work.config()
    assert config.solutions == ()
    cases = [str(one.params["recipeArn"]).rpartition("/")[2] for one in config.recommenders]
    assert cases == [
        "aws-ecomm-popular-items-by-views",
        "aws-ecomm-customers-who-viewed-x-also-viewed",
        "aws-ecomm-recommended-for-you",
    ]
    assert set(work.column("interactions", "EVENT_TYPE")) == {"View", "Purchase"}
    reasons = (work.out / "config.md").read_text()
    assert "It needs 1,000 Purchase events; there are 534." in reasons


def test_a_domain_asks_for_its_columns(work: Work) -> None:
    work.events()
    with pytest.raises(Unsure, match="have no column for EVENT_TYPE"):
        work.init(domain="ECOMMERCE")
    work.events("user,item,ts,event", ",View")
    work.put("items", "sku,price,category\ni1,2.5,a\ni2,3,a\ni3,4,b\n")
    work.init(domain="ECOMMERCE")
    assert work.fields("items") == {"ITEM_ID": "string", "PRICE": "float", "CATEGORY_L1": "string*"}


def test_a_video_domain_takes_its_items(work: Work) -> None:
    work.events("user,video,ts,event", ",Watch", count=1001)
    rows = [f'v{n},Film {n},"Drama, Comedy",{2000 + n}-05-01' for n in range(9)]
    work.put("items", "\n".join(["video_id,title,genres,release_date", *rows]))
    work.init(domain="VIDEO_ON_DEMAND")
    assert work.fields("items")["CREATION_TIMESTAMP"] == "long"
    assert work.fields("items")["GENRES"] == "string*"
    assert len(work.config().recommenders) == 5


def test_the_names_fit_whatever_the_group_is_called(work: Work) -> None:
    work.events()
    with pytest.raises(Unsure, match="--name"):
        work.init(group="x" * 27)
    work.init(out=work.folder / ("Ünusual näme " * 8))
    (made,) = (path for path in work.folder.iterdir() if path.is_dir())
    assert parse((made / "config.json").read_text()).group.params["name"]


# Whatever comes

NAMES = st.one_of(
    st.sampled_from(["price", "Title", "created_at", "event", "rating", "id", "TIMESTAMP",
                     "category", "genres", "EVENT_TYPE", "impression", "_file", "c0", "select"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12),
)  # fmt: skip
VALUES = st.sampled_from(
    ["", "1", "2.5", "-7", "true", "False", "red", "blue|red", "a;b", "x, y", "2024-01-31",
     "2024-01-31T10:00:00Z", "1700000000", "1700000000000", "01/02/2024", "N/A", "Ünï",
     "a longer text of several words", "line\nbreak", 'a "quoted" one', "007", "1,5", "[1, 2]",
     "x" * 1500, "99999999999999999999", "1e400"]
)  # fmt: skip
COLUMN = st.tuples(NAMES, st.lists(VALUES, min_size=1, max_size=4))


def table(
    first: Sequence[str], ids: Sequence[str], columns: Sequence[tuple[str, list[str]]]
) -> str:
    """Return a CSV with these columns beside the ids."""

    known = {*first}
    several = []
    for name, values in columns:
        if name.strip() and name not in known and not name.replace(".", "").isdigit():
            known.add(name)
            several.append((name, values))
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([*first, *(name for name, _ in several)])
    for n, one in enumerate(ids):
        writer.writerow([*one.split(","), *(values[n % len(values)] for _, values in several)])
    return target.getvalue()


@settings(
    max_examples=examples(40),
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate],  # each example takes long: it is not shrunk
)
@given(
    events=st.lists(COLUMN, max_size=7),
    items=st.lists(COLUMN, max_size=12),
    users=st.lists(COLUMN, max_size=5),
    domain=st.sampled_from([None, "ECOMMERCE", "VIDEO_ON_DEMAND"]),
)
def test_the_config_is_valid_and_the_data_fits_it_whatever_the_columns(
    tmp_path_factory: pytest.TempPathFactory,
    events: list[tuple[str, list[str]]],
    items: list[tuple[str, list[str]]],
    users: list[tuple[str, list[str]]],
    domain: str | None,
) -> None:
    work = Work(tmp_path_factory.mktemp("whatever"))
    rows = [f"u{n},i{n % 3},{START + n},View" for n in range(24)]
    work.put("interactions", table(["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"], rows, events))
    asked = {
        "ECOMMERCE": ["PRICE", "CATEGORY_L1"],
        "VIDEO_ON_DEMAND": ["CREATION_TIMESTAMP", "GENRES"],
    }
    rows = [f"i{n},{START},a|b" if domain else f"i{n}" for n in range(12)]
    work.put("items", table(["ITEM_ID", *asked.get(domain or "", [])], rows, items))
    work.put("users", table(["USER_ID"], [f"u{n}" for n in range(12)], users))
    try:
        work.init(domain=domain)
    except Unsure as error:
        told = str(error)
    else:
        told = ""
    assert "No valid config" not in told
    event(told[:40] or "made")
    if told:
        return
    config = work.config()
    assert config.notes == ()
    for one in config.datasets:
        head = Head("f", (work.out / f"{one.kind}.csv").read_bytes())
        found = check_head(head, one.kind, fields(loads(one.schema.params["schema"])))
        assert [str(one) for one in found if one.severity == "error"] == []


def test_a_zero_that_comes_late_is_not_lost(work: Work) -> None:
    work.events("user,item,ts")
    rows = "".join(f"i{n},{n + 1000},{n % 3}\n" for n in range(6_000))
    work.put("items", f"id,house,x\n{rows}i6001,0042,1\n")
    work.init()
    assert "0042" in work.column("items", "HOUSE")
