"""What is counted of a column is the same whether its values are looked at once or in each row."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpe.data.engine import Engine, text
from mpe.data.values import Values, find_values

TESTS = ("v IS NULL", "v = ''", "length(v) > 1", "v IS NOT NULL")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine(memory="200MB") as made:
        yield made


def fill(engine: Engine, cells: list[str]) -> None:
    rows = ", ".join(f"({text(one)})" for one in cells)
    engine.rows(f"CREATE OR REPLACE TABLE cells AS SELECT * FROM (VALUES {rows}) t(v)")


@given(cells=st.lists(st.sampled_from(["", "a", "bb", "ccc", "'"]), min_size=1, max_size=40))
def test_counts_and_averages_are_those_of_the_rows(engine: Engine, cells: list[str]) -> None:
    fill(engine, cells)
    engine.rows(
        "CREATE OR REPLACE TEMP TABLE once AS SELECT v, count(*) AS n FROM cells GROUP BY v"
    )
    told = []
    for values in (Values("cells"), Values("once", once=True)):
        asked = [*map(values.counted, TESTS), values.average("nullif(length(v), 0)")]
        told.append(engine.row(f"SELECT {', '.join(asked)} FROM {values.table}"))
    each, once = told
    assert each[:-1] == once[:-1]
    assert each[-1] == pytest.approx(once[-1])
    assert each[1] == sum(one == "" for one in cells)


def test_values_that_come_again_are_looked_at_once_and_others_in_each_row(engine: Engine) -> None:
    engine.rows(
        "CREATE OR REPLACE TABLE cells AS SELECT 'u' || i % 7 AS c0, 'i' || i AS c1 "
        "FROM range(1000) t(i)"
    )
    found = find_values(engine, "cells", ["c0", "c1"])
    assert (found["c0"].once, found["c1"].once) == (True, False)
    (rows,) = engine.row(f"SELECT sum(n) FROM {found['c0'].table}")
    assert rows == 1000
