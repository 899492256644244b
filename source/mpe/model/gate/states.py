"""What became of a version, from what was thought, decided and served: in one word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from mpe.model.gate.pointer import ModelPointer

State = Literal[
    "trained", "judged", "promoting", "live", "settled", "held", "rejected", "expired",
    "rolled back", "superseded", "replaced",
]  # fmt: skip


def state_of(
    version: str,
    *,
    live: bool,
    newest: bool,
    judged: bool,
    decision: Mapping[str, Any] | None,
    pointers: Iterable[ModelPointer],
    moves: Iterable[ModelPointer],
) -> State:
    """Return what became of a version of a solution.

    ``pointers`` are those of the solution's campaigns, ``moves`` all their moves, and ``live``
    whether one of the campaigns serves it. One that is ``settled`` serves alone, with nothing newer
    that waits; one that is ``replaced`` was served, and one that is ``superseded`` never was.
    """
    pointers = list(pointers)
    if live:
        waits = any(one.held is not None for one in pointers)
        return "settled" if newest and not waits else "live"
    if any(version in one.barred for one in pointers):
        return "rolled back"
    if decision and decision["word"] in {"rejected", "expired"}:
        return "rejected" if decision["word"] == "rejected" else "expired"
    if any(one.version == version for one in pointers):
        return "promoting"
    if newest and any(one.held == version for one in pointers):
        return "held"
    if any(one.version == version for one in moves):
        return "replaced"
    if not newest:
        return "superseded"
    return "judged" if judged else "trained"
