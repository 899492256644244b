"""Move one resource a step towards its desired state.

The workflow calls this for each resource until the outcome has no ``wait``. Every call looks
first and acts on what it sees, so that a call that is repeated, or whose answer was lost,
creates nothing twice: jobs and versions bear the run's name, and the service refuses a
second of the same name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from aws_lambda_powertools.utilities.typing import LambdaContext

from mpe.aws.clients import client, made_in_init, table
from mpe.aws.clock import Clock
from mpe.aws.events import RUN_WAITS, Events, ResourceEventSink
from mpe.aws.exclusion import Exclusion
from mpe.aws.freshness import Freshness
from mpe.aws.ledger import Ledger, expecting
from mpe.aws.lists import Lists
from mpe.aws.objects import Completed, Objects, Pointer, Unreadable
from mpe.aws.outages import outages_pass, passes
from mpe.aws.personalize import Busy, Exists, Missing, Personalize, Refused, ServiceError
from mpe.aws.turns import Turns
from mpe.handlers.gauges import Emf, Gauges
from mpe.handlers.importing import Importing, StillCounting, last_full
from mpe.handlers.judging import Judging
from mpe.handlers.news import News
from mpe.handlers.recommending import Recommending
from mpe.handlers.settings import LOGGER, setting
from mpe.handlers.smoking import Smoking
from mpe.handlers.training import Training
from mpe.model.errors import DataError, DataHeld, NewerForm, TrainingHeld, TurnLost
from mpe.model.gate.pointer import SERVICE, FailedUpdate, ModelPointer
from mpe.model.gate.smoke import TOLD
from mpe.model.gate.versions import Version
from mpe.model.messages import account_of
from mpe.model.plan.changes import told_change, told_creation
from mpe.model.plan.desired import INTERACTIONS_IMPORT, Desired, DesiredState
from mpe.model.plan.erasure import CLASH, DELETION, due
from mpe.model.plan.forms import RUN
from mpe.model.plan.outcome import CHANGES, MARKED, Outcome
from mpe.model.plan.owner import marked
from mpe.model.plan.quotas import for_good
from mpe.model.plan.reconcile import (
    MISSING,
    Action,
    Change,
    Create,
    Keep,
    Look,
    Mark,
    Observed,
    Reject,
    Skip,
    Switch,
    Update,
    Wait,
    decide,
    nothing_new,
)
from mpe.model.plan.removals import GOES, Made
from mpe.model.plan.tasks import JUDGE
from mpe.model.plan.waits import (
    KNOWN_WITHIN,
    SHORTEST,
    VISIBLE_WITHIN,
    Expected,
    expected,
    in_line,
    kind_of_creation,
    next_wait,
    until_seen,
    variant_of,
)
from mpe.model.service import avro
from mpe.model.service.csvs import check_head
from mpe.model.service.names import began_of
from mpe.model.service.spec import ACTIVE, FAILED, INACTIVE

PATIENCE = 6 * 60 * 60
"""Seconds that a resource may wait for a quota before the run gives up on it."""
PATIENCE_IN_LINE = 24 * 60 * 60
"""The same for a job or a version: how many may run at a time, so its turn will come."""
LONG = 15 * 60
"""Seconds of waiting after which people are told of it."""
VERSION, UPDATE = "SolutionVersion", "UPDATE"
"""What is trained, and the training that only takes up what is new."""
OVERTAKEN = "Overtaken"
"""The error of a resource that waited for a quota when a newer config came."""


COUNTED = "DATA IS COUNTED"
"""The status of an import that waits for the function for large data."""
NOTHING_TO_JUDGE = "NothingToJudge"
"""The error of a task that looks for versions, of which there is none."""


class Fence(Protocol):
    def holds(self, group: str, run: str) -> bool: ...

    def began(self, group: str, run: str) -> datetime | None: ...

    def overtaken(self, group: str, run: str, sequencer: str) -> bool: ...

    def resume(
        self, group: str, run: str, sequencer: str, now: datetime, redriven: int
    ) -> bool: ...


@dataclass(frozen=True)
class Step:
    """One call: which resource of which run, and what the call before it found."""

    run: str
    group: str
    desired: Desired
    previous: Outcome
    sequencer: str = ""
    """S3's order of uploads: that of the run's config."""
    task: bool = False
    """Whether it is of a scheduled task, which creates nothing but jobs and versions."""
    anew_since: datetime | None = None
    """Since when it must have been made, where the task makes it anew."""
    looks: bool = False
    """Whether it only looks for what others have made, and makes nothing."""
    redriven: int = 0
    """How often somebody has redriven the run."""
    variant: str = ""
    """What a model is trained with, which its duration depends on."""
    siblings: int = 1
    """How many of its type the same execution works on, so that they share its history."""
    together: int = 1
    """How many must all be done before anything goes on, this one included."""
    alike: int = 1
    """How many of its type the run works on, whichever executions do."""
    group_arn: str = ""
    """The dataset group's ARN; without it nothing else of the group is looked at."""
    bucket: str = ""
    """The data bucket, which people are told."""
    due: Mapping[str, Any] | None = None
    """What :func:`mpe.model.plan.erasure.due` says, where it deletes users."""
    items: Desired | None = None
    """The import of the Items, which those of interactions are compared with."""
    imports: tuple[Desired, ...] = ()
    """Those that it is trained on, where it is a version and they are judged."""
    interactions: Desired | None = None
    """The import of the interactions, whose users a campaign is asked for."""
    barred: tuple[str, ...] = ()
    """Versions that it was rolled back from, so that it leaves them whatever this run did."""


