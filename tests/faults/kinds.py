"""The kinds of faults that the campaign of whole lives knows, and the cases of each.

A case is a phase of a life and what strikes it there. It is made from the calls of a clean life,
so that what is tried grows with the code.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from botocore.exceptions import ConnectionClosedError

from tests.faults.virtual import (
    NOBODY,
    At,
    Died,
    Disturbed,
    Life,
    Made,
    Spot,
    Strike,
    answered,
    refusal,
)

Calls = Mapping[str, Sequence[Spot]]
"""What a clean life called, by phase."""
Strikes = Callable[[Disturbed, Life], Sequence[Strike]]
TIMED_OUT = ("Sandbox.Timedout", "Lambda.Unknown")
"""What Step Functions has for a function that took too long, of newer runtimes and of older ones
(https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""
FUNCTION = 60.0
"""Seconds after which most functions are ended (``HandlerFunction``)."""
LAGS = (60.0, 120.0)
"""Seconds for which reads may not see what was written."""
MINUTES = (2 * 60.0, 20 * 60.0)
"""How long outages last."""
BY_EVENTS = ("Configure", "Notify", "Bury", "BuryTask")
"""Functions that a rule starts: Lambda tries them again, and no workflow has their errors."""


@dataclass(frozen=True)
class Case:
    """One life's phase, and what strikes it."""

    kind: str
    phase: str
    name: str
    strikes: Strikes
    outages: tuple[tuple[str, float, float], ...] = ()
    """Services that are away, from a second after the phase begins on, for so many seconds."""
    works_on: bool = True
    """Whether the run has, by right, still its turn, so that what it did counts as its own."""
    theirs: bool = False
    """Whether people changed resources, so that runs did and told more than in a clean life."""
    after: Callable[[Disturbed, Life], None] | None = None
    """What happens after the phase's end."""
    due: str = ""
    """The moment that the phase's fire is for, where Scheduler says so."""
    timeless: bool = False
    """Whether what was noted says by its times nothing of the order in which it came to be."""
    unwritten: bool = False
    """Whether it cannot be noted what a function makes, or seen when it did, in that phase."""
    unmeasured: bool = False
    """Whether nobody may ask for a model's metrics, by which it is judged."""
    newer: bool = False
    """Whether a newer release is deployed when the phase begins."""

    def __str__(self) -> str:
        return f"{self.phase}: {self.name}"


def firsts(calls: Calls, *, changes: bool = False) -> Iterator[tuple[str, Spot]]:
    """Yield the first call of each operation by each function, or of all those that change."""
    seen = set()
    for phase, spots in calls.items():
        for spot in spots:
            known = (spot.function, spot.operation)
            if known not in seen and (spot.changes or not changes):
                seen.add(known)
                yield phase, spot


def at(act: Callable[[Disturbed, Made], Any], spot: Spot, **more: bool) -> Strikes:
    return lambda cloud, life: [At(spot, act, **more)]


# What becomes of a call.


def denied(cloud: Disturbed, made: Made) -> Any:
    """Answer as IAM does (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html)."""
    action = f"{made.spot.service}:{made.spot.operation}"
    message = f"User: arn:aws:sts::0:assumed-role/r/f is not authorized to perform: {action}"
    if made.spot.service == "s3":
        return refusal(made, 403, "AccessDenied", message)
    if made.spot.service == "sns":
        return refusal(made, 403, "AuthorizationError", message)
    return refusal(made, 400, "AccessDeniedException", message)


def throttled(cloud: Disturbed, made: Made) -> Any:
    code = {"s3": "SlowDown", "sns": "Throttling"}.get(made.spot.service, "ThrottlingException")
    return refusal(made, 503 if made.spot.service == "s3" else 400, code, "Rate exceeded")


def broken(cloud: Disturbed, made: Made) -> Any:
    return refusal(made, 500, "InternalServerError", "We encountered an internal error")


def lost(cloud: Disturbed, made: Made) -> Any:
    made.go()
    raise ConnectionClosedError(endpoint_url=made.request.url)


def timed_out_before(cloud: Disturbed, made: Made, error: str = TIMED_OUT[0]) -> Any:
    raise Died(error, FUNCTION)


def timed_out_after(cloud: Disturbed, made: Made, error: str = TIMED_OUT[0]) -> Any:
    made.go()
    raise Died(error, FUNCTION)


def _executions(life: Life) -> Iterator[dict[str, Any]]:
    """Yield what is under way of a group, that which waits for another first."""
    from ministack.services import stepfunctions

    every = (one for one in stepfunctions._executions.values() if one["status"] == "RUNNING")
    yield from [one for one in every if life.group in one["name"] or life.group in one["input"]]


def ended(status: str, life: Life, cloud: Disturbed, made: Made) -> Any:
    """End all executions of the group, as somebody or their timeout does, while a call is made."""
    from ministack.services import stepfunctions

    with cloud.outside():
        for one in _executions(life):
            one.update(status=status, stopDate=stepfunctions.now_iso())
            stepfunctions._emit_execution_status_event({**one, "sync": False})  # as AWS does
    return made.go()


def robbed(life: Life, cloud: Disturbed, made: Made) -> Any:
    """Let another run have the group's lease, whose owner is alive and does not know."""
    with cloud.outside():
        key = {"group": {"S": life.group}, "record": {"S": "LEASE"}}
        table, database = cloud.outputs["TurnsTable"], cloud.client("dynamodb")
        row = database.get_item(TableName=table, Key=key).get("Item")
        if row:
            other = {**row, "run": {"S": NOBODY}, "holder": {"S": NOBODY}}
            database.put_item(TableName=table, Item=other)
        else:  # before the run has its turn, or after it gave it back
            life.undone += 1
    return made.go()


class Robbed(At):
    """The lease is lost at a call, and what the service is asked to change after that is kept."""

    def __init__(self, spot: Spot, life: Life) -> None:
        super().__init__(spot, partial(robbed, life))
        self.changed: list[str] = []
        self._invocation = ""

    def meets(self, made: Made) -> bool:
        late = self.hits and made.invocation != self._invocation
        return super().meets(made) or bool(
            late and made.spot.service == "personalize" and made.spot.changes
        )

    def answer(self, cloud: Disturbed, made: Made) -> Any:
        if not self.hits:
            self._invocation = made.invocation
            return super().answer(cloud, made)
        self.changed.append(str(made.spot))
        return made.go()


def partly(code: str, cloud: Disturbed, made: Made) -> Any:
    """Answer HTTP 200 of events of which none was taken
    (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html)."""
    many = len(json.loads(made.body)["Entries"])
    entries = [{"ErrorCode": code, "ErrorMessage": "Internal failure"}] * many
    return answered(made, {"FailedEntryCount": many, "Entries": entries})


# What lasts.


class StaleService(Strike):
    """Reads of Amazon Personalize do not see what was made within so many seconds."""

    def __init__(self, lag: float, noun: str = "") -> None:
        self.lag, self.noun, self.hits = lag, noun, 0

    def meets(self, made: Made) -> bool:
        operation = made.spot.operation
        read = operation.startswith(("Describe", "List"))
        return made.spot.service == "personalize" and read and self.noun in operation

    def answer(self, cloud: Disturbed, made: Made) -> Any:
        answer = made.go()
        if answer.status_code != 200:
            return answer
        since = cloud.time.now().timestamp() - self.lag
        document = json.loads(answer.content)
        if made.spot.operation.startswith("Describe"):
            ((_, found),) = document.items() if len(document) == 1 else [("", {})]
            if isinstance(found, dict) and found.get("creationDateTime", 0) > since:
                self.hits += 1
                return refusal(
                    made, 400, "ResourceNotFoundException", "Could not find the resource"
                )
            return answered(made, document)
        for name, items in document.items():
            if isinstance(items, list):
                there = [
                    one
                    for one in items
                    if not isinstance(one, dict) or one.get("creationDateTime", 0) <= since
                ]
                self.hits += len(items) - len(there)
                document[name] = there
        return answered(made, document)


class StaleRows(Strike):
    """Reads of DynamoDB that do not ask to be consistent see rows as they were before."""

    def __init__(self, lag: float, function: str = "") -> None:
        self.lag, self.function, self.hits = lag, function, 0
        self._before: dict[tuple[str, str, str], list[tuple[float, dict[str, Any] | None]]] = {}

    def meets(self, made: Made) -> bool:
        return made.spot.service == "dynamodb"

    def answer(self, cloud: Disturbed, made: Made) -> Any:
        asked, now = json.loads(made.body), cloud.time.now().timestamp()
        if made.spot.operation in {"PutItem", "DeleteItem"}:
            self._keep(cloud, asked, now)
            return made.go()
        answer = made.go()
        mine = not self.function or made.spot.function == self.function
        if asked.get("ConsistentRead") or not mine or answer.status_code != 200:
            return answer
        document = json.loads(answer.content)
        if made.spot.operation == "GetItem":
            key = (asked["TableName"], *_key(asked["Key"]))
            old = self._old(key, now)
            if old is not self:
                self.hits += 1
                document = {"Item": old} if old else {}
        elif made.spot.operation == "Query" and "ProjectionExpression" not in asked:
            document["Items"] = self._all(asked["TableName"], document["Items"], now)
        return answered(made, document)

    def _all(self, table: str, items: list[dict[str, Any]], now: float) -> list[dict[str, Any]]:
        found = []
        for item in items:
            old = self._old((table, *_key(item)), now)
            self.hits += old is not self
            found.append(item if old is self else old)
        return [one for one in found if one]

    def _keep(self, cloud: Disturbed, asked: dict[str, Any], now: float) -> None:
        given = asked.get("Item") or asked["Key"]
        group, record = _key(given)
        with cloud.outside():
            before = cloud.client("dynamodb").get_item(
                TableName=asked["TableName"],
                Key={"group": {"S": group}, "record": {"S": record}},
                ConsistentRead=True,
            )
        key = (asked["TableName"], group, record)
        self._before.setdefault(key, []).append((now, before.get("Item")))

    def _old(self, key: tuple[str, str, str], now: float) -> Any:
        """Return a row as it was so many seconds ago, or the strike itself where it is the same."""
        for written, before in self._before.get(key, ()):
            if written > now - self.lag:
                return _wire(before)
        return self


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item["group"]["S"]), str(item["record"]["S"])


