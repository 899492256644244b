"""Turns: one run at a time in a dataset group, and the newest config wins.

One DynamoDB table, keyed by dataset group: the newest config that was uploaded, the newest that
was rejected, the lease of the run that works now, a row for each run, one for each run that waits
in line for the turn (configs first, then who has waited longest), what was told of misplaced files,
and the schemas that a removal is to take at last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from mpe.aws.tables import condition_failed, pages, read, stored
from mpe.model.errors import TurnLost
from mpe.model.plan.desired import CONFIG_NAME, config_of, folder_of
from mpe.model.plan.forms import MARK, TURN
from mpe.model.plan.waits import FUNCTION_SECONDS

LEASE = timedelta(days=3)
"""When a lease ends by itself; longer than the workflow may run."""
ACTS = timedelta(seconds=FUNCTION_SECONDS)
"""How long a function that was called before its execution ended may still act."""
ANY = "*"
"""In the place of a dataset group, whose name it cannot be."""
MOST_TOLD = 10
"""Files of one folder that are not accepted, of which people are told in a day."""
LOST = "LOST"
"""The status of a run that ended and could tell nobody; that it is told may yet come."""
GOING = "GOING"
"""The record of the schemas that a removal is to take."""


GRACE = timedelta(seconds=90)
"""How late somebody in line may ask again and still be waited for."""


@dataclass(frozen=True, order=True)
class Place:
    """A place in the line for a dataset group's turn: the least is the first."""

    task: bool
    """Configs go before tasks: one may mend what the tasks overload."""
    since: datetime
    execution: str


@dataclass(frozen=True)
class Claim:
    """A run that asks for its turn."""

    group: str
    run: str
    execution: str
    """The ARN of its execution, which the next in line asks after."""
    sequencer: str
    """S3's order of uploads: of two, the greater is the later."""
    key: str = ""
    """Where its config lies; in the dataset group's own folder where it is not said."""
    redriven: int = 0
    """How often somebody has redriven its execution."""


class Asked(Protocol):
    """Who knows of executions whether they still run, and since when they do not."""

    def running(self, execution: str) -> bool: ...

    def ended(self, execution: str) -> datetime | None: ...


