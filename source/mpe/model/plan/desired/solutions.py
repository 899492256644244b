"""A solution, its version, and what serves the version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mpe.model.config.sections import ResourceConfig, SolutionConfig, inner
from mpe.model.gate.smoke import askable
from mpe.model.gate.terms import merged
from mpe.model.plan.desired.making import Making, name_of
from mpe.model.plan.desired.records import Data, Desired
from mpe.model.service.spec import SPECS

LATEST = "$LATEST"
"""What a campaign follows that syncs with the newest solution version by itself."""
BATCH_INPUT = "job_config.json"
"""What the batch jobs of a solution read, in ``batch/<dataset group>/<solution>/``.

A recipe has either batch inference or segments, so that both kinds may read the same name, which
is the AWS solution's.
"""


@dataclass(frozen=True)
class SolutionMaking:
    """One solution of a config, and what its resources are made from."""

    making: Making
    config: SolutionConfig

    @property
    def name(self) -> str:
        return name_of(self.config.solution)

    @property
    def arn(self) -> str:
        return self.making.place.arn(f"solution/{self.name}")

    def solution(self) -> Desired:
        """Return it so that one alone trains: the schedule where there is one, else the service."""
        section = self.config.solution
        training = {"performAutoTraining": False} if section.trained_by_schedule else {}
        made = self.making.in_group("Solution", f"solution.{self.name}", section)
        return replace(made, params={**training, **made.params})

    def version(self) -> Desired:
        section = self.config.version or ResourceConfig(self.config.solution.path, {}, {})
        tags = self.making.tags("SolutionVersion", section)
        return Desired(
            f"version.{self.name}",
            "SolutionVersion",
            self.name,
            section.path,
            {**section.params, "solutionArn": self.arn, **tags},
            parent=self.arn,
            max_age=self.config.solution.max_age,
            gate=self.gate(),
            campaigns=self.judged(),
        )

    def gate(self) -> dict[str, Any]:
        """Return what its versions are judged by, the group's and its own."""
        group = inner(self.making.config.group.workflow, "gate")
        own = inner(self.config.solution.workflow, "gate")
        found = merged(group, own, self.name, self.config.recipe)
        refreshed = self.config.recipe is not None and self.config.recipe.refreshed
        return {**found, "refreshed": refreshed}

    def judged(self) -> tuple[dict[str, Any], ...]:
        """Return the campaigns that versions are judged for: not those that follow by themselves.

        A solution without campaigns has a pointer of its own, for its batch jobs.
        """
        mode = self.gate().get("mode", "observe")
        found = []
        for section in self.config.campaigns:
            own = inner(section.workflow, "gate").get("mode", mode)
            pinned = "solutionVersionArn" in section.params
            if own != "off" and not _follows(section):
                name = name_of(section)
                arn = self.making.place.arn(f"campaign/{name}")
                id = f"campaign.{self.name}.{name}"
                found.append({"id": id, "arn": arn, "mode": own, "pinned": pinned})
        if not self.config.campaigns and self.batches and mode != "off":
            found.append({"id": f"version.{self.name}", "mode": mode, "pinned": False})
        return tuple(found)

    def smoke(self, section: ResourceConfig, pointer: str | None) -> dict[str, Any]:
        """Return what a campaign's answers are held to, and how it is watched once it has moved.

        Each where a gate holds, or asks for it.
        """
        gate = self.gate()
        mode = inner(section.workflow, "gate").get("mode", gate.get("mode", "observe"))
        if pointer is None or self.config.recipe is None:
            return {}
        asked = [one for one in ("smoke", "watch") if one in gate or mode != "observe"]
        if mode == "off" or not asked:
            return {}
        return {
            "mode": mode,
            **{one: gate.get(one, {}) for one in asked},
            "recipe": self.config.recipe.type,
            "probes": f"smoke/{self.making.group}/{self.name}.csv",
            "filters": self._filters(self.config.recipe.type),
        }

    def _filters(self, recipe: str) -> list[str]:
        """Return the ARNs of the filters that a campaign is asked with."""
        sections = self.making.config.of("Filter")
        found = {name_of(one): str(one.params.get("filterExpression")) for one in sections}
        return [self.making.place.arn(f"filter/{name}") for name in askable(recipe, found)]

    @property
    def batches(self) -> bool:
        return bool(self.config.batch_inference_jobs or self.config.batch_segment_jobs)

    def pointer(self, id: str | None = None) -> str | None:
        """Return the id of the pointer that a campaign follows, or the first that there is."""
        own = (one["id"] for one in self.judged() if not one["pinned"])
        return next((one for one in own if id in {None, one}), None)


def _follows(section: ResourceConfig) -> bool:
    options = section.params.get("campaignConfig") or {}
    return bool(options.get("syncWithLatestSolutionVersion"))


def campaigns(of: SolutionMaking) -> Iterator[Desired]:
    for section in of.config.of("Campaign"):
        name = name_of(section)
        follows = _follows(section)
        version = {"solutionVersionArn": f"{of.arn}/{LATEST}"} if follows else {}
        stays = "solutionVersionArn" in section.params
        id = f"campaign.{of.name}.{name}"
        pointer = None if follows or stays else of.pointer(id)
        yield Desired(
            id,
            "Campaign",
            name,
            section.path,
            {**version, **section.params, **of.making.tags("Campaign", section)},
            arn=of.making.place.arn(f"campaign/{name}"),
            parent=of.arn,
            group=of.making.group_arn,
            given=() if follows or stays else ("solutionVersionArn",),
            pointer=pointer,
            gate=of.smoke(section, pointer),
        )


def inference_jobs(of: SolutionMaking) -> Iterator[Desired]:
    return _batch_jobs("BatchInferenceJob", of)


def segment_jobs(of: SolutionMaking) -> Iterator[Desired]:
    return _batch_jobs("BatchSegmentJob", of)


def _batch_jobs(noun: str, of: SolutionMaking) -> Iterator[Desired]:
    """Run jobs on a solution's version, again where their input is newer than the last."""
    making = of.making
    folder = f"batch/{making.group}/{of.name}/"
    for base, section in of.config.jobs(noun):
        yield Desired(
            f"{SPECS[noun].key}.{of.name}.{base}",
            noun,
            base,
            section.path,
            _job_params(making, noun, section),
            parent=of.arn,
            given=("solutionVersionArn",),
            pointer=None if section.workflow.get("version") == "newest" else of.pointer(),
            data=Data(making.place.bucket, folder + BATCH_INPUT),
            output=making.output(noun, of.name),
            max_age=section.max_age,
        )


def _job_params(making: Making, noun: str, section: ResourceConfig) -> dict[str, Any]:
    own = {key: value for key, value in section.params.items() if key != "jobName"}
    return {**own, "roleArn": making.place.role_arn, **making.tags(noun, section)}
