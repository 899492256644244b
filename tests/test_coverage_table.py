"""The table of covered operations is complete and true."""

from __future__ import annotations

import json
import re

import pytest

from mpe.emulator import Request
from mpe.model.service.shapes import service_model
from mpe.model.service.spec import SPECS
from tests.conftest import ROOT, Emulated
from tests.emulator.test_control_plane import sample

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
    called = {
        operation
        for spec in SPECS.values()
        for operation in (spec.create, spec.update, *spec.switches.values())
    }
    body = json.dumps(sample(service_model().operation_model(name).input_shape)).encode()
    headers = {"x-amz-target": f"AmazonPersonalize.{name}"}
    answer = emulated.service.handle(Request("POST", "/", headers, body))
    assert table()[name] == (_said(name in called), _said(answer.status != 501))


def _said(so: bool) -> str:
    return "yes" if so else "no"
