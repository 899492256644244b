"""The profile of CSVs in one pass: the same figures as the database of ``mpe check-data`` finds."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpe.data.check import Check
from mpe.data.engine import Engine
from mpe.data.files import Source
from mpe.data.profile import profile
from mpe.model.config.parse import parse
from mpe.model.service import counting
from mpe.model.service.counting import Described, NotProfiled, Tally
from mpe.model.service.profile import Profile, as_document, of_document
from tests.data.writing import config, write
from tests.films import ratings

SHARED = ("oldest", "newest", "users", "items", "activity", "shares", "unknown_items")


def counted(lines: list[str], kind: str = "interactions") -> Tally:
    tally = Tally(kind)
    tally.add([f"{line}\n" for line in lines], go_on=lambda: True)
    return tally


def test_both_make_one_profile(tmp_path: Path) -> None:
    header = "USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP"
    lines = [f"{u},{i},{e},1,{t}" for u, i, e, t in ratings()[:5_000]]
    lines += ['"a, b","i ""1""",rated,2,1700000000', ",i1,rated,,1700000001"]
    write(tmp_path, "interactions.csv", lines)
    items = [f"i{number},A,1,x" for number in range(500)]
    write(tmp_path, "items.csv", items)
    places = {
        kind: (kind, [Source(tmp_path / f"{kind}.csv", kind)]) for kind in ("interactions", "items")
    }
    with Engine() as engine:
        check = Check(parse(json.dumps(config("interactions", "items"))), engine)
        check(places)
        theirs = profile(engine, check.tables)
    tally = counted([header, *lines])
    described = Described("items", left=tally.met())
    described.add([f"{line}\n" for line in ["ITEM_ID,A,B,C", *items]], go_on=lambda: True)
    ours = tally.profile(tally.unknown(described.left))
    for name in SHARED:
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.rows("interactions") == theirs.rows("interactions")
    assert ours.top("interactions", "EVENT_TYPE") == theirs.top("interactions", "EVENT_TYPE")


def test_what_is_too_much_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "LOOKS", 2)
    lines = [f"u{n},i{n},{n}\n" for n in range(10)]
    with pytest.raises(NotProfiled, match="after 2 rows the time that there is for it was over"):
        Tally("interactions").add(["USER_ID,ITEM_ID,TIMESTAMP\n", *lines], go_on=lambda: False)
    monkeypatch.setattr(counting, "MOST_IDS", 6)
    with pytest.raises(NotProfiled, match="more than 6 different ids"):
        Tally("interactions").add(["USER_ID,ITEM_ID,TIMESTAMP\n", *lines], go_on=lambda: True)
    with pytest.raises(NotProfiled, match="quotation mark in line 2 is not closed"):
        Tally("interactions").add(["USER_ID\n", '"a\n'], go_on=lambda: True)


def test_files_without_rows_are_counted_as_such() -> None:
    assert counted([]).profile().rows("interactions") == 0
    assert counted(["USER_ID,ITEM_ID,TIMESTAMP"]).profile() == Profile(
        counted([]).profile().datasets, activity=counted([]).profile().activity
    )


def test_a_profile_is_read_back_and_what_a_newer_release_added_is_passed_over() -> None:
    made = counted(["USER_ID,ITEM_ID,TIMESTAMP", "u,i,1"]).profile()
    document = json.loads(json.dumps(as_document(made)))
    assert of_document({**document, "more": 1}) == made
    del document["shares"]  # of a release before
    assert of_document(document).shares == ()


CELL = st.sampled_from(
    ["", "u1", "u2", "i1", "1700000000", "17", "-3", "x y", "٣", '"q,1"', '"a\nb"']
)
"""What cells are like, one quotation mark in ten aside: an Arabic three is a decimal as well."""
LINE = st.lists(CELL, min_size=0, max_size=4).map(",".join)
END = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r", "\r\r\n"])
HEADER = st.sampled_from(
    [
        "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP",
        "USER_ID,ITEM_ID,TIMESTAMP",
        "ITEM_ID",
        '"ITEM_ID",B',
        "",
    ]
)


@st.composite
def files(draw: st.DrawFn) -> str:
    """Write a file, most often one without quotation marks, of which a row may be ragged."""
    plain = draw(st.booleans())
    rows = draw(st.lists(st.tuples(LINE, END), max_size=30))
    rows = [(draw(HEADER), "\n"), *rows]
    text = "".join(line + end for line, end in rows)
    return text.replace('"', "").replace("\r", "") if plain else text


def profiled(add: Callable[[Tally], None]) -> Tally | str:
    tally = Tally("interactions")
    try:
        add(tally)
    except NotProfiled as error:
        return str(error)
    return tally


@settings(max_examples=300)
@given(files(), st.integers(1, 7))
def test_lines_are_counted_many_at_a_time_as_they_are_one_by_one(text: str, many: int) -> None:
    lines = list(io.StringIO(text, newline="\n"))  # as they come from S3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "LOOKS", many)
        quickly = profiled(lambda tally: tally.add(iter(lines), go_on=lambda: True))
    slowly = profiled(lambda tally: tally.add_one_by_one(iter(lines), lambda: True))
    assert quickly == slowly
