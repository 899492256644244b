"""The fault campaign: at each call that the functions make, each way in which it can go wrong.

A dataset group with one resource of each type lives through five phases (provisioned, a task
fires, the config changes, a config is wrong, a run is stopped). A clean life tells which calls
there are; then each case is one phase of one life with one fault. A phase must end as the clean
one did, or tell of its failure, after which the same upload again must lead there.

``make faults`` runs it and writes docs/faults.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import shlex
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mpe.assembly.synthesis import Assembly
from mpe.emulator import Quotas
from mpe.local.cloud import LocalCloud
from mpe.local.faults import PAGE, Call, Fault, Kind
from tests.conftest import ROOT
from tests.faults import page
from tests.faults.oracle import Facts, differences, found_done, rows, snapshot, untold
from tests.local.one_of_each import MISTAKE, changed, files, first, wrong

SPEED = 2000.0
PHASES = ("provision", "task", "change", "reject", "stop")
PER_CLOUD = 400
"""Cases for which one cloud lives, so that what it has to list and to hold stays bounded."""
FEW, ALONE = 2, 1
"""Dataset groups at the same time for what was not reached: with less to do, jobs are looked at as
often as in the clean life; that was alone, and the first in its cloud."""
TRIES = 3
"""Lives in which a case may be reached, of each kind."""
PATIENCE = 900
"""Seconds that a phase may take; one that says nothing by then is a silent death."""
TOLD_WITHIN = 60
"""Seconds for which the mail of a run that ended is waited for."""
READS = ("Get", "Describe", "List", "Query")
OF_WRITES = tuple(kind for kind in Kind if kind not in {Kind.UNSEEN, Kind.OUTAGE, Kind.HELD})
OF_READS = (Kind.THROTTLED, Kind.BROKEN, Kind.LOST_ONCE, Kind.KILLED_BEFORE)
"""A read that took effect has none: its other faults are the same as these."""
REPORT, SAMPLE_REPORT = ROOT / "docs" / "faults.md", ROOT / "build" / "faults.md"
"""What ``make faults`` writes: of all cases, and of a sample of them."""
FACTS = "email-json"
"""The protocol by which a topic's subscribers get what a mail tells as JSON."""
NOT_REACHED = "not reached"
FOUND_DONE = "which found done what the first had begun"
"""A run that failed told so, and not of what came of what it had begun; the next one kept it."""
ROW = "same but the task's row"
"""The outcome after which a life is not as the clean one, until the task fires again."""


@dataclass(frozen=True)
class Site:
    """A call of the clean life: a place where a fault may strike."""

    phase: str
    function: str
    service: str
    operation: str
    nth: int

    def fault(self, kind: Kind) -> Fault:
        return Fault(self.function, self.service, self.operation, self.nth, kind)

    def faults(self) -> Iterator[Fault]:
        """Yield the faults of this very call."""
        if not self.operation.startswith(READS):
            yield from map(self.fault, OF_WRITES)
            return
        yield from map(self.fault, OF_READS)
        if self.looks_again:
            yield self.fault(Kind.UNSEEN)

    @property
    def noun(self) -> str:
        """The type that its function ensures, where it does."""
        return self.function.removeprefix("Ensure")

    @property
    def creates(self) -> bool:
        """Whether it makes what its function is for."""
        return self.operation == f"Create{self.noun}"

    @property
    def looks_again(self) -> bool:
        """Whether it may look at what its function has just made: by Describe, or by a List."""
        looks = {f"Describe{self.noun}", f"List{self.noun}s"}
        return self.service == "personalize" and self.nth > 1 and self.operation in looks


@dataclass(frozen=True)
class Case:
    """One fault at one site."""

    site: Site
    fault: Fault

    @property
    def name(self) -> str:
        site = self.site
        return f"{site.phase} {site.function} {site.operation} #{site.nth} {self.fault.kind}"


@dataclass(frozen=True)
class Verdict:
    """What came of a case."""

    case: Case
    outcome: str
    violation: bool = False


