"""What a release keeps and hands on, written down: ``python -m tests.kept``.

Without more it adds the shape of each form whose version has none yet to
``tests/golden/forms.json``; a shape that is there is never written again. With ``--release`` it
writes what the code of this release keeps to ``tests/golden/<version>/``, which is done once, at a
release, and never again.

The code is that of the handlers themselves, on S3 and DynamoDB as moto has them.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from mpe.aws.objects import Objects, Pointer
from mpe.aws.schedules import Schedules
from mpe.aws.turns import Claim
from mpe.handlers.begin import Begin
from mpe.handlers.fire import Fire
from mpe.handlers.schedule import Synchronize
from mpe.handlers.settle import Settle
from mpe.model.config.parse import parse
from mpe.model.gate.pointer import ModelPointer
from mpe.model.gate.smoke import Probe
from mpe.model.gate.verdict import Reason, Verdict
from mpe.model.gate.versions import Version
from mpe.model.plan import forms
from mpe.model.plan.desired import desired_state
from mpe.model.plan.outcome import Outcome
from mpe.model.plan.removals import Made
from mpe.model.service.profile import Profile, as_document
from tests import clients
from tests.conftest import ROOT
from tests.everything import everything
from tests.handlers.test_runs import NOW, PLACE, Account, Fixed, an_account
from tests.handlers.test_tasks import TARGET

GOLDEN = ROOT / "tests" / "golden"
SHAPES = GOLDEN / "forms.json"
GROUP = "all"
DATA = "2026-01-01T00:00:00+00:00 s3://data/x.csv"
TASK = f"full.{GROUP}-for-you"


def scheduled() -> dict[str, Any]:
    """Return a config with everything, and a schedule for all that can have one."""
    document = everything(GROUP)
    document["datasetGroup"]["workflowConfig"]["schedules"] = {"import": "cron(0 3 * * ? *)"}
    interactions = document["datasets"]["interactions"]
    interactions["export"]["workflowConfig"] = {"schedule": "rate(30 days)"}
    solution = document["solutions"][0]
    solution["workflowConfig"] = {"schedules": {"full": "rate(7 days)"}}
    solution["batchInferenceJobs"][1]["workflowConfig"]["schedule"] = "rate(2 days)"
    return document


@contextmanager
def account() -> Iterator[Account]:
    """Give S3, DynamoDB and Scheduler, all empty."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[name] = "none"
    with an_account() as made:
        yield made


def outcomes(run: str) -> list[Outcome]:
    """Return outcomes that have between them all that one can say."""
    state = desired_state(parse(json.dumps(scheduled())), PLACE, version=run)
    version, campaign, data = (
        Outcome.of(state.resources[id])
        for id in (f"version.{GROUP}-for-you", f"campaign.{GROUP}-for-you.{GROUP}-live",
                   "import.interactions")
    )  # fmt: skip
    arn = f"{PLACE.arn(f'solution/{GROUP}-for-you')}/1234abcd"
    return [
        version.waiting(300, arn=arn, did="created", status="CREATE PENDING", blocked=60),
        replace(version, arn=arn, did="created", blocked=60).ready(status="ACTIVE", seconds=3600.5),
        replace(data, did="skipped", data=DATA, told="one single time.").ready(),
        replace(
            campaign, served=arn, held=arn, did="updated", begun=NOW.isoformat(), status="ACTIVE"
        ).failing("ResourceFailed", "The campaign could not be updated"),
    ]


