"""What can go wrong, each saying what to do.

::

    PersonalizationError
    ├── ConfigError      the uploaded file is wrong: mend it and upload it again
    ├── DataError        a CSV is wrong: mend it and upload it, and the config, again
    ├── DriftError       an immutable field differs: rename the resource or delete it
    ├── ResourceFailed   Amazon Personalize reported that the resource failed
    └── ResourceMissing  a scheduled task found that its resource is gone
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mpe.model.text import LONGEST, plain

LONGEST_PATH = 300
"""Characters of a JSON path, which may name a key that a user made up."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with a config file.

    ``path`` is a JSON path into the user's file (``$.solutions[0].serviceConfig.recipeArn``),
    ``message`` says what is wrong and ``remedy`` what to do about it. All three may quote
    the file, so they are made safe to show here, where no caller can forget it.
    """

    path: str
    message: str
    remedy: str = ""

    def __post_init__(self) -> None:
        for name, limit in (("path", LONGEST_PATH), ("message", LONGEST), ("remedy", LONGEST)):
            object.__setattr__(self, name, plain(getattr(self, name), limit))

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" + (f" {self.remedy}" if self.remedy else "")


Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing wrong with the data, and how often.

    ``lines`` are a few of the lines in the file where it is so; ``column`` may be several.
    """

    severity: Severity
    file: str
    message: str
    remedy: str = ""
    column: str | None = None
    count: int = 1
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        more = "s" if len(self.lines) > 1 else ""
        place = f", line{more} {', '.join(map(str, self.lines))}" if self.lines else ""
        often = f" ({self.count:,} times)" if self.count > 1 else ""
        return f"{self.file}{place}: {self.message}{often} {self.remedy}".rstrip()


class PersonalizationError(Exception):
    """The root of every error this project raises on purpose."""


class ConfigError(PersonalizationError):
    """Carry every :class:`Problem` found in a config file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DataError(PersonalizationError):
    """Carry what was found wrong with the CSVs of an import."""

    MOST = 10
    """How many findings the message tells: it travels through the workflow."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        told = [str(one) for one in self.findings[: self.MOST]]
        if len(self.findings) > self.MOST:
            told.append(f"And {len(self.findings) - self.MOST} more: see mpe check-data.")
        super().__init__("\n".join(told))


class DriftError(PersonalizationError):
    """An existing resource differs in a field that the service cannot update."""


class ResourceFailed(PersonalizationError):
    """Amazon Personalize refused a resource or reported that it failed."""


class ResourceMissing(PersonalizationError):
    """A scheduled task is about a resource that does not exist any more."""