class Lab:
    """A local cloud in which many dataset groups live at the same time."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.outputs, self.region, self.account = cloud.outputs, cloud.region, cloud.account
        self._lock = threading.Lock()
        self._mail: list[dict[str, str]] = []
        self._facts: list[Facts] = []
        self._dead: list[str] = []
        self._asked = 0.0

    def listen(self) -> Lab:
        """Hear the facts of all that people are told from now on, besides them."""
        sns = self.client("sns")
        for one in sns.list_topics()["Topics"]:
            sns.subscribe(TopicArn=one["TopicArn"], Protocol=FACTS, Endpoint="facts@example.com")
        return self

    def client(self, service: str) -> Any:
        return self.cloud.client(service)

    def watch(self, label: str, fault: Fault | None = None) -> None:
        self.cloud.page(PAGE, {"label": label, "fault": asdict(fault) if fault else None})

    def report(self, label: str) -> dict[str, Any]:
        found: dict[str, Any] = self.cloud.page(f"{PAGE}?label={label}")
        return found

    def mail(self, group: str) -> list[dict[str, str]]:
        """Return what people were told of a group."""
        self._refresh()
        return [one for one in self._mail if re.search(rf"\b{group}\b", one["subject"])]

    def told(self, group: str) -> list[Facts]:
        """Return the facts of what people were told of a group, or would have been but for a
        dead letter, whose alarm tells."""
        dead = self.dead_letters(group)
        details = (json.loads(one).get("detail", {}) for one in dead)
        return [one for one in (*self._facts, *details) if one.get("DatasetGroup") == group]

    def dead_letters(self, group: str) -> list[str]:
        """Return the events of a group that ended in the dead-letter queue."""
        self._refresh()
        return [one for one in self._dead if group in one]

    def _refresh(self) -> None:
        with self._lock:
            if time.monotonic() - self._asked < 0.5:
                return
            sent = self.cloud.mail()
            self._mail = [one for one in sent if one["protocol"] == "email"]
            bodies = (json.loads(one["body"]) for one in sent if one["protocol"] == FACTS)
            self._facts = [json.loads(one["Message"]) for one in bodies]
            sqs = self.client("sqs")
            (queue,) = [url for url in sqs.list_queues()["QueueUrls"] if "Undelivered" in url]
            while found := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get(
                "Messages"
            ):
                for one in found:
                    self._dead.append(one["Body"])
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
            self._asked = time.monotonic()

    def cause(self, execution: str) -> str:
        """Return how an execution ended, and why."""
        found = self.client("stepfunctions").describe_execution(executionArn=execution)
        return f"{found['status']} {found.get('error', '')} {found.get('cause', '')[:300]}"

    def status(self, execution: str) -> str:
        told = self.client("stepfunctions").describe_execution(executionArn=execution)
        return str(told["status"])


class Silent(Exception):
    """A phase did not end, or told nobody how."""


class Life:
    """One dataset group, from phase to phase."""

    def __init__(self, lab: Lab, group: str) -> None:
        self.lab = lab
        self.group = group
        self._runs: set[str] = set()
        self._told = self._lost = 0

    def live(self, phase: str) -> bool:
        """Live through a phase and return whether it went well; raise Silent of a silent end."""
        self._runs = set(self._rows())
        self._told = len(self.lab.mail(self.group))
        self._lost = len(self.lab.dead_letters(self.group))
        went_well: bool = getattr(self, f"_{phase}")()
        if went_well or phase != "task":
            self._until(lambda: self.mails or self.dead_letters, "nobody was told")
        return went_well and not self.dead_letters

    @property
    def mails(self) -> list[dict[str, str]]:
        """What people were told in this phase."""
        return self.lab.mail(self.group)[self._told :]

    @property
    def dead_letters(self) -> list[str]:
        return self.lab.dead_letters(self.group)[self._lost :]

    def _provision(self) -> bool:
        for key, body in files(self.group).items():
            self._put(key, body)
        return self._upload(first(self.group))

    def _change(self) -> bool:
        return self._upload(changed(self.group))

    def _reject(self) -> bool:
        self._put_config(wrong(self.group))
        self._until(lambda: self.mails or self.dead_letters, "nobody was told")
        for mail in self.mails:
            if MISTAKE not in mail["body"]:
                raise Silent(f"told of something else: {mail['body'][:500]}")
        return True

    def _task(self) -> bool:
        """Fire a task; where its workflow fails, an alarm tells (``TaskFailed``)."""
        execution = self.lab.client("stepfunctions").start_execution(
            stateMachineArn=self.lab.cloud.outputs["TaskWorkflow"],
            input=json.dumps({"group": self.group, "task": f"full.{self.group}-popular"}),
        )["executionArn"]
        self._until(lambda: self.lab.status(execution) != "RUNNING", "the task did not end")
        return self.lab.status(execution) == "SUCCEEDED"

    def _stop(self) -> bool:
        """Stop a run by hand, which must be told; then the upload must work again."""
        self._put_config(changed(self.group))
        execution = self._until(
            lambda: next((row["execution"] for row in self._new().values()), None),
            "no run started",
        )
        self.lab.client("stepfunctions").stop_execution(executionArn=execution)
        self._until(lambda: self.mails or self.dead_letters, "nobody was told of the stop")
        self._until(lambda: self.dead_letters or not self._leased(), "the turn was not given back")
        self._runs = set(self._rows())
        return self._upload(changed(self.group))

    def again(self, phase: str) -> bool:
        """Upload again what a phase had uploaded."""
        document = first if phase in {"provision", "task"} else changed
        self._runs = set(self._rows())
        went_well = self._upload(document(self.group))
        return self.live("task") if phase == "task" and went_well else went_well

    @property
    def task_done(self) -> bool:
        """Whether a task's run succeeded in this phase, whatever became of its workflow."""
        return any("task" in row and row["status"] == "SUCCEEDED" for row in self._new().values())

    @property
    def why(self) -> str:
        """Say in what words the runs of this phase failed, for who looks into a violation."""
        told = [self.lab.cause(row["execution"]) for row in self._new().values()]
        told += [one["body"][:500] for one in self.mails]
        return " ".join(" / ".join(told).split())

    def _put(self, key: str, body: str) -> None:
        bucket = self.lab.cloud.outputs["DataBucket"]
        self.lab.client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())

    def _put_config(self, document: dict[str, Any]) -> None:
        self._put(f"train/{self.group}/config.json", json.dumps(document))

    def _upload(self, document: dict[str, Any]) -> bool:
        """Upload a config and wait for the end of its run, or for its event as a dead letter."""
        lost = len(self.dead_letters)
        self._put_config(document)
        self._until(
            lambda: self._new() or len(self.dead_letters) > lost or self._refusal, "no run started"
        )
        if self._refusal:
            raise Silent(f"the config was refused: {self._refusal}")
        for row in self._new().values():
            self._until(
                lambda row=row: self.lab.status(row["execution"]) != "RUNNING", "no run ended"
            )
        statuses = {row["status"] for row in self._new().values()}
        return statuses == {"SUCCEEDED"}

    @property
    def _refusal(self) -> str | None:
        """What people were told of a right config that was taken for a wrong one."""
        told = (one["body"] for one in self.mails)
        refused = (body for body in told if "was not accepted" in body and MISTAKE not in body)
        return next((body[:500] for body in refused), None)

    def _rows(self) -> dict[str, dict[str, Any]]:
        return rows(self.lab, "TurnsTable", self.group, "RUN#")

    def _new(self) -> dict[str, dict[str, Any]]:
        return {key: row for key, row in self._rows().items() if key not in self._runs}

    def _leased(self) -> bool:
        now = datetime.now(UTC).isoformat()
        leases = rows(self.lab, "TurnsTable", self.group, "LEASE").values()
        return any(one["until"] > now for one in leases)

    def _until(self, ask: Callable[[], Any], otherwise: str, patience: float = PATIENCE) -> Any:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if answer := ask():
                return answer
            time.sleep(0.3)
        raise Silent(otherwise)

    def snapshot(self) -> dict[str, Any]:
        """Return all there is of the group, in words that are the same for every group.

        A mail may come a moment after its run's row; that none comes is then a difference.
        """
        with contextlib.suppress(Silent):
            self._until(self._all_is_told, "not all was told", TOLD_WITHIN)
        return snapshot(self.lab, self.group, self.lab.told(self.group))

    def _all_is_told(self) -> bool:
        return not untold(self.lab, self.group, self.lab.told(self.group))


