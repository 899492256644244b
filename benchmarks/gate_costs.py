"""What the import step takes to count ten million interactions, as it does before an import.

``python benchmarks/gate_costs.py --json FILE``; the counting is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROWS = 10_000_000
TARGETS = {"cpu_seconds": 30, "memory_gb": 1.0}
"""The most that is wanted."""


class Body:
    """An object's body, as S3 gives it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while chunk := file.read(size):
                yield chunk


class S3:
    """S3 with one object, read from a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": Body(self._path)}


def count(path: Path) -> dict[str, float]:
    """Count a file as the import step does, in this process."""
    from mpe.aws.objects import Objects
    from mpe.model.service.counting import Tally

    tally, began = Tally("interactions"), time.process_time()
    for lines in Objects(S3(path)).lines("s3://bench/interactions.csv"):
        tally.add(lines, go_on=lambda: True)
    profile = tally.profile()
    spent = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "rows": profile.rows("interactions") or 0,
        "users": profile.users,
        "items": profile.items,
        "mb": round(path.stat().st_size / 10**6),
        "cpu_seconds": round(spent, 1),
        "memory_gb": round(peak / 10**9, 3),
    }


def missed(found: dict[str, float]) -> list[str]:
    return [
        f"gate_costs: {key} is {found[key]}, at most {most} was wanted"
        for key, most in TARGETS.items()
        if found[key] > most
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="where the figures are written")
    parser.add_argument("--count", type=Path, help="count this file in this process")
    given = parser.parse_args()
    if given.count:
        print(json.dumps(count(given.count)))
        return 0
    from benchmarks.real_size import write

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "interactions.csv"
        write(path, ROWS)
        command = [sys.executable, __file__, "--count", str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    print(
        f"{found['rows']:,} interactions of {found['users']:,} users and {found['items']:,} items"
    )
    print(f"{found['mb']} MB without quotation marks, in one pass as they come from S3")
    for key, most in TARGETS.items():
        print(f"{key:<12} {found[key]:>6} (at most {most:g})")
    found["missed"] = missed(found)
    print("\n".join(found["missed"]) or "every target is met")
    if given.json:
        given.json.write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
