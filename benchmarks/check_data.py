"""How fast ``mpe check-data`` is, beside a plain scan of the same file by the same engine.

    python benchmarks/check_data.py [--rows 5000000] [--memory 1GB] [--json FILE]

The file is generated, without a fault, so that every rule looks at every cell. The scan only
parses the CSV and counts its rows: no rule, no table, no search for repetitions.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mpe.data.check import Check
from mpe.data.engine import MEMORY, Engine, text
from mpe.data.files import Source
from mpe.model.config.parse import parse

COLUMNS = ("USER_ID", "ITEM_ID", "EVENT_TYPE", "EVENT_VALUE", "TIMESTAMP")
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
        scan = _report("plain scan", given.rows, lambda: _scan(source, given.memory))
        check = _report("check-data", given.rows, lambda: _check(source, given.memory))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{'peak memory of the process':<28}{most:>12,.0f} MB")
    if given.json:
        found = {"rows": given.rows, "scan_seconds": scan, "check_seconds": check}
        given.json.write_text(json.dumps({**found, "peak_mb": round(most)}))


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


def _report(told: str, rows: int, work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    print(f"{told:<28}{rows / seconds:>12,.0f} rows/s{seconds:>9.1f} s")
    return round(seconds, 1)


if __name__ == "__main__":
    main()