def calls_of(life: Life, phases: Sequence[str] = PHASES) -> tuple[list[Site], dict[str, Any]]:
    """Live a clean life; return the places for faults, and how each phase ended.

    Of invocations of a function that make the same calls in the same order, the first stands
    for all: so the looks at a long job are one.
    """
    sites: list[Site] = []
    ends: dict[str, Any] = {}
    seen: set[tuple[str, ...]] = set()
    for phase in phases:
        life.lab.watch(life.group)
        assert life.live(phase), f"{phase} of the clean life failed: {life.mails}"
        ends[phase] = life.snapshot()
        for calls in _invocations(life.lab.report(life.group)["calls"]):
            shape = (calls[0].function, *(call.operation for call in calls))
            if shape not in seen:
                seen.add(shape)
                sites.extend(
                    Site(phase, one.function, one.service, one.operation, one.nth) for one in calls
                )
    return sites, ends


def _invocations(calls: list[dict[str, Any]]) -> Iterator[list[Call]]:
    found: dict[str, list[Call]] = defaultdict(list)
    for one in calls:
        found[one["invocation"]].append(Call(**one))
    yield from found.values()


def judge(life: Life, case: Case, clean: dict[str, Any]) -> Verdict:
    """Live through a phase with a fault in it, and tell what came of it."""
    phase = case.site.phase
    life.lab.watch(life.group, case.fault)
    try:
        went_well = life.live(phase)
        if not life.lab.report(life.group)["hits"]:
            return Verdict(case, NOT_REACHED)
        if went_well:
            return _compared(life, case, clean, "same" + _times(life, phase))
        told = "dead letter" if life.dead_letters else "told" if life.mails else "alarm"
        life.lab.watch(life.group)
        why = life.why
        if life.task_done:  # only the note of how it went is missing, until it fires again
            return _compared(life, case, clean, f"{told}, {ROW}", "tasks")
        if not life.again(phase):
            return Verdict(case, f"{told}, but uploading again failed ({why})", violation=True)
        verdict = _compared(life, case, clean, f"{told}, then same")
        return (
            replace(verdict, outcome=f"{verdict.outcome} ({why})") if verdict.violation else verdict
        )
    except Silent as silence:
        return Verdict(case, str(silence), violation=True)
    except Exception as error:  # the campaign goes on, and tells of it as of a violation
        return Verdict(case, f"{type(error).__name__}: {error}", violation=True)


