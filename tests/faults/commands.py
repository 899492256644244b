"""The calls that `mpe` itself makes, going wrong: apply, adopt and destroy, in virtual time.

A command must end as the clean one did, or tell in words that it did not (no stack trace), and the
same command again must lead there. What is killed makes no call any more, not even to clean up.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import random
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from tests.conftest import ROLE
from tests.everything import RECIPE
from tests.faults.kinds import broken, denied, lost, throttled
from tests.faults.oracle import differences, found_done, rows, snapshot
from tests.faults.virtual import At, Died, Disturbed, Life, Made, Spot, Strike, config
from tests.local.conftest import NEVER
from tests.local.one_of_each import files, first

COMMANDS = ("apply", "adopt", "destroy")
KIND = "a command's own calls"
SEVERAL = 2
"""Calls of an operation that changes something, of which each is tried: later ones are looks."""
SLEEPERS = ("deletions", "follow", "gate")
"""Modules of the command line that wait."""


@dataclass
class Killed(At):
    """The command is killed at a call; nothing that it would do after that is done."""

    after: bool = False
    command: str = ""

    def meets(self, made: Made) -> bool:
        return super().meets(made) or bool(self.hits and made.spot.function == self.command)

    def answer(self, cloud: Disturbed, made: Made) -> Any:
        first_time = not self.hits
        self.hits += 1
        if first_time and self.after:
            made.go()
        raise Died("killed")


def refused_objects(cloud: Disturbed, made: Made) -> Any:
    """Answer DeleteObjects with HTTP 200 of objects that are all still there
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html)."""
    from benchmarks.simulation import Raw
    from botocore.awsrequest import AWSResponse

    body = b"<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code>"
    body += b"<Message>Access Denied</Message></Error></DeleteResult>"
    return AWSResponse(made.request.url, 200, {"content-type": "application/xml"}, Raw(body))


def _kinds(spot: Spot) -> Iterator[tuple[str, Strike]]:
    for word, act in (("throttled", throttled), ("server error", broken), ("denied", denied)):
        yield word, At(spot, act, lasting=word == "denied")
    yield "killed before", Killed(spot, throttled, command=spot.function)
    if spot.changes:
        yield "answer lost", At(spot, lost)
        yield "answer lost once", At(spot, lost, once=True)
        yield "killed after", Killed(spot, throttled, command=spot.function, after=True)
    if spot.operation == "DeleteObjects":
        yield "HTTP 200 with errors", At(spot, refused_objects)


@dataclass(frozen=True)
class Case:
    """One call of a command, and what becomes of it."""

    command: str
    spot: Spot
    word: str
    strike: Strike = field(compare=False)

    def __str__(self) -> str:
        return f"{self.spot} {self.word}"


def cases_of(calls: Mapping[str, Sequence[Spot]]) -> list[Case]:
    """Return the cases: reads where a command first makes them, and every change."""
    found = []
    for command, spots in calls.items():
        for spot in spots:
            if spot.nth <= (SEVERAL if spot.changes else 1):
                found += [Case(command, spot, word, strike) for word, strike in _kinds(spot)]
    return found


class Terminal:
    """Who runs commands against a stack in virtual time."""

    def __init__(self, cloud: Disturbed) -> None:
        from benchmarks.virtual_time import Timed
        from botocore import httpsession

        self.cloud = cloud
        httpsession.URLLib3Session.send = lambda _, request: cloud.answered_to(request)
        for name in SLEEPERS:
            vars(importlib.import_module(f"mpe.cli.{name}"))["time"] = Timed(cloud.time.sleep)
        self.folder = Path(tempfile.mkdtemp())

    def run(self, life: Life, command: str, strikes: Sequence[Strike] = ()) -> Result | None:
        """Run a command, and let everything come to its end; return None where it was killed."""
        from mpe.cli.main import mpe

        words, told = self._words(life, command), []

        def work() -> None:
            with self.cloud.inside(f"mpe {command}"), contextlib.suppress(Died):
                told.append(CliRunner().invoke(mpe, words))

        self.cloud.begin(strikes)
        life.quietly(work)
        self.cloud.spots_of_phase = [
            one for one in self.cloud.spots if one.function == f"mpe {command}"
        ]
        self.cloud.begin()
        return told[0] if told else None

    def _words(self, life: Life, command: str) -> list[str]:
        if command == "apply":
            path = self.folder / f"{life.group}.json"
            path.write_text(json.dumps(config(life.group)))
            return ["apply", str(path), "--yes"]
        if command == "adopt":
            return ["adopt", life.group, "--full-schedule", NEVER, "--yes"]
        return ["destroy", life.group, "--data", "--confirm", life.group]

    def prepare(self, life: Life, command: str) -> None:
        """Have what a command needs."""
        if command == "apply":
            for key, body in files(life.group).items():
                self.cloud.put(key, body)
        elif command == "destroy":
            assert life.live("provision")
        else:
            life.quietly(partial(by_hand, self.cloud, life.group))


def by_hand(cloud: Disturbed, group: str) -> None:
    """Make a dataset group in the console, with a model that is served."""
    client = cloud.client("personalize")
    arn = client.create_dataset_group(name=group)["datasetGroupArn"]
    cloud.time.sleep(100)
    known = first(group)["datasets"]["interactions"]["schema"]["serviceConfig"]
    schema = client.create_schema(name=known["name"], schema=json.dumps(known["schema"]))
    data = client.create_dataset(
        name=f"{group}-d",
        datasetGroupArn=arn,
        datasetType="Interactions",
        schemaArn=schema["schemaArn"],
    )
    cloud.time.sleep(100)
    key, body = next(iter(files(group).items()))
    cloud.put(key, body)
    client.create_dataset_import_job(
        jobName=f"{group}-i",
        datasetArn=data["datasetArn"],
        dataSource={"dataLocation": f"s3://{cloud.bucket}/{key}"},
        roleArn=cloud.outputs.get("PersonalizeRole", ROLE),
    )
    cloud.time.sleep(100)
    solution = client.create_solution(
        name=f"{group}-p",
        datasetGroupArn=arn,
        recipeArn=f"{RECIPE}aws-popularity-count",
        performAutoTraining=False,
    )["solutionArn"]
    cloud.time.sleep(100)
    version = client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    cloud.time.sleep(100)
    client.create_campaign(name=f"{group}-c", solutionVersionArn=version)
    cloud.time.sleep(100)


def rest_of(cloud: Disturbed, group: str) -> dict[str, Any]:
    """Return what is left of a group that was destroyed."""
    client, s3 = cloud.client("personalize"), cloud.client("s3")
    names = [one["name"] for one in client.list_dataset_groups()["datasetGroups"]]
    schemas = [one["name"] for one in client.list_schemas()["schemas"]]
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=cloud.bucket).get("Contents", ())]
    listed = cloud.client("scheduler").list_schedules(GroupName=cloud.outputs["ScheduleGroup"])
    found = {
        "groups": [one for one in names if one == group],
        "schemas": [one for one in schemas if one.startswith(f"{group}-")],
        "objects": [one for one in keys if f"/{group}/" in one and not one.startswith("state/")],
        "schedules": [one["Name"] for one in listed["Schedules"] if group in one["Name"]],
        "tasks": sorted(rows(cloud, "TasksTable", group)),
        "turns": sorted(
            one for one in rows(cloud, "TurnsTable", group) if one in {"LEASE", "CONFIG"}
        ),
    }
    said: dict[str, Any] = json.loads(json.dumps(found).replace(group, "GROUP"))
    return said


class Commands:
    """Runs each command with each of its calls going wrong."""

    def __init__(self, cloud: Disturbed) -> None:
        self.cloud, self.terminal = cloud, Terminal(cloud)
        self.calls: dict[str, list[Spot]] = {}
        self.ends: dict[str, Any] = {}
        for command in COMMANDS:
            life = self._life()
            self.terminal.prepare(life, command)
            told = self.terminal.run(life, command)
            assert told is not None, f"{command} was killed"
            assert told.exit_code == 0, f"{command}: {told.output} {told.exception!r}"
            self.calls[command] = self.cloud.spots_of_phase
            self.ends[command] = self._end(life, command)

    def _life(self) -> Life:
        self.cloud.service_anew()
        return Life(self.cloud, f"c{uuid.uuid4().hex[:6]}x")

    def _end(self, life: Life, command: str) -> dict[str, Any]:
        if command == "destroy":
            return rest_of(self.cloud, life.group)
        return snapshot(self.cloud, life.group, life.mails)

    def judge(self, case: Case) -> tuple[str, bool]:
        """Return what came of a case, and whether that is a violation."""
        life = self._life()
        self.terminal.prepare(life, case.command)
        told = self.terminal.run(life, case.command, [case.strike])
        if not case.strike.hits:
            return "not reached", False
        if told is not None and _crashed(told):
            return f"a stack trace: {told.exception!r}", True
        if told is not None and told.exit_code == 0:
            return self._compared(life, case.command, "same")
        words = "killed" if told is None else "told"
        life.quietly(lambda: self.cloud.time.sleep(700))
        again = self.terminal.run(life, case.command)
        if again is None or _crashed(again) or (again.exit_code and not _done(again)):
            return f"{words}, but again it failed: {again and again.output[-500:]}", True
        return self._compared(life, case.command, f"{words}, then same")

    def _compared(self, life: Life, command: str, outcome: str) -> tuple[str, bool]:
        differing = differences(self._end(life, command), self.ends[command])
        if not differing:
            return outcome, False
        if "then" in outcome and all(map(found_done, differing, differing.values())):
            return outcome, False
        return f"{outcome}, but {json.dumps(differing)[:1000]}", True


def _crashed(told: Result) -> bool:
    return told.exception is not None and not isinstance(told.exception, SystemExit)


def _done(told: Result) -> bool:
    """Tell whether a command says that there is nothing left to do."""
    said = told.output.lower()
    return any(one in said for one in ("nor a rest of one", "nothing to do", "maintained already"))


def run(
    cloud: Disturbed,
    sample: int,
    seed: int,
    only: str,
    progress: Callable[[Case, str, bool], None],
) -> tuple[list[tuple[Case, str, bool]], int]:
    """Return the cases that were tried with what came of them, and how many there are."""
    commands = Commands(cloud)
    every = cases_of(commands.calls)
    chosen = [case for case in every if only in str(case)]
    random.Random(seed).shuffle(chosen)
    found = []
    for case in chosen[:sample] if sample else chosen:
        try:
            outcome, violation = commands.judge(case)
        except Exception as error:  # the campaign goes on, and tells of it as of a violation
            outcome, violation = f"{type(error).__name__}: {error}"[:500], True
        progress(case, outcome, violation)
        found.append((case, outcome, violation))
    return found, len(every)
