"""One rule: what is checked, why, and who says so.

The record is what cfn-lint keeps of each of its rules
(https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md): an id, a short
description, a description and the URL of its source.
"""

from __future__ import annotations

from dataclasses import dataclass

from mpe.model.errors import Finding, Problem, Severity

OURS = "ours: "
"""How the source of a rule begins that is this project's own; the reason follows."""


@dataclass(frozen=True)
class Rule:
    """One thing that a config or its data is held to.

    ``id`` is ``MPE-``, a letter for the subject and three digits; it is never given to another
    rule. ``title`` says what should be so, ``why`` what happens where it is not. ``source`` is
    the page or file that says so, or ``ours:`` and the reason why this project asks for it. What
    breaks a rule whose severity is ``error`` starts nothing; a ``warning`` is told, and a config
    can switch it off by its id.
    """

    id: str
    title: str
    why: str
    source: str
    severity: Severity = "error"

    def problem(self, path: str, message: str, remedy: str = "") -> Problem:
        """Say that a config breaks this rule, at a JSON path."""
        return Problem(path, message, remedy, rule=self.id)

    def finding(
        self,
        file: str,
        message: str,
        remedy: str = "",
        *,
        column: str | None = None,
        count: int = 1,
        lines: tuple[int, ...] = (),
    ) -> Finding:
        """Say that data breaks this rule, in a file or a place."""
        return Finding(
            self.severity, file, message, remedy, column, count, lines=lines, rule=self.id
        )
