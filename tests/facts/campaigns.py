"""Campaigns."""

from __future__ import annotations

from typing import Any

from tests.facts.bench import GONE, IN_USE, INVALID, THERE, Bench, refused
from tests.facts.groups import seen
from tests.facts.record import GUIDE, WORKSHOP, Area

fact = Area("campaigns")
CREATE = f"{GUIDE}API_CreateCampaign.html"
UPDATE = f"{GUIDE}API_UpdateCampaign.html"
KEPT = f"{WORKSHOP} Media/Media_03_Training.ipynb, the output of execution 16"


def told_of(bench: Bench, arn: str) -> dict[str, Any]:
    return dict(bench.client.describe_campaign(campaignArn=arn)["campaign"])


@fact("R", "DescribeCampaign gives the config as it was given", KEPT)
def _(bench: Bench) -> None:
    config = {"enableMetadataWithRecommendations": True}
    arn = bench.served(bench.version(), campaignConfig=config)
    assert told_of(bench, arn)["campaignConfig"] == config


@fact("R", "latestCampaignUpdate is there only after an update", KEPT)
def _(bench: Bench) -> None:
    arn = bench.served(bench.version())
    assert "latestCampaignUpdate" not in told_of(bench, arn)
    bench.client.update_campaign(campaignArn=arn, minProvisionedTPS=2)
    assert told_of(bench, arn)["latestCampaignUpdate"]["minProvisionedTPS"] == 2


@fact("D", "minProvisionedTPS is 1 where it was not given", CREATE)
def _(bench: Bench) -> None:
    assert told_of(bench, bench.campaign())["minProvisionedTPS"] == 1


@fact("R", "the ARN of a campaign ends with its name, which is taken once", KEPT)
def _(bench: Bench) -> None:
    arn = bench.campaign()
    taken = refused(
        bench.client.create_campaign,
        name=arn.rpartition(":campaign/")[2],
        solutionVersionArn=bench.version(),
    )
    assert taken[0] == THERE


@fact("D", "a campaign goes from CREATE PENDING over CREATE IN_PROGRESS to ACTIVE", CREATE)
def _(bench: Bench) -> None:
    made = bench.client.create_campaign(name=bench.name("c"), solutionVersionArn=bench.version())
    call = bench.client.describe_campaign
    found = seen(bench, call, "campaign", step=20, campaignArn=made["campaignArn"])
    assert found == ["CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"]


@fact(
    "R",
    "the ARN of a solution in place of a version's: ResourceNotFoundException",
    "https://github.com/aws/aws-sdk-js-v3/issues/4982",
)
def _(bench: Bench) -> None:
    solution = bench.version().rpartition("/")[0]
    call = bench.client.create_campaign
    assert refused(call, name=bench.name("c"), solutionVersionArn=solution)[0] == GONE


@fact("D", "SOLUTION/$LATEST stands for the latest version", CREATE)
def _(bench: Bench) -> None:
    solution = bench.version().rpartition("/")[0]
    arn = bench.served(f"{solution}/$LATEST")
    assert told_of(bench, arn)["status"] == "ACTIVE"


@fact("D", "automatic updates need $LATEST", CREATE)
def _(bench: Bench) -> None:
    config = {"syncWithLatestSolutionVersion": True}
    code, _ = refused(bench.served, version=bench.version(), campaignConfig=config)
    assert code == INVALID


@fact(
    "D", "a version that is not ACTIVE cannot be deployed", f"{GUIDE}API_CreateSolutionVersion.html"
)
def _(bench: Bench) -> None:
    arn = bench.client.create_solution_version(solutionArn=bench.solution())["solutionVersionArn"]
    call = bench.client.create_campaign
    assert refused(call, name=bench.name("c"), solutionVersionArn=arn)[0] == IN_USE
    bench.wait(3600)


@fact("D", "recipes for segments have no campaigns", f"{GUIDE}native-recipe-item-affinity.html")
def _(bench: Bench) -> None:
    assert refused(bench.served, version=bench.version("item-affinity"))[0] == INVALID


@fact(
    "D",
    "a sixth: Cannot create a campaign. More than 5 resources in ACTIVE state. ...",
    f"{GUIDE}error-messages.html",
)
def _(bench: Bench) -> None:
    own = bench.fresh()
    group = own.group()
    own.imported(group)
    version = own.version(own.solution(group))
    for number in range(5):
        own.campaign(version, name=f"c{number}")
    _, told = refused(own.campaign, version=version, name="c5")
    assert told == (
        "Cannot create a campaign. More than 5 resources in ACTIVE state. "
        "Please delete some and try again."
    )


@fact("D", "while it is being updated its own status stays ACTIVE", UPDATE)
def _(bench: Bench) -> None:
    arn = bench.served(bench.version())
    bench.client.update_campaign(campaignArn=arn, minProvisionedTPS=3)
    told = told_of(bench, arn)
    assert (told["status"], told["latestCampaignUpdate"]["status"]) == ("ACTIVE", "CREATE PENDING")


