"""The forms that only configs of the AWS solution have, read as what they mean here.

They are those of its README and of public parameter files
(https://github.com/aws-solutions/maintaining-personalized-experiences-with-machine-learning,
aws-samples/amazon-personalize-immersion-day). What is read otherwise than it is written is noted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mpe.model.errors import Problem
from mpe.model.rules import forms as rules

DELETE = "delete"
"""In the place of a schedule: there is none any more."""
ON_REMOVAL = "onRemoval"
"""The one key of a ``workflowConfig`` that may say so and is no schedule."""


@dataclass(frozen=True)
class Read:
    """A document in this project's own form, and what was read otherwise."""

    document: Any
    notes: tuple[Problem, ...] = ()
    moved: Mapping[str, str] = field(default_factory=dict)
    """The path in the user's file of what is elsewhere in the document, by its path there."""

    def in_file(self, problem: Problem) -> Problem:
        """Return a problem with its path as it is in the user's file."""
        for here, there in self.moved.items():
            rest = problem.path.removeprefix(here)
            if rest != problem.path and rest[:1] in {"", ".", "["}:
                return replace(problem, path=there + rest)
        return problem


def read(document: Any) -> Read:
    """Return a document in this project's own form; what has not the right shape stays."""
    if not isinstance(document, Mapping):
        return Read(document)
    copy: dict[str, Any] = json.loads(json.dumps(document))
    moved: dict[str, str] = {}
    notes: list[Problem] = list(_deleted_schedules(copy, "$", moved))
    for index, solution in enumerate(_list(copy.get("solutions"))):
        path = f"$.solutions[{index}]"
        if isinstance(solution, dict) and isinstance(solution.get("serviceConfig"), dict):
            notes.extend(_version(solution, path, moved))
            notes.extend(_automl(solution["serviceConfig"], f"{path}.serviceConfig"))
    return Read(copy, tuple(notes), moved)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _version(solution: dict[str, Any], path: str, moved: dict[str, str]) -> Iterator[Problem]:
    """Move a solution version's settings out of its solution's ``serviceConfig``."""
    given = solution["serviceConfig"].get("solutionVersion")
    if not isinstance(given, dict) or "solutionVersion" in solution:
        return
    del solution["serviceConfig"]["solutionVersion"]
    there = f"{path}.serviceConfig.solutionVersion"
    if "name" in given:
        del given["name"]
        yield rules.VERSION_NAME.problem(
            f"{there}.name", "is left out: each version bears its run's name."
        )
    solution["solutionVersion"] = {"serviceConfig": given}
    moved[f"{path}.solutionVersion.serviceConfig"] = there


def _automl(params: dict[str, Any], path: str) -> Iterator[Problem]:
    """Leave out performAutoML where there is a recipe, as the AWS solution does."""
    if params.get("performAutoML") and "recipeArn" in params:
        del params["performAutoML"]
        told = "is left out: the recipe is used."
        yield rules.AUTOML.problem(f"{path}.performAutoML", told)


def _deleted_schedules(value: Any, path: str, moved: dict[str, str]) -> Iterator[Problem]:
    """Remove the schedules that are ``"delete"`` from every ``workflowConfig``."""
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _deleted_schedules(one, f"{path}[{index}]", moved)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key == "workflowConfig" and isinstance(inner, dict):
            _age_of_schedules(inner, f"{path}.{key}", moved)
            for holder, place in ((inner, ""), (inner.get("schedules"), ".schedules")):
                yield from _deleted(holder, f"{path}.workflowConfig{place}")
        elif key != "serviceConfig":
            yield from _deleted_schedules(inner, f"{path}.{key}", moved)


def _age_of_schedules(workflow: dict[str, Any], path: str, moved: dict[str, str]) -> None:
    """Move an age that is written among the schedules beside them, where it means the same."""
    schedules = workflow.get("schedules")
    if isinstance(schedules, dict) and "maxAge" in schedules and "maxAge" not in workflow:
        workflow["maxAge"] = schedules.pop("maxAge")
        moved[f"{path}.maxAge"] = f"{path}.schedules.maxAge"


def _deleted(holder: Any, path: str) -> Iterator[Problem]:
    if not isinstance(holder, dict):
        return
    for key in [key for key, value in holder.items() if _is_delete(value) and key != ON_REMOVAL]:
        del holder[key]
        told = "the schedule is deleted, if there is one."
        yield rules.DELETED.problem(f"{path}.{key}", told)


def _is_delete(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() == DELETE