class Life:
    """A dataset group's run and one of its tasks, and what the code writes meanwhile."""

    def __init__(self, account: Account) -> None:
        self.account = account
        scheduler = clients.client("scheduler")
        scheduler.create_schedule_group(Name="group")
        self.schedules = Schedules(scheduler, "group")
        self.steps: list[dict[str, Any]] = []

    def live(self) -> dict[str, Any]:
        """Return all that was written: the states, the rows, and what went through workflows."""
        account = self.account
        account.upload(json.dumps(scheduled()), key=f"train/{GROUP}/config.json")
        ((_, given),) = account.executions.started.items()
        run, pointer = given["run"], Pointer(**given["run"]["state"])
        execution = "arn:aws:states:us-east-1:000000000000:execution:machine:one"
        event = {"run": run, "execution": execution, "since": NOW.isoformat()}
        claim = Claim(GROUP, run["id"], execution, run["sequencer"])
        self._told("begin", event, self._begin(claim, pointer))
        self._told("schedule", {"run": run}, self._synchronize(run))
        for one in outcomes(run["id"]):
            self._ensured(run, one)
        during = self._rows()  # with the lease, and the run's row as it begins
        finishing = account.finishing(Fixed(moment=NOW + timedelta(hours=1)))
        event = {"run": run, "execution": execution, "crashes": []}
        self._told("finish", event, finishing(run, execution, []))
        self._fired()
        after = [one for one in self._rows() if one not in during]
        return {"state": self._state(pointer), "rows": during + after, "steps": self.steps}

    def _begin(self, claim: Claim, pointer: Pointer, task: str | None = None) -> dict[str, Any]:
        account = self.account
        begin = Begin(
            Objects(account.s3),
            account.turns,
            account.tasks,
            account.executions,  # type: ignore[arg-type]
            Fixed(moment=NOW),
        )
        return begin(claim, pointer, task)

    def _synchronize(self, run: dict[str, Any]) -> dict[str, Any]:
        account = self.account
        clock = Fixed(moment=NOW)
        keep = Synchronize(
            Objects(account.s3),
            account.tasks,
            self.schedules,
            TARGET,
            account.turns,
            account.ledger,
            clock,
        )
        keep(run)
        return {"failed": False}

    def _ensured(self, run: dict[str, Any], outcome: Outcome) -> None:
        """Do as an ensure function does with what came of a step."""
        given = {"solutionVersionArn": outcome.arn} if outcome.noun == "Campaign" else {}
        event = {"run": run, "resource": outcome.resource, "previous": {}, "given": given}
        self._told("ensure", event, outcome.as_dict())
        if outcome.wait is not None:
            return
        ledger = self.account.ledger
        ledger.record(GROUP, run["id"], outcome.as_dict(), NOW)
        if outcome.seconds is not None:
            ledger.remember(GROUP, outcome.resource, outcome.noun, "created", outcome.seconds)
        if outcome.noun == "DatasetImportJob":
            ledger.see(GROUP, "dataset-import-job/one", frozenset({"0123456789ab"}), NOW)
            self._profiled(outcome.resource)
        if outcome.noun == "SolutionVersion":
            self._judged(str(outcome.arn))
        if outcome.noun == "Campaign":
            made = Made("Campaign", outcome.name, str(outcome.arn), str(NOW), run["id"], str(NOW))
            ledger.note_made(GROUP, made)

    def _profiled(self, dataset: str) -> None:
        """Keep what is kept of data that a gate holds, and that somebody lets in."""
        ledger, at = self.account.ledger, str(NOW)
        profile = json.dumps(as_document(Profile(())))
        row = {"profile": profile, "data": DATA, "at": at, "mode": "FULL"}
        ledger.profiled(GROUP, dataset, "one", row)
        ledger.imported(GROUP, dataset, "one")
        row = Verdict("hold", (Reason("MPE-Q019", "one single time."),)).as_dict()
        ledger.note_data(GROUP, dataset, {**row, "job": "one", "data": DATA, "at": at})
        ledger.accept(GROUP, dataset, {"data": DATA, "by": "me", "why": "looked at", "at": at})

    def _judged(self, arn: str) -> None:
        """Keep what is kept of a version that a gate holds, and that somebody approves."""
        ledger, campaign, at = self.account.ledger, f"campaign.{GROUP}-for-you.live", str(NOW)
        reason = Reason("MPE-Q007", "NDCG@10 is 0.1.", "coverage", -0.5, -0.1)
        row = Verdict("hold", (reason,), ("not compared.",)).as_dict()
        before = {"live": f"{arn}-before", "pinned": False, "refreshed": True}
        ledger.weigh(
            GROUP, Version(arn, {"coverage": 0.5}, "FULL", 1.5, at, "0123", "one", 100, 9, 8)
        )
        known = {"metrics": {arn: {"coverage": 0.5}}, "gate": {"mode": "hold"}, "run": "one"}
        known |= {"imports": {"import.items": {"job": "a", "data": "b"}}, "by": "gate"}
        judged = {**row, **before, **known, "mode": "hold", "at": at}
        ledger.note_verdict(GROUP, arn, campaign, judged)
        probe = Probe("u1", "i1", ("i2",)).as_dict()
        asked = {"version": arn, "live": f"{arn}-before", "probes": [probe]}
        ledger.note_probes(GROUP, campaign, {**asked, "lists": {"u1": ["i1"]}})
        smoke = {**row, "live": f"{arn}-before", "back": True, "at": at}
        ledger.note_smoke(GROUP, campaign, arn, smoke)
        ledger.note_watch(GROUP, campaign, arn, {**row, "move": at, "back": True, "at": at})
        said = {"by": "arn:aws:iam::000000000000:user/me", "why": "looked at", "at": at}
        ledger.decide(GROUP, arn, {"word": "approved", **said})
        decided = {"word": "approve", "about": "films", "live": {"a": arn}, **known, **said}
        ledger.note_decision(GROUP, decided)
        pointer = ModelPointer(f"{arn}-before", **said).moved(arn, **said)
        barred = (f"{arn}-barred",)
        ledger.point(GROUP, campaign, replace(pointer, barred=barred, frozen="the sale", held=arn))

    def _fired(self) -> None:
        execution = "arn:aws:states:us-east-1:000000000000:execution:tasks:one"
        account, clock = self.account, Fixed(moment=NOW + timedelta(days=7))
        fire = Fire(account.tasks, account.executions, account.events, clock, "Films")  # type: ignore[arg-type]
        given = {"group": GROUP, "task": TASK, "scheduled": "2026-01-08T00:00:00Z"}
        event = {**given, "execution": execution}
        answer = fire(**event)
        self._told("fire", event, answer)
        result = {"failed": True, "error": "States.TaskFailed", "cause": '{"Error": "Busy"}'}
        event = {"run": answer["run"], "execution": execution, "result": result}
        settle = Settle(account.tasks, self.schedules, clock)
        verdict = settle(answer["run"], execution, {"error": "Busy", "cause": ""})
        self._told("settle", event, verdict)

    def _told(self, handler: str, event: dict[str, Any], answer: dict[str, Any]) -> None:
        plain = json.loads(json.dumps({"event": event, "answer": answer}, default=_plain))
        self.steps.append({"handler": handler, **plain})

    def _state(self, pointer: Pointer) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(Objects(self.account.s3).read(**asdict(pointer)))
        return found

    def _rows(self) -> list[dict[str, Any]]:
        database = clients.tables()
        return [
            {"table": name, "row": json.loads(json.dumps(row, default=_plain))}
            for name in ("turns", "ledger", "tasks")
            for row in database.Table(name).scan()["Items"]
        ]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return {"set": sorted(value)}


