"""The ledger: what each run did to each resource, and how long things take.

One DynamoDB table, keyed by dataset group. Each resource of each run has a row, written when
the run is done with it, so that a run's outcome needs no room in the workflow's state and
survives a run that is killed. Each resource also has a row with its last durations for each
kind of work that was done to it (:mod:`mpe.model.plan.waits`), and so has each resource type,
whatever the dataset group. A job has one with the data that it was made for, and a solution's
version one with its numbers. What was thought of a version for each campaign, a person's word on
it, and each campaign's pointer have one as well (:mod:`mpe.model.gate`), and so has what a run has
made that another run may remove (:mod:`mpe.model.plan.removals`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

from mpe.aws.tables import condition_failed, pages, read, stored
from mpe.model.gate.pointer import ModelPointer
from mpe.model.gate.versions import Version
from mpe.model.plan.forms import NOTE, OUTCOME, known
from mpe.model.plan.removals import Made
from mpe.model.plan.waits import Expected, expected, remembered
from mpe.model.service.spec import ResourceSpec

KEPT = timedelta(days=400)
"""How long the rows of a run are kept: a little over a year."""


ANY = "*"
"""In the place of a dataset group, whose name it cannot be."""


PROJECTED = ("record", "at", "data", "imported")
"""What is read of a profile where only its import is asked for."""
OF_GATE = ("POINTER#", "PROBED#", "PROFILE#", "DATA#", "ACCEPTED#", "COUNTED#", "MEASURED#")
"""The records of a dataset group that mean nothing once it is gone."""
MOST_SEEN = 5_000
"""Objects that are kept of one job: an item of DynamoDB holds 400 KB."""


class Durations(Protocol):
    """What remembers how long work took, as :class:`Ledger` does."""

    def durations(self, group: str, resource: str, kind: str) -> tuple[float, ...]: ...

    def usual(self, noun: str, kind: str) -> tuple[float, ...]: ...


def expecting(
    ledger: Durations, group: str, resource: str, spec: ResourceSpec, kind: str, variant: str
) -> Expected:
    """Return what is known of how long work of a kind takes at a resource.

    Former releases kept the durations of a resource whatever it is trained with.
    """
    own = ledger.durations(group, resource, kind)
    former = kind.removesuffix(f" ({variant})")
    if not own and former != kind:
        own = ledger.durations(group, resource, former)
    return expected(spec, kind, own, () if own else ledger.usual(spec.noun, kind))


class Ledger:
    """Write and read the ledger through a DynamoDB table.

    Reads are consistent, since a step may ask for what the one before it wrote, but for durations.
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    def durations(self, group: str, resource: str, kind: str) -> tuple[float, ...]:
        """Return how many seconds work of a kind took at this resource, the newest last."""
        return self._durations(group, resource, kind)

    def usual(self, noun: str, kind: str) -> tuple[float, ...]:
        """Return how many seconds it took at resources of this type, the newest last."""
        return self._durations(ANY, noun, kind)

    def remember(self, group: str, resource: str, noun: str, kind: str, seconds: float) -> None:
        """Keep how many seconds work of a kind took at this resource, and so at one of its type.

        Two that end at once may lose one of theirs for the type, which matters to no guess.
        """
        for of, record in ((group, resource), (ANY, noun)):
            durations = remembered(self._durations(of, record, kind), seconds)
            row = {
                "group": of,
                "record": _of_kind(record, kind),
                "seconds": Decimal(str(durations[-1])),  # which former releases read
                "durations": [Decimal(str(one)) for one in durations],
            }
            self._table.put_item(Item=NOTE.marked(row))

    def _durations(self, group: str, record: str, kind: str) -> tuple[float, ...]:
        """Return durations; those that only a newer release can read are none, and learnt anew."""
        item = self._table.get_item(Key={"group": group, "record": _of_kind(record, kind)})
        found = item.get("Item")
        if not found or not NOTE.readable(found):
            return ()
        return tuple(float(one) for one in NOTE.read(found)["durations"])

    def see(self, group: str, job: str, objects: frozenset[str], now: datetime) -> None:
        """Keep the objects, by their digests, that a job is about to be made for.

        ``job`` is the resource part of its ARN. A job that is refused, or fails, leaves what is
        known of the one before it as it is. Of more than :data:`MOST_SEEN` objects nothing is kept.
        """
        if len(objects) > MOST_SEEN:
            return
        row = {
            "group": group,
            "record": f"SEEN#{job}",
            "objects": set(objects),
            "expires": int((now + KEPT).timestamp()),
        }
        self._table.put_item(Item=NOTE.marked(row))

    def seen(self, group: str, job: str) -> frozenset[str] | None:
        """Return what a job was made for, or None where that is not known."""
        key = {"group": group, "record": f"SEEN#{job}"}
        found = self._row(key)
        return frozenset(NOTE.read(found)["objects"]) if found else None

    def weigh(self, group: str, version: Version) -> None:
        """Keep the numbers of a solution's version, as long as the table is."""
        record = _of_version(version.arn)
        row = {"group": group, "record": record, **stored(version.as_dict())}
        self._table.put_item(Item=NOTE.marked(row))

    def weighed(self, group: str, arn: str) -> Version | None:
        """Return the numbers of a version, or None where they are not known."""
        key = {"group": group, "record": _of_version(arn)}
        found = self._row(key)
        return Version.from_dict(read(found)) if found and NOTE.readable(found) else None

    def versions(self, group: str, solution: str) -> Iterator[Version]:
        """Yield the numbers of the versions of a solution."""
        for row in self._rows(group, f"VERSION#{solution}/"):
            if NOTE.readable(row):  # else it is a newer release's, and told by that
                yield Version.from_dict(read(row))

    def note_verdict(self, group: str, version: str, campaign: str, row: Mapping[str, Any]) -> bool:
        """Keep what was thought of a version for a campaign; return False where it is known."""
        key = {"group": group, "record": f"JUDGED#{_of_version(version)}#{campaign}"}
        told = {"version": version, "campaign": campaign, **row}
        return self._put({**key, **stored(told)}, Attr("record").not_exists())

    def verdicts(self, group: str, version: str) -> Iterator[dict[str, Any]]:
        """Yield what was thought of a version, campaign by campaign."""
        for row in self._rows(group, f"JUDGED#{_of_version(version)}#"):
            if NOTE.readable(row):
                yield dict(read(row))

    def pointer(self, group: str, campaign: str) -> ModelPointer | None:
        """Return which version a campaign, by its id, is to serve; None where nobody said."""
        key = {"group": group, "record": f"POINTER#{campaign}"}
        found = self._row(key)
        return ModelPointer.from_dict(read(NOTE.read(found))) if found else None

    def point(self, group: str, campaign: str, pointer: ModelPointer) -> None:
        """Move the pointer of a campaign, once there is a row of its own about that move.

        Before it there is one that names the dataset group among those with pointers.
        """
        self._table.put_item(Item=NOTE.marked({"group": ANY, "record": f"GATED#{group}"}))
        self.note_move(group, campaign, pointer)
        self._table.put_item(Item=NOTE.marked(_pointed(group, campaign, pointer)))

    def note_move(self, group: str, campaign: str, pointer: ModelPointer) -> None:
        """Keep where a pointer was moved to, by whom and why, once for each move."""
        if pointer.version and pointer.at:
            move = f"MOVE#{campaign}#{pointer.at}#{pointer.version.rpartition('/')[2]}"
            row = {**_pointed(group, campaign, pointer), "record": move}
            self._put(row, Attr("record").not_exists())

    def undo(self, group: str, campaign: str, before: ModelPointer, after: ModelPointer) -> bool:
        """Move a pointer that nobody froze from where it was, or return False if it is elsewhere.

        That move has a row of its own by :meth:`note_move`, before the campaign moves.
        """
        there = Attr("version").eq(before.version) & Attr("at").eq(before.at)
        unmoved = there & Attr("frozen").not_exists()
        return self._put(_pointed(group, campaign, after), unmoved)

    def moves(self, group: str, campaign: str) -> Iterator[ModelPointer]:
        """Yield where a campaign's pointer was moved to, by whom and why, in the order of time."""
        for row in self._rows(group, f"MOVE#{campaign}#"):
            if NOTE.readable(row):
                yield ModelPointer.from_dict(read(row))

    def decide(self, group: str, version: str, row: Mapping[str, Any]) -> bool:
        """Keep a person's word on a version; return False where that was the last word already."""
        record = f"DECISION#{_of_version(version)}"
        item = {"group": group, "record": record, "version": version, **stored(dict(row))}
        return self._put(item, Attr("record").not_exists() | Attr("word").ne(row["word"]))

    def note_decision(self, group: str, row: Mapping[str, Any]) -> bool:
        """Keep a decision with all that was known when it was made; False where it is kept."""
        key = {"group": group, "record": f"DECIDED#{row['at']}#{row['word']}#{row['about']}"}
        return self._put({**key, **stored(dict(row))}, Attr("record").not_exists())

    def decided(self, group: str) -> Iterator[dict[str, Any]]:
        """Yield the decisions of people about a dataset group, in the order of time."""
        for row in self._rows(group, "DECIDED#"):
            if NOTE.readable(row):
                yield dict(read(row))

    def imports(self, group: str) -> dict[str, dict[str, str]]:
        """Return the ``job`` and the ``data`` of each dataset's newest import that was counted.

        The objects of a job are in its row of what it was made for (:meth:`seen`).
        """
        found: dict[str, dict[str, str]] = {}
        rows = self._rows(
            group,
            "PROFILE#",
            ProjectionExpression="#record, #at, #data, #imported",
            ExpressionAttributeNames={f"#{one}": one for one in PROJECTED},
        )
        for row in sorted(rows, key=lambda one: str(one.get("at"))):
            if row.get("imported"):
                _, dataset, job = str(row["record"]).split("#", 2)
                found[dataset] = {"job": job, "data": str(row["data"])}
        return found

    def expire(self, group: str, version: str, row: Mapping[str, Any]) -> bool:
        """Keep that nobody decided on a version in time; return False where somebody has."""
        record = f"DECISION#{_of_version(version)}"
        item = {"group": group, "record": record, "version": version, **stored(dict(row))}
        return self._put({**item, "word": "expired"}, Attr("record").not_exists())

    def decision(self, group: str, version: str) -> dict[str, Any] | None:
        """Return the last word on a version: ``word``, ``by``, ``why`` and ``at``."""
        return self._note(group, f"DECISION#{_of_version(version)}")

    def note_probes(self, group: str, campaign: str, row: Mapping[str, Any]) -> None:
        """Keep what a campaign answered before it moves to a ``version``."""
        key = {"group": group, "record": f"PROBED#{campaign}"}
        self._table.put_item(Item=NOTE.marked({**key, **stored(dict(row))}))

    def probed(self, group: str, campaign: str, version: str) -> dict[str, Any] | None:
        """Return what a campaign answered before it moved to a version, where it was asked."""
        found = self._note(group, f"PROBED#{campaign}")
        return found if found and found["version"] == version else None

    def note_smoke(self, group: str, campaign: str, version: str, row: Mapping[str, Any]) -> None:
        """Keep what was thought of a campaign's answers with a version."""
        key = {"group": group, "record": f"SMOKED#{_of_version(version)}#{campaign}"}
        told = {"version": version, "campaign": campaign, **row}
        self._table.put_item(Item=NOTE.marked({**key, **stored(told)}))

    def smoked(self, group: str, campaign: str, version: str) -> dict[str, Any] | None:
        """Return what was thought of a campaign's answers with a version."""
        return self._note(group, f"SMOKED#{_of_version(version)}#{campaign}")

    def note_watch(self, group: str, campaign: str, version: str, row: Mapping[str, Any]) -> None:
        """Keep what was thought of a campaign's traffic with a version, since its ``move``."""
        key = {"group": group, "record": f"WATCHED#{_of_version(version)}#{campaign}"}
        told = {"version": version, "campaign": campaign, **row}
        self._table.put_item(Item=NOTE.marked({**key, **stored(told)}))

    def watched(self, group: str, campaign: str, version: str) -> dict[str, Any] | None:
        """Return what was thought of a campaign's traffic with a version."""
        return self._note(group, f"WATCHED#{_of_version(version)}#{campaign}")

    def note_measured(self, group: str, recommender: str, row: Mapping[str, Any]) -> None:
        """Keep how good a recommender's model is, and name its group among those looked after."""
        self._table.put_item(Item=NOTE.marked({"group": ANY, "record": f"GATED#{group}"}))
        key = {"group": group, "record": f"MEASURED#{recommender}"}
        self._table.put_item(Item=NOTE.marked({**key, **stored(dict(row))}))

    def measured(self, group: str, recommender: str) -> dict[str, Any] | None:
        """Return how good a recommender's model was when somebody looked last."""
        return self._note(group, f"MEASURED#{recommender}")

    def gated(self) -> Iterator[str]:
        """Yield the dataset groups that have, or had, a pointer or a recommender."""
        for row in self._rows(ANY, "GATED#"):
            yield str(row["record"]).removeprefix("GATED#")

    def all_pointers(self, group: str) -> Iterator[tuple[str, ModelPointer]]:
        """Yield the pointers of all campaigns of a dataset group, by the campaigns' ids."""
        for row in self._rows(group, "POINTER#"):
            pointer = ModelPointer.from_dict(read(NOTE.read(row)))
            yield str(row["record"]).removeprefix("POINTER#"), pointer

    def profiled(self, group: str, dataset: str, job: str, row: Mapping[str, Any]) -> None:
        """Keep what the data of an import is like (``profile``), of which ``data``, and ``at``."""
        key = {"group": group, "record": f"PROFILE#{dataset}#{job}"}
        self._table.put_item(Item=NOTE.marked({**key, **stored(dict(row))}))

    def imported(self, group: str, dataset: str, job: str, at: datetime | None = None) -> None:
        """Keep that an import was done, so that others are compared with its data.

        ``at`` is when it began by the service's clock, which versions' times are of too.
        """
        key = {"group": group, "record": f"PROFILE#{dataset}#{job}"}
        found = self._row(key)
        if found and not found.get("imported"):
            began = {"at": at.isoformat()} if at else {}
            self._table.put_item(Item=NOTE.marked({**found, **began, "imported": True}))

    def profiles(self, group: str, dataset: str) -> Iterator[dict[str, Any]]:
        """Yield what the data of each import was like."""
        for row in self._rows(group, f"PROFILE#{dataset}#"):
            if NOTE.readable(row):
                yield dict(read(row))

    def ask_count(self, group: str, dataset: str, key: str, row: Mapping[str, Any]) -> None:
        """Keep that a ``job`` has large data counted, unless there is an answer for it already."""
        item = {**_of_count(group, dataset, key), **stored(dict(row))}
        self._put(item, Attr("record").not_exists() | Attr("job").ne(row["job"]))

    def note_count(self, group: str, dataset: str, key: str, row: Mapping[str, Any]) -> None:
        """Keep what large data is like (``profile``), or why nobody knows (``failed``)."""
        item = {**_of_count(group, dataset, key), **stored(dict(row))}
        self._table.put_item(Item=NOTE.marked(item))

    def counted(self, group: str, dataset: str, key: str) -> dict[str, Any] | None:
        """Return what is known of large data, by a digest of it."""
        return self._note(group, _of_count(group, dataset, key)["record"])

    def note_data(self, group: str, dataset: str, row: Mapping[str, Any]) -> None:
        """Keep what was thought of the newest data of a dataset."""
        key = {"group": group, "record": f"DATA#{dataset}"}
        self._table.put_item(Item=NOTE.marked({**key, **stored(dict(row))}))

    def data_verdict(self, group: str, dataset: str) -> dict[str, Any] | None:
        """Return what was thought of the newest data of a dataset."""
        return self._note(group, f"DATA#{dataset}")

    def accept(self, group: str, dataset: str, row: Mapping[str, Any]) -> bool:
        """Keep a person's word on some ``data``; return False where it was said already."""
        key = {"group": group, "record": f"ACCEPTED#{dataset}"}
        unsaid = Attr("record").not_exists() | Attr("data").ne(row["data"])
        return self._put({**key, **stored(dict(row))}, unsaid)

    def accepted(self, group: str, dataset: str) -> dict[str, Any] | None:
        """Return the data that a person let in last: ``data``, ``by``, ``why`` and ``at``."""
        return self._note(group, f"ACCEPTED#{dataset}")

    def forget_gate(self, group: str) -> None:
        """Forget the pointers of a dataset group that is gone, and what its data was like.

        One of the same name is another. What was thought and decided of versions stays.
        """
        for begins in OF_GATE:
            for row in list(self._rows(group, begins)):
                self._table.delete_item(Key={"group": group, "record": row["record"]})
        self._table.delete_item(Key={"group": ANY, "record": f"GATED#{group}"})

    def note_made(self, group: str, made: Made) -> None:
        """Keep that a run of this stack has made something, as long as that is there."""
        key = {"group": group, "record": _of_made(made.arn)}
        self._table.put_item(Item=NOTE.marked({**key, **made.as_dict()}))

    def made(self, group: str) -> Iterator[Made]:
        """Yield what runs of this stack have made in a dataset group, as far as they know."""
        for row in self._rows(group, "MADE#"):
            if NOTE.readable(row):
                yield Made(**known(Made, row))

    def forget_made(self, group: str, made: Made) -> None:
        """Forget what was made and is gone, or is another's by now."""
        self._table.delete_item(Key={"group": group, "record": _of_made(made.arn)})

    def _note(self, group: str, record: str) -> dict[str, Any] | None:
        key = {"group": group, "record": record}
        found = self._row(key)
        return dict(read(NOTE.read(found))) if found else None

    def _put(self, item: Mapping[str, Any], condition: Any) -> bool:
        """Put a row where a condition holds, and return whether it does."""
        try:
            self._table.put_item(Item=NOTE.marked(item), ConditionExpression=condition)
        except ClientError as error:
            if not condition_failed(error):
                raise
            return False
        return True

    def record(self, group: str, run: str, outcome: Mapping[str, Any], now: datetime) -> None:
        """Keep what a run did to a resource; writing it again changes nothing."""
        row = {
            "group": group,
            "record": f"RUN#{run}#{outcome['resource']}",
            "at": now.isoformat(timespec="seconds"),
            "expires": int((now + KEPT).timestamp()),
            **outcome,
        }
        self._table.put_item(Item=stored(row))

    def hold(self, group: str, run: str, resource: str, why: str, now: datetime) -> None:
        """Keep what a run waits for at a resource, such as a quota, until it is done with it."""
        self._table.put_item(
            Item={
                "group": group,
                "record": f"HELD#{run}#{resource}",
                "why": why,
                "at": now.isoformat(timespec="seconds"),
                "expires": int((now + KEPT).timestamp()),
            }
        )

    def first(self, group: str, run: str, what: str, now: datetime) -> bool:
        """Note that people are told of something in a run; return False where they were."""
        try:
            self._table.put_item(
                Item={
                    "group": group,
                    "record": f"TOLD#{run}#{what}",
                    "expires": int((now + KEPT).timestamp()),
                },
                ConditionExpression=Attr("record").not_exists(),
            )
        except ClientError as error:
            if condition_failed(error):
                return False
            raise
        return True

    def asked(self, group: str, run: str, resource: str) -> datetime | None:
        """Return when a run asked for a creation whose answer it may not have heard, or None."""
        key = {"group": group, "record": f"ASKED#{run}#{resource}"}
        found = self._row(key)
        return datetime.fromisoformat(found["at"]) if found and found.get("at") else None

    def ask(self, group: str, run: str, resource: str, now: datetime, at: datetime | None) -> None:
        """Note at which moment a creation is asked for, or None where it was refused."""
        row = {
            "group": group,
            "record": f"ASKED#{run}#{resource}",
            "expires": int((now + KEPT).timestamp()),
        }
        self._table.put_item(Item=row | ({"at": at.isoformat()} if at else {}))

    def held(self, group: str, run: str) -> dict[str, str]:
        """Return what a run waited for last, by the resources' ids in the desired state."""
        prefix = f"HELD#{run}#"
        rows = self._rows(group, prefix)
        return {row["record"].removeprefix(prefix): str(row["why"]) for row in rows}

    def outcomes(self, group: str, run: str) -> Iterator[dict[str, Any]]:
        """Yield what a run did, resource by resource."""
        yield from map(OUTCOME.read, self._rows(group, f"RUN#{run}#"))

    def _row(self, key: Mapping[str, str]) -> dict[str, Any] | None:
        """Return a row as it was written last, or None where there is none."""
        found: dict[str, Any] | None
        found = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return found

    def _rows(self, group: str, begins: str, **more: Any) -> Iterator[dict[str, Any]]:
        """Yield a group's rows whose records begin with a text, as they were written last."""
        found = Key("group").eq(group) & Key("record").begins_with(begins)
        return pages(self._table.query, KeyConditionExpression=found, ConsistentRead=True, **more)


def _of_version(arn: str) -> str:
    """Return the record of a version, those of one solution beside each other."""
    return f"VERSION#{'/'.join(arn.split('/')[-2:])}"


def _pointed(group: str, campaign: str, pointer: ModelPointer) -> dict[str, Any]:
    own = stored(pointer.as_dict())
    return {"group": group, "record": f"POINTER#{campaign}", "campaign": campaign, **own}


def _of_count(group: str, dataset: str, key: str) -> dict[str, str]:
    return {"group": group, "record": f"COUNTED#{dataset}#{key}"}


def _of_made(arn: str) -> str:
    return f"MADE#{arn.partition(':personalize:')[2].partition(':')[2].partition(':')[2]}"


def _of_kind(record: str, kind: str) -> str:
    return f"DURATION#{kind}#{record}"
