"""The config file: parsed into frozen values, or every problem in it at once.

The format is that of the existing AWS solution, so that its users move over with their
files. Its shape is ``config.schema.json``; each ``serviceConfig`` is checked against the
service's own model of the Create operation, then the sections against each other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from mpe.model.config import forms
from mpe.model.config.checks import whole
from mpe.model.config.sections import KINDS, Config, DatasetConfig, ResourceConfig, SolutionConfig
from mpe.model.errors import ConfigError, Problem
from mpe.model.rules import files as rules
from mpe.model.service.limits import (
    DIGITS_LIMIT,
    PROBLEMS_LIMIT,
    SIZE_LIMIT,
    TOO_DEEP,
    excesses,
    some,
    too_deep,
)
from mpe.model.service.shapes import member, near, shown, unknown
from mpe.model.service.spec import SPECS
from mpe.model.text import plain

MOST_IGNORED, LONGEST_IGNORED = 50, 100
"""Keys of one object, and characters of a key, that are left out with a note; more is a problem."""
MISSPELT = 0.75
"""How much of a key a known one has where that is probably meant: ``comment`` has 0.63 of
``recommenders``, ``solution`` 0.94 of ``solutions``."""
__all__ = ["SIZE_LIMIT", "Config", "DatasetConfig", "ResourceConfig", "SolutionConfig", "parse"]


def parse(text: str | bytes) -> Config:
    """Return the config, or raise ConfigError with every problem found in it.

    A part that has not the right shape is told and left out, and the rest is checked on.
    """
    read = forms.read(_load(text))
    shape = some(_shape(read.document))
    if len(shape) > PROBLEMS_LIMIT:
        raise ConfigError(shape)
    config = _build(_pruned(read.document))
    known = {problem.path for problem in shape}
    found = (one for one in whole.problems(config) if not _follows(one.path, known))
    _raise_any(read.in_file(one) for one in (*shape, *found))
    notes = (*read.notes, *some(_ignored(read.document)), *whole.notes(config))
    told = (read.in_file(one) for one in notes if one.rule not in config.ignored)
    return replace(config, notes=tuple(told))


def _follows(path: str, known: set[str]) -> bool:
    """Tell whether a problem only follows from another: of a part that is missing or wrong."""
    ends = (index for index, char in enumerate(path) if char in ".[")
    return path in known or any(path[:end] in known for end in ends)


def _raise_any(found: Iterable[Problem]) -> None:
    problems = some(found)
    if problems:
        raise ConfigError(problems)


# Reading


def _load(text: str | bytes) -> Any:
    """Return the JSON document; what is not JSON is one problem, told with its place."""
    if len(text) > SIZE_LIMIT:
        raise ConfigError([rules.SIZE.problem("$", f"is larger than {SIZE_LIMIT:,} bytes.")])
    twice: list[str] = []
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        document = json.loads(
            decoded,
            object_pairs_hook=lambda pairs: _object(pairs, twice),
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        if too_deep(decoded):
            raise ConfigError([rules.DEPTH.problem("$", TOO_DEEP, "Nothing needs that.")]) from None
        place = f"line {error.lineno}, column {error.colno}"
        told = f"is not JSON: {error.msg} at {place}."
        raise ConfigError([rules.JSON.problem("$", told)]) from None
    except UnicodeDecodeError as error:
        message = f"is not UTF-8: the byte at {error.start} is not text."
        wrong = rules.ENCODING.problem("$", message, "Save the file as UTF-8.")
        raise ConfigError([wrong]) from None
    except RecursionError:
        raise ConfigError([rules.DEPTH.problem("$", TOO_DEEP, "Nothing needs that.")]) from None
    except ValueError as error:
        raise ConfigError([rules.NUMBER.problem("$", f"is not JSON: {error}.")]) from None
    _raise_any(
        rules.KEY_TWICE.problem("$", f"has the key {key!r} twice in one object.", "Keep one.")
        for key in twice
    )
    _raise_any(excesses(document))
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


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {plain(text, 20)} is too large")
    return number


def _whole(text: str) -> int:
    if len(text) > DIGITS_LIMIT:
        raise ValueError(f"the number {plain(text, 20)} is too large")
    return int(text)


# The shape


@cache
def _validator() -> Draft202012Validator:
    text = Path(__file__).with_name("config.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(_without_parameters(json.loads(text)))


def _without_parameters(schema: Any) -> Any:
    """Leave the service's own parameters to the checks against its model, which say more."""
    if isinstance(schema, dict):
        return {
            key: {"type": "object"} if key == "serviceConfig" else _without_parameters(value)
            for key, value in schema.items()
        }
    return [_without_parameters(one) for one in schema] if isinstance(schema, list) else schema


