"""Data is judged before it is imported: counted, and compared with what the live versions know.

It is counted in the import step itself, in one pass over the CSVs and within :data:`SECONDS`; what
is larger, or cannot be read, is told not to have been judged, and imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from mpe.aws.clock import Clock
from mpe.aws.events import EventSink
from mpe.aws.ledger import Ledger
from mpe.aws.objects import Objects, Unreadable
from mpe.model.errors import DataHeld
from mpe.model.gate.data import SERVED, USUAL, DataLimits, judge_data, not_profiled, usual
from mpe.model.gate.verdict import Verdict
from mpe.model.gate.versions import said
from mpe.model.plan.desired import Desired
from mpe.model.service.counting import NotProfiled, Tally
from mpe.model.service.profile import Profile, as_document, of_document

DATA_JUDGED = "Personalize Data Judged"
SECONDS = 30.0
"""How long data is counted at the most: the function itself ends after a minute."""


@dataclass(frozen=True)
class Importing:
    """Judge data through S3 and the ledger."""

    objects: Objects
    ledger: Ledger
    events: EventSink
    clock: Clock
    seconds: Callable[[], float] = monotonic

    def __call__(
        self, group: str, desired: Desired, items: Desired | None, job: Mapping[str, Any], data: str
    ) -> str | None:
        """Return what is to be told of the data of an import, or raise DataHeld.

        ``items`` is the import of the Items, ``job`` what the import would be created with, and
        ``data`` says which data it is. The same job's is judged once, however often it is tried.
        """
        mode = desired.gate.get("mode", "off")
        if mode == "off":
            return None
        name = str(job["jobName"])
        row = self.ledger.data_verdict(group, desired.id)
        if row is None or (row["job"], row["data"]) != (name, data):
            row = self._judge(group, desired, items, job, data)
        if row["word"] == "pass":
            return None
        told = " ".join(said(row))
        if row["word"] == "hold" and mode in {"hold", "approve"}:
            accepted = self.ledger.accepted(group, desired.id)
            if accepted is None or accepted["data"] != data:
                raise DataHeld(f"{told} It was not imported.")
            return f"{told} It was let in by {accepted['by']}: {accepted['why']}"
        return told

    def _judge(
        self,
        group: str,
        desired: Desired,
        items: Desired | None,
        job: Mapping[str, Any],
        data: str,
    ) -> dict[str, Any]:
        kind, name = desired.id.partition(".")[2], str(job["jobName"])
        mode, now = str(job.get("importMode", "FULL")), self.clock.now()
        try:
            profile = self._profile(desired, items, kind)
        except (NotProfiled, Unreadable) as error:
            verdict = not_profiled(str(error))
        else:
            limits = DataLimits.of(desired.gate.get("data", {}))
            if mode == "FULL":
                live, of = live_data(self.ledger, group, desired.id), SERVED
            else:
                live, of = usual(kind, increments(self.ledger, group, desired.id)), USUAL
            verdict = judge_data(limits, kind, profile, live=live, now=now.timestamp(), of=of)
            text = json.dumps(as_document(profile))
            row = {"profile": text, "data": data, "at": now.isoformat(), "mode": mode}
            self.ledger.profiled(group, desired.id, name, row)
        row = {**verdict.as_dict(), "job": name, "data": data, "at": now.isoformat()}
        self.events.put(DATA_JUDGED, _detail(group, kind, data, verdict))
        self.ledger.note_data(group, desired.id, row)
        return row

    def _profile(self, desired: Desired, items: Desired | None, kind: str) -> Profile:
        end = self.seconds() + SECONDS
        tally = self._tally(desired, kind, end)
        unknown = None
        if kind == "interactions" and items is not None:
            completed = self.objects.completed(items)
            if completed.changed:
                unknown = tally.unknown(self._tally(completed.desired, "items", end).items)
        return tally.profile(unknown)

    def _tally(self, desired: Desired, kind: str, end: float) -> Tally:
        tally = Tally(kind)
        for lines in self.objects.lines(desired.params["dataSource"]["dataLocation"]):
            tally.add(lines, go_on=lambda: self.seconds() < end)
        return tally


def live_data(ledger: Ledger, group: str, dataset: str) -> Profile | None:
    """Return what the data is like that the newest of the live versions was trained on.

    That is the last FULL import before it; where no version is known to be live, the last.
    """
    pointed = (one.version for _, one in ledger.all_pointers(group) if one.version)
    known = (ledger.weighed(group, arn) for arn in pointed)
    trained = max((one.created for one in known if one and one.created), default=None)
    return last_full(ledger, group, dataset, trained)


def increments(ledger: Ledger, group: str, dataset: str) -> list[Profile]:
    """Return what the increments of a dataset were like that were imported, the newest last."""
    found = (_read(one) for one in imported(ledger, group, dataset, full=False))
    return [one for one in found if one is not None]


def last_full(ledger: Ledger, group: str, dataset: str, trained: str | None) -> Profile | None:
    """Return what the last FULL import before a moment was like, or the last of all."""
    rows = imported(ledger, group, dataset, full=True)
    before = [one for one in rows if trained is None or one["at"] <= trained]
    return _read(before[-1]) if before else None


def imported(ledger: Ledger, group: str, dataset: str, *, full: bool) -> list[dict[str, Any]]:
    """Return the rows of a dataset's imports that were done, FULL ones or others, newest last."""
    done = (one for one in ledger.profiles(group, dataset) if one.get("imported"))
    kind = (one for one in done if (one["mode"] == "FULL") is full)
    return sorted(kind, key=lambda one: str(one["at"]))


def _read(row: Mapping[str, Any]) -> Profile | None:
    try:
        return of_document(json.loads(row["profile"]))
    except ValueError:  # of another release
        return None


def _detail(group: str, kind: str, data: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "DatasetGroup": group,
        "Dataset": kind,
        "Data": data,
        "Verdict": verdict.word,
        "Reasons": said(verdict.as_dict()),
    }
