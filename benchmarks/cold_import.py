#!/usr/bin/env python3
"""How long each handler's imports take in a fresh interpreter, with the code and layer as built.

python benchmarks/cold_import.py [--runs 15] [--json FILE]

The layer and code are the ones for this machine's Python, and nothing else is on the path.
"compiled" is as in a release, whose modules are compiled for Lambda's Python; "from source" is
without, as where neither that Python nor pyodide was there. Only the imports are measured: no
client is made and no handler is called. Lambda's own start is not in these figures. The CPU time
is the one to compare where the machine has other things to do. The last row is the SDK by itself,
below which no handler that calls anything can come.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "source"))

from mpe.infrastructure.package import LOCAL, code, layer  # noqa: E402

PROGRAM = """
import sys, time
sys.path[:0] = {places!r}
before = set(sys.modules)
wall, cpu = time.perf_counter(), time.process_time()
import {module}
print(time.perf_counter() - wall, time.process_time() - cpu, len(set(sys.modules) - before))
"""
SDK = "(boto3 alone)"
HEADINGS = ("handler", "modules", "from source", "CPU", "compiled", "CPU")


def handlers() -> list[str]:
    """Return the modules that a function of the stack starts with."""
    found = (ROOT / "source" / "mpe" / "handlers").glob("*.py")
    return sorted(path.stem for path in found if "\ndef handler(" in path.read_text())


def imported(
    handler: str, places: Sequence[str], options: Sequence[str]
) -> tuple[list[float], int]:
    """Import a handler or the SDK in an interpreter of its own; return the times and modules."""
    module = "boto3" if handler == SDK else f"mpe.handlers.{handler}"
    program = PROGRAM.format(places=list(places), module=module)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", *options, "-c", program],
        env={"AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    *seconds, modules = done.stdout.split()
    return [round(float(one) * 1000, 1) for one in seconds], int(modules)


def measure(runs: int) -> list[dict[str, Any]]:
    """Take turns, so that what else the machine does falls on all of them alike."""
    with tempfile.TemporaryDirectory() as folder:
        places = [str(code(LOCAL, Path(folder))), str(layer(LOCAL) / "python")]
        kinds = {"source": ["-X", f"pycache_prefix={folder}/none"], "compiled": []}
        results = {
            name: {"source": [], "compiled": [], "modules": 0} for name in (*handlers(), SDK)
        }
        for turn in range(runs + 1):
            for name, result in results.items():
                for kind, options in kinds.items():
                    times, result["modules"] = imported(name, places, options)
                    if turn:  # the first one reads the files from the disk
                        result[kind].append(times)
    return [{"handler": name, **result} for name, result in results.items()]


def row(result: dict[str, Any]) -> list[str]:
    cells = [result["handler"], str(result["modules"])]
    for kind in ("source", "compiled"):
        cells += [f"{statistics.median(one):.0f} ms" for one in zip(*result[kind], strict=True)]
    return cells


def table(results: Sequence[dict[str, Any]]) -> str:
    rows = [list(HEADINGS), *map(row, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(one, widths, strict=True)).rstrip()
        for one in rows
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=15, help="how often each is imported")
    parser.add_argument("--json", type=Path, help="where every single time is written")
    arguments = parser.parse_args()
    results = measure(arguments.runs)
    place = f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {platform.machine()}"
    print(f"{place}; medians of {arguments.runs} runs\n\n{table(results)}")
    if arguments.json:
        found = {
            "place": place,
            "runs": arguments.runs,
            "times": ["ms", "CPU ms"],
            "results": results,
        }
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
