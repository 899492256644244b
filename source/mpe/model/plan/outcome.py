"""What one step did to one resource: the answer of an ensure function.

Waiting is an answer, not an error: an outcome with ``wait`` asks the workflow to come back,
one with ``failed`` says why it need not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from mpe.model.plan.desired import Desired
from mpe.model.plan.forms import OUTCOME, known

CHANGES = frozenset({"created", "updated", "started", "stopped"})
"""What a run does to a resource itself, so that its failure is the run's own."""
MARKED = "marked"
"""What a run did to a dataset group that only lacked the name of its stack."""


@dataclass(frozen=True)
class Failure:
    """Why a resource is not as desired, and will not become so by waiting."""

    error: str
    reason: str


@dataclass(frozen=True)
class Outcome:
    """A resource after one step towards its desired state."""

    resource: str
    """Its id in the desired state."""
    noun: str
    name: str
    path: str
    status: str = "ABSENT"
    arn: str | None = None
    did: str | None = None
    """``created``, ``updated``, ``started``, ``stopped``, ``adopted`` (waited for what others
    began), ``marked`` (with the stack's name), ``removed``, ``kept`` or ``skipped`` (there was
    nothing to do)."""
    begun: str | None = None
    """When this run asked for its update, start or stop."""
    wait: int | None = None
    """Seconds until the next look, while it is not settled."""
    seconds: float | None = None
    """How long the service took for what this run did, once that is done."""
    data: str | None = None
    """The version of the data that it is of: when that last changed, and where it lies."""
    served: str | None = None
    """The version that it served when the run came to it, where it serves one."""
    held: str | None = None
    """The version that it is not moved to: its pointer says why."""
    told: str | None = None
    """What else is to be told of it: what it was made with, which fields were changed, what was
    thought of its data or of a campaign's answers, when a task fires."""
    blocked: int = 0
    """Seconds spent so far waiting for a quota or a throttle."""
    unseen: str | None = None
    """Since when what this run made or changed, or what that is made of, is not found."""
    untold: bool | None = None
    """Whether the bus has not taken its newest status yet."""
    failed: Failure | None = None

    @classmethod
    def of(cls, desired: Desired) -> Outcome:
        """Begin with a resource that has not been looked at."""
        return cls(desired.id, desired.noun, desired.name, desired.path)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Outcome:
        """Read what :meth:`as_dict` of some release wrote, or raise NewerForm."""
        found = known(cls, OUTCOME.read(saved))
        failed = found.get("failed")
        return cls(**{**found, "failed": Failure(**known(Failure, failed)) if failed else None})

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON, without what is not so."""
        return OUTCOME.marked(
            {key: value for key, value in asdict(self).items() if value is not None}
        )

    @property
    def settled(self) -> bool:
        return self.wait is None

    def waiting(self, seconds: int, **changes: Any) -> Outcome:
        return replace(self, wait=seconds, failed=None, **changes)

    def ready(self, **changes: Any) -> Outcome:
        changes = {"did": self.did or "kept", **changes}
        return replace(self, wait=None, failed=None, **changes)

    def failing(self, error: str, reason: str) -> Outcome:
        return replace(self, wait=None, failed=Failure(error, reason))
