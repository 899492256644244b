"""How fast ``mpe check-data`` and ``mpe init`` are, beside a plain aggregate of the same file.

    python benchmarks/check_data.py [--rows 5000000] [--memory 1GB] [--json FILE]

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
TARGETS = {"check-data": 2.5, "init": 8.0}
"""How many times a plain aggregate's CPU time each may take."""
TYPES = ("string", "string", "string", "float", "long")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--memory", default=MEMORY)
    parser.add_argument("--json", type=Path, help="where the figures are written")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Source(Path(folder) / "interactions.csv", "interactions.csv")
        _generate(source.path, given.rows)
        print(f"{given.rows:,} rows, {source.size / 1e6:,.0f} MB, memory {given.memory}")
        work = {
            "plain scan": lambda: _scan(source, given.memory),
            "plain aggregate": lambda: _aggregate(source, given.memory),
            "check-data": lambda: _check(source, given.memory),
            "init": lambda: _init(source, Path(folder) / "out", given.memory),
        }
        found = {told: _report(told, given.rows, one) for told, one in work.items()}
    missed = []
    for told, most in TARGETS.items():
        times = found[told]["cpu_seconds"] / found["plain aggregate"]["cpu_seconds"]
        found[told]["times_the_aggregate"] = round(times, 1)
        print(f"{told} takes {times:.1f} times the aggregate's CPU; at most {most:g} was wanted")
        if times > most:
            missed.append(f"{told} takes {times:.1f} times a plain aggregate, wanted was {most:g}")
    most_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{'peak memory of the process':<28}{most_memory:>12,.0f} MB")
    if given.json:
        told = {"rows": given.rows, **found, "peak_mb": round(most_memory), "missed": missed}
        given.json.write_text(json.dumps(told))


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