@fact("D", "until the update is ACTIVE the old version and config are used", UPDATE)
def _(bench: Bench) -> None:
    first, second = bench.version(), bench.trained(bench.solution())
    arn = bench.served(first)
    bench.client.update_campaign(campaignArn=arn, solutionVersionArn=second)
    assert told_of(bench, arn)["solutionVersionArn"] == first
    bench.wait(600)
    assert told_of(bench, arn)["solutionVersionArn"] == second


@fact("M", "an update that is under way refuses another", "UpdateCampaign errors")
def _(bench: Bench) -> None:
    arn = bench.served(bench.version())
    bench.client.update_campaign(campaignArn=arn, minProvisionedTPS=3)
    call = bench.client.update_campaign
    assert refused(call, campaignArn=arn, minProvisionedTPS=4)[0] == IN_USE


@fact(
    "R",
    "a config that it has already: InvalidInputException",
    f"{WORKSHOP} NewsPublishing/News_02_Training_Layer.ipynb, the code of execution 9",
)
def _(bench: Bench) -> None:
    config = {"enableMetadataWithRecommendations": True}
    arn = bench.served(bench.version(), campaignConfig=config)
    call = bench.client.update_campaign
    assert refused(call, campaignArn=arn, campaignConfig=config)[0] == INVALID


@fact("D", "a campaign that is deleted goes over DELETE PENDING and DELETE IN_PROGRESS", CREATE)
def _(bench: Bench) -> None:
    arn = bench.served(bench.version())
    bench.client.delete_campaign(campaignArn=arn)
    found = [told_of(bench, arn)["status"]]
    bench.wait(10)
    found.append(told_of(bench, arn)["status"])
    bench.wait(60)
    assert found == ["DELETE PENDING", "DELETE IN_PROGRESS"]
    assert refused(bench.client.describe_campaign, campaignArn=arn)[0] == GONE


@fact("D", "its version is there after it is deleted", f"{GUIDE}API_DeleteCampaign.html")
def _(bench: Bench) -> None:
    arn = bench.served(bench.version())
    bench.client.delete_campaign(campaignArn=arn)
    bench.wait(60)
    call = bench.client.describe_solution_version
    assert call(solutionVersionArn=bench.version())["solutionVersion"]["status"] == "ACTIVE"


@fact("M", "rankingInfluence is from 0 to 1 for POPULARITY and FRESHNESS", "RankingInfluence")
def _(bench: Bench) -> None:
    for influence in ({"POPULARITY": 1.5}, {"PRICE": 0.5}):
        config = {"rankingInfluence": influence}
        code, _ = refused(bench.served, version=bench.version(), campaignConfig=config)
        assert code == INVALID


def _explored(name: str, value: str) -> None:
    @fact("D", f"{name} {value} is refused", f"{GUIDE}use-case-recipe-features.html")
    def _(bench: Bench) -> None:
        config = {"itemExplorationConfig": {name: value}}
        code, _ = refused(bench.served, version=bench.version(), campaignConfig=config)
        assert code == INVALID
        arn = bench.campaign()
        call = bench.client.update_campaign
        assert refused(call, campaignArn=arn, campaignConfig=config)[0] == INVALID


for pair in (
    ("explorationWeight", "1.5"),
    ("explorationWeight", "-0.1"),
    ("explorationWeight", "much"),
    ("explorationItemAgeCutOff", "-1"),
):
    _explored(*pair)


@fact("D", "explorationWeight is from 0 to 1", f"{GUIDE}use-case-recipe-features.html")
def _(bench: Bench) -> None:
    for weight in ("0", "0.3", "1.0"):
        config = {"itemExplorationConfig": {"explorationWeight": weight}}
        arn = bench.served(bench.version(), campaignConfig=config)
        assert told_of(bench, arn)["campaignConfig"] == config


@fact("M", "minProvisionedTPS is at least 1", "TransactionsPerSecond")
def _(bench: Bench) -> None:
    model = bench.client.meta.service_model.operation_model("CreateCampaign").input_shape
    assert model.members["minProvisionedTPS"].metadata["min"] == 1


@fact("M", "a campaign's summary has neither version nor config", "CampaignSummary")
def _(bench: Bench) -> None:
    bench.campaign()
    (told, *_) = bench.client.list_campaigns()["campaigns"]
    assert not {"solutionVersionArn", "campaignConfig", "minProvisionedTPS"} & set(told)


@fact(
    "D", "ListCampaigns of a solution gives those of its versions", f"{GUIDE}API_ListCampaigns.html"
)
def _(bench: Bench) -> None:
    version = bench.trained(bench.solution())
    arn = bench.served(version)
    listed = bench.client.list_campaigns(solutionArn=version.rpartition("/")[0])["campaigns"]
    assert [one["campaignArn"] for one in listed] == [arn]
