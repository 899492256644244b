"""An export of a maintained dataset group says what only its config says."""

from __future__ import annotations

import copy
import json
from typing import Any

from mpe.model.config.parse import parse
from mpe.model.config.sections import Config, ResourceConfig
from mpe.model.plan.carried import carried
from tests.everything import everything


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"serviceConfig": {"name": name}, **more}


def maintained() -> dict[str, Any]:
    """Return a config that says of each of its sections what the service does not know."""
    document = everything("films")
    interactions = document["datasets"]["interactions"]
    interactions["dataset"]["workflowConfig"] = {"dataOptional": True}
    interactions["export"]["workflowConfig"] = {"maxAge": "30 days"}
    document["solutions"][0] |= {
        "workflowConfig": {"maxAge": "10 days"},
        "solutionVersion": {"serviceConfig": {"trainingMode": "FULL"}},
    }
    document["solutions"][0]["campaigns"][0]["workflowConfig"] = {"gate": {"mode": "off"}}
    return {**document, "ignore": ["MPE-T005"]}


def exported() -> dict[str, Any]:
    """Return what an export has without the config: what the service describes."""
    return {
        "datasetGroup": named("films", workflowConfig={"onRemoval": "delete"}),
        "datasets": {
            kind: {"dataset": named(f"films-{kind}"), "schema": named(f"films-{kind}")}
            for kind in ("items", "interactions")
        },
        "eventTracker": named("films-tracker"),
        "metricAttribution": named("films-metrics"),
        "filters": [named("by-hand"), named("films-genre")],
        "solutions": [
            named("by-hand", campaigns=[named("other")]),
            named("films-for-you", campaigns=[named("films-live"), named("other")]),
            named("films-similar"),
            named("films-fans"),
        ],
    }


def made(bent: dict[str, Any]) -> dict[str, Any]:
    document = exported()
    before = copy.deepcopy(document)
    found = carried(document, parse(json.dumps(bent)))
    assert document == before, "what is given stays as it is"
    return found


def test_tags_and_what_is_ignored_and_the_groups_workflow_are_carried() -> None:
    bent = maintained()
    found = made(bent)
    assert found["tags"] == bent["tags"]
    assert found["ignore"] == bent["ignore"]
    assert found["datasetGroup"]["workflowConfig"] == {"onRemoval": "delete", "maxAge": "1 year"}


def test_datasets_have_their_options_their_workflow_and_their_export() -> None:
    bent = maintained()
    found = made(bent)["datasets"]
    assert found["serviceConfig"] == bent["datasets"]["serviceConfig"]
    assert found["interactions"]["dataset"]["workflowConfig"] == {"dataOptional": True}
    assert found["interactions"]["export"] == bent["datasets"]["interactions"]["export"]
    assert found["items"] == exported()["datasets"]["items"], "nothing is said of it"
    assert found.keys() == {"serviceConfig", "items", "interactions"}, "and no dataset is added"


def test_jobs_are_carried_whole_and_what_is_there_gets_its_workflow() -> None:
    bent = maintained()
    found = made(bent)
    assert found["dataDeletionJob"] == {}
    assert found["filters"] == exported()["filters"]
    one, used, similar, fans = found["solutions"]
    assert one == exported()["solutions"][0], "the config does not know it"
    assert used["workflowConfig"] == {"maxAge": "10 days"}
    assert used["solutionVersion"] == {"serviceConfig": {"trainingMode": "FULL"}}
    live = named("films-live", workflowConfig={"gate": {"mode": "off"}})
    assert used["campaigns"] == [live, named("other")]
    assert used["batchInferenceJobs"] == bent["solutions"][0]["batchInferenceJobs"]
    assert used.keys() == {
        "serviceConfig", "campaigns", "workflowConfig", "solutionVersion", "batchInferenceJobs",
    }  # fmt: skip
    assert similar == {**exported()["solutions"][2], **jobs(bent, 1, "batchInferenceJobs")}
    assert fans == {**exported()["solutions"][3], **jobs(bent, 2, "batchSegmentJobs")}


def jobs(bent: dict[str, Any], number: int, key: str) -> dict[str, Any]:
    return {key: bent["solutions"][number][key]}


def section(name: str, stop: str) -> ResourceConfig:
    return ResourceConfig("$", {"name": name}, {"schedules": {"stop": stop}})


def test_what_has_a_section_of_its_own_gets_its_workflow_one_or_many() -> None:
    nothing = ResourceConfig("$", {}, {})
    own = {
        "MetricAttribution": (section("gone", "rate(1 day)"),),
        "EventTracker": (section("clicks", "rate(2 days)"),),
        "Recommender": (section("shop", "rate(3 days)"), section("gone", "rate(4 days)")),
    }
    config = Config(nothing, nothing, (), (), own)
    group = named("films", workflowConfig={"onRemoval": "delete"})
    there = {"eventTracker": named("clicks"), "recommenders": [named("other"), named("shop")]}
    clicks, shop = (
        named(name, workflowConfig={"schedules": {"stop": stop}})
        for name, stop in (("clicks", "rate(2 days)"), ("shop", "rate(3 days)"))
    )
    found = carried({"datasetGroup": group, **there}, config)
    assert found == {
        "datasetGroup": group,
        "eventTracker": clicks,
        "recommenders": [named("other"), shop],
    }
