"""What can go wrong, each saying what to do.

::

    PersonalizationError
    ├── ConfigError      the uploaded file is wrong: mend it and upload it again
    ├── DriftError       an immutable field differs: rename the resource or delete it
    ├── ResourceFailed   Amazon Personalize reported that the resource failed
    └── ResourceMissing  a scheduled task found that its resource is gone
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


class PersonalizationError(Exception):
    """The root of every error this project raises on purpose."""


class ConfigError(PersonalizationError):
    """Carry every :class:`Problem` found in a config file."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DriftError(PersonalizationError):
    """An existing resource differs in a field that the service cannot update."""


class ResourceFailed(PersonalizationError):
    """Amazon Personalize refused a resource or reported that it failed."""


class ResourceMissing(PersonalizationError):
    """A scheduled task is about a resource that does not exist any more."""
