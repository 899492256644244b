"""What a run would do: every resource observed and decided on, nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mpe.aws.clock import Clock
from mpe.aws.freshness import Freshness, Memory
from mpe.aws.objects import Objects
from mpe.aws.personalize import Personalize
from mpe.model.plan.desired import Desired, DesiredState
from mpe.model.plan.reconcile import Action, Create, Observed, decide

UNKNOWN = "(the new solution version)"
"""Stands for an ARN that only the run will know."""


@dataclass(frozen=True)
class Step:
    """One resource, and what a run would do about it."""

    desired: Desired
    action: Action
    observed: Observed | None = None


def survey(
    state: DesiredState,
    personalize: Personalize,
    objects: Objects,
    memory: Memory,
    clock: Clock,
) -> Iterator[Step]:
    """Decide on every resource as a run would, in its order.

    What would be listed by something that is yet to be created is not looked for. A campaign or a
    batch job follows its solution's version: where there is none yet, or a new one would be
    trained, its ARN is :data:`UNKNOWN`.
    """
    versions: dict[str | None, str] = {}
    absent: set[str | None] = set()
    imported: set[str] = set()
    freshness = Freshness(personalize, memory, clock)
    for resource in state.resources.values():
        if resource.given:
            arn = versions.get(resource.parent, UNKNOWN)
            resource = replace(resource, params={**resource.params, "solutionVersionArn": arn})
        completed = objects.completed(resource)
        desired = completed.desired
        observed = None if _in_absent(desired, absent) else personalize.observe(desired)
        fresh_since = freshness.since(state.group, completed, observed)
        if imported.intersection(desired.after):
            fresh_since = clock.now()
        action = decide(desired, observed, fresh_since=fresh_since, idle=completed.idle)
        if isinstance(action, Create) and desired.arn:
            absent.add(desired.arn)
        if isinstance(action, Create) and desired.noun == "DatasetImportJob":
            imported.add(desired.params["datasetArn"])
        if desired.noun == "SolutionVersion":
            versions[desired.parent] = _version(observed, action)
        yield Step(desired, action, observed)


def _in_absent(desired: Desired, absent: set[str | None]) -> bool:
    """Tell whether what it is listed by is not there yet; a name may be taken nevertheless."""
    if not desired.spec.listed:
        return False
    return desired.parent in absent or desired.params.get(str(desired.spec.listed_by)) == UNKNOWN


def _version(observed: Observed | None, action: Action) -> str:
    return UNKNOWN if observed is None or isinstance(action, Create) else observed.arn
