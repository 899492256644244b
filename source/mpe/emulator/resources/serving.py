"""Campaigns."""

from __future__ import annotations

from typing import Any

from mpe.emulator.arns import last
from mpe.emulator.lifecycle import ACTIVE, FAILED
from mpe.emulator.resources import options
from mpe.emulator.resources.base import Kind, Params, in_use, invalid, limit, live
from mpe.emulator.resources.solutions import newest_version
from mpe.emulator.state import Change, Resource, World
from mpe.emulator.wire import ServiceError
from mpe.model.service.recipes import RECIPES, USER_SEGMENTATION

LATEST = "$LATEST"


class CampaignKind(Kind):
    noun = "Campaign"
    update_key = "latestCampaignUpdate"

    def check(self, world: World, params: Params) -> None:
        version = version_of(world, params["solutionVersionArn"])
        _syncs_rightly(params, params["solutionVersionArn"])
        options.check_exploration(params.get("campaignConfig", {}))
        group = version.fields["datasetGroupArn"]
        served = [
            one
            for one in live(world, self.noun)
            if _group(world, one.fields["solutionVersionArn"]) == group
        ]
        if len(served) >= world.quotas.campaigns:
            raise limit(
                f"Cannot create a campaign. More than {world.quotas.campaigns} resources in "
                "ACTIVE state. Please delete some and try again."
            )

    def fields(self, world: World, params: Params, arn: str) -> dict[str, Any]:
        return {"minProvisionedTPS": 1, **super().fields(world, params, arn)}

    def update(self, world: World, found: Resource, params: Params) -> Change:
        """Begin an update; a config alone that it has already is refused.

        aws-samples/amazon-personalize-immersion-day lives with that
        (NewsPublishing/News_02_Training_Layer.ipynb, "already returns metadata as desired").
        """
        if found.state(world.now).status not in {ACTIVE, FAILED}:
            raise in_use(f"{found.arn} cannot be updated now.")
        names = ("solutionVersionArn", "minProvisionedTPS", "campaignConfig")
        sets = {name: params[name] for name in names if name in params}
        if "solutionVersionArn" in sets:
            version_of(world, sets["solutionVersionArn"])
        _syncs_rightly(params, sets.get("solutionVersionArn", ""))
        options.check_exploration(params.get("campaignConfig", {}))
        if set(sets) == {"campaignConfig"} and sets["campaignConfig"] == found.fields.get(
            "campaignConfig"
        ):
            raise invalid(f"{found.arn} has this configuration already.")
        asked = {**{name: found.fields[name] for name in names if name in found.fields}, **sets}
        return Change(world.begin_update(self.noun), sets, asked)


def version_of(world: World, arn: str) -> Resource:
    """Return the version that an ARN means, ``$LATEST`` included; it must be ACTIVE."""
    solution = arn.rsplit("/", 1)[0]
    if last(arn) == LATEST:
        version = newest_version(world, solution, active=True)
        if version is None:
            raise ServiceError(
                "ResourceNotFoundException", f"{solution} has no ACTIVE solution version."
            )
    else:
        version = world.need_active("SolutionVersion", arn)
    if RECIPES[version.fields["recipeArn"]].type == USER_SEGMENTATION:
        raise invalid("A campaign cannot serve a recipe for user segmentation.")
    return version


def _syncs_rightly(params: Params, version: str) -> None:
    """Refuse automatic updates without the version that stands for the newest.

    https://docs.aws.amazon.com/personalize/latest/dg/API_CampaignConfig.html
    """
    syncs = params.get("campaignConfig", {}).get("syncWithLatestSolutionVersion", False)
    if syncs and last(version) != LATEST:
        raise invalid(f"syncWithLatestSolutionVersion needs a solutionVersionArn of /{LATEST}.")


def _group(world: World, version: str) -> str:
    solution = world.resources.get(version.rsplit("/", 1)[0])
    return str(solution.fields["datasetGroupArn"]) if solution else ""
