"""Data is judged before it is imported: counted, and compared with what the live versions know.

It is counted in the import step itself, in one pass over the CSVs and within :data:`SECONDS`; what
is larger by :mod:`mpe.handlers.profiling`, which it waits for. What that cannot count either, or
nobody can read, is told not to have been judged, and imported.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from mpe.aws.clock import Clock
from mpe.aws.ledger import Ledger
from mpe.aws.objects import Completed, Objects, Unreadable
from mpe.handlers.news import News
from mpe.handlers.profiling import DATA_TO_COUNT, key_of, profile_of
from mpe.model.errors import DataHeld
from mpe.model.gate.data import SERVED, USUAL, DataLimits, judge_data, not_profiled, usual
from mpe.model.gate.verdict import Verdict
from mpe.model.gate.versions import said
from mpe.model.plan.desired import Desired
from mpe.model.service.counting import NotProfiled, TooLarge
from mpe.model.service.profile import Profile, as_document, of_document

DATA_JUDGED = "Personalize Data Judged"
SECONDS = float(os.environ.get("COUNT_SECONDS", "30"))
"""How long data is counted here at the most: the function itself ends after a minute."""
PATIENCE = timedelta(minutes=20)
"""How long the function for large data is waited for: it may count for 15 minutes, and an event may
be delivered late."""
SOONEST, LATEST = 5, 60
"""Seconds between two looks for its answer, which are a fifth of what has passed."""
SURE = 3
"""Standard errors that are told: further off is one in some hundreds."""


class StillCounting(Exception):
    """The function for large data is at work; look again after so many ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__("its data is large, and is still being counted")
        self.seconds = seconds


@dataclass(frozen=True)
class Importing:
    """Judge data through S3 and the ledger."""

    objects: Objects
    ledger: Ledger
    events: News
    clock: Clock
    seconds: Callable[[], float] = monotonic

    def __call__(
        self, group: str, completed: Completed, items: Desired | None, job: Mapping[str, Any]
    ) -> str | None:
        """Return what is to be told of the data of an import, or raise DataHeld or StillCounting.

        ``items`` is the import of the Items, and ``job`` what the import would be created with. The
        same job's data is judged once, however often it is tried.
        """
        desired, data = completed.desired, completed.version or ""
        mode = desired.gate.get("mode", "off")
        if mode == "off":
            return None
        name = str(job["jobName"])
        row = self.ledger.data_verdict(group, desired.id)
        if row is None or (row["job"], row["data"]) != (name, data):
            row = self._judge(group, completed, items, job)
        made = row.get("made")
        if row["word"] == "pass":
            return str(made) if made else None
        told = " ".join((*said(row), *([made] if made else ())))
        if row["word"] == "hold" and mode in {"hold", "approve"}:
            accepted = self.ledger.accepted(group, desired.id)
            if accepted is None or accepted["data"] != data:
                raise DataHeld(f"{told} It was not imported.")
            return f"{told} It was let in by {accepted['by']}: {accepted['why']}"
        return told

    def _judge(
        self, group: str, completed: Completed, items: Desired | None, job: Mapping[str, Any]
    ) -> dict[str, Any]:
        desired, data = completed.desired, completed.version or ""
        kind, name = desired.id.partition(".")[2], str(job["jobName"])
        mode, now = str(job.get("importMode", "FULL")), self.clock.now()
        made: str | None = None
        try:
            profile, made = self._profile(group, completed, items, name)
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
        row |= {"made": made} if made else {}
        self.events.put(DATA_JUDGED, _detail(group, kind, data, verdict))
        self.ledger.note_data(group, desired.id, row)
        return row

    def _profile(
        self, group: str, completed: Completed, items: Desired | None, job: str
    ) -> tuple[Profile, str | None]:
        """Return what the data is like, and who has found that where it was not the step itself."""
        desired = completed.desired
        kind = desired.id.partition(".")[2]
        described = self.objects.completed(items) if items and kind == "interactions" else None
        described = described if described and described.changed else None
        key = key_of(completed.objects, *([described.objects] if described else ()))
        row = self.ledger.counted(group, desired.id, key)
        if row is not None and (row["job"] == job or "profile" in row or "failed" in row):
            return self._answered(row)
        end = self.seconds() + SECONDS
        items_at = _location(described.desired) if described else None
        where = (_location(desired), items_at)
        try:
            go_on = lambda: self.seconds() < end  # noqa: E731
            return profile_of(self.objects, kind, where, go_on=go_on), None
        except TooLarge:
            self._ask(group, desired, described, {"Job": job, "Key": key})
            raise StillCounting(SOONEST) from None

    def _ask(
        self, group: str, desired: Desired, items: Completed | None, of: Mapping[str, str]
    ) -> None:
        """Have it counted by the function for large data: twice where this is killed in between."""
        until = (self.clock.now() + PATIENCE).isoformat()
        asked = {
            "DatasetGroup": group,
            "Dataset": desired.id,
            "Data": asdict(desired.data) if desired.data else None,
            "Items": asdict(items.desired.data) if items and items.desired.data else None,
            "Until": until,
            **of,
        }
        if not self.events.put(DATA_TO_COUNT, asked):
            raise NotProfiled("the event bus does not take the wish to have it counted.")
        self.ledger.ask_count(group, desired.id, of["Key"], {"job": of["Job"], "until": until})

    def _answered(self, row: Mapping[str, Any]) -> tuple[Profile, str]:
        """Return what the function for large data has found, or say that it has not."""
        if "profile" in row:
            profile = of_document(json.loads(row["profile"]))
            return profile, _made(profile)
        if "failed" in row:
            raise NotProfiled(row["failed"])
        until = datetime.fromisoformat(row["until"])
        if self.clock.now() >= until:
            raise NotProfiled("the function that counts large data gave no answer in time.")
        passed = self.clock.since(until - PATIENCE)
        raise StillCounting(min(max(round(passed / 5), SOONEST), LATEST))


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


def _location(desired: Desired) -> str:
    return str(desired.params["dataSource"]["dataLocation"])


def _made(profile: Profile) -> str:
    """Say who has counted large data, and how far its figures may be off."""
    told = "It was counted by the function for large data"
    if not profile.errors:
        return f"{told}."
    off = SURE * max(profile.errors.values())
    return f"{told}, which has estimated its ids: they may be off by {off:.1%}."


def _detail(group: str, kind: str, data: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "DatasetGroup": group,
        "Dataset": kind,
        "Data": data,
        "Verdict": verdict.word,
        "Reasons": said(verdict.as_dict()),
    }
