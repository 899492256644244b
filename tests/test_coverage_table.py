"""The page of covered operations and parameters is complete and true."""

from __future__ import annotations

import json

import pytest

from mpe.emulator import Request
from mpe.model.service.operations import service_model
from tests import coverage
from tests.conftest import Emulated
from tests.coverage import KEPT_ONLY, PROBES, parameters
from tests.emulator.test_control_plane import sample

OPERATIONS = list(coverage.operations())


def test_the_page_is_as_its_generator_writes_it() -> None:
    told = "run `python -m tests.coverage`"
    assert coverage.PAGE.read_text() == coverage.page(), told


def test_all_operations_of_the_three_models_are_there() -> None:
    assert len(OPERATIONS) == 79


@pytest.mark.parametrize(("name", "service"), OPERATIONS)
def test_every_operation_is_answered(emulated: Emulated, name: str, service: str) -> None:
    answer = ask(emulated, name, service)
    assert answer[0] not in {500, 501}, answer


@pytest.mark.parametrize(("name", "service"), OPERATIONS)
def test_an_arn_of_nothing_is_refused(emulated: Emulated, name: str, service: str) -> None:
    shape = service_model(service).operation_model(name).input_shape
    if shape and any(one.endswith("Arn") for one in shape.required_members):
        assert ask(emulated, name, service)[0] in {400, 404}


def ask(emulated: Emulated, name: str, service: str) -> tuple[int, str]:
    """Call an operation with what is required and names nothing that is there."""
    model = service_model(service).operation_model(name)
    body = json.dumps(sample(model.input_shape)).encode()  # type: ignore[arg-type]
    headers = {"x-amz-target": f"AmazonPersonalize.{name}"} if service == "personalize" else {}
    request = Request(model.http["method"], model.http["requestUri"], headers, body)
    answer = emulated.service.handle(request)
    return answer.status, answer.body.decode()


def test_what_is_said_is_of_parameters_that_there_are() -> None:
    known = {f"{name}.{one}" for name, service in OPERATIONS for one in parameters(name, service)}
    assert not set(PROBES) - known
    assert not KEPT_ONLY - {one.split(".", 1)[1] for one in known}
