"""What the emulator knows: the resources of one account in one region."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mpe.emulator.actions import ActionModel
from mpe.emulator.arns import arn, last
from mpe.emulator.data import Dataset
from mpe.emulator.faults import Faults
from mpe.emulator.learned import Model
from mpe.emulator.lifecycle import ACTIVE, FAILED, Progress, State, Work
from mpe.emulator.objects import Objects
from mpe.emulator.settings import Durations, Quotas
from mpe.emulator.wire import ServiceError

NOT_FOUND = "ResourceNotFoundException"
IN_USE = "ResourceInUseException"
EXISTS = "ResourceAlreadyExistsException"
INVALID = "InvalidInputException"
LIMIT = "LimitExceededException"
DELETING = ("DELETE PENDING", "DELETE IN_PROGRESS", "DELETED")


@dataclass
class Change:
    """An update on its way, and what it sets once it is done."""

    progress: Progress
    sets: dict[str, Any]
    asked: dict[str, Any]
    """What ``latestCampaignUpdate`` and its like repeat of the request."""
    applied: bool = False


@dataclass
class Resource:
    """One resource; ``fields`` is what Describe answers, without statuses and times."""

    noun: str
    arn: str
    fields: dict[str, Any]
    created: datetime
    progress: Progress
    tags: dict[str, str] = field(default_factory=dict)
    change: Change | None = None
    deletion: Progress | None = None
    stop: Progress | None = None
    data: Dataset | None = None
    """A dataset's rows."""
    model: Model | ActionModel | None = None
    """What a solution version or a recommender learned."""

    @property
    def name(self) -> str:
        return str(self.fields.get("name") or self.fields.get("jobName") or last(self.arn))

    def state(self, now: datetime) -> State:
        """Return its status at a moment."""
        for progress in (self.deletion, self.stop):
            if progress:
                return progress.at(now)
        return self.progress.at(now)

    def active(self, now: datetime) -> bool:
        return self.state(now).status == ACTIVE

    def changing(self, now: datetime) -> bool:
        """Tell whether a creation, an update or a deletion is under way."""
        settled = {ACTIVE, FAILED, "CREATE STOPPED", "INACTIVE", "COMPLETED", "FAILED"}
        if self.state(now).status not in settled:
            return True
        return self.change is not None and self.change.progress.at(now).status not in settled


@dataclass
class World:
    """All resources of one account in one region, and what they live by."""

    account: str
    region: str
    clock: Callable[[], datetime]
    speed: float
    durations: Durations
    quotas: Quotas
    objects: Objects
    faults: Faults
    executor: Executor
    chance: random.Random
    resources: dict[str, Resource] = field(default_factory=dict)
    now: datetime = field(init=False)
    """The moment of the request: one for all of it, so that statuses and fields agree."""

    def __post_init__(self) -> None:
        self.now = self.clock()

    def arn(self, resource: str) -> str:
        return arn(resource, self.account, self.region)

    def mint(self, digits: int = 8) -> str:
        """Return a new hexadecimal id."""
        return f"{self.chance.getrandbits(digits * 4):0{digits}x}"

    def of(self, noun: str, **fields: Any) -> Iterator[Resource]:
        """Yield the resources of a type whose fields have these values."""
        for one in list(self.resources.values()):
            if one.noun == noun and all(one.fields.get(k) == v for k, v in fields.items()):
                yield one

    def get(self, noun: str, arn: str) -> Resource:
        """Return a resource, or raise ResourceNotFoundException."""
        found = self.resources.get(arn)
        if found is None or found.noun != noun:
            raise ServiceError(NOT_FOUND, f"Resource Arn {arn} does not exist.")
        return found

    def need_active(self, noun: str, arn: str) -> Resource:
        """Return a resource that is ACTIVE; raise ResourceInUseException where it is not."""
        found = self.get(noun, arn)
        status = found.state(self.now).status
        if status != ACTIVE:
            raise ServiceError(
                IN_USE, f"Resource Arn {arn} is in an invalid state: {status}. It must be ACTIVE."
            )
        return found

    def begin(self, noun: str, name: str, task: Callable[[], None] | None = None) -> Progress:
        """Begin a creation, with real work behind it where there is some."""
        seconds = self.durations.create.get(noun, 0) * self.faults.factor(noun, name)
        return Progress(
            began=self.now,
            seconds=seconds / self.speed,
            pending_share=self.durations.pending,
            work=Work(self.executor.submit(task), self.clock) if task else None,
            failure=self.faults.meet_creation(noun, name),
        )

    def begin_update(self, noun: str) -> Progress:
        seconds = self.durations.update.get(noun, 0) / self.speed
        failure = self.faults.meet_update(noun)
        return Progress(self.now, seconds, self.durations.pending, failure=failure)

    def begin_deletion(self, steps: tuple[str, str, str] = DELETING) -> Progress:
        seconds = self.durations.delete / self.speed
        return Progress(self.now, seconds, self.durations.pending, steps=steps)

    def later(self, moment: datetime, seconds: float) -> datetime:
        """Return the moment that many of the service's seconds later."""
        return moment + timedelta(seconds=seconds / self.speed)

    def settle(self) -> None:
        """Begin a request: drop what is deleted, and apply the updates that are done by now."""
        now = self.now = self.clock()
        for one in list(self.resources.values()):
            if one.deletion and one.deletion.at(now).status == "DELETED":
                self._drop(one)
            change = one.change
            if change and not change.applied and change.progress.at(now).status == ACTIVE:
                one.fields.update(change.sets)
                change.applied = True

    def _drop(self, gone: Resource) -> None:
        del self.resources[gone.arn]
        if gone.noun == "Solution":
            for version in list(self.of("SolutionVersion", solutionArn=gone.arn)):
                self.resources.pop(version.arn, None)
