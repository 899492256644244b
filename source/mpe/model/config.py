"""The config file: parsed into frozen values, or every problem in it at once.

The format is that of the existing AWS solution, so that its users move over with their
files. Its shape is ``config.schema.json``; each ``serviceConfig`` is checked against the
service's own model of the Create operation, then the sections against each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from mpe.model import avro, filters
from mpe.model.errors import ConfigError, Problem
from mpe.model.recipes import RECIPES, Recipe
from mpe.model.service import member, operation, shown, unknown, violations

SIZE_LIMIT = 1_000_000
"""Bytes that a config may have."""
KINDS = ("interactions", "users", "items", "actions", "actionInteractions")
JOB = frozenset({"jobName", "solutionVersionArn", "jobInput", "jobOutput", "roleArn"})
FILLED: dict[str, frozenset[str]] = {
    "DatasetGroup": frozenset({"roleArn"}),
    "Schema": frozenset({"domain"}),
    "Dataset": frozenset({"schemaArn", "datasetGroupArn", "datasetType"}),
    "DatasetImportJob": frozenset({"jobName", "datasetArn", "dataSource", "roleArn"}),
    "EventTracker": frozenset({"datasetGroupArn"}),
    "Filter": frozenset({"datasetGroupArn"}),
    "Recommender": frozenset({"datasetGroupArn"}),
    "Solution": frozenset({"datasetGroupArn"}),
    "SolutionVersion": frozenset({"name", "solutionArn"}),
    "Campaign": frozenset({"solutionVersionArn"}),
    "BatchInferenceJob": JOB,
    "BatchSegmentJob": JOB,
}
"""The Create parameters that the workflow fills in, by resource type."""


@dataclass(frozen=True)
class ResourceConfig:
    """One section of the file: ``params`` is its serviceConfig as the user wrote it."""

    path: str
    params: Mapping[str, Any]
    workflow: Mapping[str, Any]


@dataclass(frozen=True)
class DatasetConfig:
    kind: str
    """``interactions``, ``users``, ``items``, ``actions`` or ``actionInteractions``."""
    dataset: ResourceConfig
    schema: ResourceConfig


@dataclass(frozen=True)
class SolutionConfig:
    solution: ResourceConfig
    version: ResourceConfig | None
    campaigns: tuple[ResourceConfig, ...]
    batch_inference_jobs: tuple[ResourceConfig, ...]
    batch_segment_jobs: tuple[ResourceConfig, ...]

    @property
    def recipe(self) -> Recipe | None:
        return RECIPES.get(str(self.solution.params.get("recipeArn")))


@dataclass(frozen=True)
class Config:
    """A config without problems."""

    group: ResourceConfig
    imports: ResourceConfig
    datasets: tuple[DatasetConfig, ...]
    event_tracker: ResourceConfig | None
    filters: tuple[ResourceConfig, ...]
    recommenders: tuple[ResourceConfig, ...]
    solutions: tuple[SolutionConfig, ...]
    tags: tuple[Mapping[str, str], ...] = ()
    not_yet: tuple[Problem, ...] = field(default=())
    """Sections that this version reads and checks but does not act on."""

    @property
    def domain(self) -> str | None:
        domain: str | None = self.group.params.get("domain")
        return domain

    def sections(self) -> Iterator[tuple[str, ResourceConfig]]:
        """Yield every section with the noun of its resource type."""
        yield "DatasetGroup", self.group
        yield "DatasetImportJob", self.imports
        for dataset in self.datasets:
            yield "Schema", dataset.schema
            yield "Dataset", dataset.dataset
        if self.event_tracker:
            yield "EventTracker", self.event_tracker
        yield from (("Filter", one) for one in self.filters)
        yield from (("Recommender", one) for one in self.recommenders)
        for solution in self.solutions:
            yield "Solution", solution.solution
            if solution.version:
                yield "SolutionVersion", solution.version
            yield from (("Campaign", one) for one in solution.campaigns)
            yield from (("BatchInferenceJob", one) for one in solution.batch_inference_jobs)
            yield from (("BatchSegmentJob", one) for one in solution.batch_segment_jobs)


def parse(text: str | bytes) -> Config:
    """Return the config, or raise ConfigError with every problem found in it.

    A part that has not the right shape is told and left out, and the rest is checked on.
    """
    document = _load(text)
    shape = list(_shape(document))
    config = _build(_pruned(document))
    found = [*_against_service(config), *_semantics(config)]
    known = {problem.path for problem in shape}
    _raise_any([*shape, *(one for one in found if not _follows(one.path, known))])
    return config


def _follows(path: str, known: set[str]) -> bool:
    """Tell whether a problem only follows from another: of a part that is missing or wrong."""
    return any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in known)


def _raise_any(found: Iterable[Problem]) -> None:
    problems = list(dict.fromkeys(found))
    if problems:
        raise ConfigError(problems)


# Reading


def _load(text: str | bytes) -> Any:
    """Return the JSON document; what is not JSON is one problem, told with its place."""
    if len(text) > SIZE_LIMIT:
        raise ConfigError([Problem("$", f"is larger than {SIZE_LIMIT:,} bytes.")])
    twice: list[str] = []
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        document = json.loads(
            decoded,
            object_pairs_hook=lambda pairs: _object(pairs, twice),
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigError([Problem("$", f"is not JSON: {error.msg} at {place}.")]) from None
    except UnicodeDecodeError as error:
        message = f"is not UTF-8: the byte at {error.start} is not text."
        raise ConfigError([Problem("$", message, "Save the file as UTF-8.")]) from None
    except RecursionError:
        raise ConfigError([Problem("$", "is nested too deeply.")]) from None
    except ValueError as error:
        raise ConfigError([Problem("$", f"is not JSON: {error}.")]) from None
    _raise_any(
        Problem("$", f"has the key {key!r} twice in one object.", "Keep one.") for key in twice
    )
    return document


def _object(pairs: list[tuple[str, Any]], twice: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            twice.append(key)
        found[key] = value
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


# The shape


@cache
def _validator() -> Draft202012Validator:
    text = Path(__file__).with_name("config.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def _shape(document: Any) -> Iterator[Problem]:
    for error in sorted(_validator().iter_errors(document), key=_place):
        yield from _told(error)


def _pruned(document: Any) -> dict[str, Any]:
    """Return a copy without the parts that have not the right shape."""
    if not isinstance(document, dict):
        return {}
    copy: dict[str, Any] = json.loads(json.dumps(document))
    for error in list(_validator().iter_errors(copy)):
        instance: Any = error.instance
        if error.validator == "additionalProperties":
            for name in set(instance) - _known_keys(error):
                del instance[name]
        elif error.validator != "required":
            _remove(copy, list(error.absolute_path))
    return copy


def _remove(document: Any, path: list[str | int]) -> None:
    """Remove a member, or empty a list's item so that its siblings keep their places."""
    *above, last = path
    try:
        for part in above:
            document = document[part]
        if isinstance(document, list):
            document[int(last)] = None
        else:
            del document[last]
    except (KeyError, TypeError):
        return  # it went with what it was in