def _times(life: Life, phase: str) -> str:
    told = len(life.mails)
    usual = 2 if phase == "stop" else 1  # that the run was stopped, and how the next one went
    return f", told {told - usual} times too often" if told > usual else ""


def _compared(
    life: Life, case: Case, clean: dict[str, Any], outcome: str, besides: str = ""
) -> Verdict:
    end, wanted = life.snapshot(), {**clean[case.site.phase]}
    if besides:
        wanted[besides] = end[besides]
    differing = differences(end, wanted)
    failed = not outcome.startswith("same")
    if not differing:
        return Verdict(case, outcome)
    if failed and all(map(found_done, differing, differing.values())):
        return Verdict(case, f"{outcome}, {FOUND_DONE}")
    return Verdict(case, f"{outcome}, but {json.dumps(differing)}", violation=True)


@dataclass
class Campaign:
    """The cases that are yet to be judged, and the verdicts."""

    lab: Lab
    clean: dict[str, Any]
    waiting: dict[str, list[Case]]
    name: str = "f"
    deadline: float = float("inf")
    """When no new life begins any more."""
    most: float = float("inf")
    """How many verdicts are enough."""
    tries: int = TRIES
    progress: Callable[[Verdict], None] = lambda verdict: None
    verdicts: list[Verdict] = field(default_factory=list)
    _tried: Counter[Case] = field(default_factory=Counter)
    _lives: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, at_once: int) -> list[Verdict]:
        with ThreadPoolExecutor(at_once) as pool:
            for worker in [pool.submit(self._work) for _ in range(at_once)]:
                worker.result()
        return self.verdicts

    def _work(self) -> None:
        """Live one life after the other, until no case is left."""
        while True:
            with self._lock:
                enough = len(self.verdicts) >= self.most or time.monotonic() > self.deadline
                if enough or not any(self.waiting.values()):
                    return
                self._lives += 1
                life = Life(self.lab, f"{self.name}{self._lives:04}")
            self._one(life)

    def _one(self, life: Life) -> None:
        for phase in PHASES:
            with self._lock:
                if not any(self.waiting[one] for one in PHASES[PHASES.index(phase) :]):
                    return
                case = self.waiting[phase].pop() if self.waiting[phase] else None
            if case is None:
                life.lab.watch(life.group)
                assert life.live(phase), f"{phase} failed without a fault: {life.mails}"
            elif self._judged(judge(life, case, self.clean)):
                return

    def _judged(self, verdict: Verdict) -> bool:
        """Keep a verdict; return whether the life can't go on after it."""
        with self._lock:
            self._tried[verdict.case] += 1
            if verdict.outcome == NOT_REACHED and self._tried[verdict.case] < self.tries:
                self.waiting[verdict.case.site.phase].insert(0, verdict.case)
                return False
            self.verdicts.append(verdict)
            self.progress(verdict)
            return verdict.violation or verdict.outcome.endswith((ROW, FOUND_DONE))