def written() -> dict[str, Any]:
    """Return what the code of now writes."""
    found: dict[str, Any] = json.loads(_written())
    return found


@cache
def _written() -> str:
    with account() as empty:
        return json.dumps(Life(empty).live())


Shape = dict[str, list[str]]
OPAQUE = frozenset({"params", "work", "form"})
"""Keys whose values are the service's, the workflow's ids, or the mark itself."""
BY_NAME = frozenset({"resources", "tasks", "data"})
"""Keys below which the keys are names."""


def shape(*documents: dict[str, Any]) -> Shape:
    """Return which types there are at each path of documents of one form."""
    found: dict[str, set[str]] = {}
    for document in documents:
        for path, kind in _paths(document, ""):
            found.setdefault(path, set()).add(kind)
    return {path: sorted(kinds) for path, kinds in sorted(found.items())}


def _paths(value: Any, at: str) -> Iterator[tuple[str, str]]:
    yield at or "$", type(value).__name__
    key = at.rpartition(".")[2]
    if isinstance(value, dict) and key not in OPAQUE:
        named = key in BY_NAME and not {"bucket", "set"} & value.keys()
        for name, inner in value.items():
            yield from _paths(inner, f"{at}.{'*' if named else name}")
    if isinstance(value, list):
        for inner in value:
            yield from _paths(inner, f"{at}[]")


def shapes(found: dict[str, Any]) -> dict[str, Shape]:
    """Return the shape of each form, of what the code wrote."""
    rows = {name: [one["row"] for one in found["rows"] if one["table"] == name]
            for name in ("turns", "ledger", "tasks")}  # fmt: skip
    runs = [step["event"]["run"] for step in found["steps"] if "run" in step["event"]]
    answers = [step["answer"] for step in found["steps"] if step["handler"] == "ensure"]
    done = [row for row in rows["ledger"] if row["record"].startswith("RUN#")]
    notes = [row for row in rows["ledger"] if row not in done]
    return {
        "STATE": shape(found["state"]),
        "RUN": shape(*runs),
        "OUTCOME": shape(*answers, *done),
        "TASK": shape(*rows["tasks"]),
        "TURN": shape(*rows["turns"]),
        "NOTE": shape(*notes),
    }


def known_shapes() -> dict[str, dict[str, Shape]]:
    """Return the shape of each version of each form."""
    found: dict[str, dict[str, Shape]] = json.loads(SHAPES.read_text()) if SHAPES.exists() else {}
    return found


def release() -> Path:
    """Write what this release keeps, which nobody has written yet; return the folder."""
    folder = GOLDEN / forms.RELEASE
    if folder.exists():
        raise SystemExit(f"{folder} is there, and what a release wrote does not change any more.")
    folder.mkdir()
    (folder / "written.json").write_text(json.dumps(written(), indent=1) + "\n")
    for one in sorted(GOLDEN.glob("*.asl.json")):
        shutil.copy(one, folder)
    return folder


def main() -> None:
    """Write the shapes of new versions, and with ``--release`` what this release keeps."""
    if sys.argv[1:] == ["--release"]:
        print(f"wrote {release()}")
    found, now = known_shapes(), shapes(written())
    for name, one in now.items():
        version = getattr(forms, name).version
        found.setdefault(name, {}).setdefault(str(version), one)
    SHAPES.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
