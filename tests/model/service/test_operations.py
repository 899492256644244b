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
    yield shape.name, shape.type_name, {key: shape.metadata.get(key) for key in SAID}
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


def test_a_member_says_more_of_its_shape_than_the_shape_itself() -> None:
    model = service_model()
    plain = operation("CreateSolution").input_shape.members["name"]
    assert isinstance(plain, Shape)
    assert (
        plain.metadata["documentation"]
        != model.operation_model("CreateCampaign")
        .input_shape.members["name"]
        .metadata["documentation"]
    )


def test_an_operation_that_there_is_not_is_told() -> None:
    with pytest.raises(OperationNotFoundError, match="CreateNothing"):
        operation("CreateNothing")
