"""What a maintained dataset group's config says beyond what the service can describe.

Schedules, ages, time zones and gates are in the config alone, and so are the sections of jobs:
an export of a maintained group has them, or an upload of it would end them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mpe.model.config.sections import Config, ResourceConfig, SolutionConfig
from mpe.model.service.spec import SPECS


def carried(document: Mapping[str, Any], config: Config) -> dict[str, Any]:
    """Return an exported document with what only the group's config says of the same things."""
    made: dict[str, Any] = json.loads(json.dumps(document))
    _workflow(made["datasetGroup"], config.group)
    if config.tags:
        made["tags"] = [dict(tag) for tag in config.tags]
    if config.ignored:
        made["ignore"] = list(config.ignored)
    _datasets(made, config)
    for noun, sections in config.own.items():
        spec = SPECS[noun]
        if spec.repeatable:
            for section in sections:
                made[spec.key] = _whole(section)
        else:
            found = made.get(spec.key if spec.section == "one" else f"{spec.key}s")
            _each(found if isinstance(found, list) else [found] if found else [], sections)
    solutions = {one.solution.params.get("name"): one for one in config.solutions}
    for solution in made.get("solutions", ()):
        known = solutions.get(solution["serviceConfig"].get("name"))
        if known:
            _solution(solution, known)
    return made


def _datasets(made: dict[str, Any], config: Config) -> None:
    sections = made.setdefault("datasets", {})
    if config.imports.params:
        sections["serviceConfig"] = dict(config.imports.params)
    for known in config.datasets:
        if known.kind in sections:
            _workflow(sections[known.kind]["dataset"], known.dataset)
            if known.export:
                sections[known.kind]["export"] = _whole(known.export)
    if not sections:
        del made["datasets"]


def _solution(made: dict[str, Any], known: SolutionConfig) -> None:
    _workflow(made, known.solution)
    if known.version:
        made["solutionVersion"] = _whole(known.version)
    for noun, sections in known.own.items():
        spec = SPECS[noun]
        if spec.repeatable and sections:
            made[f"{spec.key}s"] = [_whole(one) for one in sections]
        else:
            _each(made.get(f"{spec.key}s", ()), sections)


def _each(made: Any, sections: tuple[ResourceConfig, ...]) -> None:
    """Give sections the workflow of those of the same name."""
    known = {one.params.get("name"): one for one in sections}
    for one in made:
        same = known.get(one["serviceConfig"].get("name"))
        if same:
            _workflow(one, same)


def _workflow(made: dict[str, Any], known: ResourceConfig) -> None:
    if known.workflow:
        made["workflowConfig"] = {**made.get("workflowConfig", {}), **known.workflow}


def _whole(section: ResourceConfig) -> dict[str, Any]:
    return dict(_parts(section))


def _parts(section: ResourceConfig) -> Iterator[tuple[str, Any]]:
    if section.params:
        yield "serviceConfig", dict(section.params)
    if section.workflow:
        yield "workflowConfig", dict(section.workflow)
