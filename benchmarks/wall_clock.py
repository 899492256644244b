"""What takes real time and memory on this machine: ``python -m benchmarks.wall_clock``."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scenarios import Scenario
from mpe.assembly.synthesis import Assembly, synthesize
from mpe.local.cloud import LocalCloud
from mpe.model.config.parse import parse
from mpe.model.errors import ConfigError
from mpe.model.service.limits import SIZE_LIMIT, VALUES_LIMIT

RUNS = 3
ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "01-movielens" / "config.json"
COMMANDS = (("--version",), ("--help",), ("validate", str(EXAMPLE.relative_to(ROOT))))
STARTS = 9
LONG = 2_400
"""Characters of a filter expression, of the 2,500 that one may have."""


def large_config() -> str:
    """Return a valid config that is as large as one may be, in bytes and in values.

    Half of its values are solutions; the rest of its bytes are long filter expressions.
    """
    each = _values(_with_solutions(101)) - _values(_with_solutions(100))
    config = _with_solutions(VALUES_LIMIT // 2 // each)
    filters = config.setdefault("filters", [])
    left = SIZE_LIMIT - len(json.dumps(config))
    while left > 2 * LONG:
        one = {"serviceConfig": {"name": f"large-{len(filters)}", "filterExpression": _filter()}}
        filters.append(one)
        left -= len(json.dumps(one)) + 2
    text = json.dumps(config)
    return text + " " * (SIZE_LIMIT - len(text))


def _with_solutions(count: int) -> dict[str, Any]:
    return Scenario("large", solutions=count, used=count).config()


def _values(document: Any) -> int:
    inner = document.values() if isinstance(document, dict) else document
    return 1 + sum(map(_values, inner)) if isinstance(document, dict | list) else 1


def _filter() -> str:
    values = ", ".join(f'"kind-{number:04}"' for number in range(LONG // 13 - 10))
    return f"INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ({values})"


def validation() -> dict[str, Any]:
    """Check a config of 1 MB, and one in which every solution has a problem."""
    valid = large_config()
    assert _problems(valid) == 0, "it is to be checked to its end"
    wrong = valid.replace("recipeArn", "recipe", -1)
    return {
        "bytes": len(valid),
        "solutions": valid.count("recipeArn"),
        "valid": _checked(valid),
        "wrong": _checked(wrong),
    }


def _checked(text: str) -> dict[str, Any]:
    seconds, problems = min(_timed(lambda: _problems(text)) for _ in range(RUNS))
    tracemalloc.start()
    _problems(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"seconds": round(seconds, 2), "peak_mib": round(peak / 2**20, 1), "problems": problems}


def _problems(text: str) -> int:
    try:
        parse(text)
    except ConfigError as error:
        return len(error.problems)
    return 0


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def yardstick() -> float:
    """Return the seconds of what never changes, by which to compare machines and days."""
    seconds, _ = min(_timed(lambda: sum(one * one for one in range(10**7))) for _ in range(RUNS))
    return round(seconds, 2)


def start_up() -> dict[str, float]:
    """Return the processor seconds of commands, each the median of some processes of its own.

    Their modules are compiled already, as an installed package's are.
    """
    return {" ".join(("mpe", *words)): _processor_seconds(words) for words in COMMANDS}


def _processor_seconds(words: Sequence[str]) -> float:
    own = {key: one for key, one in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment = {**own, "PYTHONPATH": str(ROOT / "source")}
    found = []
    for _ in range(STARTS + 1):
        before = _of_children()
        command = [sys.executable, "-m", "mpe.cli.main", *words]
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
        found.append(_of_children() - before)
    return round(statistics.median(found[1:]), 2)


def _of_children() -> float:
    """Return the processor seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def synthesis(folder: Path) -> dict[str, Any]:
    """Synthesize the app, as ``cdk synth`` has it done, with the layer built already."""
    synthesize(folder / "first")
    before = _of_children()
    seconds, assembly = _timed(lambda: synthesize(folder / "again"))
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(_of_children() - before, 1),
        "peak_mib_of_largest_process": round(largest / 1024),
        "template_bytes": assembly.template.stat().st_size,
    }


def local_cloud(assembly: Assembly) -> dict[str, Any]:
    """Start the local cloud with the app synthesized before, until the stack is deployed."""
    cloud = LocalCloud(assembly=assembly)
    seconds, _ = _timed(cloud.start)
    try:
        own = [peak_kib(pid) for pid in _group(cloud.pid)]
        return {
            "seconds": round(seconds, 1),
            "processes": len(own),
            "memory_mib": round(sum(own) / 1024),
        }
    finally:
        cloud.stop()


def _group(leader: int) -> Iterator[int]:
    """Yield the processes of a group, which are the local cloud's servers and workers."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _is_in(int(folder.name), leader):
            yield int(folder.name)


def _is_in(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group
    except ProcessLookupError:
        return False


def peak_kib(pid: int) -> int:
    """Return the most that a process held in memory so far, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def measure(folder: Path) -> dict[str, Any]:
    """Measure all of it; the synthesized app stays in ``folder``."""
    synthesized = synthesis(folder)
    return {
        "yardstick": yardstick(),
        "config_validation": validation(),
        "start_up": start_up(),
        "cdk_synth": synthesized,
        "local_cloud": local_cloud(Assembly.read(folder / "again")),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(measure(Path(temporary)), indent=2))
    sys.exit()
