"""The emulator with as much data as a real shop has: an import, a training, and requests.

``python benchmarks/real_size.py --json FILE``; each size is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from mpe.emulator import Durations, MemoryObjects, Request
from mpe.emulator.service import Personalize

SIZES = {"1M": 1_000_000, "5M": 5_000_000}
TARGETS = {
    ("5M", "import_and_training_cpu_seconds"): 60,
    ("5M", "memory_gib"): 2.5 * 10**9 / 2**30,
    ("1M", "p99_ms"): 20,
    ("1M", "filtered_p99_ms"): 20,
    ("1M", "beside_others_p99_ms"): 20,
}
"""The most that is wanted, by size and figure."""
URL = "s3://bench/interactions.csv"
ROLE = "arn:aws:iam::000000000000:role/bench"
SCHEMA = {
    "type": "record",
    "name": "Interactions",
    "namespace": "com.amazonaws.personalize.schema",
    "fields": [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "EVENT_VALUE", "type": "float"},
        {"name": "TIMESTAMP", "type": "long"},
    ],
    "version": "1.0",
}
ASKED = 2_000
"""How many requests are timed."""
CHUNK = 1 << 20


class Files(MemoryObjects):
    """Objects in a file, read in chunks as from S3."""

    def __init__(self, path: Path) -> None:
        super().__init__({URL: ""})
        self._path = path

    def read(self, url: str, *, role_arn: str, account: str) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


def write(path: Path, rows: int, seed: int = 1, users: int | None = None) -> None:
    """Write interactions of users with tastes, some much more active than others."""
    chance = np.random.default_rng(seed)
    users, items = users or rows // 25, max(2_000, rows // 200)
    with path.open("w") as file:
        file.write("USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP\n")
        for start in range(0, rows, 100_000):
            count = min(100_000, rows - start)
            user = (users * chance.random(count) ** 1.5).astype(int)
            shelf = np.where(chance.random(count) < 0.7, user % 50, chance.integers(50, size=count))
            place = (items / 50 * chance.random(count) ** 2).astype(int)
            item, kind = shelf * (items // 50) + place, chance.integers(10, size=count)
            value, when = chance.integers(1, 6, count), chance.integers(0, 31_536_000, count)
            file.writelines(
                f"u{u},i{i},{'Purchase' if k == 0 else 'View'},{v},{1_700_000_000 + t}\n"
                for u, i, k, v, t in zip(user, item, kind, value, when, strict=True)
            )


class Service:
    """The emulator, asked as over HTTP."""

    def __init__(self, path: Path) -> None:
        self.pool = ThreadPoolExecutor(2)
        durations = Durations(create={}, update={}, delete=0, start_stop=0)
        self.service = Personalize(objects=Files(path), durations=durations, executor=self.pool)

    def control(self, operation: str, **params: Any) -> dict[str, Any]:
        headers = {"x-amz-target": f"AmazonPersonalize.{operation}"}
        return self._ask(Request("POST", "/", headers, json.dumps(params).encode()))

    def runtime(self, path: str, **params: Any) -> dict[str, Any]:
        return self._ask(Request("POST", path, {}, json.dumps(params).encode()))

    def _ask(self, request: Request) -> dict[str, Any]:
        answer = self.service.handle(request)
        if answer.status != 200:
            raise RuntimeError(answer.body.decode())
        found: dict[str, Any] = json.loads(answer.body or b"{}")
        return found

    def until_active(self, operation: str, key: str, arn: str) -> None:
        while True:
            told = self.control(operation, **{f"{key}Arn": arn})[key]
            if told["status"] == "ACTIVE":
                return
            if "FAILED" in told["status"]:
                raise RuntimeError(told["failureReason"])
            time.sleep(0.05)


def prepare(service: Service) -> tuple[str, str, float]:
    """Import and train; return the campaign, a filter, and the CPU seconds of it."""
    group = service.control("CreateDatasetGroup", name="bench")["datasetGroupArn"]
    schema = service.control("CreateSchema", name="s", schema=json.dumps(SCHEMA))["schemaArn"]
    dataset = service.control(
        "CreateDataset",
        name="d",
        datasetGroupArn=group,
        datasetType="Interactions",
        schemaArn=schema,
    )["datasetArn"]
    began = time.process_time()
    job = service.control(
        "CreateDatasetImportJob",
        jobName="j",
        datasetArn=dataset,
        dataSource={"dataLocation": URL},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    service.until_active("DescribeDatasetImportJob", "datasetImportJob", job)
    solution = service.control(
        "CreateSolution",
        name="s",
        datasetGroupArn=group,
        recipeArn="arn:aws:personalize:::recipe/aws-user-personalization-v2",
        performAutoTraining=False,
    )["solutionArn"]
    version = service.control("CreateSolutionVersion", solutionArn=solution)["solutionVersionArn"]
    service.until_active("DescribeSolutionVersion", "solutionVersion", version)
    spent = time.process_time() - began
    campaign = service.control("CreateCampaign", name="c", solutionVersionArn=version)
    bought = service.control(
        "CreateFilter",
        name="f",
        datasetGroupArn=group,
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")',
    )
    return campaign["campaignArn"], bought["filterArn"], spent


def times(service: Service, users: int, **params: Any) -> list[float]:
    """Return how long requests take, in milliseconds, each for another user."""
    taken = []
    for number in range(ASKED):
        began = time.perf_counter()
        service.runtime("/recommendations", userId=f"u{number * 7919 % users}", **params)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def p99(taken: list[float]) -> float:
    return round(statistics.quantiles(taken, n=100)[98], 2)


def beside_others(service: Service, users: int, campaign: str, bought: str) -> float:
    """Return the p99 of requests while another client asks as fast as it can."""
    done = threading.Event()

    def ask() -> None:
        number = 0
        while not done.is_set():
            number += 1
            service.runtime(
                "/recommendations",
                userId=f"u{number % users}",
                campaignArn=campaign,
                filterArn=bought,
                numResults=500,
            )

    other = threading.Thread(target=ask)
    other.start()
    try:
        return p99(times(service, users, campaignArn=campaign))
    finally:
        done.set()
        other.join()


def measure(rows: int) -> dict[str, float]:
    """Measure one size in this process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "interactions.csv"
        write(path, rows)
        service = Service(path)
        began = time.perf_counter()
        campaign, bought, spent = prepare(service)
        waited = time.perf_counter() - began
    users = rows // 25
    plain = times(service, users, campaignArn=campaign)
    filtered = times(service, users, campaignArn=campaign, filterArn=bought)
    beside = beside_others(service, users, campaign, bought)
    service.pool.shutdown()
    return {
        "import_and_training_cpu_seconds": round(spent, 1),
        "import_and_training_seconds": round(waited, 1),
        "memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "p99_ms": p99(plain),
        "filtered_p99_ms": p99(filtered),
        "beside_others_p99_ms": beside,
    }


