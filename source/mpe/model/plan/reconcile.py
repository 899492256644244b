"""Compare what is with what should be, and say what to do about it: purely.

:func:`decide` is total: for every pair of desired and observed it returns one action, with
no clock, no client and no side effect. The ensure functions execute the action and the CLI
prints it, so a plan cannot disagree with what happens.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mpe.model.errors import DriftError, OfAnotherStack, ResourceFailed, ResourceMissing
from mpe.model.plan.alike import included
from mpe.model.plan.desired import Desired
from mpe.model.plan.owner import maintained_by
from mpe.model.service.spec import ACTIVE, DONE, FAILED, INACTIVE, UNDER_WAY, ResourceSpec

DRIFT, FAILURE = DriftError.__name__, ResourceFailed.__name__
MISSING = ResourceMissing.__name__
ANOTHERS = OfAnotherStack.__name__


@dataclass(frozen=True)
class Observed:
    """One resource as the service describes it."""

    arn: str
    status: str = ACTIVE
    fields: Mapping[str, Any] = field(default_factory=dict)
    created: datetime | None = None
    """When its creation, or its newest update, began."""
    settled: datetime | None = None
    """When its status last changed."""
    update: str | None = None
    """The status of its newest update, where the type has updates and one was made."""
    reason: str = ""
    """The service's own words on a failure."""
    owner: str | None = None
    """The stack that its tags name, where its type is marked."""

    @property
    def in_progress(self) -> bool:
        """Whether waiting will change something."""
        return self._pending(self.status) or self.updating

    @property
    def updating(self) -> bool:
        """Whether an update of it is under way."""
        return self._pending(self.update or ACTIVE)

    @property
    def unknown(self) -> bool:
        """Whether nobody knows what becomes of its status, or of its update's."""
        told = (self.status, self.update or ACTIVE)
        return any(self._pending(one) and one not in UNDER_WAY for one in told)

    @staticmethod
    def _pending(status: str) -> bool:
        return status not in DONE and status not in FAILED

    @property
    def shown(self) -> str:
        """The status a person wants to read: the update's while one runs."""
        return self.update if self.update and self.update != ACTIVE else self.status


@dataclass(frozen=True)
class Create:
    """Make it; ``why`` is ``absent``, ``stale`` (newer data) or ``failed`` (try anew)."""

    why: str


