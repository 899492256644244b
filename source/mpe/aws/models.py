"""The versions of a dataset group's solutions: their numbers, and where they are live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mpe.aws.ledger import Ledger
from mpe.aws.personalize import Missing, Personalize, Refused
from mpe.model.gate.versions import Version
from mpe.model.service.spec import ACTIVE, SPECS


@dataclass(frozen=True)
class Model:
    """One version of a solution."""

    version: Version
    status: str
    live: tuple[str, ...]
    """The campaigns that serve it."""


@dataclass(frozen=True)
class Models:
    """Read what the service and the ledger know of versions."""

    personalize: Personalize
    ledger: Ledger

    def of(self, group: str, arn: str, solution: str | None = None) -> Iterator[Model]:
        """Yield the versions of a group's solutions, or of one, each solution's newest first.

        The service says which there are; raise Missing where there is no such group, of which
        its lists would be empty.
        """
        self.personalize.described(SPECS["DatasetGroup"], arn)
        for one in self.personalize.listed(SPECS["Solution"], {"datasetGroupArn": arn}):
            if solution in {None, one["name"]}:
                yield from self._versions(group, one["solutionArn"])

    def _versions(self, group: str, solution: str) -> Iterator[Model]:
        of = {"solutionArn": solution}
        serving = self._serving(of)
        name = solution.rpartition("/")[2]
        known = {one.arn: one for one in self.ledger.versions(group, name)}
        found = self.personalize.listed(SPECS["SolutionVersion"], of)
        for one in sorted(found, key=lambda each: each["creationDateTime"], reverse=True):
            arn = one["solutionVersionArn"]
            version = known.get(arn) or self._told(one)
            live = (name for name, serves in serving.items() if serves == arn)
            yield Model(version, one["status"], tuple(sorted(live)))

    def _serving(self, of: Mapping[str, Any]) -> dict[str, str]:
        """Return the version that each campaign of a solution serves."""
        spec = SPECS["Campaign"]
        found = {}
        for one in self.personalize.listed(spec, of):
            try:
                campaign = self.personalize.described(spec, one["campaignArn"])
            except Missing:
                continue
            found[campaign["name"]] = campaign["solutionVersionArn"]
        return found

    def _told(self, listed: Mapping[str, Any]) -> Version:
        """Return what the service tells of a version that the ledger does not know."""
        arn, status = listed["solutionVersionArn"], listed["status"]
        told: Mapping[str, Any] = {}
        metrics: Mapping[str, float] = {}
        try:
            told = self.personalize.described(SPECS["SolutionVersion"], arn)
            metrics = self.personalize.metrics(arn) if status == ACTIVE else {}
        except (Missing, Refused):
            pass  # it is being deleted, or has none
        return Version(
            arn,
            metrics,
            mode=str(told.get("trainingMode") or "FULL"),
            hours=told.get("trainingHours"),
            created=listed["creationDateTime"].isoformat(),
        )
