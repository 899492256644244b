"""Users' deletion from a dataset group: what must not run beside it, and what is due after it.

The guide asks for no import, training or batch job while one is at work, and for new versions of
solutions and updated campaigns after it; what is outside of the service it leaves to who asked
(https://docs.aws.amazon.com/personalize/latest/dg/delete-records.html).
"""

from __future__ import annotations

from typing import Any

from mpe.model.plan.desired import DesiredState

DELETION = "DataDeletionJob"
CLASH = "DataDeletionUnderWay"
"""The error of what waits since it must not run beside a deletion."""
FULL = "FULL"
"""The training mode whose models have nothing of earlier ones."""


def due(state: DesiredState) -> dict[str, Any]:
    """Return which models a deletion leaves as they are, and which task trains each anew."""
    found = state.resources.values()
    solutions = [
        {
            "name": one.name,
            "arn": str(one.arn),
            "task": f"full.{one.name}" if f"full.{one.name}" in state.tasks else None,
        }
        for one in found
        if one.noun == "Solution"
    ]
    recommenders = [one.name for one in found if one.noun == "Recommender"]
    return {
        "solutions": [{key: value for key, value in one.items() if value} for one in solutions],
        "recommenders": recommenders,
    }