def _wire(item: dict[str, Any] | None) -> dict[str, Any] | None:
    return item


class Jumped(At):
    """The clock of the functions jumps at a call, and stays so until the phase is over."""

    def __init__(self, spot: Spot, seconds: float) -> None:
        super().__init__(spot, lambda cloud, made: self._jump(cloud, made))
        self.seconds = seconds

    def _jump(self, cloud: Disturbed, made: Made) -> Any:
        cloud.skew = timedelta(seconds=self.seconds)
        return made.go()


# The cases of each kind.


def access_denied(calls: Calls, _: random.Random) -> Iterator[Case]:
    for phase, spot in firsts(calls):
        noun = spot.function.removeprefix("Ensure")
        unwritten = noun != spot.function and spot.operation in {"PutItem", f"Describe{noun}"}
        strikes = at(denied, spot, lasting=True)
        unmeasured = spot.operation == "GetSolutionMetrics"
        yield Case("", phase, str(spot), strikes, unwritten=unwritten, unmeasured=unmeasured)


def function_timeouts(calls: Calls, _: random.Random) -> Iterator[Case]:
    for index, (phase, spot) in enumerate(firsts(calls)):
        error = TIMED_OUT[index % len(TIMED_OUT)]
        when = [("before", timed_out_before)] + [("after", timed_out_after)] * spot.changes
        for word, act in when:
            made = at(partial(act, error=error), spot)
            yield Case("", phase, f"{spot}, {word} it took effect", made)


