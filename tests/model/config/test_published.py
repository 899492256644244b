"""The published JSON Schema is up to date, and agrees with the checks."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from mpe.model.config.published import FILE, published, text
from tests.conftest import config
from tests.everything import everything

SCHEMA = json.loads(FILE.read_text(encoding="utf-8"))


def test_it_is_what_the_services_model_says_today() -> None:
    assert FILE.read_text(encoding="utf-8") == text(published(SCHEMA))


def test_it_is_a_json_schema_that_accepts_the_examples() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(config())
    Draft202012Validator(SCHEMA).validate(everything())


@pytest.mark.parametrize(
    ("name", "value"), [("recipeArm", "x"), ("performHPO", "yes"), ("datasetGroupArn", "x")]
)
def test_an_editor_sees_a_wrong_parameter(name: str, value: str) -> None:
    document = config()
    document["solutions"][0]["serviceConfig"][name] = value
    assert not Draft202012Validator(SCHEMA).is_valid(document)
