"""Each section against the service: its parameters and its tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mpe.model.config.sections import Config, ResourceConfig
from mpe.model.errors import Problem
from mpe.model.rules import names
from mpe.model.rules import parameters as rules
from mpe.model.service import avro
from mpe.model.service.operations import operation
from mpe.model.service.shapes import violations
from mpe.model.service.spec import SPECS

FILLED = {spec.noun: spec.filled for spec in SPECS.values() if spec.filled}
"""The Create parameters that the workflow fills in, by resource type."""
MADE_UP = frozenset({"jobName", "solutionVersionArn"})
"""Parameters that the service asks for and the workflow gives where the config does not."""
MOST_TAGS = 50


def problems(config: Config) -> Iterator[Problem]:
    """Find what the service would refuse of a section, whatever the others say."""
    for noun, section in config.sections():
        yield from _params(noun, section)
        if "tags" in section.params and SPECS[noun].tagged:
            yield from _tags(section.params["tags"], f"{section.path}.serviceConfig.tags")
    tags = operation("TagResource").input_shape.members["tags"]
    yield from violations(tags, config.tags, "$.tags")
    yield from _tags(config.tags, "$.tags")
    for dataset in config.datasets:
        path = f"{dataset.schema.path}.serviceConfig.schema"
        if "schema" in dataset.schema.params:
            schema = dataset.schema.params["schema"]
            yield from avro.problems(schema, dataset.kind, config.domain, path)


def _params(noun: str, section: ResourceConfig) -> Iterator[Problem]:
    """Check a serviceConfig against the service's model of its Create operation."""
    place = f"{section.path}.serviceConfig"
    filled = FILLED.get(noun, frozenset())
    for name in filled & set(section.params):
        if (noun, name) != ("Schema", "domain"):  # held against the group's: groups.problems
            yield rules.FILLED.problem(
                f"{place}.{name}", "is filled in by the workflow.", "Remove it."
            )
    given = {name: value for name, value in section.params.items() if name not in filled}
    if isinstance(given.get("schema"), Mapping):
        given["schema"] = avro.dumps(given["schema"])
    missing = {f"{place}.{name}" for name in filled | MADE_UP}
    for problem in violations(operation(f"Create{noun}").input_shape, given, place):
        if problem.rule != rules.REQUIRED.id or problem.path not in missing:
            yield problem


def _tags(tags: Any, path: str) -> Iterator[Problem]:
    """Check what the model does not say of tags.

    https://docs.aws.amazon.com/personalize/latest/dg/tagging-resources.html
    """
    if not isinstance(tags, list | tuple):
        return
    if len(tags) > MOST_TAGS:
        yield names.TAGS.problem(path, f"has {len(tags)} tags.", f"The most is {MOST_TAGS}.")
    seen: set[str] = set()
    for index, tag in enumerate(tags):
        key = tag.get("tagKey") if isinstance(tag, Mapping) else None
        if not isinstance(key, str):
            continue
        place = f"{path}[{index}].tagKey"
        if key.lower().startswith("aws:"):
            told = f"{key!r}: the prefix aws: is reserved."
            yield names.TAG_PREFIX.problem(place, told, "Choose another key.")
        if key in seen:
            yield names.TAG_TWICE.problem(place, f"{key!r} is there twice.", "Keep one.")
        seen.add(key)