@dataclass(frozen=True)
class Change:
    """One field that differs: the service has ``old``, the config wants ``new``."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Update:
    """Converge the fields that the service can change in place."""

    arn: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Switch:
    """Start it or stop it: bring it to a status."""

    arn: str
    status: str


@dataclass(frozen=True)
class Wait:
    """It is being created, updated or deleted: look again later."""

    arn: str


@dataclass(frozen=True)
class Look:
    """It was made or changed, or a task needs it, and it is not seen, since reads may lag behind,
    or its status is one that nobody knows: look again soon."""


@dataclass(frozen=True)
class Mark:
    """It is as it should be, but for the name of the stack that maintains it."""

    arn: str
    owner: str


@dataclass(frozen=True)
class Keep:
    """It is as it should be."""

    arn: str


@dataclass(frozen=True)
class Skip:
    """There is nothing to do: no data lies where it would read some."""


@dataclass(frozen=True)
class Reject:
    """Nothing this project may do would mend it."""

    error: str
    """The name of a class of :mod:`mpe.model.errors`, as people see it in mails."""
    message: str


Action = Create | Update | Switch | Wait | Look | Mark | Keep | Skip | Reject


def decide(
    desired: Desired,
    observed: Observed | None,
    *,
    pinned: str | None = None,
    fresh_since: datetime | None = None,
    idle: bool = False,
    existing: bool = False,
    lagging: bool = False,
) -> Action:
    """Return the one action that moves a resource towards its desired state.

    ``pinned`` is what this run already did to it (``created``, ``updated``, ``started`` or
    ``stopped``): then a failure is the run's own and final, so that nothing is created or
    trained twice. What became of the newest update is the run's own where it ``updated``: a
    start or a stop leaves that of an earlier one as it is.
    ``fresh_since`` is when the data that it reads last changed, and ``idle`` tells that
    there is none and need not be. ``existing`` lets only jobs and versions be created: what
    a scheduled task is about must be there. ``lagging`` tells that what is not seen, or has a
    status that nobody knows, has not been so for long.
    """
    if idle and not pinned:
        done = observed is not None and observed.status in DONE
        return Keep(observed.arn) if observed and done else Skip()
    if observed is None:
        absent = _absent(desired, pinned, existing)
        return Look() if lagging and isinstance(absent, Reject) else absent
    if _of_another_group(desired, observed):
        return Reject(DRIFT, _another_group(desired, observed))
    if observed.owner and desired.owner and observed.owner != desired.owner:
        return Reject(ANOTHERS, _another_stack(desired, observed.owner))
    if observed.unknown:
        return Look() if lagging else Reject(FAILURE, _unknown(observed))
    if observed.in_progress:
        return Wait(observed.arn)
    if observed.status in FAILED:
        return _failed(desired, observed, pinned)
    if observed.update in FAILED and pinned == "updated":
        return Reject(FAILURE, observed.reason or f"the update is {observed.update}")
    if desired.spec.repeatable:
        return _repeatable(observed, pinned, fresh_since)
    if desired.status and desired.status != observed.status:
        if pinned:
            return Reject(FAILURE, f"it is {observed.status} and not {desired.status}.")
        return Switch(observed.arn, desired.status)
    if observed.status == INACTIVE:
        return Keep(observed.arn)  # stopped on purpose, and not to be updated while it is
    return _converge(desired, observed, pinned)


def _unknown(observed: Observed) -> str:
    return (
        f"its status is {observed.shown}, which is not known, and stays so. See what it means in "
        "Amazon Personalize, and upload the config again once it is ACTIVE or gone."
    )


def _of_another_group(desired: Desired, observed: Observed) -> bool:
    """Tell whether the name is taken: names are unique in an account, not in a dataset group."""
    wanted = desired.group or desired.params.get("datasetGroupArn")
    found = observed.fields.get("datasetGroupArn")
    return bool(wanted and found and wanted != found)


def _another_group(desired: Desired, observed: Observed) -> str:
    found = str(observed.fields["datasetGroupArn"]).rpartition("/")[2]
    return (
        f"the {desired.noun} {desired.name} is of the dataset group {found}, and is left as it is. "
        "Choose another name."
    )


def _another_stack(desired: Desired, found: str) -> str:
    return (
        f"{maintained_by(desired.name, found)}, and not by {desired.owner}. Two stacks would undo "
        f"each other's work: change it there, or take it over with `mpe adopt {desired.name} "
        "--take-over`."
    )


def _absent(desired: Desired, pinned: str | None, existing: bool) -> Action:
    if pinned:
        return Reject(
            FAILURE,
            "it disappeared while this run waited for it: something else deleted it. "
            "Upload the config again to create it.",
        )
    if existing and not desired.spec.repeatable:
        return Reject(MISSING, f"the {desired.noun} {desired.name} does not exist any more.")
    return Create("absent")


def _failed(desired: Desired, observed: Observed, pinned: str | None) -> Action:
    if pinned:
        return Reject(FAILURE, observed.reason or f"its status is {observed.status}")
    if desired.spec.repeatable:
        return Create("failed")
    reason = f" ({observed.reason})" if observed.reason else ""
    return Reject(
        FAILURE,
        f"an earlier attempt is {observed.status}{reason}. "
        "Delete it in Amazon Personalize and upload the config again.",
    )


def _repeatable(observed: Observed, pinned: str | None, fresh_since: datetime | None) -> Action:
    stale = fresh_since and observed.created and observed.created < fresh_since
    return Create("stale") if stale and not pinned else Keep(observed.arn)


def same_job(desired: Desired, fields: Mapping[str, Any]) -> bool:
    """Tell whether a job of the same parent is the one that is wanted, and not another.

    What the config leaves out must be out of the job too, or be as the service fills it in.
    """
    return all(
        included(desired.params[name], fields.get(name), name)
        if name in desired.params
        else _left_out(name, fields.get(name))
        for name in desired.spec.told_apart_by
    )


_DEFAULTS = {"batchInferenceJobMode": "BATCH_INFERENCE", "ingestionMode": "PUT"}
"""What the service fills in, so that Describe tells it whether it was given or not."""


def _left_out(name: str, found: Any) -> bool:
    # The default of numResults depends on the recipe.
    return not found or name == "numResults" or found == _DEFAULTS.get(name)


def nothing_new(desired: Desired, refusal: str) -> bool:
    """Tell whether the service refused an UPDATE because the data is what it was trained on.

    It does in these words (https://stackoverflow.com/questions/69294232, and the README of the
    AWS solution); the model that there is has everything, so that it is kept.
    """
    updates = desired.params.get("trainingMode") == "UPDATE"
    return updates and "should be updates to at least one dataset" in refusal


def _converge(desired: Desired, observed: Observed, pinned: str | None) -> Action:
    changes = drift(desired, observed.fields)
    if not changes and desired.owner and not observed.owner:
        return Mark(observed.arn, desired.owner)
    if not changes:
        return Keep(observed.arn)
    frozen = [change for change in changes if change.field not in desired.spec.mutable]
    if frozen:
        return Reject(DRIFT, _frozen(frozen))
    if pinned == "updated":
        return Reject(FAILURE, f"the update did not change {_names(changes)}.")
    return Update(observed.arn, changes)


def drift(desired: Desired, fields: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the desired parameters whose observed value differs, in a stable order.

    A field that the service does not describe cannot drift, and of a structure only what
    the config names is compared: the service fills the rest with its own defaults.
    """
    spec = desired.spec
    compared = sorted(set(desired.params) - spec.write_only)
    return tuple(
        change
        for name in compared
        if not _covers(spec, name, desired.params[name], fields.get(name))
        for change in _changes(spec, name, desired.params[name], fields.get(name))
    )


