"""What became of a version, in one word."""

from __future__ import annotations

from typing import Any

import pytest

from mpe.model.gate.pointer import ModelPointer
from mpe.model.gate.states import state_of

OURS, OTHER = "solution/films/1", "solution/films/2"
KNOWN: dict[str, Any] = {
    "live": False,
    "newest": True,
    "judged": True,
    "decision": None,
    "pointers": (),
    "moves": (),
}


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ({"judged": False}, "trained"),
        ({}, "judged"),
        ({"pointers": [ModelPointer(OURS)]}, "promoting"),
        ({"live": True}, "settled"),
        ({"live": True, "newest": False}, "live"),
        ({"live": True, "pointers": [ModelPointer(OURS, held=OTHER)]}, "live"),
        ({"pointers": [ModelPointer(OTHER, held=OURS)]}, "held"),
        ({"newest": False, "pointers": [ModelPointer(OTHER, held=OURS)]}, "superseded"),
        ({"decision": {"word": "rejected"}}, "rejected"),
        (
            {"decision": {"word": "expired"}, "pointers": [ModelPointer(OTHER, held=OURS)]},
            "expired",
        ),
        ({"decision": {"word": "approved"}, "pointers": [ModelPointer(OURS)]}, "promoting"),
        ({"pointers": [ModelPointer(OTHER, barred=(OURS,))]}, "rolled back"),
        ({"newest": False, "moves": [ModelPointer(OURS)]}, "replaced"),
        ({"newest": False}, "superseded"),
    ],
)
def test_each_state_has_its_word(known: dict[str, Any], state: str) -> None:
    assert state_of(OURS, **{**KNOWN, **known}) == state
