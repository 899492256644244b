"""The values of a column, each looked at once where they come again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mpe.data.engine import Engine, name

SAMPLE = 2_000_000
"""The first rows, which tell whether values come again."""
MOST_DIFFERENT = 0.25
"""Of these rows so many may have a value of their own where looking at each once is less work."""


@dataclass(frozen=True)
class Values:
    """A table that has the values of one column, under the column's own name.

    Where they come again it has each once, and in ``n`` the number of its rows.
    """

    table: str
    once: bool = False

    @property
    def weight(self) -> str:
        """The SQL of how many rows one of the table's stands for."""
        return "n" if self.once else "1"

    def counted(self, test: str) -> str:
        """Return the SQL of the number of rows of which a test is true."""
        if self.once:
            return f"CAST(coalesce(sum(n) FILTER ({test}), 0) AS BIGINT)"
        return f"count(*) FILTER ({test})"

    def average(self, number: str) -> str:
        """Return the SQL of the average of a number over all rows that have one."""
        if self.once:
            return f"sum({number} * n) / sum(n) FILTER ({number} IS NOT NULL)"
        return f"avg({number})"


def find_values(engine: Engine, table: str, columns: Sequence[str]) -> dict[str, Values]:
    """Return where the values of some columns of a table are best looked at."""
    if not columns:
        return {}
    told = ", ".join(f"approx_count_distinct({name(one)})" for one in columns)
    rows, *different = engine.row(
        f"SELECT count(*), {told} FROM (SELECT * FROM {name(table)} LIMIT {SAMPLE})"
    )
    return {
        column: _once(engine, table, column)
        if count <= rows * MOST_DIFFERENT
        else Values(name(table))
        for column, count in zip(columns, different, strict=True)
    }


def _once(engine: Engine, table: str, column: str) -> Values:
    made = name(f"values_{table}_{column}")
    engine.rows(
        f"CREATE OR REPLACE TEMP TABLE {made} AS SELECT {name(column)}, count(*) AS n "
        f"FROM {name(table)} GROUP BY 1"
    )
    return Values(made, once=True)