def missed(found: dict[str, dict[str, float]]) -> list[str]:
    """Return the targets that are missed."""
    return [
        f"{size} interactions: {key} is {found[size][key]}, at most {round(most, 2)} was wanted"
        for (size, key), most in TARGETS.items()
        if size in found and found[size][key] > most
    ]


def _apart(rows: int) -> dict[str, float]:
    """Measure one size in a process of its own."""
    command = [sys.executable, __file__, "--rows", str(rows)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(ran.stdout.strip().splitlines()[-1])
    return found


def _target(size: str, key: str) -> str:
    most = TARGETS.get((size, key))
    return "" if most is None else f" (at most {most:.4g})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rows", type=int, help="measure this many in this process")
    given = parser.parse_args()
    if given.rows:
        print(json.dumps(measure(given.rows)))
        return 0
    found = {size: _apart(rows) for size, rows in SIZES.items()}
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load {os.getloadavg()[0]:.1f} on {os.cpu_count()}"
    )
    for key in next(iter(found.values())):
        told = (f"{size} {figures[key]:>8}{_target(size, key)}" for size, figures in found.items())
        print(f"{key:<32} {'   '.join(told)}")
    if given.json:
        given.json.write_text(json.dumps({**found, "missed": missed(found)}))
    print("\n".join(missed(found)) or "every target is met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
