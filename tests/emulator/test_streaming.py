"""The events API, and what becomes of what was put."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import BUCKET, ROLE, interactions
from tests.emulator.conftest import Builder
from tests.emulator.test_runtime import ask, ids, items_csv, served

GENRE = {"name": "GENRE", "type": ["null", "string"], "categorical": True}
DEVICE = {"name": "DEVICE_TYPE", "type": ["null", "string"], "categorical": True}
BEGAN = 1_767_225_600


@pytest.fixture
def group(build: Builder) -> str:
    """A dataset group with interactions, which have a column of their own."""
    arn = build.group()
    dataset = build.dataset(arn, "Interactions", "d", DEVICE)
    lines = interactions().splitlines()
    body = "\n".join([f"{lines[0]},DEVICE_TYPE", *(f"{line},web" for line in lines[1:])])
    build.begin_import(dataset, body)
    build.wait(900)
    return arn


def put(build: Builder, tracking: str, user: str | None = "u0", **event: Any) -> dict[str, Any]:
    event = {"eventType": "view", "itemId": "i1", "sentAt": BEGAN, **event}
    who = {"userId": user} if user else {}
    found: dict[str, Any] = build.emulated.events.put_events(
        trackingId=tracking, sessionId="s", eventList=[event], **who
    )
    return found


def test_an_event_is_taken_with_an_empty_answer(build: Builder, group: str) -> None:
    # aws-samples/amazon-personalize-immersion-day Media/Media_04_Inference.ipynb, cell 79
    answer = put(build, build.tracker(group))
    assert set(answer) == {"ResponseMetadata"}
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-length"] == "0"


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"properties": "no json"}, "Error parsing properties json"),  # aws-sdk-js#2773
        ({"eventValue": None, "properties": json.dumps({"eventValue": "much"})}, "EVENT_VALUE"),
        ({"impression": ["i1"] * 26}, "impression"),
    ],
    ids=["not-json", "not-a-number", "long-impression"],
)
def test_an_event_that_is_not_of_the_schema_is_refused(
    build: Builder, group: str, event: dict[str, Any], told: str
) -> None:
    given = {"eventValue": 1.0, **event}
    given = {key: value for key, value in given.items() if value is not None}
    with pytest.raises(ClientError, match=told):
        put(build, build.tracker(group), **given)


def test_an_unknown_tracker_is_refused(build: Builder, group: str) -> None:
    with pytest.raises(ClientError, match="trackingId") as caught:
        put(build, "nothing", eventValue=1.0)
    assert caught.value.response["Error"]["Code"] == "InvalidInputException"


def test_at_most_ten_events_are_put_at_once(build: Builder, group: str) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/limits.html
    event = {"eventType": "view", "itemId": "i1", "sentAt": BEGAN, "eventValue": 1.0}
    with pytest.raises(ClientError, match="eventList"):
        build.emulated.events.put_events(
            trackingId=build.tracker(group), sessionId="s", eventList=[event] * 11
        )


def test_the_id_of_a_recommendation_can_be_put_with_an_event(build: Builder, group: str) -> None:
    campaign = served(build, group)
    told = build.emulated.runtime.get_recommendations(campaignArn=campaign, userId="u0")
    put(build, build.tracker(group), eventValue=1.0, recommendationId=told["recommendationId"])


def test_an_event_counts_at_once_in_filters_and_for_its_user(build: Builder, group: str) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/recording-events.html
    tracking = build.tracker(group)
    campaign = served(build, group)
    unseen = build.filter(group, 'EXCLUDE ItemID WHERE Interactions.event_type IN ("CLICK")')
    before = ask(build, campaign, userId="newcomer", filterArn=unseen)
    assert "i205" in ids(ask(build, campaign, userId="newcomer", numResults=500))
    put(build, tracking, "newcomer", itemId="i205", eventType="click", eventValue=1.0)
    after = ask(build, campaign, userId="newcomer", filterArn=unseen)
    assert ids(after) != ids(before)
    assert sum(int(item[1:]) >= 200 for item in ids(after)[:10]) >= 8, "of the shelf it saw"
    assert "i205" not in ids(
        ask(build, campaign, userId="newcomer", numResults=500, filterArn=unseen)
    )


def test_a_session_stands_for_a_user_who_is_not_known_yet(build: Builder, group: str) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/recording-events.html (anonymous users)
    tracking = build.tracker(group)
    campaign = served(build, group)
    put(build, tracking, None, itemId="i205", eventValue=1.0)
    nobody = ids(ask(build, campaign, userId="nobody"))
    assert ids(ask(build, campaign, userId="s")) != nobody
    assert ids(ask(build, campaign, userId="late")) == nobody
    put(build, tracking, "late", itemId="i206", eventValue=1.0)
    exported = export(build, group, "PUT")
    assert sorted(line.split(",")[:2] for line in exported[1:]) == [
        ["late", "i205"],
        ["late", "i206"],
    ]


def test_an_event_of_the_same_id_counts_once(build: Builder, group: str) -> None:
    # API_UBS_Event, eventId
    tracking = build.tracker(group)
    for value in (1.0, 2.0):
        put(build, tracking, eventId="once", eventValue=value)
    assert len(export(build, group, "PUT")) == 2


def export(build: Builder, group: str, mode: str) -> list[str]:
    datasets = build.client.list_datasets(datasetGroupArn=group)["datasets"]
    arn = next(one["datasetArn"] for one in datasets if one["datasetType"] == "INTERACTIONS")
    build.client.create_dataset_export_job(
        jobName=f"export-{mode}",
        datasetArn=arn,
        ingestionMode=mode,
        roleArn=ROLE,
        jobOutput={"s3DataDestination": {"path": f"{BUCKET}/{mode}/"}},
    )
    build.wait(1000)
    body = build.emulated.objects.objects[f"{BUCKET}/{mode}/part-00000.csv"]
    return (body if isinstance(body, str) else body.decode()).splitlines()


def test_events_are_exported_apart_from_bulk_data(build: Builder, group: str) -> None:
    # API_CreateDatasetExportJob, ingestionMode
    properties = json.dumps({"deviceType": "phone"})
    put(build, build.tracker(group), eventValue=2.5, properties=properties)
    assert export(build, group, "PUT") == [
        "USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP,DEVICE_TYPE",
        f"u0,i1,view,2.5,{BEGAN},phone",
    ]
    assert len(export(build, group, "ALL")) == len(export(build, group, "BULK")) + 1


def test_events_count_in_the_next_training_and_stay_when_bulk_data_is_replaced(
    build: Builder, group: str
) -> None:
    # API_CreateDatasetImportJob, importMode
    tracking = build.tracker(group)
    for number in range(100):
        put(build, tracking, f"v{number}", itemId="brand-new", eventValue=1.0)
    datasets = build.client.list_datasets(datasetGroupArn=group)["datasets"]
    lines = interactions(seed=9).splitlines()
    body = "\n".join([f"{lines[0]},DEVICE_TYPE", *(f"{line},web" for line in lines[1:])])
    build.begin_import(datasets[0]["datasetArn"], body, name="again")
    build.wait(900)
    campaign = served(build, group, "popularity-count")
    assert ids(ask(build, campaign, numResults=1)) == ["brand-new"]


def test_deleted_users_lose_what_was_put_too(build: Builder, group: str) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/delete-records.html
    put(build, build.tracker(group), "gone", eventValue=1.0)
    build.emulated.objects.objects[f"{BUCKET}/gone.csv"] = "USER_ID\ngone\n"
    arn = build.client.create_data_deletion_job(
        jobName="gone",
        datasetGroupArn=group,
        roleArn=ROLE,
        dataSource={"dataLocation": f"{BUCKET}/gone.csv"},
    )["dataDeletionJobArn"]
    build.wait(5 * 3600)
    told = build.client.describe_data_deletion_job(dataDeletionJobArn=arn)["dataDeletionJob"]
    assert (told["status"], told["numDeleted"]) == ("COMPLETED", 1)
    assert len(export(build, group, "PUT")) == 1


def test_events_alone_let_the_service_train_again(build: Builder, group: str) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/solution-config-auto-training.html
    solution = build.solution(group, performAutoTraining=True)
    build.version(solution)
    build.wait(8 * 86400)

    def count() -> int:
        return len(build.client.list_solution_versions(solutionArn=solution)["solutionVersions"])

    assert count() == 1
    put(build, build.tracker(group), eventValue=1.0)
    build.wait(86400)
    assert count() == 2


def with_items(build: Builder, group: str) -> str:
    items = build.dataset(group, "Items", "i", GENRE)
    build.begin_import(items, items_csv(), name="items")
    build.wait(900)
    return items


def test_items_that_are_put_can_be_filtered_at_once(build: Builder, group: str) -> None:
    items = with_items(build, group)
    answer = build.emulated.events.put_items(
        datasetArn=items,
        items=[{"itemId": "i1", "properties": json.dumps({"price": 9999, "genre": "Opera"})}],
    )
    assert set(answer) == {"ResponseMetadata"}
    opera = build.filter(group, 'INCLUDE ItemID WHERE Items.GENRE IN ("Opera")')
    assert ids(ask(build, served(build, group), userId="u3", filterArn=opera)) == ["i1"]


def test_items_and_users_must_be_of_their_schema(build: Builder, group: str) -> None:
    items, users = with_items(build, group), build.dataset(group, "Users", "u")
    with pytest.raises(ClientError, match="PRICE is required"):
        build.emulated.events.put_items(datasetArn=items, items=[{"itemId": "x"}])
    with pytest.raises(ClientError, match="AGE cannot be"):
        build.emulated.events.put_users(
            datasetArn=users, users=[{"userId": "x", "properties": '{"age": "old"}'}]
        )
    with pytest.raises(ClientError, match="not USERS"):
        build.emulated.events.put_users(datasetArn=items, users=[{"userId": "x"}])
    with pytest.raises(ClientError) as caught:
        build.emulated.events.put_items(datasetArn=f"{items}X", items=[{"itemId": "x"}])
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_only_the_latest_full_training_takes_in_new_items_every_two_hours(
    build: Builder, group: str
) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/update-campaigns.html
    items = with_items(build, group)
    solution = build.solution(group, "user-personalization")
    config = {"itemExplorationConfig": {"explorationWeight": "1"}}
    first = build.campaign(build.version(solution), name="first", campaignConfig=config)
    latest = build.campaign(build.version(solution), name="latest", campaignConfig=config)
    new = [{"itemId": f"new{n}", "properties": '{"price": 0.1}'} for n in range(10)]
    build.emulated.events.put_items(datasetArn=items, items=new)
    cheap = build.filter(group, "INCLUDE ItemID WHERE Items.PRICE < 0.2")

    def shown(campaign: str) -> int:
        return len(ask(build, campaign, userId="u0", numResults=30, filterArn=cheap))

    assert (shown(first), shown(latest)) == (0, 0)
    build.wait(2 * 3600)
    assert (shown(first), shown(latest)) == (0, 10)
    update = build.version(solution, trainingMode="UPDATE")
    build.emulated.events.put_items(datasetArn=items, items=[{**new[0], "itemId": "newest"}])
    build.wait(4 * 3600)
    assert "newest" not in ids(ask(build, latest, userId="u0", numResults=30, filterArn=cheap))
    assert update


@pytest.fixture
def actions(build: Builder, group: str) -> str:
    """A campaign of the next best action, with what users did with actions."""
    repeat = {"name": "REPEAT_FREQUENCY", "type": ["null", "long"]}
    expires = {"name": "EXPIRATION_TIMESTAMP", "type": ["null", "long"]}
    known = build.dataset(group, "Actions", "a", repeat, expires)
    rows = ["join,10,1,,", "buy,500,1,,", "gone,1,1,,1000", "often,1,1,30,"]
    body = "\n".join(["ACTION_ID,VALUE,MONTHS,REPEAT_FREQUENCY,EXPIRATION_TIMESTAMP", *rows])
    build.begin_import(known, body, name="actions")
    build.wait(900)
    build.dataset(group, "Action_Interactions", "ai")
    return group


def act(build: Builder, group: str, user: str, action: str, event: str) -> None:
    datasets = build.client.list_datasets(datasetGroupArn=group)["datasets"]
    arn = next(one["datasetArn"] for one in datasets if one["datasetType"] == "ACTION_INTERACTIONS")
    tracking = build.client.describe_dataset(datasetArn=arn)["dataset"]["trackingId"]
    now = int(build.emulated.clock().timestamp())
    build.emulated.events.put_action_interactions(
        trackingId=tracking,
        actionInteractions=[
            {
                "actionId": action,
                "userId": user,
                "sessionId": user,
                "timestamp": now,
                "eventType": event,
            }
        ],
    )


def next_actions(build: Builder, campaign: str, user: str, **more: Any) -> list[dict[str, Any]]:
    answer = build.emulated.runtime.get_action_recommendations(
        campaignArn=campaign, userId=user, **more
    )
    found: list[dict[str, Any]] = answer["actionList"]
    return found


def test_actions_have_no_scores_as_long_as_nobody_did_anything(
    build: Builder, actions: str
) -> None:
    # https://docs.aws.amazon.com/personalize/latest/dg/get-action-recommendations.html
    found = next_actions(build, served(build, actions, "next-best-action"), "u0")
    assert [(one["actionId"], one["score"]) for one in found] == [
        ("buy", 0.0),
        ("join", 0.0),
        ("often", 0.0),
    ], "the more valuable first; what has expired is not shown"


def test_the_likeliest_action_comes_first(build: Builder, actions: str) -> None:
    for number in range(60):
        act(build, actions, f"u{number}", "join", "Taken" if number % 3 else "Viewed")
        act(build, actions, f"u{number}", "buy", "Taken" if number % 3 == 0 else "Not Taken")
    campaign = served(build, actions, "next-best-action")
    found = next_actions(build, campaign, "newcomer", numResults=2)
    assert [one["actionId"] for one in found] == ["join", "buy"]
    assert 0 < found[1]["score"] < found[0]["score"] <= 1
    unseen = build.filter(
        actions, 'EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("Taken")', "unseen"
    )
    assert "buy" not in {
        one["actionId"] for one in next_actions(build, campaign, "u0", filterArn=unseen)
    }
    act(build, actions, "u0", "often", "Viewed")
    assert "often" not in {one["actionId"] for one in next_actions(build, campaign, "u0")}
    build.wait(31 * 86400)
    assert "often" in {one["actionId"] for one in next_actions(build, campaign, "u0")}


@pytest.mark.parametrize("count", [101])
def test_at_most_100_actions_are_recommended(build: Builder, actions: str, count: int) -> None:
    # API_RS_GetActionRecommendations
    with pytest.raises(ClientError, match="100"):
        next_actions(build, served(build, actions, "next-best-action"), "u0", numResults=count)


def test_other_event_types_of_actions_are_refused(build: Builder, actions: str) -> None:
    with pytest.raises(ClientError, match="Not Taken"):
        act(build, actions, "u0", "join", "Click")
