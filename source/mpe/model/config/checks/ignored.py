"""What a config asks to be passed over: warnings, by the ids of their rules."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from mpe.model.config.sections import Config
from mpe.model.errors import Problem
from mpe.model.rules import files as rules
from mpe.model.rules.catalogue import ALL, RETIRED
from mpe.model.service.shapes import COMPARED, shown


def problems(config: Config) -> Iterator[Problem]:
    """Find ids of no rule, and of rules whose problems are errors."""
    for index, name in enumerate(config.ignored):
        path = f"$.ignore[{index}]"
        rule = ALL.get(name)
        if rule is None and name not in RETIRED:
            near = get_close_matches(name[:COMPARED], ALL, n=1)
            remedy = f"Did you mean {near[0]}?" if near else "Write it as a warning tells it."
            yield rules.IGNORED_UNKNOWN.problem(path, f"{shown(name)} is no rule.", remedy)
        elif rule is not None and rule.severity == "error":
            told = f"{name} is an error, and only a warning can be ignored."
            yield rules.IGNORED_ERROR.problem(path, told, "Remove it, and mend what it tells.")
