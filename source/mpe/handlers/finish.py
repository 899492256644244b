"""A run's last step: tell how it went, and give the turn back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, made_in_init, table
from mpe.aws.clock import Clock
from mpe.aws.events import RUN_CHANGED, Events, ResourceEventSink
from mpe.aws.ledger import Ledger
from mpe.aws.outages import outages_pass
from mpe.aws.turns import LOST, Turns
from mpe.handlers.gauges import Emf, Gauges
from mpe.handlers.news import News
from mpe.handlers.settings import LOGGER, setting
from mpe.handlers.training import TOLD as OF_DATA
from mpe.model.errors import NewerForm
from mpe.model.gate.smoke import TOLD
from mpe.model.gate.versions import Version, held, trained
from mpe.model.messages import MOST_DUE, within
from mpe.model.plan.erasure import FULL
from mpe.model.plan.removals import PATH
from mpe.model.remedies import Where, remedy
from mpe.model.service.spec import SPECS

ERROR = re.compile(r'\{"errorMessage":\s*"((?:[^"\\]|\\.)*)')
"""What the cause of a function's error begins with."""
DOUBTS: Mapping[str, str | tuple[str, ...]] = {"Campaign": TOLD, "SolutionVersion": OF_DATA}
"""What begins a doubt of what was made, by its type."""
AGAIN = (
    "Somebody redrove this run in Step Functions: it went on where it had been stopped, and its "
    "end is told once more."
)


