"""How fast ``mpe check-data`` and ``mpe init`` are, beside a plain aggregate of the same file.

    python benchmarks/check_data.py [--rows 5000000 20000000] [--memory 1GB] [--json FILE]

The file is generated, without a fault, so that every rule looks at every cell. The aggregate is
what one would ask the same engine first: the rows, the different users and items, the first and
the last time. The scan only parses the CSV. CPU seconds are of all threads: other work on the
machine changes them little.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mpe.cli.init import Nobody
from mpe.data.check import Check
from mpe.data.engine import MEMORY, Engine, text
from mpe.data.files import Source
from mpe.data.init import Request, initialise
from mpe.model.config.parse import parse

COLUMNS = ("USER_ID", "ITEM_ID", "EVENT_TYPE", "EVENT_VALUE", "TIMESTAMP")
SIZES = (5_000_000, 20_000_000)
TARGETS = {"check-data": 2.5, "init": 8.0}
"""How many times a plain aggregate's CPU time each may take."""
TYPES = ("string", "string", "string", "float", "long")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument("--memory", default=MEMORY)
    parser.add_argument("--json", type=Path, help="where the figures are written")
    given = parser.parse_args()
    found = {f"{rows:,} rows": _measure(rows, given.memory) for rows in given.rows}
    most_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{'peak memory of the process':<28}{most_memory:>12,.0f} MB")
    if given.json:
        missed = [
            f"{told} of {size} takes {times:g} times a plain aggregate, wanted was {most:g}"
            for size, figures in found.items()
            for told, most in TARGETS.items()
            if (times := figures[told]["times_the_aggregate"]) > most
        ]
        given.json.write_text(
            json.dumps({**found, "peak_mb": round(most_memory), "missed": missed})
        )


def _measure(rows: int, memory: str) -> dict[str, dict[str, float]]:
    """Measure a file of so many rows; print it as it goes."""
    with tempfile.TemporaryDirectory() as folder:
        source = Source(Path(folder) / "interactions.csv", "interactions.csv")
        _generate(source.path, rows)
        print(f"{rows:,} rows, {source.size / 1e6:,.0f} MB, memory {memory}")
        work = {
            "plain scan": lambda: _scan(source, memory),
            "plain aggregate": lambda: _aggregate(source, memory),
            "check-data": lambda: _check(source, memory),
            "init": lambda: _init(source, Path(folder) / "out", memory),
        }
        found = {told: _report(told, rows, one) for told, one in work.items()}
    for told, most in TARGETS.items():
        times = round(found[told]["cpu_seconds"] / found["plain aggregate"]["cpu_seconds"], 1)
        found[told]["times_the_aggregate"] = times
        print(f"{told} takes {times} times the aggregate's CPU; at most {most:g} was wanted")
    return found


def _generate(path: Path, rows: int) -> None:
    with Engine(memory="2GB") as engine:
        engine.run(
            "COPY (SELECT 'u' || (hash(i) % 200000) AS USER_ID, 'i' || (hash(i * 7) % 50000) AS "
            "ITEM_ID, CASE WHEN i % 3 = 0 THEN 'buy' ELSE 'view' END AS EVENT_TYPE, "
            "i % 5 + 0.5 AS EVENT_VALUE, 1700000000 + i AS TIMESTAMP "
            f"FROM range({rows}) t(i)) TO {text(str(path))} (HEADER)",
            "",
        )


def _scan(source: Source, memory: str) -> None:
    with Engine(memory=memory) as engine:
        types = ", ".join(f"'{one}': 'VARCHAR'" for one in COLUMNS)
        lengths = " + ".join(f"length({one})" for one in COLUMNS)
        engine.row(
            f"SELECT count(*), sum({lengths}) FROM read_csv({text(str(source.path))}, "
            f"auto_detect = false, header = true, columns = {{{types}}})"
        )


def _aggregate(source: Source, memory: str) -> None:
    with Engine(memory=memory) as engine:
        engine.row(
            "SELECT count(*), count(DISTINCT USER_ID), count(DISTINCT ITEM_ID), min(TIMESTAMP), "
            f"max(TIMESTAMP) FROM read_csv({text(str(source.path))})"
        )


def _init(source: Source, out: Path, memory: str) -> None:
    with Engine(memory=memory) as engine:
        initialise(Request({"interactions": source}, out), engine, Nobody())


def _check(source: Source, memory: str) -> None:
    with Engine(memory=memory) as engine:
        found = Check(parse(json.dumps(_config())), engine)({"interactions": ("all", [source])})
    assert found == [], found


def _config() -> dict[str, object]:
    schema = {
        "type": "record",
        "name": "Interactions",
        "fields": [{"name": n, "type": t} for n, t in zip(COLUMNS, TYPES, strict=True)],
    }
    names = {"serviceConfig": {"name": "bench"}}
    described = {"serviceConfig": {"name": "bench", "schema": schema}}
    return {
        "datasetGroup": names,
        "datasets": {"interactions": {"dataset": names, "schema": described}},
    }


def _report(told: str, rows: int, work: Callable[[], None]) -> dict[str, float]:
    began, used = time.perf_counter(), time.process_time()
    work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    print(f"{told:<28}{rows / seconds:>12,.0f} rows/s{seconds:>9.1f} s{cpu:>9.1f} s of CPU")
    return {"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2)}


if __name__ == "__main__":
    main()