def cases_of(
    sites: Sequence[Site], sample: int, seed: int, only: str = ""
) -> dict[str, list[Case]]:
    """Return the cases by phase in a random order: all, or a sample of them."""
    made = {(one.phase, one.function) for one in sites if one.creates}
    cases = [
        Case(site, fault)
        for site in sites
        for fault in site.faults()
        if fault.kind != Kind.UNSEEN or (site.phase, site.function) in made
    ]
    cases += [Case(site, site.fault(Kind.OUTAGE)) for site in _first_of_each(sites)]
    cases = [case for case in cases if re.search(only, case.name)]
    random.Random(seed).shuffle(cases)
    waiting: dict[str, list[Case]] = {phase: [] for phase in PHASES}
    for case in cases[:sample] if sample else cases:
        waiting[case.site.phase].append(case)
    return waiting


def _first_of_each(sites: Sequence[Site]) -> Iterator[Site]:
    """Yield where outages begin: at each function's first call of an operation.

    Outages of Amazon Personalize are waited out for six hours, as ``tests/handlers`` show.
    """
    seen = set()
    for site in sites:
        if site.service != "personalize" and (site.function, site.operation) not in seen:
            seen.add((site.function, site.operation))
            yield site


@contextmanager
def lab(assembly: Assembly | None = None) -> Iterator[Lab]:
    """Start a cloud for a campaign."""
    many = 100_000
    quotas = Quotas(
        dataset_groups=many,
        schemas=many,
        importing=many,
        training=many,
        batch_jobs=many,
    )
    with LocalCloud(speed=SPEED, assembly=assembly, quotas=quotas) as cloud:
        yield Lab(cloud).listen()


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """Yield the lines of the table of calls, faults and outcomes."""
    yield f"| phase | function | call | {' | '.join(Kind)} |"
    yield "|---" * (3 + len(Kind)) + "|"
    by_site: dict[Site, dict[Kind, str]] = defaultdict(dict)
    for one in verdicts:
        by_site[one.case.site][one.case.fault.kind] = (
            f"**{one.outcome}**" if one.violation else one.outcome
        )
    order = {phase: index for index, phase in enumerate(PHASES)}
    for site in sorted(by_site, key=lambda s: (order[s.phase], s.function, s.operation, s.nth)):
        told = " | ".join(by_site[site].get(kind, "") for kind in Kind)
        call = f"{site.service} {site.operation} #{site.nth}"
        yield f"| {site.phase} | {site.function} | {call} | {told} |"


