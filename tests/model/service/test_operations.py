"""Our reading of the service's model against botocore's own, which is the judge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.model
import pytest
from botocore.loaders import Loader

from mpe.model.service.operations import (
    ListShape,
    MapShape,
    OperationNotFoundError,
    ServiceModel,
    Shape,
    StringShape,
    StructureShape,
    operation,
    service_model,
)

SERVICES = ("personalize", "personalize-runtime", "personalize-events")
SAID = ("min", "max", "pattern", "sensitive", "error", "exception")


def said(shape: Any) -> Iterator[tuple[Any, ...]]:
    """Yield what a model says of a shape and of all below it, whoever reads it."""
    ours = isinstance(shape, Shape)
    told = shape.metadata.get("documentation", "") if ours else shape.documentation
    yield shape.name, shape.type_name, told, {key: shape.metadata.get(key) for key in SAID}
    if isinstance(shape, StructureShape | botocore.model.StructureShape):
        yield tuple(shape.required_members), tuple(shape.members)
        for one in shape.members.values():
            yield from said(one)
    elif isinstance(shape, ListShape | botocore.model.ListShape):
        yield from said(shape.member)
    elif isinstance(shape, MapShape | botocore.model.MapShape):
        yield from said(shape.key)
        yield from said(shape.value)
    elif isinstance(shape, StringShape | botocore.model.StringShape):
        yield tuple(shape.enum)


def of_operation(model: Any) -> list[Any]:
    shapes = [model.input_shape, *model.error_shapes]
    answered = [list(said(model.output_shape))] if model.output_shape else []
    http = model.http["method"], model.http["requestUri"]
    return [model.name, http, answered, *(list(said(one)) for one in shapes)]


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_read_as_botocore_reads_it(service: str) -> None:
    theirs = botocore.model.ServiceModel(Loader().load_service_model(service, "service-2"), service)
    ours = service_model(service)
    assert ours.operation_names == list(theirs.operation_names)
    for name in ours.operation_names:
        assert of_operation(ours.operation_model(name)) == of_operation(
            theirs.operation_model(name)
        )


def test_what_is_said_of_a_member_goes_before_what_is_said_of_its_shape() -> None:
    shapes = {
        "Name": {"type": "string", "min": 1, "documentation": "A name."},
        "Films": {
            "type": "structure",
            "members": {"title": {"shape": "Name", "documentation": "The title."}},
        },
    }
    model = ServiceModel({"shapes": shapes, "operations": {}})
    films = model.shape_of({"shape": "Films"})
    assert isinstance(films, StructureShape)
    title = films.members["title"].metadata
    assert (title["min"], title["documentation"]) == (1, "The title.")


def test_an_operation_that_there_is_not_is_told() -> None:
    with pytest.raises(OperationNotFoundError, match="CreateNothing"):
        operation("CreateNothing")