def _place(error: ValidationError) -> tuple[str, ...]:
    return tuple(str(part) for part in error.absolute_path)


def _told(error: ValidationError) -> Iterator[Problem]:
    """Say a JSON Schema error in this project's words."""
    path = _json_path(error.absolute_path)
    value: Any = error.validator_value
    instance: Any = error.instance
    match error.validator:
        case "additionalProperties":
            known = _known_keys(error)
            yield from (unknown(name, known, path) for name in instance if name not in known)
        case "required":
            for name in value:
                if name not in instance:
                    yield Problem(member(path, name), "is required.", "Add it.")
        case "type":
            wanted = {"object": "an object", "array": "a list", "string": "a string"}
            yield Problem(path, f"must be {wanted.get(value, value)}, not {shown(instance)}.")
        case "pattern":
            schema: Any = error.schema
            told = f"{shown(instance)} is not understood."
            yield Problem(path, told, schema["description"])
        case _:
            yield Problem(path, f"{error.message}.")


def _known_keys(error: ValidationError) -> set[str]:
    schema: Any = error.schema
    return set(schema["properties"])


def _json_path(parts: Iterable[str | int]) -> str:
    path = "$"
    for part in parts:
        path = f"{path}[{part}]" if isinstance(part, int) else member(path, part)
    return path


# Building


