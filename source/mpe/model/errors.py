"""What can go wrong, each saying what to do.

::

    PersonalizationError
    ├── ConfigError      the uploaded file is wrong: mend it and upload it again
    ├── DataError        a CSV is wrong: mend it and upload it, and the config, again
    ├── DriftError       an immutable field differs: rename the resource or delete it
    ├── NewerForm        a newer release wrote what is read: deploy that one again
    ├── OfAnotherStack   another stack maintains the dataset group: change it there, or take it over
    ├── ResourceFailed   Amazon Personalize reported that the resource failed
    ├── ResourceMissing  a scheduled task found that its resource is gone
    ├── StateGone        a desired state is not there any more: upload the config again
    ├── TurnLost         the run works on a dataset group that is another run's now
    └── Unavailable      an AWS service cannot do just now what it was asked for
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mpe.model.text import LONGEST, plain

LONGEST_PATH = 300
"""Characters of a JSON path, which may name a key that a user made up."""
LONGEST_FILE = 1_200
"""Characters of a file's name: a key has up to 1,024 bytes, after the name of its bucket."""


def _make_plain(one: object, **limits: int) -> None:
    """Make fields of a frozen value safe to show, each of so many characters."""
    for name, limit in limits.items():
        object.__setattr__(one, name, plain(getattr(one, name), limit))


def named(told: str, rule: str) -> str:
    """Return what is told with the id of its rule behind it."""
    return f"{told.rstrip()} [{rule}]" if rule else told.rstrip()


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with a config file.

    ``path`` is a JSON path into the user's file (``$.solutions[0].serviceConfig.recipeArn``),
    ``message`` says what is wrong and ``remedy`` what to do about it. All three may quote
    the file, so they are made safe to show here, where no caller can forget it. ``rule`` is the
    id of what the file is held to (:mod:`mpe.model.rules`), which makes problems.
    """

    path: str
    message: str
    remedy: str = ""
    rule: str = ""

    def __post_init__(self) -> None:
        _make_plain(self, path=LONGEST_PATH, message=LONGEST, remedy=LONGEST)

    def __str__(self) -> str:
        return named(self.told, self.rule)

    @property
    def told(self) -> str:
        """The problem without the id of its rule: as the service would tell it."""
        return f"{self.path}: {self.message} {self.remedy}".rstrip()


Severity = Literal["error", "warning", "note"]
"""An error is refused or fails, a warning is usually a mistake, a note is advice."""


@dataclass(frozen=True)
class Finding:
    """One thing wrong with the data, and how often.

    ``lines`` are a few of the lines in the file where it is so; ``column`` may be several, and
    ``rule`` is as for a :class:`Problem`. The texts may quote the file, and are made safe to show
    as those of a :class:`Problem` are.
    """

    severity: Severity
    file: str
    message: str
    remedy: str = ""
    column: str | None = None
    count: int = 1
    lines: tuple[int, ...] = ()
    rule: str = ""

    def __post_init__(self) -> None:
        _make_plain(self, file=LONGEST_FILE, message=LONGEST, remedy=LONGEST)
        if self.column is not None:
            _make_plain(self, column=LONGEST)

    def __str__(self) -> str:
        more = "s" if len(self.lines) > 1 else ""
        place = f", line{more} {', '.join(map(str, self.lines))}" if self.lines else ""
        often = f" ({self.count:,} times)" if self.count > 1 else ""
        return f"{self.file}{place}: {named(f'{self.message}{often} {self.remedy}', self.rule)}"


class ToldError(Exception):
    """An error of a tool on the user's machine: its message says all, what to do included."""


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


def reason_lines(error: str, reason: str) -> list[str]:
    """Return the lines in which a failure's reason is told: ours are many, all others' one."""
    return reason.split("\n") if error == DataError.__name__ else [reason]


class DataHeld(PersonalizationError):
    """Data that a gate does not let be imported; the message says why."""


class TrainingHeld(PersonalizationError):
    """A training on data that a gate does not let in; the message begins with the dataset."""


class NewerForm(PersonalizationError):
    """A newer release wrote something in a form that this one cannot read."""


class DriftError(PersonalizationError):
    """An existing resource differs in a field that the service cannot update."""


class OfAnotherStack(PersonalizationError):
    """A dataset group is maintained by another stack of this account."""


class ResourceFailed(PersonalizationError):
    """Amazon Personalize refused a resource or reported that it failed."""


class ResourceMissing(PersonalizationError):
    """A scheduled task is about a resource that does not exist any more."""


class StateGone(PersonalizationError):
    """The desired state that a run works towards was deleted."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"the desired state {place}, which an upload of the config wrote, cannot be read: it "
            "was deleted, or this function may not read it. Nothing is wrong with the config, nor "
            "with the data."
        )


class TurnLost(PersonalizationError):
    """A run was about to change something in a dataset group whose turn is another's by now."""

    def __init__(self, group: str, run: str) -> None:
        super().__init__(
            f"the run {run} has lost its turn in {group}: it was stopped, or another run or a "
            "removal has taken over. It changes nothing any more."
        )


class Unavailable(PersonalizationError):
    """An AWS service has an outage, throttles or gives no answer: the same call may succeed later.

    The workflows know it by its name, and call a function that raises it again for hours.
    """
