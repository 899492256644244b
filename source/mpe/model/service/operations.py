"""Amazon Personalize's own service model, read from the file that botocore carries.

The shapes have the names and attributes of ``botocore.model``. They are read without it since that
module imports the SDK's network code, which is a third of the time that ``mpe validate`` takes; a
test holds both against each other, shape by shape.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import botocore


class OperationNotFoundError(LookupError):
    """The service has no operation of that name."""


class Shape:
    """A type of a service's model, with what is said of it where it is a member."""

    def __init__(self, name: str, facts: Mapping[str, Any], shapes: _Shapes) -> None:
        self.name = name
        self.type_name: str = facts["type"]
        self.metadata = facts
        """``min``, ``max``, ``pattern`` and what else the model says."""
        self._shapes = shapes

    def _of(self, reference: str) -> Shape:
        return self._shapes(self.metadata[reference])


class StructureShape(Shape):
    @cached_property
    def members(self) -> dict[str, Shape]:
        """The members by their names, in the model's order."""
        return {name: self._shapes(one) for name, one in self.metadata["members"].items()}

    @property
    def required_members(self) -> list[str]:
        return list(self.metadata.get("required", ()))


class ListShape(Shape):
    @cached_property
    def member(self) -> Shape:
        return self._of("member")


class MapShape(Shape):
    @cached_property
    def key(self) -> Shape:
        return self._of("key")

    @cached_property
    def value(self) -> Shape:
        return self._of("value")


class StringShape(Shape):
    @property
    def enum(self) -> list[str]:
        """The values that are allowed; none where any is."""
        return list(self.metadata.get("enum", ()))


_Shapes = Callable[[Mapping[str, Any]], Shape]
_CLASSES: dict[str, type[Shape]] = {
    "structure": StructureShape,
    "list": ListShape,
    "map": MapShape,
    "string": StringShape,
}


class OperationModel:
    """One operation: what it takes, what it answers, and how it is asked."""

    def __init__(self, name: str, facts: Mapping[str, Any], shapes: _Shapes) -> None:
        self.name = name
        self.http: Mapping[str, str] = facts["http"]
        """``method`` and ``requestUri``."""
        self._facts, self._shapes = facts, shapes

    @cached_property
    def input_shape(self) -> StructureShape:
        """What is asked with; every operation of these services has one."""
        return self._structure(self._facts["input"])

    @cached_property
    def output_shape(self) -> StructureShape | None:
        return self._structure(self._facts["output"]) if "output" in self._facts else None

    @cached_property
    def error_shapes(self) -> list[Shape]:
        return [self._shapes(one) for one in self._facts.get("errors", ())]

    def _structure(self, reference: Mapping[str, Any]) -> StructureShape:
        found = self._shapes(reference)
        assert isinstance(found, StructureShape)
        return found


class ServiceModel:
    """A service's operations by their names."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts

    @property
    def operation_names(self) -> list[str]:
        return list(self._facts["operations"])

    def operation_model(self, name: str) -> OperationModel:
        """Return one operation; raise OperationNotFoundError where there is none."""
        try:
            facts = self._facts["operations"][name]
        except KeyError:
            raise OperationNotFoundError(name) from None
        return OperationModel(name, facts, self.shape_of)

    def shape_of(self, reference: Mapping[str, Any]) -> Shape:
        """Return what a reference means: a shape, and what the place that names it adds."""
        name = reference["shape"]
        facts = {**self._facts["shapes"][name], **reference}
        return _CLASSES.get(facts["type"], Shape)(name, facts, self.shape_of)


@cache
def service_model(name: str = "personalize") -> ServiceModel:
    """Return the model of ``personalize``, ``personalize-runtime`` or ``personalize-events``.

    It is the newest that the installed botocore carries, packed or not; what somebody keeps in
    ``~/.aws/models`` is not asked, so that a config is right or wrong on all machines alike.
    """
    newest = max((Path(botocore.__file__).parent / "data" / name).iterdir())
    plain, packed = newest / "service-2.json", newest / "service-2.json.gz"
    text = plain.read_bytes() if plain.is_file() else gzip.decompress(packed.read_bytes())
    return ServiceModel(json.loads(text))


@cache
def operation(name: str, service: str = "personalize") -> OperationModel:
    """Return the model of one operation; raise OperationNotFoundError where there is none."""
    return service_model(service).operation_model(name)
