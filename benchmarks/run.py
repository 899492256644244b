"""Measure everything and write it down: ``python -m benchmarks.run`` (``make bench``).

Writes ``benchmarks/results.json`` and ``benchmarks/RESULTS.md``. The scenarios in virtual
time give the same figures on every machine; the rest is of this machine and this day.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import durations, money, scenarios, wall_clock
from benchmarks.scenarios import SHORTER_PATH, WARM
from mpe.assembly.synthesis import Assembly, synthesize

HERE = Path(__file__).parent
ROOT = HERE.parent
OTHERS = ("cold_import", "memory", "check_data", "real_size", "gate_costs")
"""Scripts that measure on their own, where they are there: ``SCRIPT --json FILE``."""
DRAWN = {"durations": durations.measure, "growth_on_sets": durations.growth}
"""What is drawn, and takes nothing but this process."""
PARTS = (*OTHERS, *DRAWN, *scenarios.PARTS, "wall_clock")
"""What can be measured by itself, so that the rest is kept."""
FIRST, LATER, _ = durations.SITUATIONS
TARGETS: Mapping[tuple[str, str], Mapping[str, float]] = {
    ("samples", FIRST): {
        "mean_added_seconds": 40,
        "p95_added_seconds": 65,
        "looks": 260,
        "state_transitions": 700,
        "gave_up": 0,
    },
    ("samples", LATER): {"mean_added_seconds": 27, "p95_added_seconds": 50, "gave_up": 0},
    ("guesses", FIRST): {"mean_added_seconds": 45, "p95_added_seconds": 75, "gave_up": 0},
    ("large", FIRST): {"mean_added_seconds": 65, "p95_added_seconds": 100, "gave_up": 0},
}
"""What was wanted of our law with 3 solutions, at most, by set and situation."""
LIKE = 1.1
"""How much more 10 solutions may add than 3, which differ by their draws."""
RUNS = ("first_run", "known_durations")
"""The runs of the reference scenario."""
GATE_ADDS = {"added_seconds": 10, "lambda_invocations": 12, "state_transitions": 30}
"""What a gate that observes may add to a run, at the most."""
ELSEWHERE: Mapping[str, tuple[int | None, ...]] = {
    "the AWS solution, first run": (150, 231, 210, 307),
    "the CDK pipeline sample": (505, None, None, 539),
}
"""Added seconds, invocations, errors and transitions, by arithmetic from their definitions."""
Found = Mapping[str, Any]


def machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def others() -> dict[str, Any]:
    """Run the scripts of others that are there; what fails is told in the results."""
    return {name: _other(name) for name in OTHERS if (HERE / f"{name}.py").exists()}


def _other(name: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "found.json"
        command = [sys.executable, f"benchmarks/{name}.py", "--json", str(written)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'source'}{os.pathsep}{ROOT}"}
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        if ran.returncode or not written.exists():
            return {"failed": ran.stderr.strip().splitlines()[-1:] or ["it wrote nothing"]}
        return {"found": json.loads(written.read_text()), "printed": ran.stdout.strip()}


def measure() -> dict[str, Any]:
    found: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": machine(),
    }
    with tempfile.TemporaryDirectory() as folder:
        found.update(wall_clock.measure(Path(folder)))
        found.update(others())
        found.update(scenarios.measure(Assembly.read(Path(folder) / "again")))
    return {**found, **{part: work() for part, work in DRAWN.items()}}


def measure_anew(found: Found, parts: Sequence[str]) -> dict[str, Any]:
    """Return what was found with some parts measured now, each with the day of that."""
    fresh: dict[str, Any] = {part: _other(part) for part in parts if part in OTHERS}
    fresh.update({part: work() for part, work in DRAWN.items() if part in parts})
    if "wall_clock" in parts:  # all of it, since figures and yardstick belong together
        with tempfile.TemporaryDirectory() as folder:
            fresh.update(wall_clock.measure(Path(folder)))
    virtual = [part for part in parts if part in scenarios.PARTS]
    if virtual:
        with tempfile.TemporaryDirectory() as folder:
            assembly = synthesize(Path(folder) / "cdk.out")
            fresh.update(scenarios.measure(assembly, virtual))
    today = datetime.now(UTC).date().isoformat()
    return {**found, **fresh, "anew": {**found.get("anew", {}), **dict.fromkeys(parts, today)}}


def missed(found: Found) -> list[str]:
    """Return the targets that are missed, and what could not be measured."""
    failed = [
        f"{name} failed: {' '.join(found[name]['failed'])}"
        for name in OTHERS
        if "failed" in found.get(name, {})
    ]
    for name in OTHERS:
        failed += found.get(name, {}).get("found", {}).get("missed", [])
    failed += [
        f"{run}: the gate adds {added[key]} of {key}, at most {most} was wanted"
        for run, added in gate_adds(found).items()
        for key, most in GATE_ADDS.items()
        if added[key] > most
    ]
    failed += [
        f"{run}: {found['reference_scenario'][run]['lambda_errors']} Lambda errors"
        for run in RUNS
        if found["reference_scenario"][run]["lambda_errors"]
    ]
    return failed + list(_too_slow(found["durations"]))


def _too_slow(found: Found) -> Iterator[str]:
    """Yield the targets that our law misses on durations as they are in public."""
    for (name, situation), targets in TARGETS.items():
        ours = found[name]["3"]["ours"][situation]
        for key, most in targets.items():
            if ours[key] > most:
                yield f"{name}, {situation}: {key} is {ours[key]}, at most {most} was wanted"
    for name, sizes in found.items():
        three, ten = (sizes[one]["ours"][FIRST]["mean_added_seconds"] for one in ("3", "10"))
        if ten > LIKE * three:
            yield f"{name}: 10 solutions add {ten} s, 3 add {three} s"


def gate_adds(found: Found) -> dict[str, dict[str, float]]:
    """Return what a gate that observes adds to each run, where that was measured."""
    without, usual = (found.get("gate", {}).get(mode, {}) for mode in scenarios.GATES)
    return {
        run: {key: round(usual[run][key] - without[run][key], 1) for key in COSTS}
        for run in without
    }


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join('' if c is None else str(c) for c in row)} |" for row in lines)


COSTS = ("added_seconds", "lambda_invocations", "lambda_errors", "state_transitions")
HEADINGS = ("added seconds", "Lambda invocations", "Lambda errors", "state transitions")


def costs(run: Found) -> list[Any]:
    return [run[key] for key in COSTS]


def report(found: Found) -> str:
    return "\n\n".join(_sections(found)) + "\n"


def _sections(found: Found) -> Iterator[str]:
    host = found["machine"]
    yield "# Measured"
    yield (
        f"Written by `make bench` on {found['date']} ({host['cpu']}, {host['cores']} cores, "
        f"{host['memory_gib']} GiB, {host['system']}, Python {host['python']}; load before: "
        f"{host['load_before']}). `benchmarks/results.json` has all of it. Figures in virtual "
        "time are the same on every machine; the others are of this one, which other work "
        "was sharing where the load says so."
    )
    if found.get("anew"):
        days = ", ".join(f"`{part}` on {day}" for part, day in sorted(found["anew"].items()))
        yield f"Measured anew since, by `python -m benchmarks.run --only PART`: {days}."
    yield from _drawn(found["durations"])
    yield from _reference(found["reference_scenario"])
    yield from _gate(found)
    yield from _unlike(found["unlike_expected"])
    yield from _growth(found)
    yield from _money(found)
    yield from _wall(found)
    for name in OTHERS:
        if name in found:
            yield from _printed(name, found[name])


_WANTED = ("mean_added_seconds", "p95_added_seconds", "looks", "state_transitions")


def _drawn(found: Found) -> Iterator[str]:
    yield "## On durations as they are in public"
    yield "`python -m benchmarks.durations` (virtual time, with latency)"
    yield (
        "The reference scenario of below, where each job takes what it was drawn to: from the "
        "durations in the kept outputs of public notebooks (*samples*), from jobs as long as this "
        "project once guessed (*guesses*), and from ones of large data, which nobody has measured "
        f"(*large*); `benchmarks/drawn.py` has them and where they are from. Of 3 solutions there "
        f"are {durations.DRAWS[3]} draws, of 10 solutions {durations.DRAWS[10]}; the constants of "
        "our law were chosen on other draws of the same sets. Each is an account in which nothing "
        f"ever ran: a run of one group, or ten in {durations.LIVES} of them, in each of which all "
        "is made anew, then the first of another group. *Added* is what a run takes beyond the "
        "service's own longest chain, in which imports wait for all datasets: mean (95th "
        "percentile; most). *Ours before* is what this law took the place of. *Looks* are those "
        "after a wait. The AWS solution's law is its retries: 60 s, 2 % more each time, 100 s at "
        "most, and no more after 5.2 hours; those that gave up are counted apart. The "
        "waits are our functions' own; a test holds this simulation to real handlers and the real "
        "workflow on the same draws."
    )
    yield table(
        ("wanted with 3 solutions, at most", "mean", "p95", "looks", "transitions"),
        [[", ".join(one), *map(targets.get, _WANTED)] for one, targets in TARGETS.items()],
    )
    for solutions in map(str, durations.DRAWS):
        yield table(
            (f"{solutions} solutions", "law", *durations.SITUATIONS, "looks", "transitions"),
            list(_drawn_rows({name: sizes[solutions] for name, sizes in found.items()})),
        )


def _drawn_rows(found: Found) -> Iterator[list[Any]]:
    """Yield a row for each set and law; looks and transitions are of the first run."""
    for name, laws in found.items():
        for law, situations in laws.items():
            first = situations[durations.SITUATIONS[0]]
            yield [
                name,
                f"**{law}**" if law == "ours" else law,
                *(_seconds(situations[one]) for one in durations.SITUATIONS),
                first["looks"],
                first["state_transitions"],
            ]


def _seconds(found: Found) -> str:
    told = (
        f"{found['mean_added_seconds']:.0f} ({found['p95_added_seconds']:.0f}; "
        f"{found['most_added_seconds']:.0f})"
    )
    return told + (f", {found['gave_up']} gave up" if found["gave_up"] else "")


def _reference(found: Found) -> Iterator[str]:
    path = found["first_run"]["critical_path_seconds"]
    yield "## The reference scenario, a best case"
    yield "`python -m benchmarks.scenarios reference_scenario` (virtual time)"
    yield (
        "Three datasets with a CSV each, three solutions, one campaign and one batch inference "
        "job. The service takes 30 s for the dataset group, 60 s for a dataset, 900 s for an "
        "import, 3,600 s for a training, 600 s for the campaign and 1,200 s for the batch job; "
        "schemas are synchronous and the solutions themselves are ready at once."
    )
    yield (
        f"What must come one after the other takes the service {path:,.0f} s: group, dataset, "
        "import, training, batch job. *Added* is the time from the upload of the config to the "
        f"end of the run, less that. Where {SHORTER_PATH:,.0f} s are counted for the "
        "same scenario, that is this sum with 5 s for the datasets in the place of 60, so that "
        "variant is measured as well. A function "
        f"takes {WARM.invocation} s to answer and Step Functions {WARM.transition} s for each "
        "state, or nothing where it says *without latency*; no cold starts, no queueing in "
        "EventBridge. Counted are all invocations (from the config's upload to the mail) and "
        "every state that is entered, also inside Map, Parallel and child executions, as "
        "[AWS bills them](https://aws.amazon.com/step-functions/pricing/)."
    )
    yield table(("", *HEADINGS), list(_reference_rows(found)))
    first, known = (found[run] for run in RUNS)
    yield (
        f"Added share of the critical path: {first['added_share']:.2%} on the first run, "
        f"{known['added_share']:.2%} with known durations. Over those {SHORTER_PATH:,.0f} s "
        f"the two runs are {first['seconds_over_5735']} s and {known['seconds_over_5735']} s, "
        f"of which {path - SHORTER_PATH:.0f} s are the datasets'. *Known durations*: the ledger "
        "is kept and the service emptied, so that everything is made anew. A first run looks "
        "by what the types take in public, and nothing varies here; the table above is what to "
        "expect. The figures of the other two are "
        "reckoned from their definitions and not measured here."
    )


def _reference_rows(found: Found) -> Iterator[list[Any]]:
    for run, title in zip(RUNS, ("first run", "known durations"), strict=True):
        yield [f"**{title}**", *costs(found[run])]
        yield [f"{title}, without latency", *costs(found["without_latency"][run])]
        yield [
            f"{title}, critical path of {SHORTER_PATH:,.0f} s",
            *costs(found["critical_path_of_5735"][run]),
        ]
    idle = found["nothing_to_do"]
    yield ["the same config again, nothing to do", idle["run_seconds"], *costs_but_added(idle)]
    for name, figures in ELSEWHERE.items():
        yield [name, *figures]


def _gate(found: Found) -> Iterator[str]:
    yield "## What a gate that observes adds"
    yield "`python -m benchmarks.scenarios gate` (virtual time, with latency)"
    yield (
        "The reference scenario with the gate's mode `off`, and with `observe`, which is that of a "
        "config that says nothing: data is counted and versions are judged in the steps that are "
        "there anyway, and a function takes the same time here whatever it does; what counting "
        "takes `python benchmarks/gate_costs.py` tells. The function that looks after models every "
        "ten minutes is no part of a run."
    )
    rows: list[list[Any]] = []
    for run, added in gate_adds(found).items():
        rows += [
            [f"{run.replace('_', ' ')}, {mode}", *costs(found["gate"][mode][run])]
            for mode in scenarios.GATES
        ]
        rows.append([f"**{run.replace('_', ' ')}, added**", *added.values()])
    most = [GATE_ADDS.get(key) for key in COSTS]
    yield table(("", *HEADINGS), [*rows, ["target, at most", *most]])


def costs_but_added(run: Found) -> list[Any]:
    return [run[key] for key in COSTS[1:]]


def _unlike(found: Found) -> Iterator[str]:
    yield "## Where the service is not as expected"
    yield "`python -m benchmarks.scenarios unlike_expected` (virtual time, with latency)"
    yield (
        "The reference scenario with everything faster or slower by a factor. A first run in "
        "an account guesses by the types' usual durations; the next dataset group by what its "
        "types took before."
    )
    first, following = found["first_run_by_factor"], found["next_dataset_group_by_factor"]
    rows = [
        [factor, *costs(first[factor]), *(following[factor][key] for key in (COSTS[0], COSTS[1]))]
        for factor in first
    ]
    yield table(("factor", *HEADINGS, "next group: added seconds", "next group: invocations"), rows)
    yield (
        "Known durations where each resource takes up to so much more or less than the mean, in "
        f"both runs, at random (mean of {len(scenarios.SEEDS)} seeds):"
    )
    spread = found["known_durations_by_spread"]
    yield table(
        ("spread", *HEADINGS), [[f"±{float(one):.0%}", *costs(spread[one])] for one in spread]
    )


def _growth(found: Found) -> Iterator[str]:
    queued = found["queued"]
    yield "## Growth"
    parts = "growth queued failing groups"
    yield f"`python -m benchmarks.scenarios {parts}` (virtual time, with latency)"
    yield (
        "First runs with more solutions, each with a campaign and a batch job, and quotas that "
        f"let all of them work at once; {scenarios.MANY} solutions of which every training fails, "
        f"with a reason of {len(scenarios.LONG_REASON)} characters; and dataset groups with a "
        "solution each whose configs are uploaded at the same moment. The service takes 5 s for "
        "each thing here, where hours are expected: *added* is the waits before the first looks, "
        "and of several groups until the last of them is done, of which the service imports five "
        "datasets at a time, as it does for an account. Only the last row has "
        "the times of the reference scenario, and quotas that make the service itself take "
        f"{queued['critical_path_seconds']:,.0f} s. History: events of the longest of the "
        "executions, as AWS would write them, of 25,000; state: the largest input or output of a "
        "state, of 262,144 bytes; row: the longest that is put into a table (those of tasks are "
        "updated, and not among them), as JSON, of the 409,600 bytes that one may have."
    )
    rows = [[f"solutions: {count}", *_grown(run)] for count, run in found["growth"].items()]
    rows.append([f"solutions that fail: {scenarios.MANY}", *_grown(found["failing"])])
    rows += [[f"groups: {count}", *_grown(run)] for count, run in found["groups"].items()]
    rows.append(["solutions: 20, five batch jobs at a time", *_grown(queued)])
    yield table(("", *HEADINGS, *SIZES.values()), rows)
    yield from _drawn_growth(found["growth_on_sets"])
    yield from _drawn_groups(found["groups_on_sets"])


SIZES = {
    "longest_history_events": "longest history",
    "largest_state_bytes": "largest state",
    "largest_row_bytes": "longest row",
}


def _grown(run: Found) -> list[Any]:
    return [*costs(run), *(run.get(key) for key in SIZES)]


def _drawn_growth(found: Found) -> Iterator[str]:
    draws = ", ".join(f"{count} of {solutions}" for solutions, count in durations.GROWN.items())
    yield (
        "Durations as they are in public, of which nothing is known before, with the same "
        f"simulation as at the beginning of this page ({draws} solutions). Whoever waits for the "
        "last of more jobs that take long waits for the latest look of more."
    )
    rows = [
        [name, count, _seconds(run), run["looks"], run["state_transitions"]]
        for name, counts in found.items()
        for count, run in counts.items()
    ]
    yield table(("", "solutions", "first run", "looks", "transitions"), rows)


def _drawn_groups(found: Found) -> Iterator[str]:
    yield (
        "Groups with a solution each whose configs are uploaded at the same moment, with one draw "
        "of such durations (trainings all take the same), real handlers and the real workflow "
        "(`python -m benchmarks.scenarios groups_on_sets`). *Least*: until the last group is done "
        "where nobody is late in anything, the service importing five datasets at a time, in the "
        "order in which their groups are ready."
    )
    rows = [
        [name, count, f"{run['critical_path_seconds']:,.0f}", *_grown(run)]
        for name, counts in found.items()
        for count, run in counts.items()
    ]
    yield table(("", "groups", "least", *HEADINGS, *SIZES.values()), rows)


def _money(found: Found) -> Iterator[str]:
    yield "## Money"
    yield "`python -m benchmarks.scenarios money groups` (virtual time, with latency)"
    _, invocations, _, transitions = ELSEWHERE["the AWS solution, first run"]
    elsewhere = {"lambda_requests": invocations or 0, "state_transitions": transitions or 0}
    looks = {count: run["look"] for count, run in found["groups"].items() if count != "1"}
    yield from money.section(found["money"], elsewhere, looks)


def _wall(found: Found) -> Iterator[str]:
    check, synth, local = (found[key] for key in ("config_validation", "cdk_synth", "local_cloud"))
    yield "## This machine"
    yield "`python -m benchmarks.wall_clock` (real time)"
    rows = [
        [
            "a yardstick by which to compare machines: ten million squares added in Python, "
            f"best of {wall_clock.RUNS}",
            found["yardstick"],
            "",
        ],
        [
            f"checking a config of {check['bytes']:,} bytes ({check['solutions']:,} solutions), "
            f"best of {wall_clock.RUNS}",
            check["valid"]["seconds"],
            check["valid"]["peak_mib"],
        ],
        [
            f"the same with a problem in every solution, of which {check['wrong']['problems']:,} "
            "are told",
            check["wrong"]["seconds"],
            check["wrong"]["peak_mib"],
        ],
        [
            f"synthesizing the app ({synth['cpu_seconds']} s of CPU), its largest process",
            synth["seconds"],
            synth["peak_mib_of_largest_process"],
        ],
        [
            f"the local cloud from its start to deployed, {local['processes']} process(es)",
            local["seconds"],
            local["memory_mib"],
        ],
    ]
    yield table(("", "seconds", "peak MiB"), rows)
    yield (
        f"What a command takes of a processor, the median of {wall_clock.STARTS} processes of its "
        "own, its modules compiled already:"
    )
    starts = [[f"`{name}`", took] for name, took in found["start_up"].items()]
    yield table(("", "CPU seconds"), starts)


def _printed(name: str, found: Found) -> Iterator[str]:
    yield f"## {name.replace('_', ' ').capitalize()}"
    yield f"`python benchmarks/{name}.py`"
    text = found["printed"] if "found" in found else f"It failed: {' '.join(found['failed'])}"
    yield f"```\n{text}\n```"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, help="measure these anew, and keep the rest"
    )
    only = parser.parse_args(arguments).only
    if only:
        found = measure_anew(json.loads((HERE / "results.json").read_text()), only)
    else:
        found = measure()
    (HERE / "results.json").write_text(json.dumps(found, indent=2) + "\n")
    (HERE / "RESULTS.md").write_text(report(found))
    wrong = missed(found)
    print("\n".join(wrong) or f"all targets are met; see {HERE.name}/RESULTS.md")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
