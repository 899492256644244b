"""What must not run beside what: users' deletion, and all that uses a dataset group's data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mpe.aws.personalize import Busy, Missing, Personalize
from mpe.model.plan.desired import Desired
from mpe.model.plan.erasure import CLASH
from mpe.model.plan.reconcile import Observed
from mpe.model.service.spec import ACTIVE, SPECS, ResourceSpec

GROUP, VERSION = "datasetGroupArn", "solutionVersionArn"


@dataclass(frozen=True)
class Exclusion:
    """Finds what is under way in a dataset group, whoever began it."""

    personalize: Personalize

    def check(self, desired: Desired, group: str) -> None:
        """Raise Busy where something is under way in a group that it must not run beside.

        ``group`` is the dataset group's ARN.
        """
        for noun in desired.spec.apart_from:
            for one in self._listed(SPECS[noun], group):
                status = str(one.get("status", ACTIVE))
                if Observed("", status).in_progress:
                    name = one[SPECS[noun].arn_key].rpartition(":")[2].partition("/")[2]
                    told = f"the {noun} {name} is {status}, and a {desired.noun} must not run "
                    raise Busy(CLASH, f"{told}beside it. It begins by itself once that is done.")

    def _listed(self, spec: ResourceSpec, group: str) -> Iterator[Mapping[str, Any]]:
        """Yield what a dataset group has of a type, through what it is listed by."""
        try:
            if spec.listed_by == GROUP:
                yield from self.personalize.listed(spec, {GROUP: group})
            elif spec.listed_by == VERSION:
                yield from self._of_versions(spec, group)
            else:
                yield from self._of_parents(spec, group)
        except Missing:
            return  # of a parent that was deleted meanwhile

    def _of_parents(self, spec: ResourceSpec, group: str) -> Iterator[Mapping[str, Any]]:
        parent = SPECS[str(spec.parent)]
        for one in self._listed(parent, group):
            yield from self.personalize.listed(spec, {str(spec.listed_by): one[parent.arn_key]})

    def _of_versions(self, spec: ResourceSpec, group: str) -> Iterator[Mapping[str, Any]]:
        """Yield those of the account whose version is of a solution of the group.

        A solution may have many versions, and each summary names its own.
        """
        solution = SPECS["Solution"]
        own = {str(one[solution.arn_key]) for one in self._listed(solution, group)}
        for one in self.personalize.listed(spec):
            if str(one.get(VERSION, "")).rpartition("/")[0] in own:
                yield one
