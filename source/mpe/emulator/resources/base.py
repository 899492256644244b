"""What all resource types share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mpe.emulator.arns import created_arn
from mpe.emulator.lifecycle import ACTIVE, CREATION, FAILED, Progress
from mpe.emulator.state import DELETING, EXISTS, IN_USE, INVALID, Change, Resource, World
from mpe.emulator.tags import accepted
from mpe.emulator.wire import ServiceError

Params = Mapping[str, Any]


class Kind:
    """One resource type; subclasses say what is special about it."""

    noun = ""
    update_key: str | None = None
    """Where Describe tells of the newest update."""
    updating: Mapping[str, str] = {}
    """What its own status is while an update's is one of these."""
    async_deletion = True
    newest_first = False
    """Whether its list begins with what was created last."""
    deletion = DELETING
    """The statuses of its deletion."""
    steps = CREATION
    """The statuses of its creation."""
    failed = FAILED
    """The status of a creation that failed."""

    def arn(self, world: World, params: Params) -> str:
        """Return the ARN of what a request creates."""
        return created_arn(self.noun, params, world.account, world.region)

    def check(self, world: World, params: Params) -> None:
        """Raise a ServiceError where the service would refuse the creation."""

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        """Return what Describe answers of a new resource, but for statuses and times."""
        return {key: value for key, value in params.items() if key != "tags"}

    def task(self, world: World, params: Params, made: Resource) -> Callable[[], None] | None:
        """Return the real work that is behind a creation, or None."""
        return None

    def describe(self, world: World, found: Resource) -> dict[str, Any]:
        """Return all that there is to say of a resource."""
        state = found.state(world.now)
        told = {
            **found.fields,
            f"{self.noun[0].lower()}{self.noun[1:]}Arn": found.arn,
            "status": state.status,
            "creationDateTime": found.created,
            "lastUpdatedDateTime": state.since,
        }
        if state.failure:
            told["failureReason"] = state.failure
        if self.update_key and found.change:
            told[self.update_key] = newest = _update(found.change, world.now)
            # so an output of aws-samples/amazon-personalize-samples has it of a dataset
            # (update-item-dataset-schema-example.ipynb, cell 92)
            told["lastUpdatedDateTime"] = max(state.since, newest["lastUpdatedDateTime"])
            if state.status == ACTIVE:
                told["status"] = self.updating.get(newest["status"], ACTIVE)
        return told

    def update(self, world: World, found: Resource, params: Params) -> Change:
        """Return the update that a request asks for, or raise a ServiceError."""
        raise NotImplementedError(self.noun)

    def check_deletion(self, world: World, found: Resource) -> None:
        """Raise a ServiceError where something still needs the resource."""

    def new(self, world: World, params: Params) -> Resource:
        """Create a resource, or raise a ServiceError."""
        self.check(world, params)
        arn = self.arn(world, params)
        if arn in world.resources:
            raise ServiceError(EXISTS, f"Another resource with Arn {arn} already exists.")
        tags = accepted(params.get("tags", ()), {})
        fields = self.fields(world, params, arn)
        name = str(fields.get("name") or fields.get("jobName") or "")
        made = Resource(self.noun, arn, fields, world.now, Progress(world.now, 0))
        made.tags = tags
        made.progress = world.begin(self.noun, name, self.task(world, params, made))
        made.progress.steps, made.progress.failed = self.steps, self.failed
        world.resources[arn] = made
        return made

    def delete(self, world: World, found: Resource) -> None:
        """Begin a deletion, or raise a ServiceError."""
        if found.changing(world.now):
            status = found.state(world.now).status
            raise in_use(f"Resource Arn {found.arn} is in transition: {status}.")
        self.check_deletion(world, found)
        if self.async_deletion:
            found.deletion = world.begin_deletion(self.deletion)
        else:
            del world.resources[found.arn]


def _update(change: Change, now: datetime) -> dict[str, Any]:
    state = change.progress.at(now)
    told = {
        **change.asked,
        "status": state.status,
        "creationDateTime": change.progress.began,
        "lastUpdatedDateTime": state.since,
    }
    return {**told, "failureReason": state.failure} if state.failure else told


def invalid(message: str) -> ServiceError:
    return ServiceError(INVALID, message)


def in_use(message: str) -> ServiceError:
    return ServiceError(IN_USE, message)


def need_none(found: list[Resource], what: str, needed: Resource) -> None:
    """Raise ResourceInUseException where resources still need another."""
    if found:
        raise in_use(f"{needed.arn} cannot be deleted: {what} {found[0].arn} still uses it.")


def limit(message: str) -> ServiceError:
    return ServiceError("LimitExceededException", message)


def check_running(world: World, noun: str, most: int) -> None:
    """Refuse a job where too many of its type are under way."""
    if len([one for one in world.of(noun) if one.changing(world.now)]) >= most:
        raise limit(f"More than {most} resources with PENDING or IN_PROGRESS status.")


def live(world: World, noun: str, **fields: Any) -> list[Resource]:
    """Return the resources that count towards a quota: all that did not fail."""
    return [
        one
        for one in world.of(noun, **fields)
        if one.state(world.now).status not in {FAILED, "CREATE STOPPED"}
    ]
