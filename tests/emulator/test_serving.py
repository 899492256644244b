"""From data to recommendations, as a client of the service sees it."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.conftest import interactions
from tests.emulator.conftest import Builder


def test_a_campaign_recommends_what_similar_users_had(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    campaign = build.campaign(build.version(build.solution(group)))

    answer = build.emulated.runtime.get_recommendations(
        campaignArn=campaign, userId="u0", numResults=10
    )

    shelf = {item["itemId"] for item in answer["itemList"]}
    assert len(shelf) == 10
    assert sum(int(item[1:]) < 100 for item in shelf) >= 9, "user 0 is of the first shelf"
    assert answer["recommendationId"].startswith("RID-")


def test_a_personalised_model_beats_popularity_on_data_with_tastes(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    gains = {}
    for recipe in ("user-personalization-v2", "popularity-count"):
        version = build.version(build.solution(group, recipe, name=recipe))
        metrics = build.client.get_solution_metrics(solutionVersionArn=version)["metrics"]
        gains[recipe] = metrics["normalized_discounted_cumulative_gain_at_25"]
    assert gains["user-personalization-v2"] > gains["popularity-count"]


def test_the_same_data_gives_the_same_metrics(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    one, other = build.version(solution), build.version(solution)
    metrics = [
        build.client.get_solution_metrics(solutionVersionArn=arn)["metrics"] for arn in (one, other)
    ]
    assert metrics[0] == metrics[1]
    assert set(metrics[0]) == {
        "coverage",
        "mean_reciprocal_rank_at_25",
        *(f"normalized_discounted_cumulative_gain_at_{k}" for k in (5, 10, 25)),
        *(f"precision_at_{k}" for k in (5, 10, 25)),
    }


def test_metrics_of_other_data_are_other_metrics(build: Builder) -> None:
    group = build.group()
    dataset = build.imported(group)
    solution = build.solution(group)
    before = build.version(solution)
    build.begin_import(dataset, interactions(seed=8), name="again")
    build.wait(900)
    after = build.version(solution)
    told = [
        build.client.get_solution_metrics(solutionVersionArn=arn)["metrics"]
        for arn in (before, after)
    ]
    assert told[0] != told[1]


def test_a_filter_leaves_out_what_the_user_bought(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    campaign = build.campaign(build.version(build.solution(group)))
    unbought = build.client.create_filter(
        name="unbought",
        datasetGroupArn=group,
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
    )["filterArn"]
    build.wait(60)

    answer = build.emulated.runtime.get_recommendations(
        campaignArn=campaign, userId="u0", numResults=100, filterArn=unbought
    )

    rows = [line.split(",") for line in interactions().splitlines()]
    bought = {row[1] for row in rows if row[0] == "u0" and row[2] == "buy"}
    assert bought
    assert bought.isdisjoint(item["itemId"] for item in answer["itemList"])


def test_a_campaign_serves_its_old_version_until_the_update_is_done(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    old = build.version(solution)
    campaign = build.campaign(old)
    new = build.version(solution)
    build.client.update_campaign(campaignArn=campaign, solutionVersionArn=new)
    build.wait(30)

    during = build.client.describe_campaign(campaignArn=campaign)["campaign"]
    assert during["status"] == "ACTIVE"
    assert during["solutionVersionArn"] == old
    assert during["latestCampaignUpdate"]["status"].startswith("CREATE ")
    assert during["latestCampaignUpdate"]["solutionVersionArn"] == new

    build.wait(600)
    after = build.client.describe_campaign(campaignArn=campaign)["campaign"]
    assert after["solutionVersionArn"] == new
    assert after["latestCampaignUpdate"]["status"] == "ACTIVE"


def test_a_campaign_that_follows_the_latest_moves_by_itself(build: Builder) -> None:
    group = build.group()
    dataset = build.imported(group)
    solution = build.solution(group, "popularity-count")
    build.version(solution)
    campaign = build.campaign(
        f"{solution}/$LATEST", campaignConfig={"syncWithLatestSolutionVersion": True}
    )
    ask = {"campaignArn": campaign, "userId": "u0", "numResults": 5}
    before = build.emulated.runtime.get_recommendations(**ask)["itemList"]
    build.begin_import(dataset, interactions(seed=99), name="again")
    build.wait(900)
    build.version(solution)
    assert build.emulated.runtime.get_recommendations(**ask)["itemList"] != before


def test_an_update_that_lets_a_campaign_follow_must_name_the_latest(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group, "popularity-count")
    build.version(solution)
    follow = {"syncWithLatestSolutionVersion": True}
    latest = f"{solution}/$LATEST"
    campaign = build.campaign(latest, campaignConfig=follow)
    with pytest.raises(ClientError, match="LATEST"):
        build.client.update_campaign(campaignArn=campaign, campaignConfig=follow)
    build.client.update_campaign(
        campaignArn=campaign, campaignConfig=follow, solutionVersionArn=latest
    )


@pytest.mark.parametrize(
    ("params", "told"),
    [
        pytest.param({"numResults": 501}, "numResults", id="too-many"),
        pytest.param({"userId": None}, "userId", id="no-user"),
    ],
)
def test_a_request_that_the_recipe_cannot_answer_is_refused(
    build: Builder, params: dict[str, object], told: str
) -> None:
    group = build.group()
    build.imported(group)
    campaign = build.campaign(build.version(build.solution(group)))
    ask = {"campaignArn": campaign, "userId": "u0", **params}
    with pytest.raises(ClientError, match=told):
        build.emulated.runtime.get_recommendations(
            **{key: value for key, value in ask.items() if value is not None}
        )
