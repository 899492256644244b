"""What ``mpe check-data`` finds, with the lines where it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpe.data.check import SIZES, Check, broken_by, perhaps
from mpe.data.engine import Engine, EngineError, text
from mpe.data.files import Source
from mpe.model.config.parse import parse
from mpe.model.errors import Finding
from mpe.model.service import avro
from mpe.model.service.avro import Field
from mpe.model.service.csvs import MOST_LINES, Head, cell_rules, check_head
from tests.conftest import examples
from tests.data.writing import INTERACTIONS, config, rows, write

NOW = 1_750_000_000
RECIPE = "arn:aws:personalize:::recipe/aws-"


def check(
    folder: Path, document: dict[str, Any], memory: str = "500MB", *, notes: bool = False
) -> list[Finding]:
    parsed = parse(json.dumps(document))
    places = {}
    for one in parsed.datasets:
        files = [folder / f"{one.kind}.csv", *sorted((folder / one.kind).glob("*.csv"))]
        sources = [Source(file, file.name) for file in files if file.exists()]
        places[one.kind] = (one.kind, sources)
    with Engine(memory=memory) as engine:
        found = Check(parsed, engine, now=NOW)(places)
    return [one for one in found if notes or one.severity != "note"]


Told = list[tuple[str, str, str | None, int, tuple[int, ...]]]


def told(findings: Sequence[Finding]) -> Told:
    return [(one.severity, one.file, one.column, one.count, one.lines) for one in findings]


def test_good_data_has_no_findings(tmp_path: Path) -> None:
    write(tmp_path, "interactions.csv", rows())
    write(tmp_path, "items.csv", [f"i{n},Title {n},{n}.5,shoes|red" for n in range(40)])
    write(tmp_path, "users.csv", [f"u{n},{n}" for n in range(100)])
    assert check(tmp_path, config("interactions", "items", "users")) == []


def test_wrong_cells_are_counted_with_their_lines(tmp_path: Path) -> None:
    lines = rows()
    lines[0] = "u1,i1,View,1,1700000000000"
    for line in (10, 20, 1000):
        lines[line - 2] = "u1,i1,View,much,1700000000"
    lines[30 - 2] = ",i1,View,1,1700000001"
    lines[40 - 2] = "u1,i1,View"
    lines[50 - 2] = "u1,i1,View,1,1700000002,more"
    write(tmp_path, "interactions.csv", lines)
    found = told(check(tmp_path, config("interactions")))
    file = "interactions.csv"
    assert set(found) == {
        ("error", file, None, 2, (40, 50)),
        ("error", file, "USER_ID", 1, (30,)),
        ("error", file, "EVENT_VALUE", 3, (10, 20, 1000)),
        ("error", file, "TIMESTAMP", 1, (2,)),
        ("warning", file, None, 2, (20, 1000)),
    }


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_the_files_own_after_blank_lines_and_values_over_lines(
    tmp_path: Path, end: str
) -> None:
    lines = rows()
    lines[5] = f'u1,"i{end}1",View,1,1700000000'  # lines 7 and 8
    lines.insert(8, "")  # line 11
    lines[20] = "u1,i1,View,x,1700000000"  # line 23, after one more
    path = write(tmp_path, "interactions.csv", lines)
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", end.encode()))
    found = [one for one in check(tmp_path, config("interactions")) if one.severity == "error"]
    (line,) = found[0].lines
    assert path.read_bytes().split(end.encode())[line - 1] == b"u1,i1,View,x,1700000000"


def test_each_file_of_a_folder_is_told_by_its_own_lines(tmp_path: Path) -> None:
    first, second = rows()[:700], rows()[700:]
    first[3] = second[4] = second[9] = "u1,i1,View,x,1700000000"
    write(tmp_path, "interactions/a.csv", first)
    write(tmp_path, "interactions/b.csv", second)
    found = told(check(tmp_path, config("interactions")))
    assert found == [
        ("error", "a.csv", "EVENT_VALUE", 1, (5,)),
        ("error", "b.csv", "EVENT_VALUE", 2, (6, 11)),
        ("warning", "b.csv", None, 2, (6, 11)),
    ]


def test_columns_may_lie_in_another_order_and_more_may_be_there(tmp_path: Path) -> None:
    lines = [",".join((*reversed(line.split(",")), "more")) for line in rows()]
    header = "TIMESTAMP,EVENT_VALUE,EVENT_TYPE,ITEM_ID,USER_ID,MORE"
    write(tmp_path, "interactions.csv", lines, header)
    found = check(tmp_path, config("interactions"))
    assert [(one.severity, one.lines) for one in found] == [("warning", (1,))] * 2


def test_a_file_without_a_column_is_not_looked_at_further(tmp_path: Path) -> None:
    write(tmp_path, "interactions.csv", ["u1,i1"], "USER_ID,ITEM_ID")
    (found,) = check(tmp_path, config("interactions"))
    assert "missing the following columns:[EVENT_TYPE, EVENT_VALUE, TIMESTAMP]" in found.message


def test_data_that_is_not_there_is_told(tmp_path: Path) -> None:
    (found,) = check(tmp_path, config("interactions"))
    assert "interactions.csv" in found.remedy


def test_data_that_need_not_be_there_is_not_missing(tmp_path: Path) -> None:
    document = config("interactions", "users")
    document["datasets"]["users"]["dataset"]["workflowConfig"] = {"dataOptional": True}
    write(tmp_path, "interactions.csv", rows())
    assert check(tmp_path, document) == []


@pytest.mark.parametrize("memory", ["banana", "9999999999TB"])
def test_what_is_no_memory_is_told(memory: str) -> None:
    with pytest.raises(EngineError, match=f"--memory {memory}: .*such as 4GB"):
        Engine(memory=memory)


def test_latin_1_is_told_with_the_line_wherever_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, "items.csv", [f"i{n},Title,1,a" for n in range(90_000)])
    with path.open("ab") as file:
        file.write("i,Caf\xe9,1,a\n".encode("latin-1"))
    (found,) = check(tmp_path, config("items"))
    assert (found.severity, found.lines) == ("error", (90_002,))
    assert "UTF-8" in found.message


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (rows(999), "fewer than 1000 interactions: 999"),
        ([rows(1)[0]] * 1200, "fewer than 1000 interactions: 1 unique"),
        (rows(1200, users=24), "fewer than 25 users with at least 2 interactions each: 24"),
        (rows(1200, users=1200), "fewer than 25 users with at least 2 interactions each: 0"),
        (
            [*rows(1200, users=30), *(f"v{n},i1,View,1,1700000000" for n in range(2971))],
            "30 of 3,001 users have at least 2 interactions; it must be 1%",
        ),
        (
            [f"u{n % 50},i1,e{n % 11},1,{n + 1_700_000_000}" for n in range(1200)],
            "There are 11 event types and 0 columns of metadata; together they may be 10",
        ),
    ],
)
def test_what_a_training_needs_is_counted(tmp_path: Path, lines: list[str], message: str) -> None:
    write(tmp_path, "interactions.csv", lines)
    errors = [one for one in check(tmp_path, config("interactions")) if one.severity == "error"]
    assert any(message in one.message for one in errors), errors


def test_repeated_rows_and_ids_are_warnings_with_their_lines(tmp_path: Path) -> None:
    lines = rows()
    lines[100] = lines[50] = lines[7]
    write(tmp_path, "interactions.csv", lines)
    write(tmp_path, "users.csv", [*(f"u{n},{n}" for n in range(100)), "u5,6", "u5,7"])
    found = told(check(tmp_path, config("interactions", "users")))
    assert found == [
        ("warning", "interactions.csv", None, 2, (52, 102)),
        ("warning", "users.csv", "USER_ID", 2, (102, 103)),
    ]


def test_interactions_with_what_is_not_described_are_a_warning(tmp_path: Path) -> None:
    write(tmp_path, "interactions.csv", rows())
    write(tmp_path, "items.csv", [f"i{n},Title,1,a" for n in range(1, 40)])
    (found,) = check(tmp_path, config("interactions", "items"))
    assert told([found]) == [("warning", "interactions.csv", "ITEM_ID", 30, (2, 42, 82, 122, 162))]


def test_a_use_case_needs_its_events_and_a_solution_its_event_type(tmp_path: Path) -> None:
    write(tmp_path, "interactions.csv", rows(2000))
    cases = ("ecomm-popular-items-by-views", "ecomm-frequently-bought-together")
    recommenders = [
        {"serviceConfig": {"name": f"r{n}", "recipeArn": RECIPE + case}}
        for n, case in enumerate(cases)
    ]
    document = config("interactions", domain="ECOMMERCE", recommenders=recommenders)
    (found,) = check(tmp_path, document)
    assert "after filtering by event type: Purchase. There are 667." in found.message
    assert "$.recommenders[1]" in found.remedy

    solution = {"name": "s", "recipeArn": f"{RECIPE}popularity-count", "eventType": "click"}
    (found,) = check(tmp_path, config("interactions", solutions=[{"serviceConfig": solution}]))
    assert "after filtering by event type: click" in found.message


def test_an_import_has_its_most_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, "interactions.csv", rows())
    with path.open("r+b") as file:
        file.truncate(SIZES["INCREMENTAL"] + 1)  # a hole in the file, not data
        file.seek(0)
        file.write(b"USER_ID\n")  # so that nobody reads it all
    document = config("interactions")
    document["datasets"]["serviceConfig"] = {"importMode": "INCREMENTAL"}
    found = check(tmp_path, document)
    assert "1.0 GB; a bulk import that is INCREMENTAL may have 1 GB" in found[0].message
    assert found[0].severity == "warning"
    assert "The first import is FULL, and may have 100 GB" in found[0].remedy
    with path.open("r+b") as file:
        file.truncate(SIZES["FULL"] + 1)
    found = check(tmp_path, document)
    assert "100.0 GB; a bulk import that is FULL may have 100 GB" in found[0].message
    assert found[0].severity == "error"


CELLS = st.one_of(
    st.sampled_from(
        ["", "1", "-1", "1.5", "1e5", ".5", "5.", ".", "+1", "1_0", "٣", "true", "TRUE", " 1",
         "1700000000", "1700000000000", "99999999999999999999", "20240131", "USER_ID", "Taken",
         "not taken", "a\nb", "a\rb", "é" * 256, "é" * 257, "NaN", "inf", "-", "2147483648",
         "-2147483649", "0" * 5_000 + "7", "-" + "0" * 30, "-" + "9" * 5_000, "1" * 5_000 + "x"]
    ),
    st.text(max_size=5),
)  # fmt: skip


@settings(max_examples=examples(150))
@given(st.lists(CELLS, min_size=1, max_size=20))
def test_python_and_sql_judge_every_cell_alike(cells: list[str]) -> None:
    cells = [cell.replace("\0", "") for cell in cells]
    fields = [
        Field("USER_ID", ("string",)),
        Field("EVENT_TYPE", ("string",)),
        Field("A", ("int", "null")),
        Field("B", ("long",)),
        Field("C", ("float",)),
        Field("D", ("boolean",)),
        Field("TIMESTAMP", ("long",)),
    ]
    rules = cell_rules("actionInteractions", fields)
    with ENGINE as engine:
        for rule in rules:
            values = ", ".join(f"({n}, {text(cell)})" for n, cell in enumerate(cells))
            broken = engine.rows(
                f"SELECT n FROM (VALUES {values}) AS t(n, cell) "
                f"WHERE {broken_by(rule, 'cell')} ORDER BY n"
            )
            assert [n for (n,) in broken] == [
                n for n, cell in enumerate(cells) if rule.broken_by(cell)
            ], rule


class _Kept(Engine):
    """An engine for all examples."""

    def __exit__(self, *_: Any) -> None:
        return


ENGINE = _Kept()


FAULTS = [
    "u,i,View,x,1700000000",
    ",i,View,1,1700000000",
    "u,i,View,1",
    "u,i,View,1,1,1",
    "",
    'u,"i\ni",View,1,1700000000',
    'u,"i,""i",View,1,1700000000000',
]


@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
@given(faults=st.dictionaries(st.integers(0, 60), st.sampled_from(FAULTS), max_size=8))
def test_the_first_rows_and_the_whole_file_give_the_same_lines(
    tmp_path: Path, faults: dict[int, str]
) -> None:
    lines = rows()
    for place, line in faults.items():
        lines[place] = line
    path = write(tmp_path, "interactions.csv", lines)
    fields = avro.fields({"fields": INTERACTIONS})
    head = Head("interactions.csv", path.read_bytes())
    first = {(f.column, f.count, f.lines) for f in check_head(head, "interactions", fields)}
    whole = {
        (f.column, f.count, f.lines)
        for f in check(tmp_path, config("interactions"))
        if "before" not in f.message or f.column
    }
    assert first == whole


def test_too_little_memory_is_told_with_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, "interactions.csv", rows())
    with pytest.raises(EngineError, match="--memory"):
        check(tmp_path, config("interactions"), memory="1MB")


def test_the_memory_has_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "interactions.csv"
    with Engine() as engine:
        engine.run(
            "COPY (SELECT 'u' || hash(i) AS USER_ID, 'i' || (hash(i) % 9999) AS ITEM_ID, "
            "'View' AS EVENT_TYPE, '' AS EVENT_VALUE, 1700000000 + i AS TIMESTAMP FROM "
            f"range(2000000) t(i)) TO '{path}' (HEADER)",
            "",
        )
    size = path.stat().st_size
    document = config("interactions")
    parsed = parse(json.dumps(document))
    with Engine(memory="80MB") as engine:
        engine.rows("SET threads = 2")
        found = Check(parsed, engine)({"interactions": ("all", [Source(path, "f")])})
        assert engine.row("SELECT count(*) FROM interactions") == (2_000_000,)
    assert size > 80_000_000
    assert [one.column for one in found if one.severity == "error"] == ["USER_ID"]
    assert all(len(one.lines) <= MOST_LINES for one in found)


# Rules of the governing pages


def test_times_to_come_are_a_warning_and_eleven_digits_an_error(tmp_path: Path) -> None:
    lines = rows()
    lines[5] = "u1,i1,View,1,2700000000"
    lines[6] = "u2,i2,View,1,17000000001"
    write(tmp_path, "interactions.csv", lines)
    future, digits = sorted(check(tmp_path, config("interactions")), key=lambda one: one.lines)
    assert (future.severity, future.lines) == ("warning", (7,))
    assert "to come" in future.message
    assert (digits.severity, digits.lines) == ("error", (8,))
    assert "'17000000001'" in digits.message


def test_more_than_a_thousand_categories_are_told_with_their_count(tmp_path: Path) -> None:
    write(tmp_path, "interactions.csv", rows())
    write(tmp_path, "items.csv", [f"i{n},t,1,c{n % 1010}|d" for n in range(2100)])
    (found,) = check(tmp_path, config("interactions", "items"))
    assert (found.severity, found.column, found.count) == ("warning", "CATEGORY_L1", 1011)


def test_event_type_and_event_value_count_to_the_ten_on_one_page(tmp_path: Path) -> None:
    lines = [f"u{n % 99},i{n % 40},e{n % 9},1,{1_700_000_000 + n}" for n in range(1200)]
    write(tmp_path, "interactions.csv", lines)
    (found,) = check(tmp_path, config("interactions"))
    assert found.severity == "warning"
    assert "another does not" in found.message


def test_few_interactions_and_users_and_empty_columns_are_noted(tmp_path: Path) -> None:
    write(tmp_path, "interactions.csv", rows())
    write(tmp_path, "items.csv", [f"i{n},,{n},c" for n in range(40)])
    notes = check(tmp_path, config("interactions", "items"), notes=True)
    assert {(one.severity, one.column) for one in notes} == {("note", None), ("note", "TITLE")}
    told_ = " ".join(one.message for one in notes)
    assert "1,200 interactions; the guide recommends 50,000" in told_
    assert "100 users with two interactions or more; the guide recommends 1,000" in told_
    assert "TITLE is filled in 0% of the rows" in told_


@pytest.mark.parametrize(
    ("key", "hint"),
    [("u{}.0", ".0 at their end"), ("U{}", "upper and lower case"), ("other{}", "same ids")],
)
def test_ids_of_which_none_matches_are_an_error(tmp_path: Path, key: str, hint: str) -> None:
    write(tmp_path, "interactions.csv", rows())
    write(tmp_path, "users.csv", [f"{key.format(n)},{n}" for n in range(100)])
    (found,) = check(tmp_path, config("interactions", "users"))
    assert (found.severity, found.column, found.count) == ("error", "USER_ID", 1200)
    assert hint in found.remedy


def test_textual_values_that_are_too_long_are_cut_not_refused() -> None:
    textual = Field("TEXT", ("string",), textual=True)
    (rule,) = (one for one in cell_rules("items", [textual]) if one.test == "longer")
    assert (rule.severity, rule.argument) == ("warning", 20_000)


def test_as_many_users_as_the_guide_recommends_are_those_who_come_twice(tmp_path: Path) -> None:
    once = [f"v{n},i{n % 40},View,1,{1_700_000_000 + n}" for n in range(50_000)]
    write(tmp_path, "interactions.csv", [*rows(1_200), *once])
    told = [one.message for one in check(tmp_path, config("interactions"), notes=True)]
    assert not any("recommends 50,000" in one for one in told)
    assert any(one.startswith("There are 100 users with two interactions or more") for one in told)


@pytest.mark.parametrize(("empty", "told"), [(29, False), (31, True)])
def test_a_column_is_to_be_filled_in_seven_rows_of_ten(
    tmp_path: Path, empty: int, told: bool
) -> None:
    write(tmp_path, "interactions.csv", rows())
    items = [f"i{n},T,{'' if n < empty else 1},x" for n in range(100)]
    write(tmp_path, "items.csv", items)
    found = check(tmp_path, config("interactions", "items"), notes=True)
    assert any("PRICE is filled in" in one.message for one in found) is told


@pytest.mark.parametrize(("empty", "told"), [(14, False), (16, True)])
def test_a_textual_column_that_training_does_not_use_is_told(
    tmp_path: Path, empty: int, told: bool
) -> None:
    document = config("interactions", "items")
    fields = document["datasets"]["items"]["schema"]["serviceConfig"]["schema"]
    textual = [
        {**one, "textual": True} if one["name"] == "TITLE" else one for one in fields["fields"]
    ]
    document["datasets"]["items"]["schema"]["serviceConfig"]["schema"] = {
        **fields, "fields": textual
    }  # fmt: skip
    write(tmp_path, "interactions.csv", rows())
    write(tmp_path, "items.csv", [f"i{n},{'' if n < empty else 'T'},1,x" for n in range(100)])
    found = check(tmp_path, document)
    assert [one.rule for one in found] == (["MPE-D042"] if told else [])


@pytest.mark.parametrize("recipe", ["aws-user-personalization-v2", "aws-item-affinity"])
def test_interactions_of_one_time_are_told_and_refused_for_segments(
    tmp_path: Path, recipe: str
) -> None:
    solution = {"name": "s", "recipeArn": f"arn:aws:personalize:::recipe/{recipe}"}
    document = config("interactions", solutions=[{"serviceConfig": solution}])
    lines = [f"u{n % 100},i{n},View,1,1700000000" for n in range(1_200)]
    write(tmp_path, "interactions.csv", lines)
    (found,) = check(tmp_path, document)
    assert found.severity == ("error" if recipe == "aws-item-affinity" else "warning")
    assert "same time, 1700000000" in found.message


WRONG = st.one_of(
    st.sampled_from(
        ["", "-", "-0", "1e5", "1.", ".5", "1_000", "+1", " 1", "1 ", "٣", "1..2", "nan", "inf",
         "0x1", "USER_ID", "9" * 11, "9" * 10, "-99999999", "9" * 20, "true", "a\nb", "é" * 256]
    ),
    st.text(max_size=12),
    st.integers().map(str),
    st.floats().map(str),
)  # fmt: skip


@settings(
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(WRONG.filter(lambda one: "\0" not in one), min_size=1, max_size=20))
def test_no_cell_breaks_a_rule_that_the_cheap_pass_does_not_suspect(cells: list[str]) -> None:
    schema = avro.fields({"fields": [
        {"name": "USER_ID", "type": "string"}, {"name": "TIMESTAMP", "type": "long"},
        {"name": "N", "type": "int"}, {"name": "F", "type": ["float", "null"]},
        {"name": "B", "type": "boolean"}, {"name": "T", "type": "string", "textual": True},
    ]})  # fmt: skip
    with duckdb.connect() as database:
        database.execute("CREATE TABLE t (c VARCHAR)")
        database.executemany("INSERT INTO t VALUES (?)", [(one,) for one in cells])
        for rule in cell_rules("interactions", schema):
            suspected, found = database.execute(
                f"SELECT {perhaps(rule, 'c')}, count(*) FILTER ({broken_by(rule, 'c')}) FROM t"
            ).fetchall()[0]
            assert suspected or not found, (rule, cells)


def test_whoever_watches_sees_each_long_query_move(tmp_path: Path) -> None:
    class Watched:
        def __init__(self) -> None:
            self.told: list[str] = []
            self.shares: list[float] = []

        def begin(self, told: str) -> None:
            self.told.append(told)

        def at(self, share: float) -> None:
            self.shares.append(share)

    watched = Watched()
    with Engine(watcher=watched) as engine:
        engine.rows("SELECT count(*) FROM range(300000000) a(x) WHERE hash(x) % 3 = 0")
    assert len(watched.shares) > 1
    assert watched.shares == sorted(watched.shares)
    assert watched.shares[-1] == 1.0


@pytest.mark.parametrize(
    ("user", "rule"),
    [("u1 ", "MPE-D045"), ("u\u00a01", "MPE-D045"), ("u1\0", "MPE-D045"), ("4.0E+12", "MPE-D046")],
)
def test_ids_that_are_not_what_they_seem_are_warned_of(
    tmp_path: Path, user: str, rule: str
) -> None:
    lines = [*rows(), f"{user},i1,View,1,1700009999"]
    write(tmp_path, "interactions.csv", lines)
    (found,) = check(tmp_path, config("interactions"))
    assert (found.rule, found.severity, found.lines) == (rule, "warning", (1202,))