def _ending(status: str, calls: Calls) -> Iterator[Case]:
    for phase, spot in firsts(calls, changes=True):
        if spot.function not in BY_EVENTS:
            strikes = _of_life(lambda life, spot=spot: At(spot, partial(ended, status, life)))
            yield Case("", phase, str(spot), strikes, works_on=False)


def _of_life(make: Callable[[Life], Strike]) -> Strikes:
    return lambda cloud, life: [make(life)]


def workflow_timeouts(calls: Calls, _: random.Random) -> Iterator[Case]:
    yield from _ending("TIMED_OUT", calls)


def stops(calls: Calls, _: random.Random) -> Iterator[Case]:
    yield from _ending("ABORTED", calls)


def lost_leases(calls: Calls, _: random.Random) -> Iterator[Case]:
    for phase, spot in firsts(calls):
        if spot.function.startswith(("Ensure", "Schedule", "Synchronize")):
            strikes = _of_life(lambda life, spot=spot: Robbed(spot, life))
            yield Case("", phase, str(spot), strikes, works_on=False)


def partial_answers(calls: Calls, _: random.Random) -> Iterator[Case]:
    codes = ("InternalFailure", "ThrottlingException", "NotAuthorizedForSourceException")
    for phase, spot in firsts(calls, changes=True):
        if spot.operation == "PutEvents":
            for code, lasting in itertools.product(codes, (False, True)):
                words = f"{spot} {code}{', and all later ones' if lasting else ''}"
                yield Case("", phase, words, at(partial(partly, code), spot, lasting=lasting))