class Turns:
    """Take and give back turns through a DynamoDB table."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def announce(
        self, group: str, run: str, sequencer: str, key: str = "", instead_of: str = ""
    ) -> bool:
        """Note an uploaded config and its key; return False where a newer one is already known.

        S3 may deliver events late and in any order; its sequencers, padded to one length,
        sort as the uploads did
        (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
        One upload is one run, also where it is told a second time with another time of its own.
        Of two keys the sequencers say nothing, so that a config whose place another takes is named:
        ``instead_of``.
        """
        told = Attr("sequencer").eq(_padded(sequencer)) & Attr("run").eq(run)
        if instead_of:
            told = told | Attr("key").eq(instead_of)
        return self._put(
            {
                "group": group,
                "record": "CONFIG",
                "run": run,
                "sequencer": _padded(sequencer),
                "key": key or config_of(group),
                "folder": _folder(key or config_of(group)),
            },
            Attr("sequencer").not_exists() | Attr("sequencer").lt(_padded(sequencer)) | told,
        )

    def folder(self, group: str) -> str | None:
        """Return the folder that a group's newest config lay in, or None where it has none."""
        key = self.key(group)
        return _folder(key) if key else None

    def key(self, group: str) -> str | None:
        """Return the key of a group's newest config, or None where it has none."""
        row = self._item(group, "CONFIG") if group else None
        known = row and TURN.readable(row)  # else this release is about to write it anew
        return _key(row) if row and known else None

    def newest_run(self, group: str) -> str | None:
        """Return the run of a group's newest config, or None where it has none."""
        row = self._get(group, "CONFIG")
        return str(row["run"]) if row else None

    def folders(self) -> dict[str, str]:
        """Return the folder that each group's newest config lay in."""
        return {row["group"]: _folder(_key(row)) for row in self.newest()}

    def admits(self, claim: Claim) -> bool:
        """Tell whether neither a newer config is known, nor another run of the same upload.

        Of a config at another key nobody knows by sequencers whether it is newer.
        """
        row = self._item(claim.group, "CONFIG") or {}
        if row and claim.key and _key(row) != claim.key:
            return True
        newest, ours = str(row.get("sequencer", "")), _padded(claim.sequencer)
        return newest < ours or (newest == ours and row["run"] == claim.run)

    def is_newest(self, claim: Claim) -> bool:
        """Tell whether no newer config is known; note this one where that has not been done."""
        row = self._item(claim.group, "CONFIG")
        if row and row.get("run") == claim.run:
            return True
        return self.announce(claim.group, claim.run, claim.sequencer, claim.key)

    def overtaken(self, group: str, run: str, sequencer: str) -> bool:
        """Tell whether a newer config than that of a run, or of its task, has been uploaded."""
        row = self._item(group, "CONFIG") or {}
        return bool(sequencer) and str(row.get("sequencer", "")) > _padded(sequencer)

    def take(self, claim: Claim, now: datetime, lease: timedelta = LEASE) -> str | None:
        """Take the turn, or keep it; return who has it, or None when it is now ours."""
        free = Attr("holder").not_exists() | Attr("holder").eq(claim.execution)
        expired = Attr("until").lt(now.isoformat())
        if self._put(_lease(claim, now + lease), free | expired):
            return None
        row = self._get(claim.group, "LEASE")
        return str(row["holder"]) if row else ""

    def take_turn(
        self, claim: Claim, executions: Asked, now: datetime, lease: timedelta = LEASE
    ) -> str | None:
        """Take the turn, also of a run that ended without giving it back.

        Return who has it, or None when it is now ours. A run that was stopped keeps its turn
        until no function can act for it any more: what such a function creates would be made
        a second time, and paid for twice.
        """
        holder = self.take(claim, now, lease)
        if holder is None:
            return None
        if holder and _may_act(holder, claim, executions, now):
            return holder
        return None if self.take_over(claim, holder, now, lease) else holder

    def holder(self, group: str) -> str | None:
        """Return the run, or whoever else, that has a group's turn."""
        row = self._get(group, "LEASE")
        return str(row["run"]) if row else None

    def find(self, run: str) -> tuple[str, Mapping[str, Any]] | None:
        """Return the group of a run and its row, whichever group it is of."""
        found = pages(self._table.scan, FilterExpression=Attr("record").eq(f"RUN#{run}"))
        return next(((str(row["group"]), row) for row in found), None)

    def ahead(self, group: str, place: Place, now: datetime) -> bool:
        """Tell whether somebody who still asks is to have the turn first.

        Who has not asked again in time, since it was stopped, keeps nobody waiting.
        """
        query = Key("group").eq(group) & Key("record").begins_with("LINE#")
        rows = pages(self._table.query, KeyConditionExpression=query, ConsistentRead=True)
        return any(
            _place(row) < place
            for row in rows
            if row["holder"] != place.execution and row["until"] >= now.isoformat()
        )

    def line_up(self, group: str, place: Place, now: datetime, again: timedelta) -> None:
        """Wait in line, and ask again so much later."""
        until = now + again + GRACE
        row = {
            "group": group,
            "record": f"LINE#{place.execution}",
            "holder": place.execution,
            "task": place.task,
            "since": place.since.isoformat(),
            "until": until.isoformat(),
            "expires": int((until + LEASE).timestamp()),
        }
        self._table.put_item(Item=TURN.marked(row))

    def step_out(self, group: str, execution: str) -> None:
        """Wait in line no more."""
        self._table.delete_item(Key={"group": group, "record": f"LINE#{execution}"})

    def holds(self, group: str, run: str) -> bool:
        """Tell whether a run has its group's turn."""
        row = self._get(group, "LEASE")
        return bool(row and row["run"] == run)

    def resume(self, group: str, run: str, sequencer: str, now: datetime, redriven: int) -> bool:
        """Take the turn again for a run that was redriven; tell whether it has it now.

        Such a run goes on where it was stopped, and so comes by no step that asks for its turn.
        It has none where another has it, or where a newer config is there: the newest wins.
        """
        row = self.recorded(group, run)
        claim = Claim(
            group, run, str(row["execution"]) if row else "", sequencer, redriven=redriven
        )
        overtaken = self.overtaken(group, run, sequencer)
        return bool(row) and not overtaken and self.take(claim, now) is None

    def go_on(self, run: Mapping[str, Any], now: datetime, redriven: int) -> None:
        """Let a run that was redriven go on in its turn; raise TurnLost where it has none."""
        group, id = run["group"], run["id"]
        if not self.resume(group, id, run["sequencer"], now, redriven):
            raise TurnLost(group, id)

    def take_over(self, claim: Claim, dead: str, now: datetime, lease: timedelta = LEASE) -> bool:
        """Take the turn of a run that ended without giving it back, and note that it is lost."""
        row = self._get(claim.group, "LEASE")
        if row and row["holder"] == dead:
            self._lose(claim.group, str(row["run"]))
        return self._put(
            _lease(claim, now + lease), Attr("holder").not_exists() | Attr("holder").eq(dead)
        )

    def _lose(self, group: str, run: str) -> None:
        row = self.recorded(group, run)
        if row:
            self._put({**row, "status": LOST}, Attr("status").eq("RUNNING"))

    def give_back(self, group: str, execution: str) -> None:
        """Give the turn back, unless somebody else has taken it over."""
        try:
            self._table.delete_item(
                Key={"group": group, "record": "LEASE"},
                ConditionExpression=Attr("holder").eq(execution),
            )
        except ClientError as error:
            if not condition_failed(error):
                raise

    def leave(self, group: str, execution: str, now: datetime, redriven: int = 0) -> None:
        """Give back the turn of an execution that was ended, once its functions cannot act.

        It is kept where the execution has been redriven more often since, and so works again.
        """
        row = self._get(group, "LEASE")
        if row and row["holder"] == execution and row.get("redriven", 0) <= redriven:
            self._put({**row, "until": (now + ACTS).isoformat()}, Attr("holder").eq(execution))

    def reject(self, group: str, sequencer: str, row: Mapping[str, Any]) -> None:
        """Keep the newest upload that was rejected, which `mpe status` tells of until a later one.

        Nothing was started for it, so that no run has it.
        """
        item = {"group": group, "record": "REJECTED", "sequencer": _padded(sequencer), **row}
        newer = Attr("sequencer").not_exists() | Attr("sequencer").lt(_padded(sequencer))
        self._put(item, newer)

    def nth_told(self, folder: str, key: str, day: datetime) -> int | None:
        """Return the how-manieth file it is, from 0, of a folder that is told of on a day.

        None is one too many. A file that was told has the same number again. A folder may hold
        thousands of files that are no configs.
        """
        for n in range(MOST_TOLD):
            row = {
                "group": ANY,
                "record": f"TOLD#{day:%Y-%m-%d}#{folder}#{n}",
                "key": key,
                "expires": int((day + LEASE).timestamp()),
            }
            if self._put(row, Attr("record").not_exists() | Attr("key").eq(key)):
                return n
        return None

    def rejected(self) -> Iterator[dict[str, Any]]:
        """Yield the newest rejected upload of every dataset group that ever had one."""
        yield from pages(self._table.scan, FilterExpression=Attr("record").eq("REJECTED"))

    def groups(self) -> set[str]:
        """Return every dataset group that has or had a run."""
        found = pages(self._table.scan, FilterExpression=Attr("record").begins_with("RUN#"))
        return {str(row["group"]) for row in found}

    def forget(self, group: str, run: str | None) -> bool:
        """Forget the newest config of a group, which is gone; its runs stay known.

        Return False, and forget nothing, where that is not the config of this run any more: one
        that was uploaded meanwhile makes the group anew, and must stay known.
        """
        try:
            self._table.delete_item(
                Key={"group": group, "record": "CONFIG"},
                ConditionExpression=Attr("record").not_exists() | Attr("run").eq(run or ""),
            )
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False
        self._table.delete_item(Key={"group": group, "record": "REJECTED"})
        return True

    def going(self, group: str) -> frozenset[str]:
        """Return the ARNs of the schemas that a removal of the group was to take at last."""
        row = self._get(group, GOING)
        return frozenset(row["schemas"]) if row else frozenset()

    def set_going(self, group: str, schemas: Iterable[str]) -> None:
        """Note schemas that a removal takes at last: with their datasets nothing else names them.

        So a removal that was interrupted finds them again. None are noted any more once it is done.
        """
        arns = sorted(schemas)
        if arns:
            row = {"group": group, "record": GOING, "schemas": arns}
            self._table.put_item(Item=TURN.marked(row))
        else:
            self._table.delete_item(Key={"group": group, "record": GOING})

    def record(self, group: str, run: str, row: Mapping[str, Any]) -> None:
        """Keep a run's own row."""
        item = {"group": group, "record": f"RUN#{run}", **stored(row)}
        self._table.put_item(Item=_marked(item))

    def recorded(self, group: str, run: str) -> Mapping[str, Any] | None:
        """Return a run's own row."""
        return self._get(group, f"RUN#{run}")

    def began(self, group: str, run: str) -> datetime | None:
        """Return when a run took its turn, or None where that is not noted."""
        started = (self.recorded(group, run) or {}).get("started")
        return datetime.fromisoformat(started) if started else None

    def runs(self, group: str) -> Iterator[dict[str, Any]]:
        """Yield the runs of a dataset group, the newest first."""
        query = Key("group").eq(group) & Key("record").begins_with("RUN#")
        for row in pages(self._table.query, KeyConditionExpression=query, ScanIndexForward=False):
            yield {**read(TURN.read(row)), "run": row["record"].removeprefix("RUN#")}

    def newest(self) -> Iterator[dict[str, Any]]:
        """Yield the newest config of every dataset group: ``group``, ``run``, ``sequencer``."""
        found = pages(self._table.scan, FilterExpression=Attr("record").eq("CONFIG"))
        yield from map(TURN.read, found)

    def _get(self, group: str, record: str) -> Mapping[str, Any] | None:
        """Return a row, or raise NewerForm."""
        item = self._item(group, record)
        return TURN.read(item) if item else None

    def _item(self, group: str, record: str) -> Mapping[str, Any] | None:
        found = self._table.get_item(Key={"group": group, "record": record}, ConsistentRead=True)
        item: Mapping[str, Any] | None = found.get("Item")
        return item

    def _put(self, item: Mapping[str, Any], condition: Any) -> bool:
        try:
            self._table.put_item(Item=_marked(item), ConditionExpression=condition)
        except ClientError as error:
            if condition_failed(error):
                return False
            raise
        return True


def _key(row: Mapping[str, Any]) -> str:
    """Return the key in a row of a config, also of one that was written before rows had it."""
    folder = row.get("folder", folder_of(row["group"]))
    return str(row.get("key", f"{folder}{CONFIG_NAME}"))


def _folder(key: str) -> str:
    return f"{key.rpartition('/')[0]}/"


def _marked(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row with its mark; one that is written again keeps a newer release's."""
    return item if MARK in item else TURN.marked(item)


def _lease(claim: Claim, until: datetime) -> dict[str, Any]:
    return {
        "group": claim.group,
        "record": "LEASE",
        "run": claim.run,
        "holder": claim.execution,
        "until": until.isoformat(),
        **({"redriven": claim.redriven} if claim.redriven else {}),
    }


def _place(row: Mapping[str, Any]) -> Place:
    return Place(bool(row["task"]), datetime.fromisoformat(row["since"]), str(row["holder"]))


def _may_act(holder: str, claim: Claim, executions: Asked, now: datetime) -> bool:
    """Tell whether somebody who has the turn may still create something.

    After an execution of another state machine than the claim's nobody may ask: the stack had
    that machine before this one, and a machine that is removed ends its executions
    (https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html).
    """
    machine, own = _machine(holder), _machine(claim.execution)
    if machine and own and machine != own:
        return False
    if executions.running(holder):
        return True
    ended = executions.ended(holder)
    return ended is not None and now < ended + ACTS


def _machine(execution: str) -> str:
    """Return the state machine of an execution's ARN, or nothing of somebody at a terminal."""
    return execution.rpartition(":")[0] if execution.startswith("arn:") else ""


def _padded(sequencer: str) -> str:
    return sequencer.upper().ljust(32, "0")
