"""What it takes to count ten million interactions, as is done before an import.

Once of so many users that the import step counts them all, and once of so many that the function
for large data estimates them.
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
USERS = {"counted": ROWS // 25, "estimated": 6_000_000}
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
    """Count a file as the function for large data does, in this process.

    Up to so many ids that is what the import step does as well.
    """
    from mpe.aws.objects import Objects
    from mpe.model.service.counting import Tally

    tally, began = Tally("interactions", sketches=True), time.process_time()
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
        "users_off": profile.errors.get("users", 0.0),
        "cpu_seconds": round(spent, 1),
        "memory_gb": round(peak / 10**9, 3),
    }


def missed(found: dict[str, dict[str, float]]) -> list[str]:
    return [
        f"gate_costs: {key} is {one[key]} where users are {how}, at most {most} was wanted"
        for how, one in found.items()
        for key, most in TARGETS.items()
        if one[key] > most
    ]


def measured(users: int) -> dict[str, float]:
    """Write interactions of so many users, and count them in a process of its own."""
    from benchmarks.real_size import write

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "interactions.csv"
        write(path, ROWS, users=users)
        command = [sys.executable, __file__, "--count", str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="where the figures are written")
    parser.add_argument("--count", type=Path, help="count this file in this process")
    given = parser.parse_args()
    if given.count:
        print(json.dumps(count(given.count)))
        return 0
    found = {how: measured(users) for how, users in USERS.items()}
    for how, one in found.items():
        print(
            f"{one['rows']:,} interactions of {one['users']:,} users, who are {how}, and of "
            f"{one['items']:,} items; {one['mb']} MB in one pass as they come from S3"
        )
        for key, most in TARGETS.items():
            print(f"{key:<12} {one[key]:>6} (at most {most:g})")
    wrong = missed(found)
    print("\n".join(wrong) or "every target is met")
    if given.json:
        given.json.write_text(json.dumps({**found, "missed": wrong}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
