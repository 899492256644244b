"""The table of covered operations is complete and true."""

from __future__ import annotations

import json
import re

import pytest

from mpe.emulator import Request
from mpe.model.service import service_model
from mpe.model.spec import SPECS
from tests.conftest import ROOT, Emulated

VERBS = ("Create", "Update", "Start", "Stop")
CHANGING = sorted(name for name in service_model().operation_names if name.startswith(VERBS))


def table() -> dict[str, tuple[str, str]]:
    """Return what the table says of each operation: workflow, emulator."""
    text = (ROOT / "docs" / "coverage.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (yes|no) \| (yes|no) \|", text, re.MULTILINE)
    return {name: (workflow, emulator) for name, workflow, emulator in rows}


def test_every_operation_of_the_services_model_has_its_row() -> None:
    assert sorted(table()) == CHANGING


@pytest.mark.parametrize("name", CHANGING)
def test_the_table_is_true(emulated: Emulated, name: str) -> None:
    called = {spec.create for spec in SPECS.values()} | {spec.update for spec in SPECS.values()}
    headers = {"x-amz-target": f"AmazonPersonalize.{name}"}
    answer = emulated.service.handle(Request("POST", "/", headers, b"{}"))
    emulated_ = "not emulated" not in json.loads(answer.body).get("message", "")
    said = table()[name]
    assert said[0] == ("yes" if name in called else "no")
    if said[1] == "yes":
        assert emulated_


@pytest.mark.parametrize("name", [name for name, said in table().items() if said[1] == "no"])
def test_what_is_said_not_to_be_emulated_is_not(emulated: Emulated, name: str) -> None:
    from tests.emulator.test_control_plane import sample

    body = json.dumps(sample(service_model().operation_model(name).input_shape)).encode()
    headers = {"x-amz-target": f"AmazonPersonalize.{name}"}
    answer = emulated.service.handle(Request("POST", "/", headers, body))
    assert answer.status == 501
