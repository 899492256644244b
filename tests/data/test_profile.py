"""The picture of the data: figures counted by hand, and a page in which text is only text."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

from mpe.data.check import Check
from mpe.data.engine import Engine
from mpe.data.files import Source
from mpe.data.page import page
from mpe.data.profile import profile
from mpe.model.config.parse import parse
from mpe.model.errors import Finding
from mpe.model.service.profile import Profile
from tests.data.writing import config, write

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

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
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