@dataclass(frozen=True)
class Ensure:
    """The adapters that a step acts through."""

    personalize: Personalize
    objects: Objects
    ledger: Ledger
    turns: Fence
    events: ResourceEventSink
    gauges: Gauges
    clock: Clock
    lists: Lists | None = None
    """What campaigns are asked through, where they may be."""
    stack: str = ""
    """The name of the stack, which people are told."""

    def __call__(self, step: Step) -> Outcome:
        """Take one step and tell the bus and the ledger what came of it."""
        outcome = self._told(step.previous, self._attempt(step))
        if outcome.settled:
            after = {"due": step.due} if step.due and outcome.did == "created" else {}
            row = outcome.as_dict() | after
            self.ledger.record(step.group, step.run, row, self.clock.now())
        return outcome

    def _told(self, before: Outcome, outcome: Outcome) -> Outcome:
        """Tell the bus of a new status; what it does not take is told at the next look.

        Or by the run's last step, where there is no next look. A resource does not fail for it.
        """
        new = outcome.status != before.status or before.untold
        if not outcome.arn or not new or outcome.did in {"kept", "skipped", MARKED}:
            return replace(outcome, untold=None)
        try:
            self.events.resource_changed(outcome.noun, outcome.arn, outcome.status, outcome.seconds)
        except Exception as error:
            LOGGER.warning("not told yet", extra={"arn": outcome.arn, "error": str(error)})
            return replace(outcome, untold=True)
        return replace(outcome, untold=None)

    def _measure(self, step: Step, outcome: Outcome) -> None:
        """Publish how good a new model is, how long a creation took and what it waited for."""
        new = outcome.settled and outcome.did in {"created", "adopted"} and not outcome.failed
        if new and step.desired.spec.measured and outcome.arn:
            version = self.ledger.weighed(step.group, outcome.arn)
            if version and version.metrics:
                self.gauges.model(step.group, outcome.name, version.metrics)
        if outcome.settled and outcome.seconds is not None:
            self.gauges.took(step.group, outcome.noun, outcome.seconds)
        if outcome.settled and outcome.blocked:
            self.gauges.waited(step.group, outcome.noun, outcome.blocked)

    def _attempt(self, step: Step) -> Outcome:
        try:
            if step.redriven:
                self._resume(step)
            outcome = self._advance(step)
            self._measure(step, outcome)
            return outcome
        except Exists:
            there = replace(step.previous, unseen=None)  # the service says so
            return there.waiting(SHORTEST, did="created", status="CREATE PENDING")
        except Busy as busy:
            return self._held_up(step, busy)
        except Missing as error:
            return self._not_found(step, error)
        except ServiceError as error:
            return step.previous.failing(error.code, error.message)
        except (DataError, DataHeld, NewerForm, TrainingHeld, TurnLost) as error:
            return step.previous.failing(type(error).__name__, str(error))

    def _not_found(self, step: Step, error: Missing) -> Outcome:
        """Ask again for what may not be seen yet, but not for ever."""
        if self._missing(step.previous) >= VISIBLE_WITHIN:
            return step.previous.failing(MISSING if step.task else error.code, error.message)
        now = self.clock.now()
        self.ledger.hold(step.group, step.run, step.desired.id, error.message, now)
        return self._look_again(step.previous)

    def _held_up(self, step: Step, busy: Busy) -> Outcome:
        """Wait for a quota or a throttle, unless that is in vain; tell of it once it takes long."""
        before, now = step.previous, self.clock.now()
        if before.did is None and for_good(
            step.desired.spec, busy.code, busy.message, before.blocked
        ):
            return before.failing(busy.code, busy.message)
        self.ledger.hold(step.group, step.run, step.desired.id, busy.message, now)
        if before.blocked and self.turns.overtaken(step.group, step.run, step.sequencer):
            return before.failing(OVERTAKEN, f"it waited, and a newer config came: {busy.message}")
        outcome = _blocked(step, busy)
        if before.blocked < LONG <= outcome.blocked:
            self._tell_of_waiting(step, busy, now - timedelta(seconds=before.blocked))
        return outcome

    def _tell_of_waiting(self, step: Step, busy: Busy, since: datetime) -> None:
        """Tell people once of all resources of a type that wait; that it fails harms nothing."""
        desired = step.desired
        try:
            if not self.ledger.first(step.group, step.run, desired.noun, self.clock.now()):
                return
            self.events.put(
                RUN_WAITS,
                {
                    "DatasetGroup": step.group,
                    "Run": step.run,
                    "Resource": desired.noun,
                    "Name": desired.name,
                    "Path": desired.path,
                    "Since": since.isoformat(timespec="seconds"),
                    "Error": busy.code,
                    "Reason": busy.message,
                    "Hours": (PATIENCE_IN_LINE if _queues(step, busy) else PATIENCE) // 3600,
                    "Stack": self.stack,
                    "Account": account_of(step.group_arn),
                    "Bucket": step.bucket,
                },
            )
        except Exception as error:
            LOGGER.warning("not told", extra={"resource": desired.id, "error": str(error)})

    def _advance(self, step: Step) -> Outcome:
        pointer = self._pointer(step)
        step = _pointed(step, pointer)
        if pointer and pointer.version is None:  # nothing may be served yet
            return step.previous.ready(did="skipped", status="HELD")
        return self._towards(step)

    def _towards(self, step: Step) -> Outcome:
        """Observe, decide and act."""
        completed = self.objects.completed(step.desired)
        desired, before = completed.desired, replace(step.previous, data=completed.version)
        only = {"active": True} if step.looks else {}
        observed = self.personalize.observe(desired, before.arn, **only)
        if observed and before.did is None and "solutionVersionArn" in desired.spec.mutable:
            before = replace(before, served=observed.fields.get("solutionVersionArn"))
        clear = observed is not None and not observed.unknown
        before = replace(before, unseen=None if clear else before.unseen)
        lost = None if before.did else self._lost(step, desired, observed)
        if lost == "created":
            before = replace(before, did=lost)
        action = self._decide(step, completed, before, observed)
        if lost and isinstance(action, Wait | Keep):
            before = replace(before, did=lost)
        if isinstance(action, Create | Update | Switch | Mark):
            self._keep_in_turn(step)
        match action:
            case Create(why):
                self._weigh(step, before, observed)
                return self._make(step, before, completed, observed, first=why != "stale")
            case Update(arn, changes):
                self._probe(step, desired, changes)
                with self._unless_done(desired, arn):
                    self.personalize.update(desired, arn, changes)
                asked = self._asked(_changing(before, changes), arn, "updated")
                return self._again(step, asked, None)
            case Switch(arn, status):
                with self._unless_done(desired, arn):
                    self.personalize.switch(desired, arn, status)
                did = "stopped" if status == INACTIVE else "started"
                return self._again(step, self._asked(before, arn, did), None)
            case Wait(arn):
                waiting = before.waiting(0, arn=arn, did=before.did or "adopted")
                return self._again(step, waiting, observed)
            case Look():
                return self._look_again(before)
            case Mark(arn, owner):
                marked = self._mark(desired, arn, owner)
                return before.ready(arn=arn, status=_status(observed), **marked)
            case Keep(arn):
                return self._right(step, desired, arn, before, observed)
            case Skip():
                return before.ready(did="skipped")
            case Reject(error, message):
                seen = observed.arn if observed else before.arn
                self._note_made(step, before, observed)
                self._hold_failed(step, observed)
                rejected = replace(before, arn=seen, status=_status(observed))
                return rejected.failing(error, message)

    def _right(
        self,
        step: Step,
        desired: Desired,
        arn: str,
        before: Outcome,
        observed: Observed | None,
    ) -> Outcome:
        """Leave what is as it should be, and judge a version, or note an import, that is done."""
        if step.looks and not self.ledger.weighed(step.group, arn):
            before = replace(before, did="adopted")  # so that people are told of it
        self._note_made(step, before, observed)
        self._weigh(step, before, observed)
        around = (self.personalize, self.ledger, News(self.events), self.clock, self.stack)
        judging = Judging(*around, step.run)
        judging(step.group, desired, arn)
        if observed and desired.noun == "Recommender":
            metrics = observed.fields.get("modelMetrics") or {}
            recommending = Recommending(self.ledger, News(self.events), self.gauges, self.clock)
            recommending(step.group, desired, arn, metrics)
        self._ask_while_held(step, desired, before)
        told = self._smoke(step, desired, before, observed)
        made = told_creation(desired.noun, {**desired.initial, **desired.params})
        own = before.told or (made if before.did == "created" else "")
        before = replace(before, told=told or own or None)
        pointer = self._pointer(step) if told else None
        if pointer and pointer.version != desired.params.get("solutionVersionArn"):
            return self._towards(_pointed(replace(step, previous=before), pointer))
        # Also one that a run began that was stopped before it was done.
        if observed and desired.spec.inspects and desired.gate:
            job = str(observed.fields["jobName"])
            self.ledger.imported(step.group, desired.id, job, observed.created)
        seconds = self._learned(step, before, observed)
        return before.ready(arn=arn, status=_status(observed), seconds=seconds)

    def _probe(self, step: Step, desired: Desired, changes: Sequence[Change]) -> None:
        """Keep what a campaign answers before it leaves a version, but for one that is barred."""
        left = [one.old for one in changes if one.field == "solutionVersionArn"]
        if self.lists is None or not desired.gate or not left or left[0] in step.barred:
            return
        if desired.noun == "Campaign":
            self._smoking(self.lists).before(step.group, desired, str(left[0]), step.interactions)

    def _ask_while_held(self, step: Step, desired: Desired, before: Outcome) -> None:
        """Keep what a campaign answers while a version is held, to which a person may move it."""
        held, live = before.held, desired.params.get("solutionVersionArn")
        if self.lists is None or desired.noun != "Campaign" or held in {None, live, *step.barred}:
            return
        moved = replace(desired, params={**desired.params, "solutionVersionArn": held})
        self._smoking(self.lists).before(step.group, moved, str(live), step.interactions)

    def _smoke(
        self, step: Step, desired: Desired, before: Outcome, observed: Observed | None
    ) -> str | None:
        """Return what is to be told of a campaign that this run has moved to a version."""
        moved = before.did in {"created", "updated"} and observed is not None
        if self.lists is None or not moved or desired.noun != "Campaign" or not desired.gate:
            return None
        if before.did == "updated" and before.served == desired.params["solutionVersionArn"]:
            return None
        return self._smoking(self.lists).after(
            step.group, desired, before.served, step.interactions, self.clock.now()
        )

    def _smoking(self, lists: Lists) -> Smoking:
        return Smoking(lists, self.objects, self.ledger, News(self.events), self.gauges)

    def _note_made(self, step: Step, before: Outcome, observed: Observed | None) -> None:
        """Keep that this run made something, which another may remove that names it no more."""
        desired = step.desired
        if before.did == "created" and observed and desired.noun in GOES:
            made = Made.of(desired.noun, desired.name, observed.arn, observed.fields)
            self.ledger.note_made(step.group, made)

    def _note_begun(self, step: Step, begun: Outcome) -> None:
        """Keep at once that this run makes something: who is stopped sees nothing of it done.

        What cannot be seen or noted yet is noted at its end; no creation fails for it.
        """
        if step.desired.noun not in GOES:
            return
        try:
            observed = self.personalize.observe(step.desired, begun.arn)
            if observed and observed.created:
                self._note_made(step, begun, observed)
        except Exception as error:
            LOGGER.warning("not noted yet", extra={"arn": begun.arn, "error": str(error)})

    def _mark(self, desired: Desired, arn: str, owner: str) -> dict[str, str]:
        """Mark what is there with the stack's name; that it may have no more tags fails no run."""
        try:
            self.personalize.tag(arn, marked((), owner))
        except Refused as error:
            LOGGER.warning("not marked", extra={"resource": desired.id, "error": str(error)})
            return {}
        return {"did": MARKED, "told": f"maintained by the stack {owner}"}

    def _weigh(self, step: Step, before: Outcome, observed: Observed | None) -> None:
        """Keep the numbers of a version that is there, once.

        That is of the new one, and of the one before it where that was trained before there were
        such records. Metrics that the service refuses fail no run; the next one asks again.
        """
        if observed is None or observed.status != ACTIVE or not step.desired.spec.measured:
            return
        known = self.ledger.weighed(step.group, observed.arn)
        if known and known.metrics:
            return
        try:
            metrics = self.personalize.metrics(observed.arn)
        except (Missing, Refused) as error:
            LOGGER.warning("no metrics", extra={"arn": observed.arn, "error": str(error)})
            metrics = {}
        if known:
            if metrics:
                self.ledger.weigh(step.group, replace(known, metrics=metrics))
            return
        told = observed.fields
        created = observed.created.isoformat() if observed.created else None
        data = last_full(self.ledger, step.group, INTERACTIONS_IMPORT, created)
        version = Version(
            observed.arn,
            metrics,
            setup=_setup(told),
            mode=str(told.get("trainingMode") or "FULL"),
            hours=told.get("trainingHours"),
            created=created,
            run=step.run if before.did == "created" else None,
            rows=data.rows("interactions") if data else None,
            users=data.users if data else None,
            tested=data.tested if data else None,
        )
        self.ledger.weigh(step.group, version)

    def _decide(
        self, step: Step, completed: Completed, before: Outcome, observed: Observed | None
    ) -> Action:
        pinned = before.did if before.did in CHANGES and not _leaves(step, observed) else None
        # What others began while the task waited serves it as well.
        anew = None if before.did == "adopted" else step.anew_since
        fresh = None if pinned else self._freshness.since(step.group, completed, observed)
        times = [time for time in (fresh, anew) if time]
        action = decide(
            completed.desired,
            observed,
            pinned=pinned,
            fresh_since=max(times, default=None),
            idle=completed.idle,
            existing=step.task,
            lagging=self._missing(before) < (KNOWN_WITHIN if observed else VISIBLE_WITHIN),
        )
        return _looked(observed) if step.looks and isinstance(action, Create) else action

    def _missing(self, before: Outcome) -> float:
        """Return for how many seconds what was made has not been seen."""
        return self.clock.since(datetime.fromisoformat(before.unseen)) if before.unseen else 0.0

    def _look_again(self, before: Outcome) -> Outcome:
        since = before.unseen or self.clock.now().isoformat()
        return before.waiting(until_seen(self._missing(before)), unseen=since)

    def _lost(self, step: Step, desired: Desired, observed: Observed | None) -> str | None:
        """Return what this run itself did to a resource, and never heard the answer of.

        A job or a version bears the run's name. All else was made, or its newest update began,
        since the run has its group's turn, which no other run has. Such an update may be the
        service's own, of a campaign that follows its solution, so that it is told, no more.
        """
        if observed is None or observed.created is None:
            return None
        if desired.spec.repeatable:
            name = desired.spec.name_param or "name"
            own = observed.fields.get(name) == desired.as_made_by(step.run)[name]
            return "created" if own else None
        if step.task and observed.update is None:  # a task makes none of these
            return None
        if not self._since_its_turn(step, observed.created):
            return None
        return "created" if observed.update is None else "updated"

    def _since_its_turn(self, step: Step, moment: datetime) -> bool:
        """Tell whether a moment is since the run began to work, which takes a read if it may be."""
        named = began_of(step.run)
        if named is None or moment < named:
            return False
        began = self.turns.began(step.group, step.run)
        return began is not None and moment >= began

    def _pointer(self, step: Step) -> ModelPointer | None:
        """Return what says which version a resource is to have, where a gate does."""
        if step.desired.pointer is None:
            return None
        return self.ledger.pointer(step.group, step.desired.pointer)

    def _hold_failed(self, step: Step, observed: Observed | None) -> None:
        """Hold a version that a campaign could not be updated to: it serves the one before."""
        pointer, failed = self._pointer(step), observed and FailedUpdate.of(observed.fields)
        if step.desired.noun != "Campaign" or not pointer or not observed or not failed:
            return
        served, at = observed.fields["solutionVersionArn"], self.clock.now()
        if pointer.version == failed.version != served:
            told = at.isoformat(timespec="milliseconds")
            back = pointer.moved(served, by=SERVICE, why="the campaign serves it still", at=told)
            held = back.holding(failed.version, why=failed.told, at=told)
            self.ledger.point(step.group, str(step.desired.pointer), held)

    def _keep_in_turn(self, step: Step) -> None:
        """Raise TurnLost where another run has the turn, before anything is changed.

        A run that was stopped may have functions under way, and solutions' executions that
        have not heard of it yet.
        """
        if not self.turns.holds(step.group, step.run):
            raise TurnLost(step.group, step.run)

    def _resume(self, step: Step) -> None:
        """Raise TurnLost where a run that was redriven cannot have its turn again."""
        now = self.clock.now()
        if not self.turns.resume(step.group, step.run, step.sequencer, now, step.redriven):
            raise TurnLost(step.group, step.run)

    def _inspect(self, desired: Desired) -> None:
        """Raise DataError for first rows that an import would fail for, a long while later.

        What cannot be read, such as objects under a key of the user's own, is left to the
        service, whose role may read it.
        """
        if not desired.spec.inspects or desired.schema is None:
            return
        schema = avro.loads(desired.schema)
        kind, fields = avro.kind_of(schema), avro.fields(schema)
        try:
            heads = list(self.objects.heads(desired.params["dataSource"]["dataLocation"]))
        except Unreadable as error:
            LOGGER.warning("not inspected", extra={"resource": desired.id, "error": str(error)})
            return
        found = [one for head in heads for one in check_head(head, kind, fields)]
        for one in found:
            LOGGER.info("found in the data", extra={"finding": str(one)})
        wrong = [one for one in found if one.severity == "error"]
        if wrong:
            raise DataError(wrong)

    def _judge_data(
        self, step: Step, before: Outcome, completed: Completed, *, first: bool
    ) -> Outcome:
        """Note what is to be told of the data of an import; raise DataHeld or StillCounting."""
        desired = completed.desired
        if not desired.spec.inspects or not desired.gate:
            return before
        importing = Importing(self.objects, self.ledger, News(self.events), self.clock)
        job = desired.as_made_by(step.run, first=first)
        return replace(before, told=importing(step.group, completed, step.items, job))

    @contextmanager
    def _unless_done(self, desired: Desired, arn: str) -> Iterator[None]:
        """Let a change be refused that an attempt before it made, whose answer was lost."""
        try:
            yield
        except (Exists, Refused) as error:
            seen = self.personalize.observe(desired, arn)
            if seen is None or isinstance(decide(desired, seen), Update | Switch | Reject):
                # An Exists is for a creation to wait out, not for this.
                raise Refused(error.code, error.message) from error

    @property
    def _freshness(self) -> Freshness:
        return Freshness(self.personalize, self.ledger, self.clock)

    def _make(
        self,
        step: Step,
        before: Outcome,
        completed: Completed,
        observed: Observed | None,
        *,
        first: bool,
    ) -> Outcome:
        """Create it, unless its data is wrong, or there is nothing to create it for."""
        if completed.changed:  # else nothing is there, and the service says so
            if before.status != COUNTED:  # else it was inspected at the look before
                self._inspect(completed.desired)
            try:
                before = self._judge_data(step, before, completed, first=first)
            except StillCounting as counting:
                why, now = str(counting), self.clock.now()
                self.ledger.hold(step.group, step.run, step.desired.id, why, now)
                return before.waiting(counting.seconds, status=COUNTED)
        if step.imports and completed.desired.params.get("trainingMode") != UPDATE:
            told = Training(self.ledger, self.clock)(step.group, step.imports)
            before = replace(before, told=told)
        try:
            return self._create(step, before, completed, first=first)
        except Refused as error:
            if observed and nothing_new(completed.desired, error.message):
                return before.ready(arn=observed.arn, status=_status(observed))
            raise

    def _create(self, step: Step, before: Outcome, completed: Completed, *, first: bool) -> Outcome:
        desired = completed.desired
        if step.group_arn:
            Exclusion(self.personalize).check(desired, step.group_arn)
        params = desired.as_made_by(step.run, first=first)
        if completed.objects:
            job = desired.spec.arn.format(name=params["jobName"])
            self.ledger.see(step.group, job, completed.objects, self.clock.now())
        if desired.spec.unsure and (asked := self._asked_for(step)):
            return before.waiting(until_seen(self.clock.since(asked)))
        arn = self._ask(step, desired, params)
        begun = replace(before, arn=arn, did="created", unseen=None)
        if not desired.spec.has_status:
            return begun.ready(status=ACTIVE)
        self._note_begun(step, begun)
        return self._again(step, begun.waiting(0, status="CREATE PENDING"), None, params)

    def _asked_for(self, step: Step) -> datetime | None:
        """Return when this run asked for it, while a list may not tell yet whether it was made."""
        asked = self.ledger.asked(step.group, step.run, step.desired.id)
        recent = asked is not None and self.clock.since(asked) < VISIBLE_WITHIN
        return asked if recent else None

    def _ask(self, step: Step, desired: Desired, params: Mapping[str, Any]) -> str:
        """Create it, and remember that where its answer may be lost and a second would be paid."""
        if not desired.spec.unsure:
            return self.personalize.create(desired, params)
        now, of = self.clock.now(), (step.group, step.run, desired.id)
        self.ledger.ask(*of, now, at=now)
        try:
            return self.personalize.create(desired, params)
        except ServiceError as error:
            if not error.unsure:
                self.ledger.ask(*of, now, at=None)
            raise

    def _asked(self, before: Outcome, arn: str, did: str) -> Outcome:
        """Note when a change was asked for, since the service does not tell it of every one."""
        return before.waiting(0, arn=arn, did=did, begun=self.clock.now().isoformat())

    def _again(
        self,
        step: Step,
        outcome: Outcome,
        observed: Observed | None,
        params: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Choose when to look again, at what was created with ``params`` or is observed."""
        kind = _kind(step, outcome, observed, params)
        begun, _ = _times(outcome, observed)
        elapsed = self.clock.since(begun) if begun else 0.0
        seconds = next_wait(
            elapsed,
            self._expected(step, outcome, kind),
            siblings=step.siblings,
            together=step.together,
        )
        seconds = max(seconds, self.clock.between(elapsed, step.alike))
        status = observed.shown if observed else outcome.status
        return replace(outcome, wait=seconds, status=status)

    def _expected(self, step: Step, outcome: Outcome, kind: str) -> Expected:
        """Return what is known of the work; no more than its type where nobody can say now.

        The answer of a creation must not be lost for want of a guess of how long it takes.
        """
        spec = step.desired.spec
        try:
            return expecting(self.ledger, step.group, outcome.resource, spec, kind, step.variant)
        except Exception as error:
            if not passes(error):
                raise
            LOGGER.warning("no duration", extra={"arn": outcome.arn, "error": str(error)})
            return expected(spec, kind)

    def _learned(self, step: Step, before: Outcome, observed: Observed | None) -> float | None:
        """Remember and return how many seconds the service took for what this run began."""
        begun, settled = _times(before, observed)
        if not step.desired.spec.has_status:  # it was there at once
            return None
        if before.did not in CHANGES or begun is None or settled is None:
            return None
        if settled < begun:  # the service does not tell when this was done
            return None
        seconds = round(self.clock.seconds(begun, settled), 1)
        kind = _kind(step, before, observed)
        self.ledger.remember(step.group, before.resource, before.noun, kind, seconds)
        return seconds


def _looked(observed: Observed | None) -> Action:
    """Return what follows where something is only looked for: nothing is made anew."""
    if observed is None:
        return Reject(NOTHING_TO_JUDGE, "there is no trained version of it yet.")
    return Keep(observed.arn)


def _setup(told: Mapping[str, Any]) -> str:
    """Return a digest of the settings of a version: its hyperparameters and its events."""
    config = told.get("solutionConfig") or {}
    keys = ("algorithmHyperParameters", "eventsConfig", "eventValueThreshold")
    settings = [told.get("eventType"), told.get("performHPO"), *(config.get(one) for one in keys)]
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _leaves(step: Step, observed: Observed | None) -> bool:
    """Tell whether a campaign still serves what it was rolled back from, and can be updated."""
    served = observed.fields.get("solutionVersionArn") if observed else None
    return served in step.barred and observed is not None and observed.update not in FAILED


def _pointed(step: Step, pointer: ModelPointer | None) -> Step:
    """Return a step with the version that its pointer says in the place of the newest."""
    newest = step.desired.params.get("solutionVersionArn")
    if pointer is None:
        return step
    step = replace(step, barred=pointer.barred)
    if pointer.version == newest:
        return step
    params = {**step.desired.params, "solutionVersionArn": pointer.version}
    held = pointer.held or newest
    return replace(
        step,
        desired=replace(step.desired, params=params),
        previous=replace(step.previous, held=held),
    )


def _changing(before: Outcome, changes: Sequence[Change]) -> Outcome:
    """Say which fields are changed; a change back says why it is made already."""
    if (before.told or "").startswith(TOLD):
        return before
    return replace(before, told=", ".join(told_change(**asdict(one)) for one in changes))


def _kind(
    step: Step,
    outcome: Outcome,
    observed: Observed | None,
    params: Mapping[str, Any] | None = None,
) -> str:
    """Return the kind of work that is waited for, or was."""
    if outcome.did in CHANGES - {"created"}:
        return str(outcome.did)
    if observed and observed.updating:
        return "updated"
    given = params or (observed.fields if observed else {})
    return kind_of_creation(step.desired.spec, given, step.variant)


def _times(outcome: Outcome, observed: Observed | None) -> tuple[datetime | None, datetime | None]:
    """Return when what is waited for began, and when it was done if it is.

    Describe tells both of a creation, and of an update where the type has ``latest...Update``. Of
    a start, a stop or another update it tells no beginning, since the creation's is none of theirs
    and may be long ago: this run knows when it asked
    (https://docs.aws.amazon.com/personalize/latest/dg/API_Recommender.html).
    """
    updated = outcome.did == "updated" and observed is not None and observed.update is not None
    if updated or outcome.did in {"created", "adopted"}:
        return (observed.created, observed.settled) if observed else (None, None)
    asked = datetime.fromisoformat(outcome.begun) if outcome.begun else None
    return asked, observed.fields.get("lastUpdatedDateTime") if observed else None


def _status(observed: Observed | None) -> str:
    return observed.shown if observed else "ABSENT"


def _queues(step: Step, busy: Busy) -> bool:
    """Tell whether its turn will come, since what it waits for ends within a day."""
    return step.desired.spec.repeatable or busy.code == CLASH


def _blocked(step: Step, busy: Busy) -> Outcome:
    """Wait out a quota or a throttle, ever more patiently, but not for ever."""
    before = step.previous
    if before.blocked > (PATIENCE_IN_LINE if _queues(step, busy) else PATIENCE):
        return before.failing(busy.code, busy.message)
    seconds = in_line(before.blocked, step.siblings, f"{step.group} {step.desired.id}")
    return before.waiting(seconds, blocked=before.blocked + seconds)


def step_of(event: Mapping[str, Any], objects: Objects) -> Step:
    """Read a call of the workflow: the resource by its id, what came before, what is given."""
    run = RUN.read(event["run"])
    state = objects.state_of_run(Pointer.of(run["state"]))
    desired = state.resources[event["resource"]]
    given = {name: event["given"][name] for name in desired.given}
    task = state.tasks[run["task"]] if "task" in run else None
    own = task.params.get(desired.id, {}) if task else {}
    desired = replace(
        desired,
        params={**desired.params, **given, **own},
        status=task.status if task and desired.spec.switches else None,
    )
    previous = Outcome.of(desired)
    before = event.get("previous")
    if isinstance(before, Mapping) and before.get("resource") == desired.id:
        previous = Outcome.from_dict(before)
    anew = task is not None and desired.id in task.anew
    return Step(
        run=run["id"],
        group=state.group,
        desired=desired,
        previous=previous,
        sequencer=run.get("sequencer", ""),
        task=task is not None,
        looks=task is not None and task.kind == JUDGE and desired.spec.measured,
        anew_since=datetime.fromisoformat(run["started"]) if anew else None,
        redriven=int(event.get("redriven", 0)),
        variant=variant_of(state.trained_with(desired.id)),
        siblings=sum(
            (one.noun, one.parent) == (desired.noun, desired.parent)
            for one in state.resources.values()
        ),
        together=state.together(desired.id),
        alike=sum(one.noun == desired.noun for one in state.resources.values()),
        group_arn=str(state.resources["datasetGroup"].arn),
        bucket=str(run["state"]["bucket"]),
        due=due(state) if desired.noun == DELETION else None,
        items=state.resources.get("import.items"),
        imports=_trained_on(state, desired.gate) if desired.noun == VERSION else (),
        interactions=state.resources.get(INTERACTIONS_IMPORT),
    )


def _trained_on(state: DesiredState, gate: Mapping[str, Any]) -> tuple[Desired, ...]:
    """Return the imports that a solution is trained on, held to what its own gate asks of data."""
    own = {"mode": gate.get("mode", "observe"), "data": gate.get("data", {})}
    found = (one for one in state.resources.values() if one.noun == "DatasetImportJob")
    return tuple(replace(one, gate=own) for one in found if one.gate)


made_in_init("dynamodb", "events", "personalize", "personalize-runtime", "s3")


@outages_pass()
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer the workflow with one resource's outcome."""
    LOGGER.set_correlation_id(event["run"]["id"])
    objects, clock = Objects(client("s3")), Clock.from_environment()
    ensure = Ensure(
        Personalize(client("personalize")),
        objects,
        Ledger(table(setting("LEDGER_TABLE"))),
        Turns(table(setting("TURNS_TABLE"))),
        Events(client("events"), setting("EVENT_BUS")),
        Emf(setting("STACK")),
        clock,
        Lists(client("personalize-runtime"), clock.rests),
        setting("STACK"),
    )
    outcome = ensure(step_of(event, objects)).as_dict()
    LOGGER.info("ensured", extra={"outcome": outcome})
    return outcome
