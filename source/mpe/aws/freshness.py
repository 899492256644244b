"""Since when a job must have been made, so that it is of what lies in S3 now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mpe.aws.clock import Clock
from mpe.aws.objects import Completed
from mpe.aws.personalize import Personalize
from mpe.model.gate.pointer import ModelPointer
from mpe.model.plan.reconcile import Observed


class Memory(Protocol):
    """What the ledger keeps of the data that jobs were made for."""

    def seen(self, group: str, job: str) -> frozenset[str] | None: ...

    def pointer(self, group: str, campaign: str) -> ModelPointer | None: ...


@dataclass(frozen=True)
class Freshness:
    """Tells since when a job must have been made."""

    personalize: Personalize
    memory: Memory
    clock: Clock

    def since(self, group: str, completed: Completed, observed: Observed | None) -> datetime | None:
        """Return the latest of: its data changed, it is of an age, its datasets were imported.

        An object that was uploaded in parts is dated when its upload began, which may be before
        the job that could not read it yet
        (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html). So a job that
        was made for other objects is stale, whatever their dates. Where one of them is merely
        gone, it is not: an incremental import would bring the others again.
        """
        desired = completed.desired
        age = None if desired.max_age is None else self.clock.ago(desired.max_age)
        settled = observed is not None and not observed.in_progress
        other = settled and observed and self._is_of_other(group, completed, observed)
        changed = self.clock.now() if other else completed.changed
        followed = self.personalize.followed(desired) if settled else None
        if desired.spec.inspects and age:  # an import: of an age, and of newer data
            times = [min(changed, age) if changed else None]
        else:
            times = [changed, age, followed]
        return max((time for time in times if time), default=None)

    def _is_of_other(self, group: str, completed: Completed, observed: Observed) -> bool:
        """Tell whether a job is known to be of other objects than there are now."""
        if not completed.objects:
            return False
        seen = self.memory.seen(group, observed.arn.rpartition(":")[2])
        return seen is not None and not completed.objects <= seen