def _changes(spec: ResourceSpec, name: str, wanted: Any, found: Any) -> Iterator[Change]:
    """Yield what differs: the parameter, or those of its members that do."""
    if name not in spec.update_inside or not isinstance(wanted, Mapping):
        yield Change(name, found, wanted)
        return
    known = found or {}
    for inner in sorted(wanted):
        if not included({inner: wanted[inner]}, known, name):
            yield Change(f"{name}.{inner}", known.get(inner), wanted[inner])


def _covers(spec: ResourceSpec, name: str, wanted: Any, found: Any) -> bool:
    if name in spec.documents:
        return bool(_document(wanted) == _document(found))
    if name == spec.parts:
        return included(by_part(wanted), by_part(found or ())) and len(wanted) == len(found or ())
    return included(wanted, found, name)


def by_part(parts: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the parts of a resource by what tells them apart, whatever their order."""
    return {part["metricName"]: part for part in parts}


def _document(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def newest_first(observed: Iterable[Observed]) -> list[Observed]:
    """Sort a parent's jobs or versions, the one that counts first.

    That is the newest that has not failed; only where all have failed, the newest failure.
    Ties are broken by ARN, so that the order is the same at every look.
    """
    return sorted(
        observed,
        key=lambda one: (
            one.status not in FAILED,
            one.created.timestamp() if one.created else 0.0,
            one.arn,
        ),
        reverse=True,
    )


def _frozen(changes: Iterable[Change]) -> str:
    changes = tuple(changes)
    told = "; ".join(
        f"{change.field} is {_shown(change.old)} and the config says {_shown(change.new)}"
        for change in changes
    )
    return (
        f"{told}. Amazon Personalize cannot change {_names(changes)} of an existing resource: "
        "restore the old value, choose another name, or delete the resource."
    )


def _names(changes: Iterable[Change]) -> str:
    return ", ".join(change.field for change in changes)


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 120 else f"{text[:117]}..."
