"""Orders for things to go wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from mpe.emulator.wire import ServiceError


@dataclass
class Faults:
    """What shall go wrong, and how often; each order is used up as it is met."""

    _errors: dict[str, list[ServiceError]] = field(default_factory=dict)
    _failing: list[tuple[str, str, str]] = field(default_factory=list)
    _slow: list[tuple[str, str, float]] = field(default_factory=list)

    def error(self, operation: str, code: str, message: str = "", times: int = 1) -> None:
        """Answer the next calls of an operation with an error."""
        self._errors.setdefault(operation, []).extend([ServiceError(code, message)] * times)

    def throttle(self, operation: str, times: int = 1) -> None:
        """Throttle the next calls of an operation."""
        self.error(operation, "ThrottlingException", "Rate exceeded", times)

    def fail(self, noun: str, name: str, reason: str) -> None:
        """Let the next resource of a type whose name matches end as CREATE FAILED."""
        self._failing.append((noun, name, reason))

    def fail_update(self, noun: str, reason: str) -> None:
        """Let the next update of a resource of a type end as CREATE FAILED."""
        self._failing.append((f"{noun}'s update", "", reason))

    def slow(self, noun: str, name: str, factor: float) -> None:
        """Let every resource of a type whose name matches take longer."""
        self._slow.append((noun, name, factor))

    def meet_call(self, operation: str) -> None:
        """Raise the error that was ordered for a call, if any."""
        if self._errors.get(operation):
            raise self._errors[operation].pop(0)

    def meet_creation(self, noun: str, name: str) -> str | None:
        """Return the reason for which a new resource shall fail, if any."""
        for order in self._failing:
            if order[0] == noun and fnmatchcase(name, order[1]):
                self._failing.remove(order)
                return order[2]
        return None

    def meet_update(self, noun: str) -> str | None:
        """Return the reason for which a new update shall fail, if any."""
        return self.meet_creation(f"{noun}'s update", "")

    def factor(self, noun: str, name: str) -> float:
        """Return how much longer a new resource shall take."""
        factor = 1.0
        for kind, pattern, times in self._slow:
            if kind == noun and fnmatchcase(name, pattern):
                factor *= times
        return factor
