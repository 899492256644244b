"""Which desired states nobody can need any more, once a newer one is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from mpe.model.plan.desired import DesiredState
from mpe.model.service.names import began_of

YOUNG = timedelta(days=3)
"""How long before a newer upload a state is kept whatever it says: longer than any run lasts, or
waits, that works towards it."""


def may_be_superseded(version: str, by: str) -> bool:
    """Tell whether a state is so much older than another that no run can work towards it."""
    began, newer = began_of(version), began_of(by)
    return bool(began and newer and began < newer - YOUNG)


def superseded(older: Iterable[DesiredState], newest: DesiredState) -> Iterator[DesiredState]:
    """Yield the states that tell nothing which a newer one does not, of those given newest first.

    One that names a schema which no newer one does is kept: by it the schema is found, and
    removed, when the dataset group goes.
    """
    known = _schemas(newest)
    for state in older:
        if _schemas(state) <= known:
            yield state
        known |= _schemas(state)


def _schemas(state: DesiredState) -> set[str | None]:
    return {one.arn for one in state.resources.values() if one.noun == "Schema"}