def _build(document: Mapping[str, Any]) -> Config:
    datasets = document.get("datasets", {})
    config = Config(
        group=_section(document.get("datasetGroup", {}), "$.datasetGroup"),
        imports=_section(datasets, "$.datasets"),
        datasets=tuple(
            DatasetConfig(
                kind,
                _section(datasets[kind].get("dataset", {}), f"$.datasets.{kind}.dataset"),
                _section(datasets[kind].get("schema", {}), f"$.datasets.{kind}.schema"),
            )
            for kind in KINDS
            if kind in datasets
        ),
        event_tracker=_optional(document, "eventTracker", "$"),
        filters=_sections(document, "filters", "$"),
        recommenders=_sections(document, "recommenders", "$"),
        solutions=tuple(
            _solution(one, f"$.solutions[{index}]")
            for index, one in enumerate(document.get("solutions", ()))
            if one is not None
        ),
        tags=tuple(document.get("tags", ())),
    )
    return Config(**{**vars(config), "not_yet": tuple(_not_yet(config))})


def _solution(one: Mapping[str, Any], path: str) -> SolutionConfig:
    return SolutionConfig(
        solution=_section(one, path),
        version=_optional(one, "solutionVersion", path),
        campaigns=_sections(one, "campaigns", path),
        batch_inference_jobs=_sections(one, "batchInferenceJobs", path),
        batch_segment_jobs=_sections(one, "batchSegmentJobs", path),
    )


def _section(given: Mapping[str, Any], path: str) -> ResourceConfig:
    return ResourceConfig(path, given.get("serviceConfig", {}), given.get("workflowConfig", {}))


def _optional(given: Mapping[str, Any], key: str, path: str) -> ResourceConfig | None:
    return _section(given[key], f"{path}.{key}") if key in given else None


def _sections(given: Mapping[str, Any], key: str, path: str) -> tuple[ResourceConfig, ...]:
    return tuple(
        _section(one, f"{path}.{key}[{index}]")
        for index, one in enumerate(given.get(key, ()))
        if one is not None
    )


def _not_yet(config: Config) -> Iterator[Problem]:
    """Name the sections that are valid but that this version does not act on."""
    later = {"BatchInferenceJob", "BatchSegmentJob"}
    for noun, section in config.sections():
        if noun in later:
            yield Problem(section.path, f"a {noun} is not created yet by this version.")
        for key in ("schedules", "schedule", "maxAge"):
            if key in section.workflow:
                place = f"{section.path}.workflowConfig.{key}"
                yield Problem(place, "is not carried out yet by this version.")


# Each section against the service


def _against_service(config: Config) -> Iterator[Problem]:
    for noun, section in config.sections():
        yield from _params(noun, section)
    tags = operation("TagResource").input_shape.members["tags"]
    yield from violations(tags, config.tags, "$.tags")
    for dataset in config.datasets:
        path = f"{dataset.schema.path}.serviceConfig.schema"
        if "schema" in dataset.schema.params:
            schema = dataset.schema.params["schema"]
            yield from avro.problems(schema, dataset.kind, config.domain, path)


def _params(noun: str, section: ResourceConfig) -> Iterator[Problem]:
    """Check a serviceConfig against the service's model of its Create operation."""
    place = f"{section.path}.serviceConfig"
    filled = FILLED[noun]
    for name in filled & set(section.params):
        yield Problem(f"{place}.{name}", "is filled in by the workflow.", "Remove it.")
    given = {name: value for name, value in section.params.items() if name not in filled}
    if isinstance(given.get("schema"), Mapping):
        given["schema"] = avro.dumps(given["schema"])
    missing = {Problem(f"{place}.{name}", "is required.", "Add it.") for name in filled}
    for problem in violations(operation(f"Create{noun}").input_shape, given, place):
        if problem not in missing:
            yield problem


# The sections against each other


def _semantics(config: Config) -> Iterator[Problem]:
    yield from _duplicates(config)
    yield from _groups(config)
    yield from _filters(config)
    for solution in config.solutions:
        yield from _recipe(solution, config)
    for recommender in config.recommenders:
        yield from _use_case(recommender, config)