@dataclass(frozen=True)
class Finish:
    """The adapters that a run ends through."""

    turns: Turns
    ledger: Ledger
    events: ResourceEventSink
    gauges: Gauges
    clock: Clock
    stack: str
    """The name of the stack, which people are told."""

    def __call__(
        self,
        run: Mapping[str, Any],
        execution: str,
        crashes: Iterable[Mapping[str, Any]],
        *,
        killed: bool = False,
        redriven: int = 0,
    ) -> dict[str, Any]:
        """Record and announce the outcome once, and return whether the run succeeded.

        A run that was ``redriven`` has another end each time, which is announced as well.
        ``crashes`` are steps that the workflow gave up on: they are told only where the
        ledger knows of no failure, since one failure often brings others down with it. Of a
        run that was ``killed`` they are always told.
        """
        group, run_id = run["group"], run["id"]
        row, outcomes, unread = self._kept(group, run_id)
        where = _where(run)
        failures = [_failure(one, where) for one in outcomes if one.get("failed")]
        if killed or not failures:
            failures.extend(_crash(one, where) for one in (*crashes, *unread))
        again = redriven > row.get("redriven", 0)
        if again or row.get("status", "RUNNING") in {"RUNNING", LOST}:
            detail = self._detail(run, execution, row, outcomes, failures)
            for one in outcomes:
                if one.get("untold"):
                    self._tell_late(one)
            detail["Notes"].extend([AGAIN] if redriven else [])
            self.events.put(RUN_CHANGED, detail)
            self.gauges.run(group, failed=bool(failures), seconds=detail["Duration"])
            ended = {
                **_begun(run, execution, self.clock),  # of a run that could not note it itself
                **row,
                "status": detail["Status"],
                "ended": self.clock.now().isoformat(),
                "config": run["config"],
                "data": _data(outcomes),
                "models": detail["Models"],
                **{key.lower(): detail[key] for key in ("Duration", "Changed", "Kept", "Failed")},
                **({"redriven": redriven} if redriven else {}),
            }
            self.turns.record(group, run_id, _without_keys(ended))
        if killed:
            self.turns.leave(group, execution, self.clock.now(), redriven)
        else:
            self.turns.give_back(group, execution)
        return _verdict(failures)

    def _models(
        self, group: str, outcomes: Sequence[Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Yield the versions that were trained, their numbers and what was thought of them."""
        versions = (one.get("arn") for one in outcomes if one["noun"] == "SolutionVersion")
        verdicts = {arn: list(self.ledger.verdicts(group, arn)) for arn in versions if arn}
        return trained(outcomes, self._known(group, outcomes), verdicts)

    def _known(self, group: str, outcomes: Iterable[Mapping[str, Any]]) -> dict[str, Version]:
        """Return the numbers of the versions of all solutions that were trained."""
        solutions = {str(one["name"]) for one in outcomes if one["noun"] == "SolutionVersion"}
        return {
            version.arn: version
            for solution in sorted(solutions)
            for version in self.ledger.versions(group, solution)
        }

    def _tell_late(self, one: Mapping[str, Any]) -> None:
        """Tell of a resource what the bus did not take when it came to be so."""
        seconds = float(one["seconds"]) if one.get("seconds") is not None else None
        News(self.events).resource_changed(one["noun"], one["arn"], one["status"], seconds)

    def _kept(
        self, group: str, run: str
    ) -> tuple[Mapping[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
        """Return a run's row, what it did, and what cannot be read of it: it is told all the same.

        After a rollback a newer release may have written them.
        """
        try:
            outcomes = sorted(self.ledger.outcomes(group, run), key=_built_order)
            return self.turns.recorded(group, run) or {}, outcomes, []
        except NewerForm as error:
            name = type(error).__name__
            return {}, [], [{"error": name, "cause": str(error), "resource": "the workflow"}]

    def _detail(
        self,
        run: Mapping[str, Any],
        execution: str,
        row: Mapping[str, Any],
        outcomes: list[dict[str, Any]],
        failures: list[dict[str, Any]],
    ) -> dict[str, Any]:
        started = row.get("started")
        began = datetime.fromisoformat(started) if started else self.clock.now()
        models = list(self._models(run["group"], outcomes))
        due, waiting = _due(outcomes, models), _held(outcomes)
        return {
            "DatasetGroup": run["group"],
            "Run": run["id"],
            **({"Task": run["task"]} if "task" in run else {}),
            "Status": "FAILED" if failures else "SUCCEEDED",
            "ExecutionArn": execution,
            "Duration": round(self.clock.since(began)),
            "Config": run["config"]["key"],
            "Stack": self.stack,
            "Bucket": run.get("state", {}).get("bucket", ""),
            "Models": within(models),
            **({"Due": due} if due else {}),
            **({"Held": waiting} if waiting else {}),
            "Changes": within(_change(one) for one in outcomes if _changed(one)),
            "Changed": sum(map(_changed, outcomes)),
            "Kept": sum(one.get("did") == "kept" for one in outcomes if not one.get("failed")),
            "Failures": within(failures),
            "Failed": len(failures),
            "Notes": [
                *run.get("notes", []),
                *_without_data(outcomes),
                *_doubtful(outcomes),
                *_staying(outcomes),
                *held(run["group"], outcomes),
            ],
        }


def _due(
    outcomes: Sequence[Mapping[str, Any]], models: Sequence[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Return which models a deletion of users has left as they are, where there was one.

    Those that the run itself trained after it, in full, have nothing of the users.
    """
    own = {one.get("arn") for one in outcomes if one.get("did") == "created"}
    anew = {
        one["Solution"] for one in models if one["Version"] in own and one["TrainingMode"] == FULL
    }
    for one in outcomes:
        if one.get("due") and not one.get("failed"):
            left = [each for each in one["due"]["solutions"] if each["name"] not in anew]
            return {
                "Solutions": left[:MOST_DUE],
                "Left": len(left),
                "Recommenders": one["due"]["recommenders"][:MOST_DUE],
            }
    return None


def _held(outcomes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the campaigns that were not moved to the newest version."""
    return [one["name"] for one in outcomes if one.get("held") and one["noun"] == "Campaign"]


def _without_data(outcomes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Say which datasets nothing was imported into, since there is no CSV for them."""
    for one in outcomes:
        if one["noun"] == "DatasetImportJob" and one.get("did") == "skipped":
            yield f"Dataset {one['name']}: there is no CSV for it, so nothing was imported."


def _doubtful(outcomes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Say what was thought of data that was imported all the same, and of campaigns' answers."""
    for one in outcomes:
        if one.get("told") and _doubt(one):
            what = "Dataset" if one["noun"] == "DatasetImportJob" else one["noun"]
            yield f"{what} {one['name']}: {one['told']}"


def _doubt(outcome: Mapping[str, Any]) -> bool:
    """Tell whether what is told of a resource is more than what was done to it."""
    if outcome["noun"] in DOUBTS:
        return str(outcome.get("told", "")).startswith(DOUBTS[outcome["noun"]])
    return bool(outcome["noun"] == "DatasetImportJob")


def _staying(outcomes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Say what the config names no more and the run could not remove."""
    for one in outcomes:
        if one["path"] == PATH and one.get("told") and not one.get("failed"):
            yield f"{one['noun']} {one['name']} is not in the config, and {one['told']}"


def _where(run: Mapping[str, Any]) -> Where:
    """Return what the commands of remedies name."""
    bucket = run.get("state", {}).get("bucket", "BUCKET")
    return Where(
        run["group"],
        bucket,
        config=str(run["config"]["key"]),
        run=run["id"],
        task=str(run.get("task", "")),
    )


def _begun(run: Mapping[str, Any], execution: str, clock: Clock) -> dict[str, Any]:
    """Return what :mod:`mpe.handlers.begin` notes of a run."""
    begun = {"started": clock.now().isoformat(), "execution": execution}
    return begun | {key: run[key] for key in ("task",) if key in run}


def _built_order(outcome: Mapping[str, Any]) -> tuple[int, str]:
    """Sort as a dataset group is built, parents first."""
    nouns = list(SPECS)  # a newer release may have more
    noun = outcome["noun"]
    return nouns.index(noun) if noun in nouns else len(nouns), str(outcome["name"])


def _data(outcomes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return which data each dataset was found to have."""
    return {
        one["name"]: one["data"]
        for one in outcomes
        if one["noun"] == "DatasetImportJob" and one.get("data")
    }


def _changed(outcome: Mapping[str, Any]) -> bool:
    return outcome.get("did") not in {None, "kept", "skipped"} and not outcome.get("failed")


def _change(outcome: Mapping[str, Any]) -> dict[str, Any]:
    told = {"Resource": outcome["noun"], "Name": outcome["name"], "Did": outcome["did"]}
    if outcome.get("told") and not _doubt(outcome):
        told["Told"] = outcome["told"]
    if outcome.get("seconds") is not None:
        told["Seconds"] = round(float(outcome["seconds"]))
    return told


def _failure(outcome: Mapping[str, Any], where: Where) -> dict[str, Any]:
    failed = outcome["failed"]
    return {
        "Resource": outcome["noun"],
        "Name": outcome["name"],
        "Path": outcome["path"],
        "Error": failed["error"],
        "Reason": failed["reason"],
        "Remedy": remedy(
            outcome["noun"],
            failed["error"],
            failed["reason"],
            Where.of_outcome(where, outcome),
        ),
    }


def _crash(crash: Mapping[str, Any], where: Where) -> dict[str, Any]:
    reason = _told(str(crash.get("cause", "")))
    return {
        "Resource": "Step",
        "Name": str(crash.get("resource", "")),
        "Path": "",
        "Error": str(crash.get("error", "")),
        "Reason": reason,
        "Remedy": remedy("Step", str(crash.get("error", "")), reason, where),
    }


def _told(cause: str) -> str:
    """Return the message of a function's error, which comes as JSON with a stack trace behind it.

    Of a long one the end is cut off
    (https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html).
    """
    found = ERROR.search(cause)
    if not found:
        return cause
    try:
        return cause[: found.start()] + str(json.loads(f'"{found[1]}"'))
    except ValueError:
        return cause


def _without_keys(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in {"group", "record"}}


def _verdict(failures: list[dict[str, Any]]) -> dict[str, Any]:
    if not failures:
        return {"succeeded": True}
    first = failures[0]
    cause = f"{first['Resource']} {first['Name']}: {first['Reason']}"
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return {"succeeded": False, "error": first["Error"], "cause": cause[:900] + more}


made_in_init("dynamodb", "events")


@outages_pass()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the workflow with the run's verdict."""
    run = event["run"]
    LOGGER.set_correlation_id(run["id"])
    redriven = int(event.get("redriven", 0))
    verdict = from_settings()(
        run, event["execution"], event.get("crashes") or [], redriven=redriven
    )
    LOGGER.info("finished", extra={"verdict": verdict})
    return verdict


def from_settings() -> Finish:
    """Return what finishes runs, as the stack's settings say."""
    return Finish(
        Turns(table(setting("TURNS_TABLE"))),
        Ledger(table(setting("LEDGER_TABLE"))),
        Events(client("events"), setting("EVENT_BUS")),
        Emf(setting("STACK")),
        Clock.from_environment(),
        setting("STACK"),
    )