def report(
    verdicts: Sequence[Verdict], command: str, seconds: float, *, cases: int, left: int = 0
) -> str:
    """Return the page of the docs: of all the cases, some were tried, and some were yet to be."""
    counts = Counter(_kind_of(one) for one in verdicts)
    lines = [
        "# Faults",
        "",
        HEAD.strip(),
        "",
        f"Made by `{command}` on {datetime.now(UTC):%Y-%m-%d}, in {seconds / 60:.0f} minutes.",
        *_extent(len(verdicts), cases),
        "",
        *(f"* {count} × {outcome}" for outcome, count in counts.most_common()),
        *([f"* {left} × not tried, for lack of time"] if left else []),
        "",
        *table(verdicts),
    ]
    return "\n".join(lines) + "\n"


def _extent(tried: int, cases: int) -> Iterator[str]:
    """Yield how many of the cases were tried, and what a blank cell means."""
    if tried < cases:
        yield f"**Only {tried:,} of {cases:,} cases were tried.** A blank cell, and a call that has"
        yield "no row, was not tried, beyond what is left out as told above:"
    else:
        yield f"All {cases:,} cases were tried. A blank cell is left out, as told above:"


def _kind_of(verdict: Verdict) -> str:
    told = re.sub(r"told \d+ times too often", "told again", verdict.outcome)
    return "**violation**" if verdict.violation else told


HEAD = """
What becomes of a run when one AWS call of one function goes wrong, in the local cloud with the
template as it is deployed. A dataset group with one resource of each type is provisioned, a
scheduled task fires, the config changes, a wrong config is uploaded, a run is stopped by hand.
Calls that a function makes in the same order in several invocations are tried in the first.

Faults, each for all of the SDK's attempts of that call unless it says *once*: the call is
**throttled**; the service has a **server error**; it takes effect and its **answer is lost**,
since the connection breaks; the function is **killed before** or **after** the call. What it has
just created is **not visible yet** to one Describe, or missing from one List, of Amazon
Personalize. Of reads, those that would be the same as another are left out. An **outage** is a
server error at all of a
function's calls of an operation, until the phase is over; it is tried once for each operation, and
left out of Amazon Personalize's, whose outages are waited out for six hours.

Outcomes: **same**: the run ends as the clean one did, with the same resources, models, schedules
and tasks, the same in the ledger and in what people were told, and no lease left. **told N times
too often**: people got the same report again, since events and
mail are delivered at least once. **told, then same**: the run failed and told so; the same config
uploaded again led to the same end. **dead letter, then same**: the event went to the dead-letter
queue, whose alarm tells people; uploading again led to the same end. **alarm, then same**: the
alarm of failed tasks told; the task fired again led to the same end. **which found done what the
first had begun**: no mail says of what the failed run had begun that it was created, since nobody
saw it done in a run. **but the task's row**: the
task's run was done and told; that it is done is not noted until it fires again. **not reached**:
the run did not come to this call, in three tries among many groups, three among few and three in
a cloud of its own, since the number of looks at a job varies.
"""


def command_of(given: argparse.Namespace) -> str:
    """Return the command that writes the very file: that of make, where it writes there."""
    usual = vars(options().parse_args([]))
    told = {name: value for name, value in vars(given).items() if value != usual[name]}
    # The same comes of it without these; what goes on from a record was cut off before.
    for name in ("assembly", "at_once", *(("record", "minutes") if given.record else ())):
        told.pop(name, None)
    file = Path(told.pop("write", REPORT)).resolve()
    made = SAMPLE_REPORT if given.sample else REPORT
    if file == made and told.keys() <= {"sample", "seed"}:
        return " ".join(["make faults", *(f"{name.upper()}={told[name]}" for name in told)])
    told["write"] = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    words = [f"--{name.replace('_', '-')} {shlex.quote(str(told[name]))}" for name in told]
    return " ".join(["python -m tests.local.campaign", *words])


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="how many cases (all of them)")
    parser.add_argument("--seed", type=int, default=0, help="of the order and the sample")
    parser.add_argument("--at-once", type=int, default=8, help="dataset groups at the same time")
    parser.add_argument("--minutes", type=float, default=180, help="after which no case begins")
    parser.add_argument("--only", default="", help="a regular expression that cases match")
    parser.add_argument("--assembly", type=Path, help="a synthesis to use, as cdk.out")
    parser.add_argument("--record", type=Path, help="keep verdicts there, and go on from them")
    parser.add_argument("--write", type=Path, help="write the report there")
    return parser