def stale_reads(calls: Calls, _: random.Random) -> Iterator[Case]:
    nouns = {
        spot.operation.removeprefix("Describe")
        for spots in calls.values()
        for spot in spots
        if spot.operation.startswith("Describe") and spot.service == "personalize"
    }
    for lag, noun in itertools.product(LAGS, ["", *sorted(nouns)]):
        for phase in calls:
            words = f"of {noun or 'every type'}, for {lag:.0f} s"
            yield Case("", phase, words, _of_life(lambda life, x=(lag, noun): StaleService(*x)))


def stale_rows(calls: Calls, _: random.Random) -> Iterator[Case]:
    functions = {
        (phase, spot.function)
        for phase, spots in calls.items()
        for spot in spots
        if spot.operation in {"GetItem", "Query"}
    }
    every = [(phase, "") for phase in calls]
    for lag, (phase, function) in itertools.product((1.0, 10.0), [*every, *sorted(functions)]):
        words = f"by {function or 'every function'}, for {lag:.0f} s"
        yield Case("", phase, words, _of_life(lambda life, x=(lag, function): StaleRows(*x)))


SINGLE = {
    "throttled": throttled,
    "server error": broken,
    "answer lost": lost,
    "timed out before": timed_out_before,
    "timed out after": timed_out_after,
    "access denied": denied,
}


def two_faults(calls: Calls, chance: random.Random) -> Iterator[Case]:
    for _ in range(PAIRS):
        phase = chance.choice(list(calls))
        spots = chance.sample(list(calls[phase]), 2)
        kinds = [chance.choice(sorted(SINGLE)) for _ in spots]
        words = " and ".join(f"{s} {k}" for s, k in zip(spots, kinds, strict=True))
        pairs = list(zip(spots, kinds, strict=True))
        yield Case(
            "",
            phase,
            words,
            lambda cloud, life, pairs=pairs: [At(s, SINGLE[k]) for s, k in pairs],
        )


PAIRS = 60
AWAY = ("dynamodb", "events", "s3", "personalize", "states", "scheduler", "sns")


def outages(calls: Calls, chance: random.Random) -> Iterator[Case]:
    """Yield outages of several services at once: all pairs, and all of them."""
    groups = [*itertools.combinations(AWAY, 2), AWAY]
    moments = {"provision": (1, 45, 130, 215), "task": (1, 60, 110), "change": (1, 20, 60)}
    for services, phase in itertools.product(groups, calls):
        at_, long = chance.choice(moments[phase]), chance.choice(MINUTES)
        words = f"{', '.join(services)} from second {at_} on for {long / 60:.0f} min"
        away = tuple((one, at_, long) for one in services)
        yield Case("", phase, words, lambda cloud, life: [], away)


def clock_jumps(calls: Calls, _: random.Random) -> Iterator[Case]:
    for phase, spot in firsts(calls):
        if spot.operation.startswith(("Create", "Update", "PutItem")):
            for seconds in (-7200.0, -300.0, 300.0, 7200.0):
                words = f"{spot}, by {seconds / 60:+.0f} min"
                jump = _of_life(lambda life, x=(spot, seconds): Jumped(*x))
                yield Case("", phase, words, jump, timeless=True)


# What somebody, or another delivery, does beside the run.