def _shape(document: Any) -> Iterator[Problem]:
    errors = islice(_validator().iter_errors(document), PROBLEMS_LIMIT + 1)
    for error in sorted(errors, key=_place):
        yield from _told(error)


def _ignored(document: Any) -> Iterator[Problem]:
    """Yield the keys that mean nothing here, and that no known one is like: they are left out."""
    for error in sorted(_validator().iter_errors(document), key=_place):
        if error.validator == "additionalProperties":
            known, path = _known_keys(error), _json_path(error.absolute_path)
            for name in error.instance:
                if name not in known and _may_be_ignored(name, known, error.instance):
                    told = "is not known here, and is ignored."
                    yield rules.UNUSED.problem(member(path, name), told)


def _may_be_ignored(name: str, known: set[str], beside: Any) -> bool:
    """Tell whether a key is surely no known one misspelt, in an object that may be a config's.

    The AWS solution ignores what it does not know, and public files have such keys.
    """
    if "interactions" in known:
        return False  # a dataset that is left out is missed when training is paid for
    few = len(beside) - len(known) <= MOST_IGNORED
    return few and len(name) <= LONGEST_IGNORED and near(name, known, like=MISSPELT) is None


def _place(error: ValidationError) -> tuple[str, ...]:
    return tuple(str(part) for part in error.absolute_path)


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


def _told(error: ValidationError) -> Iterator[Problem]:
    """Say a JSON Schema error in this project's words."""
    path = _json_path(error.absolute_path)
    value: Any = error.validator_value
    instance: Any = error.instance
    match error.validator:
        case "additionalProperties":
            known = _known_keys(error)
            for name in instance:
                if name not in known and not _may_be_ignored(name, known, instance):
                    yield unknown(name, known, path, rules.KEY)
        case "required":
            for name in value:
                if name not in instance:
                    yield rules.REQUIRED.problem(member(path, name), "is required.", "Add it.")
        case "type":
            wanted = {"object": "an object", "array": "a list", "string": "a string"}
            told = f"must be {wanted.get(value, value)}, not {shown(instance)}."
            yield rules.TYPE.problem(path, told)
        case _:
            yield rules.SHAPE.problem(path, f"{error.message}.")


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
    return Config(
        group=_section(document.get("datasetGroup", {}), "$.datasetGroup"),
        imports=_section(datasets, "$.datasets"),
        datasets=tuple(
            DatasetConfig(
                kind,
                _section(datasets[kind].get("dataset", {}), f"$.datasets.{kind}.dataset"),
                _section(datasets[kind].get("schema", {}), f"$.datasets.{kind}.schema"),
                _optional(datasets[kind], "export", f"$.datasets.{kind}"),
            )
            for kind in KINDS
            if kind in datasets
        ),
        solutions=tuple(
            _solution(one, f"$.solutions[{index}]")
            for index, one in enumerate(document.get("solutions", ()))
            if one is not None
        ),
        own=_own(document, "$", top=True),
        tags=tuple(document.get("tags", ())),
        ignored=tuple(one for one in document.get("ignore", ()) if one is not None),
    )


def _solution(one: Mapping[str, Any], path: str) -> SolutionConfig:
    return SolutionConfig(
        solution=_section(one, path),
        version=_optional(one, "solutionVersion", path),
        own=_own(one, path, top=False),
    )


def _own(
    given: Mapping[str, Any], path: str, *, top: bool
) -> dict[str, tuple[ResourceConfig, ...]]:
    """Read the sections that types have at the top of the file, or else in a solution."""
    places = {"one", "many"} if top else {"solution"}
    return {
        spec.noun: _single(given, spec.key, path)
        if spec.section == "one"
        else _sections(given, f"{spec.key}s", path)
        for spec in SPECS.values()
        if spec.section in places
    }


def _single(given: Mapping[str, Any], key: str, path: str) -> tuple[ResourceConfig, ...]:
    found = _optional(given, key, path)
    return (found,) if found else ()


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