class Record:
    """The verdicts so far, in a file that a later campaign on the same code goes on from."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        lines = file.read_text().splitlines() if file and file.exists() else []
        self._found = [json.loads(line) for line in lines]
        self._began = time.monotonic() - max((one["at"] for one in self._found), default=0.0)

    @property
    def seconds(self) -> float:
        """How long it has taken, in all."""
        return time.monotonic() - self._began

    def take(self, waiting: dict[str, list[Case]]) -> list[Verdict]:
        """Return the verdicts on cases that wait, which then wait no more."""
        by_name = {one["case"]: one for one in self._found}
        verdicts = []
        for cases in waiting.values():
            for case in [one for one in cases if one.name in by_name]:
                known = by_name[case.name]
                verdicts.append(Verdict(case, known["outcome"], known["violation"]))
                cases.remove(case)
        return verdicts

    def keep(self, verdict: Verdict) -> None:
        if self._file:
            line = {
                "case": verdict.case.name,
                "outcome": verdict.outcome,
                "violation": verdict.violation,
                "at": round(self.seconds),
            }
            with self._file.open("a") as file:
                file.write(f"{json.dumps(line)}\n")


def run(given: argparse.Namespace, record: Record) -> tuple[list[Verdict], int, int]:
    """Return the verdicts, how many cases are left, and how many there are without a sample."""
    assembly = Assembly.read(given.assembly) if given.assembly else None
    deadline = time.monotonic() + 60 * given.minutes
    found: list[Verdict] = []

    def tell(verdict: Verdict) -> None:
        found.append(verdict)
        record.keep(verdict)
        done = f"{len(found)}/{total}"
        print(f"{done} {verdict.case.name}: {verdict.outcome}", flush=True)

    def judged(at_once: int, most: int = PER_CLOUD, tries: int = TRIES) -> None:
        """Judge what waits, in one cloud after the other, until the time is up."""
        while any(waiting.values()) and time.monotonic() < deadline:
            with lab(assembly) as running:
                campaign = Campaign(
                    running, clean, waiting,
                    deadline=deadline, most=most, tries=tries, progress=tell,
                )  # fmt: skip
                campaign.run(at_once)

    def wait_again() -> None:
        """Let what was not reached wait once more."""
        for missed in [one for one in found if one.outcome == NOT_REACHED]:
            if time.monotonic() < deadline:
                found.remove(missed)
                waiting[missed.case.site.phase].append(missed.case)

    with lab(assembly) as running:
        sites, clean = calls_of(Life(running, "clean"))
    waiting = cases_of(sites, given.sample, given.seed, given.only)
    total = sum(map(len, waiting.values()))
    cases = sum(map(len, cases_of(sites, 0, 0).values()))
    found += record.take(waiting)
    print(f"{len(sites)} calls, {total} cases, {len(found)} known", flush=True)
    judged(given.at_once)
    wait_again()
    judged(FEW)
    for _ in range(TRIES):
        wait_again()
        judged(ALONE, most=1, tries=1)
    return found, total - len(found), cases


def main(arguments: Sequence[str] | None = None) -> int:
    given = options().parse_args(arguments)
    record = Record(given.record)
    verdicts, left, cases = run(given, record)
    text = report(verdicts, command_of(given), record.seconds, cases=cases, left=left)
    if given.write:
        given.write.parent.mkdir(parents=True, exist_ok=True)
        lives = page.lives(page.read())
        given.write.write_text(page.with_lives(text, lives) if given.write == REPORT else text)
    wrong_ones = [one for one in verdicts if one.violation]
    print(f"{len(verdicts)} cases, {len(wrong_ones)} violations, {left} not tried", flush=True)
    return 1 if wrong_ones else 2 if left else 0


if __name__ == "__main__":
    sys.exit(main())