def beside(deed: Callable[[Disturbed, Life], None], spot: Spot) -> Strikes:
    """Do something at a call, in the name of somebody else, and let the call go on."""

    def act(life: Life, cloud: Disturbed, made: Made) -> Any:
        with cloud.outside():
            deed(cloud, life)
        return made.go()

    return _of_life(lambda life: At(spot, partial(act, life)))


def _arn(cloud: Disturbed, kind: str, name: str) -> str:
    return f"arn:aws:personalize:{cloud.region}:{cloud.account}:{kind}/{name}"


def _tolerant(deed: Callable[[Disturbed, Life], Any]) -> Callable[[Disturbed, Life], None]:
    """Do it where it can be done: what is not there yet, or is busy, nobody can change."""
    from botocore.exceptions import ClientError

    def done(cloud: Disturbed, life: Life) -> None:
        try:
            deed(cloud, life)
        except ClientError:
            life.undone += 1

    return done


def _delete_tracker(cloud: Disturbed, life: Life) -> None:
    client = cloud.client("personalize")
    group = _arn(cloud, "dataset-group", life.group)
    for one in client.list_event_trackers(datasetGroupArn=group)["eventTrackers"]:
        client.delete_event_tracker(eventTrackerArn=one["eventTrackerArn"])


def _schedules(cloud: Disturbed, life: Life) -> Iterator[dict[str, Any]]:
    scheduler, group = cloud.client("scheduler"), cloud.outputs["ScheduleGroup"]
    for one in scheduler.list_schedules(GroupName=group, NamePrefix=f"{life.group}-")["Schedules"]:
        yield scheduler.get_schedule(GroupName=group, Name=one["Name"])


def _delete_schedules(cloud: Disturbed, life: Life) -> None:
    for one in list(_schedules(cloud, life)):
        cloud.client("scheduler").delete_schedule(GroupName=one["GroupName"], Name=one["Name"])


def _change_schedules(cloud: Disturbed, life: Life) -> None:
    """Give them another time, another zone and another input, and switch them off."""
    for one in list(_schedules(cloud, life)):
        cloud.client("scheduler").update_schedule(
            GroupName=one["GroupName"],
            Name=one["Name"],
            ScheduleExpression="cron(0 5 1 1 ? 2098)",
            ScheduleExpressionTimezone="Asia/Tokyo",
            FlexibleTimeWindow=one["FlexibleTimeWindow"],
            State="DISABLED",
            Target={**one["Target"], "Input": "{}"},
        )


def _delete_states(cloud: Disturbed, life: Life) -> None:
    s3 = cloud.client("s3")
    found = s3.list_objects_v2(Bucket=cloud.bucket, Prefix=f"state/{life.group}/")
    for one in found.get("Contents", ()):
        s3.delete_object(Bucket=cloud.bucket, Key=one["Key"])


BY_HAND: Mapping[str, Callable[[Disturbed, Life], Any]] = {
    "the campaign is deleted": lambda cloud, life: cloud.client("personalize").delete_campaign(
        campaignArn=_arn(cloud, "campaign", f"{life.group}-live")
    ),
    "the filter is deleted": lambda cloud, life: cloud.client("personalize").delete_filter(
        filterArn=_arn(cloud, "filter", f"{life.group}-cheap")
    ),
    "the event tracker is deleted": _delete_tracker,
    "the campaign gets other requests": lambda cloud, life: cloud.client(
        "personalize"
    ).update_campaign(
        campaignArn=_arn(cloud, "campaign", f"{life.group}-live"), minProvisionedTPS=7
    ),
    "the solution is switched to train by itself": lambda cloud, life: cloud.client(
        "personalize"
    ).update_solution(
        solutionArn=_arn(cloud, "solution", f"{life.group}-popular"), performAutoTraining=True
    ),
    "the schedules are deleted": _delete_schedules,
    "the schedules are changed": _change_schedules,
    "the config is deleted": lambda cloud, life: cloud.client("s3").delete_object(
        Bucket=cloud.bucket, Key=f"train/{life.group}/config.json"
    ),
    "the desired state is deleted": _delete_states,
}
"""What people do in the console while a run is under way."""
MOMENTS = 4
"""At how many moments of each phase each of them is tried."""


