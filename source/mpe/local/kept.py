"""What the local cloud keeps of what happened in it: decisions of IAM, and mail."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Call:
    """One thing that a role asked for."""

    role: str
    action: str
    resource: str
    allowed: bool


class Calls:
    """Keep what was asked in the name of each role, and what IAM said.

    So a test can tell what was denied and what was granted in vain.
    """

    def __init__(self) -> None:
        self._calls: Counter[Call] = Counter()
        self._lock = threading.Lock()

    def add(self, call: Call) -> None:
        with self._lock:
            self._calls[call] += 1

    def as_list(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{**asdict(call), "times": times} for call, times in self._calls.items()]


@dataclass(frozen=True)
class Mail:
    """One message as a subscriber of a topic would get it."""

    to: str
    protocol: str
    subject: str
    body: str
    topic: str
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat())


class Mailbox:
    """Keep what SNS would send to people."""

    def __init__(self) -> None:
        self._mail: list[Mail] = []
        self._lock = threading.Lock()

    def add(self, mail: Mail) -> None:
        with self._lock:
            self._mail.append(mail)

    def as_list(self) -> list[dict[str, str]]:
        with self._lock:
            return [asdict(one) for one in self._mail]
