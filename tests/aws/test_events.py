"""The events on the bus, in the form in which others write rules for them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mpe.aws.events import SOURCE, Events
from mpe.model.service.spec import SPECS

TRAINING = "SageMaker Training Job State Change"
"""An event of AWS's own
(https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html)."""


class Bus:
    """Takes what a boto3 ``events`` client is given."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{}]}


def told(noun: str) -> dict[str, Any]:
    bus = Bus()
    Events(bus, "bus").resource_changed(noun, "arn:of-it", "ACTIVE", 61.4)
    (entry,) = bus.entries
    return entry


@pytest.mark.parametrize(
    ("noun", "words"),
    [
        ("Campaign", "Personalize Campaign State Change"),
        ("DatasetImportJob", "Personalize Dataset Import Job State Change"),
        ("SolutionVersion", "Personalize Solution Version State Change"),
        ("BatchInferenceJob", "Personalize Batch Inference Job State Change"),
    ],
)
def test_a_resource_stands_in_words_as_public_rules_for_its_events_have_it(
    noun: str, words: str
) -> None:
    entry = told(noun)
    assert (entry["Source"], entry["DetailType"]) == ("solutions.aws.personalize", words)
    assert json.loads(entry["Detail"]) == {"Arn": "arn:of-it", "Status": "ACTIVE", "Duration": 61}
    assert entry["Resources"] == ["arn:of-it"]


@pytest.mark.parametrize("noun", [one.noun for one in SPECS.values()])
def test_each_kind_of_resource_has_a_detail_type_like_awss_own(noun: str) -> None:
    kind = told(noun)["DetailType"]
    assert kind.replace(" ", "") == f"Personalize{noun}StateChange"
    assert kind == TRAINING.replace("SageMaker Training Job", kind[: -len(" State Change")])
    assert all(word[0].isupper() and word[1:].islower() for word in kind.split())
    assert SOURCE.startswith("solutions.aws.")