def manual_changes(calls: Calls, chance: random.Random) -> Iterator[Case]:
    for (what, deed), (phase, spots) in itertools.product(BY_HAND.items(), calls.items()):
        first_of = {spot.function: spot for spot in reversed(spots)}
        for spot in chance.sample(sorted(first_of.values(), key=str), min(MOMENTS, len(first_of))):
            strikes = beside(_tolerant(deed), spot)
            yield Case("", phase, f"{what} at {spot}", strikes, works_on=False, theirs=True)


def _redelivered(which: int) -> Callable[[Disturbed, Life], None]:
    """Deliver an upload's event once more: the first of the group, or the last."""

    def deed(cloud: Disturbed, life: Life) -> None:
        known = [one for one in cloud.delivered if f"train/{life.group}/config.json" in one[1]]
        if known:
            cloud.deliver(*known[which])

    return deed


LATE = (0.0, 3600.0, 3 * 86400.0)
"""Seconds after the phase's end."""


def late_starts(calls: Calls, _: random.Random) -> Iterator[Case]:
    """Yield second deliveries: while the run is under way, and after its end; of S3 and Scheduler.

    Both deliver at least once
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html,
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html).
    """
    for phase, spots in calls.items():
        first_of = {spot.function: spot for spot in reversed(spots)}
        for spot in first_of.values():
            if phase != "task":
                yield Case("", phase, f"the event again at {spot}", beside(_redelivered(-1), spot))
            if phase == "change":
                yield Case("", phase, f"an older event at {spot}", beside(_redelivered(0), spot))
            if phase == "task" and spot.function not in {"Configure"}:
                yield Case("", phase, f"the fire again at {spot}", beside(_fired, spot), due=DUE)
        for seconds in LATE:
            for which, word in ((0, "the oldest"), (-1, "the newest")):
                late = partial(_later, seconds, _redelivered(which))
                yield Case(
                    "", phase, f"{word} event {seconds:.0f} s after the end", _nothing, after=late
                )
            if phase == "task":
                late = partial(_later, seconds, _fired)
                words = f"the fire again {seconds:.0f} s after the end"
                yield Case("", phase, words, _nothing, after=late, due=DUE)


DUE = "2026-01-01T00:00:00Z"
"""The moment that a fire is for."""


def _fired(cloud: Disturbed, life: Life) -> None:
    life.fire(scheduled=DUE)


def _later(
    seconds: float, deed: Callable[[Disturbed, Life], None], cloud: Disturbed, life: Life
) -> None:
    cloud.time.sleep(seconds)
    deed(cloud, life)


def _nothing(cloud: Disturbed, life: Life) -> Sequence[Strike]:
    return []


# Deployments.


def _deploying(calls: Calls, rollback: bool) -> Iterator[Case]:
    for phase, spot in firsts(calls):

        def act(cloud: Disturbed, made: Made) -> Any:
            with cloud.outside():
                cloud.deploy(newer=not rollback)
            return made.go()

        yield Case("", phase, str(spot), at(act, spot), newer=rollback)


def upgrades(calls: Calls, _: random.Random) -> Iterator[Case]:
    yield from _deploying(calls, rollback=False)


def rollbacks(calls: Calls, _: random.Random) -> Iterator[Case]:
    yield from _deploying(calls, rollback=True)


KINDS: Mapping[str, Callable[[Calls, random.Random], Iterator[Case]]] = {
    "upgrade in the middle": upgrades,
    "rollback in the middle": rollbacks,
    "stopped while a call is in flight": stops,
    "lease lost while alive": lost_leases,
    "outage of several services": outages,
    "late or second start": late_starts,
    "stale reads of Amazon Personalize": stale_reads,
    "stale reads of DynamoDB": stale_rows,
    "nothing taken, with HTTP 200": partial_answers,
    "two faults": two_faults,
    "function timed out": function_timeouts,
    "workflow timed out": workflow_timeouts,
    "access denied": access_denied,
    "changed by hand": manual_changes,
    "clock jump": clock_jumps,
}
"""How each kind's cases are made of what a clean life calls."""


def cases_of(kind: str, calls: Calls, seed: int = 0) -> list[Case]:
    """Return all cases of a kind; what is drawn at random is drawn by the seed."""
    chance = random.Random(f"{seed} {kind}")
    return [replace(case, kind=kind) for case in KINDS[kind](calls, chance)]
