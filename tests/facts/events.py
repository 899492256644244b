"""Events, items, users and actions that are put one by one."""

from __future__ import annotations

import json
from typing import Any

from tests.facts.bench import GENDER, GENRES, GONE, INVALID, Bench, refused, status_of
from tests.facts.imports import exported
from tests.facts.record import GUIDE, WORKSHOP, Area

fact = Area("events")
PUT = f"{GUIDE}API_UBS_PutEvents.html"
EVENT = f"{GUIDE}API_UBS_Event.html"


class Tracked:
    """A group with interactions and a tracker."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        group = bench.new_group()
        self.group = group
        self.dataset = bench.dataset(group, "Interactions")
        made = bench.client.create_event_tracker(name=bench.name("t"), datasetGroupArn=group)
        self.tracking = made["trackingId"]
        bench.wait(60)

    def put(self, *events: dict[str, Any], **more: Any) -> Any:
        common = {"eventType": "view", "itemId": "i1", "sentAt": 1_700_000_000}
        params = {"trackingId": self.tracking, "userId": "u1", "sessionId": "s1", **more}
        return self.bench.events.put_events(
            **params, eventList=[{**common, **one} for one in events]
        )

    def kept(self) -> list[str]:
        return exported(self.bench, self.dataset)[1:]


@fact(
    "R",
    "PutEvents answers HTTP 200 without a body",
    f"{WORKSHOP} Media/Media_04_Inference.ipynb, cell 79",
)
def _(bench: Bench) -> None:
    answer = Tracked(bench).put({})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert set(answer) == {"ResponseMetadata"}


@fact("D", "ten events of a request at most", PUT)
def _(bench: Bench) -> None:
    tracked = Tracked(bench)
    tracked.put(*({"eventId": str(n)} for n in range(10)))
    assert refused(lambda **_: tracked.put(*({} for _ in range(11))))[0] == INVALID


@fact("M", "a tracking id that there is not is refused", "PutEvents errors")
def _(bench: Bench) -> None:
    tracked = Tracked(bench)
    assert refused(lambda **_: tracked.put({}, trackingId="none"))[0] == INVALID


@fact("D", "a tracker must be ACTIVE before its id is used", f"{GUIDE}API_CreateEventTracker.html")
def _(bench: Bench) -> None:
    group = bench.new_group()
    bench.dataset(group, "Interactions")
    made = bench.client.create_event_tracker(name=bench.name("t"), datasetGroupArn=group)
    code, _ = refused(
        bench.events.put_events,
        trackingId=made["trackingId"],
        sessionId="s",
        userId="u",
        eventList=[{"eventType": "view", "itemId": "i1", "sentAt": 1_700_000_000}],
    )
    assert code == INVALID


@fact(
    "R",
    "properties that are no JSON: Error parsing properties json",
    "https://github.com/aws/aws-sdk-js/issues/2773",
)
def _(bench: Bench) -> None:
    tracked = Tracked(bench)
    refusal = refused(lambda **_: tracked.put({"properties": "{not"}))
    assert refusal == (INVALID, "Error parsing properties json")


RESERVED = ("userId", "sessionId", "eventType", "timestamp", "recommendationId", "impression")


def _reserved(name: str) -> None:
    @fact("D", f"{name} cannot be a key of properties, in whatever case", EVENT)
    def _(bench: Bench) -> None:
        tracked = Tracked(bench)
        for key in (name, name.upper()):
            given = {"properties": json.dumps({key: "x"})}
            assert refused(lambda given=given, **_: tracked.put(given))[0] == INVALID


for name in RESERVED:
    _reserved(name)


@fact(
    "R",
    "itemId may stand in the properties, as events were put before 2020",
    "aws-samples/amazon-personalize-samples#15",
)
def _(bench: Bench) -> None:
    tracked = Tracked(bench)
    event = {"eventType": "view", "sentAt": 1_700_000_000, "properties": '{"itemId": "old"}'}
    bench.events.put_events(
        trackingId=tracked.tracking, userId="u1", sessionId="s1", eventList=[event]
    )
    assert any(",old," in line for line in tracked.kept())


@fact("D", "an event of an id that was put before does not count", EVENT)
def _(bench: Bench) -> None:
    tracked = Tracked(bench)
    tracked.put({"eventId": "e"}, {"eventId": "e"})
    assert len(tracked.kept()) == 1


@fact("D", "sentAt is the TIMESTAMP, in seconds", EVENT)
def _(bench: Bench) -> None:
    tracked = Tracked(bench)
    tracked.put({})
    assert tracked.kept()[0].endswith(",1700000000")


@fact("D", "eventValue is the EVENT_VALUE", EVENT)
def _(bench: Bench) -> None:
    tracked = Tracked(bench)
    tracked.put({"eventValue": 4.5})
    assert ",4.5," in tracked.kept()[0]


@fact(
    "D",
    "events before a login belong to the user whom the session turns out to be",
    f"{GUIDE}recording-item-interaction-events.html",
)
def _(bench: Bench) -> None:
    tracked = Tracked(bench)
    bench.events.put_events(
        trackingId=tracked.tracking,
        sessionId="anonymous",
        eventList=[{"eventType": "view", "itemId": "early", "sentAt": 1_700_000_000}],
    )
    assert not tracked.kept()
    tracked.put({"itemId": "late"}, sessionId="anonymous", userId="u7")
    assert sum(line.startswith("u7,") for line in tracked.kept()) == 2


SIZES: dict[str, dict[str, Any]] = {
    "a recommendationId of 41 characters": {"recommendationId": "r" * 41},
    "26 items of an impression": {"impression": [f"i{n}" for n in range(26)]},
    "an eventType of 257 characters": {"eventType": "e" * 257},
    "an itemId of 257 characters": {"itemId": "i" * 257},
    "an eventId of 257 characters": {"eventId": "e" * 257},
    "properties of 1,025 characters": {"properties": json.dumps({"x": "y" * 1020})},
    "an eventAttributionSource of 1,025 characters": {
        "metricAttribution": {"eventAttributionSource": "s" * 1025}
    },
}


def _size(told: str, given: dict[str, Any]) -> None:
    @fact("M", f"{told} is too much", "botocore personalize-events, Event")
    def _(bench: Bench) -> None:
        tracked = Tracked(bench)
        assert refused(lambda **_: tracked.put(given))[0] == INVALID


for told, given in SIZES.items():
    _size(told, given)


@fact(
    "R",
    "the id that a recommendation came with can be put",
    f"{WORKSHOP} Retail/Retail_03_Inference_Layer.ipynb, the output of execution 19",
)
def _(bench: Bench) -> None:
    answer = bench.runtime.get_recommendations(campaignArn=bench.campaign(), userId="u1")
    assert Tracked(bench).put({"recommendationId": answer["recommendationId"]})


@fact(
    "R",
    "a session that is called null is ignored in silence",
    "https://github.com/aws/aws-sdk-js/issues/3371",
)
def _(bench: Bench) -> None:
    tracked = Tracked(bench)
    tracked.put({}, sessionId="null")
    assert not tracked.kept()


# Items, users and actions


@fact(
    "D",
    "PutItems and PutUsers are taken; keys of properties are in camel case",
    f"{GUIDE}API_UBS_PutItems.html",
)
def _(bench: Bench) -> None:
    group = bench.new_group()
    items = bench.dataset(group, "Items", {"name": "SHELF_L1", "type": ["null", "string"]})
    bench.events.put_items(
        datasetArn=items,
        items=[{"itemId": "i1", "properties": '{"price": 2.5, "shelfL1": "top"}'}],
    )
    assert exported(bench, items)[1:] == ["i1,2.5,top"]
    users = bench.dataset(group, "Users", GENDER)
    bench.events.put_users(
        datasetArn=users, users=[{"userId": "u1", "properties": '{"age": 33, "gender": "F"}'}]
    )
    assert exported(bench, users)[1:] == ["u1,33,F"]


@fact("D", "categories are joined by |", f"{GUIDE}API_UBS_Item.html")
def _(bench: Bench) -> None:
    items = bench.dataset(bench.new_group(), "Items", GENRES)
    properties = '{"price": 1, "genres": "Comedy|Drama"}'
    bench.events.put_items(datasetArn=items, items=[{"itemId": "i1", "properties": properties}])
    assert exported(bench, items)[1:] == ["i1,1.0,Comedy|Drama"]


@fact("D", "an item of an id that is there already is replaced", f"{GUIDE}importing-items.html")
def _(bench: Bench) -> None:
    items = bench.dataset(bench.new_group(), "Items")
    bench.imported(items, "ITEM_ID,PRICE\ni1,1\n")
    bench.events.put_items(datasetArn=items, items=[{"itemId": "i1", "properties": '{"price": 7}'}])
    assert exported(bench, items)[1:] == ["i1,7.0"]


@fact("D", "ten items of a request at most", f"{GUIDE}API_UBS_PutItems.html")
def _(bench: Bench) -> None:
    items = bench.dataset(bench.new_group(), "Items")
    eleven = [{"itemId": f"i{n}", "properties": '{"price": 1}'} for n in range(11)]
    assert refused(bench.events.put_items, datasetArn=items, items=eleven)[0] == INVALID


@fact("M", "items are put into a dataset of items alone", "PutItems errors")
def _(bench: Bench) -> None:
    users = bench.dataset(bench.new_group(), "Users", GENDER)
    one = [{"itemId": "i1"}]
    assert refused(bench.events.put_items, datasetArn=users, items=one)[0] == INVALID


@fact("M", "a dataset that there is not: ResourceNotFoundException, HTTP 404", "PutItems errors")
def _(bench: Bench) -> None:
    arn = bench.dataset(bench.new_group(), "Items") + "X"
    params = {"datasetArn": arn, "items": [{"itemId": "i1"}]}
    assert refused(bench.events.put_items, **params)[0] == GONE
    assert status_of(bench.events.put_items, **params) == 404


@fact(
    "D", "an item without a column that must be there is refused", f"{GUIDE}API_UBS_PutItems.html"
)
def _(bench: Bench) -> None:
    items = bench.dataset(bench.new_group(), "Items")
    one = [{"itemId": "i1", "properties": "{}"}]
    assert refused(bench.events.put_items, datasetArn=items, items=one)[0] == INVALID


@fact("D", "actions are put as items are", f"{GUIDE}API_UBS_PutActions.html")
def _(bench: Bench) -> None:
    actions = bench.dataset(bench.new_group(), "Actions")
    properties = '{"value": 100, "months": 2}'
    bench.events.put_actions(
        datasetArn=actions, actions=[{"actionId": "a1", "properties": properties}]
    )
    assert exported(bench, actions)[1:] == ["a1,100,2"]


def acted(bench: Bench, event: str, **more: Any) -> Any:
    arn = bench.dataset(bench.new_group(), "Action_Interactions")
    tracking = bench.client.describe_dataset(datasetArn=arn)["dataset"]["trackingId"]
    one = {
        "actionId": "a1",
        "userId": "u1",
        "sessionId": "s1",
        "timestamp": 1_700_000_000,
        "eventType": event,
        **more,
    }
    return bench.events.put_action_interactions(trackingId=tracking, actionInteractions=[one])


@fact(
    "D",
    "the events of actions are Viewed, Taken and Not Taken",
    f"{GUIDE}API_UBS_ActionInteraction.html",
)
def _(bench: Bench) -> None:
    for event in ("Viewed", "Taken", "Not Taken"):
        assert acted(bench, event)
    assert refused(acted, bench=bench, event="Clicked")[0] == INVALID
