"""The picture of the data: figures counted by hand, and a page in which text is only text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mpe.data.check import Check
from mpe.data.engine import Engine
from mpe.data.files import Source
from mpe.data.page import page
from mpe.data.profile import profile
from mpe.model.config.parse import parse
from mpe.model.errors import Finding
from mpe.model.service.profile import (
    ColumnProfile,
    DatasetProfile,
    Profile,
    as_document,
    of_document,
)
from tests.data.writing import config, rows, write

MONDAY = 1_700_438_400
"""2023-11-20, midnight."""


def described(folder: Path) -> tuple[Profile, list[Finding]]:
    parsed = parse(json.dumps(config("interactions", "items")))
    places = {
        kind: (kind, [Source(folder / f"{kind}.csv", f"{kind}.csv")])
        for kind in ("interactions", "items")
    }
    with Engine() as engine:
        check = Check(parsed, engine)
        found = check(places)
        return profile(engine, check.tables), found


def test_the_figures_are_those_of_the_data(tmp_path: Path) -> None:
    lines = [f"a,i{n % 2},View,1,{MONDAY + n}" for n in range(6)]
    lines += [f"b,i0,Purchase,,{MONDAY + 7 * 86_400 + n}" for n in range(2)]
    lines += [lines[0], f"c,i9,View,2,{MONDAY - 1}"]
    write(tmp_path, "interactions.csv", lines)
    write(tmp_path, "items.csv", ["i0,A,1,x", "i1,B,2,x", "i7,,3,y"])
    made, _ = described(tmp_path)
    assert made.weeks == ((MONDAY - 7 * 86_400, 1), (MONDAY, 7), (MONDAY + 7 * 86_400, 2))
    assert (made.oldest, made.newest) == (MONDAY - 1, MONDAY + 7 * 86_400 + 1)
    assert (made.users, made.items, made.cold_items, made.cold_users) == (3, 3, 1, None)
    assert (made.unknown_items, made.unknown_users) == (1, None)
    assert made.activity == {"1": 1, "2-4": 1, "5-9": 1, "10-49": 0, "50-199": 0, "200+": 0}
    assert made.busiest == 0.7
    assert made.popularity == (0.6, 0.9, 1.0)
    interactions, items = made.datasets
    assert (interactions.rows, interactions.duplicates) == (10, 1)
    value = next(one for one in interactions.columns if one.name == "EVENT_VALUE")
    assert (value.filled, value.least, value.most, value.top[0]) == (8, "1", "2", ("1", 7))
    assert next(one for one in items.columns if one.name == "CATEGORY_L1").top == (
        ("x", 2), ("y", 1)
    )  # fmt: skip


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.links: list[str] = []
        self.policies: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        given = dict(attrs)
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policies.append(given["content"] or "")
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_the_page_stands_alone_and_text_in_it_is_only_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    write(tmp_path, "interactions.csv", [f"{evil},i{n % 3},View,1,{MONDAY + n}" for n in range(30)])
    write(tmp_path, "items.csv", [f"i0,{evil},1,x"])
    made, found = described(tmp_path)
    tags = Tags()
    tags.feed(page(made, found, f"films {evil}"))
    assert "script" not in tags.seen
    assert "svg" in tags.seen
    assert tags.links == []
    assert "One user has 100% of all interactions" in page(made, found, "films")
    assert tags.policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_hostile_names_and_values_make_no_markup_and_no_long_page(tmp_path: Path) -> None:
    values = (
        '"><img src=x onerror=alert(1)>',
        "</table></style><b>x</b>",
        "&amp;&#60;",
        "\u202egpj",
    )
    columns = tuple(
        ColumnProfile(value * 30, 1, 1, value * 99, value * 99, ((value * 99, 1),))
        for value in values
    )
    weeks = tuple((MONDAY + 7 * 86_400 * n, 1) for n in range(0, 200_000, 200))
    made = Profile((DatasetProfile(values[0], 1, 1, columns),), weeks, 0, 10**18, users=1, items=1)
    findings = [Finding("error", values[1] * 99, values[0] * 99, count=n) for n in range(999)]
    written = page(made, findings, values[0])
    tags = Tags()
    tags.feed(written)
    assert not {"img", "b", "script"} & set(tags.seen)
    assert "\u202e" not in written
    assert len(written) < 1_000_000
    assert page(made, findings, values[0]) == written


def test_a_week_without_events_is_a_gap(tmp_path: Path) -> None:
    weeks = ((MONDAY, 5), (MONDAY + 3 * 7 * 86_400, 2))
    written = page(Profile((), weeks, MONDAY, MONDAY, users=1, items=1), [], "films")
    first, last = (float(one) for one in re.findall(r'<rect x="([0-9.]+)"', written))
    assert last - first == 480.0


def test_a_profile_is_json_that_is_read_again_and_has_no_ids(tmp_path: Path) -> None:
    write(tmp_path, "interactions.csv", rows())
    write(tmp_path, "items.csv", [f"i{n},T{n},{n},x" for n in range(40)])
    made, _ = described(tmp_path)
    document = json.dumps(as_document(made))
    assert of_document(json.loads(document)) == made
    assert not re.search(r'"[ui][0-9]+"', document)
    with pytest.raises(ValueError, match="version 2, and version 1 is read"):
        of_document({**json.loads(document), "version": 2})


def test_different_values_are_counted_exactly(tmp_path: Path) -> None:
    write(tmp_path, "interactions.csv", rows(30_000, users=20_011, items=7_001))
    write(tmp_path, "items.csv", [f"i{n},T{n},{n},x" for n in range(40)])
    columns = {one.name: one for one in described(tmp_path)[0].datasets[0].columns}
    assert columns["USER_ID"].distinct == 20_011
    assert columns["ITEM_ID"].distinct == 7_001
    assert columns["TIMESTAMP"].distinct == 30_000
    assert len(columns["TIMESTAMP"].quantiles) == 5
