"""Find what data is like, in the tables that a check has loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mpe.data.engine import Engine, name
from mpe.model.service.profile import (
    DIGEST,
    MOST_SHARES,
    QUANTILES,
    ColumnProfile,
    DatasetProfile,
    Profile,
)

WEEK = 7 * 86_400
MONDAY = 4 * 86_400
"""The first Monday after 1970 began."""
MOST_WEEKS = 1_040
TOP = 10
BUCKETS = ((1, 1), (2, 4), (5, 9), (10, 49), (50, 199), (200, None))
NAMING = ("_ID", "IMPRESSION")
"""How the names of columns end whose values name users, items or requests."""
Tables = Mapping[str, Mapping[str, str]]


def profile(engine: Engine, tables: Tables) -> Profile:
    """Return the profile of tables; ``tables`` has the table's name of each column, by kind."""
    engine.watcher.begin("Describing the data")
    datasets = tuple(_dataset(engine, kind, called) for kind, called in tables.items())
    if "interactions" not in tables:
        return Profile(datasets)
    called = tables["interactions"]
    user, item = called["USER_ID"], called["ITEM_ID"]
    time = f"TRY_CAST({called['TIMESTAMP']} AS BIGINT)"
    oldest, newest, users, items = engine.row(
        f"SELECT min({time}), max({time}), count(DISTINCT nullif({user}, '')), "
        f"count(DISTINCT nullif({item}, '')) FROM interactions"
    )
    cold_items, unknown_items = _unmet(engine, tables, "items", "ITEM_ID")
    cold_users, unknown_users = _unmet(engine, tables, "users", "USER_ID")
    return Profile(
        datasets,
        _weeks(engine, time),
        oldest,
        newest,
        users,
        items,
        _activity(engine, user),
        _popularity(engine, item),
        _busiest(engine, user),
        cold_items,
        cold_users,
        unknown_items,
        unknown_users,
        _most_met(engine, item),
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
    """Count each value once, and look at those that differ."""
    number = "TRY_CAST(v AS DOUBLE)"
    filled, distinct, numbers, least, most, first, last, top = engine.row(
        f"WITH g AS (SELECT {column} AS v, count(*) AS n FROM {table} WHERE {column} <> '' "
        f"GROUP BY 1) SELECT coalesce(sum(n), 0), count(*), count({number}), min({number}), "
        f"max({number}), min(v), max(v), "
        f"(SELECT list([v, n::VARCHAR]) FROM (SELECT v, n FROM g ORDER BY n DESC, v LIMIT {TOP})) "
        "FROM g"
    )
    if called.endswith(NAMING) or not filled:
        return ColumnProfile(called, int(filled), distinct)
    ranked = tuple((value, int(count)) for value, count in top)
    if numbers < distinct:
        return ColumnProfile(called, int(filled), distinct, first, last, ranked)
    (found,) = engine.row(
        f"SELECT approx_quantile(TRY_CAST({column} AS DOUBLE), {list(QUANTILES)}) FROM {table}"
    )
    low, high = f"{least:.15g}", f"{most:.15g}"
    return ColumnProfile(called, int(filled), distinct, low, high, ranked, tuple(found))


def _weeks(engine: Engine, time: str) -> tuple[tuple[int, int], ...]:
    rows = engine.rows(
        f"SELECT CAST(floor(({time} - {MONDAY}) / {WEEK}) AS BIGINT) * {WEEK} + {MONDAY} AS week, "
        f"count(*) FROM interactions WHERE {time} IS NOT NULL GROUP BY 1 ORDER BY 1 DESC "
        f"LIMIT {MOST_WEEKS}"
    )
    return tuple((int(week), int(count)) for week, count in reversed(rows))


def _activity(engine: Engine, user: str) -> dict[str, int]:
    """Count users by how many interactions they have."""
    tests = {
        f"{low}-{high}" if high and high > low else f"{low}{'' if high else '+'}": (
            f"n >= {low}" + (f" AND n <= {high}" if high else "")
        )
        for low, high in BUCKETS
    }
    counted = ", ".join(f"count(*) FILTER ({one})" for one in tests.values())
    row = engine.row(f"SELECT {counted} FROM ({_each(user)})")
    return dict(zip(tests, row, strict=True))


def _each(column: str) -> str:
    """Return the query of how often each user or item is there."""
    return f"SELECT count(*) AS n FROM interactions WHERE {column} <> '' GROUP BY {column}"


def _popularity(engine: Engine, item: str) -> tuple[float, ...]:
    rows = engine.rows(
        "SELECT step, sum(n) FROM (SELECT n, ntile(100) OVER (ORDER BY n DESC) AS step FROM "
        f"({_each(item)})) GROUP BY 1 ORDER BY 1"
    )
    return _shares([int(count) for _, count in rows])


def _most_met(engine: Engine, item: str) -> tuple[tuple[str, int], ...]:
    rows = engine.rows(
        f"SELECT left(sha256({item}), {DIGEST}) AS id, count(*) AS n FROM interactions "
        f"WHERE {item} <> '' GROUP BY {item} ORDER BY n DESC, id LIMIT {MOST_SHARES}"
    )
    return tuple((id, int(count)) for id, count in rows)


def _shares(counts: Sequence[int]) -> tuple[float, ...]:
    """Return which share of all the first so many have."""
    total, so_far, shares = sum(counts), 0, []
    for count in counts:
        so_far += count
        shares.append(round(so_far / total, 6))
    return tuple(shares)


def _busiest(engine: Engine, user: str) -> float:
    most, total = engine.row(f"SELECT max(n), sum(n) FROM ({_each(user)})")
    return round(float(most) / float(total), 6) if total else 0.0


def _unmet(engine: Engine, tables: Tables, kind: str, key: str) -> tuple[int | None, int | None]:
    """Count what is described and never met, and interactions with what is not described."""
    if kind not in tables:
        return None, None
    own, other = tables[kind][key], tables["interactions"][key]
    cold, unknown = engine.row(
        f"SELECT (SELECT count(DISTINCT {own}) FROM {name(kind)} WHERE {own} <> '' AND {own} "
        f"NOT IN (SELECT {other} FROM interactions)), (SELECT count(*) FROM interactions WHERE "
        f"{other} <> '' AND {other} NOT IN (SELECT {own} FROM {name(kind)}))"
    )
    return int(cold), int(unknown)