def _duplicates(config: Config) -> Iterator[Problem]:
    """Find names used twice: they are unique in an account, not just in a dataset group."""
    seen: dict[tuple[str, str], str] = {}
    for noun, section in config.sections():
        name = section.params.get("name")
        if not isinstance(name, str):
            continue
        place = f"{section.path}.serviceConfig.name"
        if (noun, name) in seen:
            first = seen[noun, name]
            yield Problem(place, f"{name!r} is already used by {first}.", "Choose another name.")
        seen.setdefault((noun, name), place)


def _groups(config: Config) -> Iterator[Problem]:
    for dataset in config.datasets:
        if config.domain and dataset.kind in {"actions", "actionInteractions"}:
            yield Problem(
                f"$.datasets.{dataset.kind}",
                f"a {config.domain} dataset group cannot hold it.",
                "Actions are for custom dataset groups, without a domain.",
            )
    if config.recommenders and not config.domain:
        yield Problem(
            "$.recommenders",
            "recommenders need a domain dataset group.",
            "Set $.datasetGroup.serviceConfig.domain, or use solutions with campaigns.",
        )
    if config.event_tracker and not _has(config, "interactions"):
        yield Problem("$.eventTracker", "an event tracker needs an interactions dataset.")


def _has(config: Config, kind: str) -> bool:
    return any(dataset.kind == kind for dataset in config.datasets)


def _filters(config: Config) -> Iterator[Problem]:
    schemas = {}
    for dataset in config.datasets:
        schema = dataset.schema.params.get("schema")
        if not avro.problems(schema, dataset.kind, config.domain):
            schemas[dataset.kind] = avro.fields(avro.loads(schema))
    if len(schemas) < len(config.datasets):
        return  # the schemas' own problems are told
    for one in config.filters:
        expression = one.params.get("filterExpression")
        if isinstance(expression, str):
            place = f"{one.path}.serviceConfig.filterExpression"
            yield from filters.problems(expression, schemas, place)


def _recipe(config: SolutionConfig, whole: Config) -> Iterator[Problem]:
    params, place = config.solution.params, f"{config.solution.path}.serviceConfig"
    arn = params.get("recipeArn")
    if params.get("performAutoML"):
        if arn is not None:
            yield Problem(
                f"{place}.recipeArn", "a solution with performAutoML has no recipe.", "Remove one."
            )
        return
    if arn is None:
        yield Problem(f"{place}.recipeArn", "is required.", "Add it.")
    elif config.recipe is None:
        yield _unknown_recipe(f"{place}.recipeArn", arn, None)
    else:
        yield from _fits(config, config.recipe, whole, place)


def _unknown_recipe(path: str, arn: Any, domain: str | None) -> Problem:
    known = [recipe.arn for recipe in RECIPES.values() if recipe.domain == domain]
    return Problem(path, f"{shown(arn)} is not a recipe.", f"Known: {', '.join(known)}.")


def _fits(config: SolutionConfig, recipe: Recipe, whole: Config, place: str) -> Iterator[Problem]:
    if recipe.domain:
        yield Problem(
            f"{place}.recipeArn", f"{recipe.name} makes recommenders.", "Move it to recommenders."
        )
    yield from _needs_data(recipe, whole, f"{place}.recipeArn")
    if config.solution.params.get("performHPO") and not recipe.hpo:
        yield Problem(f"{place}.performHPO", f"{recipe.name} does not support it.", "Remove it.")
    mode = config.version.params.get("trainingMode") if config.version else None
    if config.version and mode == "UPDATE" and not recipe.updates:
        where = f"{config.version.path}.serviceConfig.trainingMode"
        yield Problem(where, f"{recipe.name} does not support UPDATE.", "Use FULL.")


def _needs_data(recipe: Recipe, config: Config, path: str) -> Iterator[Problem]:
    for kind in recipe.datasets:
        if not _has(config, kind):
            yield Problem(
                path, f"{recipe.name} needs the {kind} dataset.", f"Add $.datasets.{kind}."
            )


def _use_case(section: ResourceConfig, config: Config) -> Iterator[Problem]:
    place = f"{section.path}.serviceConfig.recipeArn"
    recipe = RECIPES.get(str(section.params.get("recipeArn")))
    if recipe is None or recipe.domain is None:
        yield _unknown_recipe(place, section.params.get("recipeArn"), config.domain)
    elif recipe.domain != config.domain:
        yield Problem(place, f"{recipe.name} is for {recipe.domain}, not {config.domain}.")
    else:
        yield from _needs_data(recipe, config, place)
