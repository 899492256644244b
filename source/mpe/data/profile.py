"""Find what data is like, in the tables that a check has loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mpe.data.engine import Engine, name
from mpe.model.service.profile import ColumnProfile, DatasetProfile, Profile

WEEK = 7 * 86_400
MONDAY = 4 * 86_400
"""The first Monday after 1970 began."""
TOP = 5
STEPS = 100
BUCKETS = ((1, 1), (2, 4), (5, 9), (10, 49), (50, 199), (200, None))


def profile(engine: Engine, tables: Mapping[str, Mapping[str, str]]) -> Profile:
    """Return the profile of tables; ``tables`` has the table's name of each column, by kind."""
    engine.watcher.begin("Describing the data")
    datasets = tuple(_dataset(engine, kind, called) for kind, called in tables.items())
    if "interactions" not in tables:
        return Profile(datasets)
    called = tables["interactions"]
    user, item = called["USER_ID"], called["ITEM_ID"]
    time = f"TRY_CAST({called['TIMESTAMP']} AS BIGINT)"
    weeks = engine.rows(
        f"SELECT CAST(floor(({time} - {MONDAY}) / {WEEK}) AS BIGINT) * {WEEK} + {MONDAY} AS week, "
        f"count(*) FROM interactions WHERE {time} IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    oldest, newest, users, items = engine.row(
        f"SELECT min({time}), max({time}), count(DISTINCT {user}), count(DISTINCT {item}) "
        "FROM interactions"
    )
    return Profile(
        datasets,
        tuple((int(week), int(count)) for week, count in weeks),
        oldest,
        newest,
        users,
        items,
        _activity(engine, user),
        _popularity(engine, item),
        _busiest(engine, user),
        _cold(engine, tables, "items", "ITEM_ID"),
        _cold(engine, tables, "users", "USER_ID"),
    )


def _dataset(engine: Engine, kind: str, called: Mapping[str, str]) -> DatasetProfile:
    table = name(kind)
    listed = ", ".join(called.values())
    rows, unique = engine.row(
        f"SELECT (SELECT count(*) FROM {table}), count(*) FROM "
        f"(SELECT 1 FROM {table} GROUP BY {listed})"
    )
    columns = tuple(_column(engine, table, one, at) for one, at in called.items())
    return DatasetProfile(kind, rows, rows - unique, columns)


def _column(engine: Engine, table: str, called: str, column: str) -> ColumnProfile:
    filled, distinct, numbers, least, most, first, last = engine.row(
        f"SELECT count(*) FILTER ({column} <> ''), approx_count_distinct({column}), "
        f"count(TRY_CAST({column} AS DOUBLE)), min(TRY_CAST({column} AS DOUBLE)), "
        f"max(TRY_CAST({column} AS DOUBLE)), min(nullif({column}, '')), max(nullif({column}, '')) "
        f"FROM {table}"
    )
    span: Sequence[object] = (first, last)
    if filled and numbers == filled:
        span = (f"{least:.15g}", f"{most:.15g}")
    top = engine.rows(
        f"SELECT {column}, count(*) FROM {table} WHERE {column} <> '' GROUP BY 1 "
        f"ORDER BY 2 DESC, 1 LIMIT {TOP}"
    )
    low, high = ("" if one is None else str(one) for one in span)
    return ColumnProfile(called, filled, distinct, low, high, tuple(map(tuple, top)))


def _activity(engine: Engine, user: str) -> dict[str, int]:
    """Count users by how many interactions they have."""
    tests = {
        f"{low}-{high}" if high and high > low else f"{low}{'' if high else '+'}": (
            f"n >= {low}" + (f" AND n <= {high}" if high else "")
        )
        for low, high in BUCKETS
    }
    counted = ", ".join(f"count(*) FILTER ({one})" for one in tests.values())
    row = engine.row(
        f"SELECT {counted} FROM (SELECT count(*) AS n FROM interactions GROUP BY {user})"
    )
    return dict(zip(tests, row, strict=True))


def _popularity(engine: Engine, item: str) -> tuple[float, ...]:
    rows = engine.rows(
        "SELECT step, sum(n) FROM (SELECT n, ntile(100) OVER (ORDER BY n DESC) AS step FROM "
        f"(SELECT count(*) AS n FROM interactions GROUP BY {item})) GROUP BY 1 ORDER BY 1"
    )
    total = sum(int(count) for _, count in rows)
    shares, so_far = [], 0
    for _, count in rows:
        so_far += int(count)
        shares.append(so_far / total)
    return tuple(shares)


def _busiest(engine: Engine, user: str) -> float:
    most, total = engine.row(
        f"SELECT max(n), sum(n) FROM (SELECT count(*) AS n FROM interactions GROUP BY {user})"
    )
    return float(most) / float(total) if total else 0.0


def _cold(
    engine: Engine, tables: Mapping[str, Mapping[str, str]], kind: str, key: str
) -> int | None:
    """Count what is described and never met."""
    if kind not in tables:
        return None
    (count,) = engine.row(
        f"SELECT count(DISTINCT {tables[kind][key]}) FROM {name(kind)} WHERE {tables[kind][key]} "
        f"NOT IN (SELECT {tables['interactions'][key]} FROM interactions)"
    )
    return int(count)
