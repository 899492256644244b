"""Configs that were written for the AWS solution are read as they are.

``forms/`` holds configs of our own in the structure of public ones, unchanged but for names:
the three samples of the README of aws-solutions/maintaining-personalized-experiences-with-machine-
learning (v1.4.5), and Media/, Retail/ and NewsPublishing/params.json of
aws-samples/amazon-personalize-immersion-day.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mpe.model.config.parse import parse
from mpe.model.config.sections import Config
from mpe.model.errors import ConfigError
from mpe.model.plan.desired import Place, desired_state
from mpe.model.service.schedules import seconds
from tests.conftest import config

FORMS = sorted((Path(__file__).parent / "forms").glob("*.json"))
PLACE = Place("us-east-1", "000000000000", "data", "arn:aws:iam::000000000000:role/service")


def of(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FORMS[0].parent / f"{name}.json").read_text())
    return document


def read(document: dict[str, Any]) -> Config:
    return parse(json.dumps(document))


def problems(document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(ConfigError) as refused:
        read(document)
    return {one.path: f"{one.message} {one.remedy}" for one in refused.value.problems}


def noted(document: dict[str, Any]) -> dict[str, str]:
    return {one.path: one.message for one in read(document).notes}


@pytest.mark.parametrize("form", FORMS, ids=[form.stem for form in FORMS])
def test_a_config_of_the_aws_solution_is_accepted_as_it_is(form: Path) -> None:
    parsed = parse(form.read_bytes())
    state = desired_state(parsed, PLACE, version="v")
    given = json.loads(form.read_text())
    for kind, dataset in given["datasets"].items():
        if kind != "serviceConfig":
            made = json.loads(state.resources[f"schema.{kind}"].params["schema"])
            assert made == dataset["schema"]["serviceConfig"]["schema"], "sent as it was written"
    assert len(state.work["solutions"]) == len(given["solutions"])
    assert len(state.work["filters"]) == len(given.get("filters", ()))


def test_a_solution_version_in_its_solutions_service_config_is_trained_so() -> None:
    state = desired_state(read(of("readme_tags")), PLACE, version="v")
    version = state.resources["version.mill-own"].params
    assert version["tags"] == [{"tagKey": "version-key", "tagValue": "version-value"}]
    assert version["trainingMode"] == "FULL"
    assert "name" not in version
    assert "solutionVersion" not in state.resources["solution.mill-own"].params
    path = "$.solutions[0].serviceConfig.solutionVersion.name"
    assert "run's name" in noted(of("readme_tags"))[path]


def test_what_is_wrong_in_it_is_told_at_the_users_own_place() -> None:
    document = of("readme_tags")
    document["solutions"][0]["serviceConfig"]["solutionVersion"]["trainingMode"] = "SOME"
    assert set(problems(document)) == {"$.solutions[0].serviceConfig.solutionVersion.trainingMode"}


def test_the_domain_of_a_schema_is_the_dataset_groups() -> None:
    document = of("immersion_day_retail")
    document["datasets"]["users"]["schema"]["serviceConfig"]["domain"] = "VIDEO_ON_DEMAND"
    (told,) = problems(document).items()
    assert told[0] == "$.datasets.users.schema.serviceConfig.domain"
    assert '"VIDEO_ON_DEMAND"' in told[1]
    assert '"ECOMMERCE"' in told[1]
    del document["datasetGroup"]["serviceConfig"]["domain"]
    assert "null" in problems(document)["$.datasets.users.schema.serviceConfig.domain"]


def test_a_schedule_that_is_delete_is_none() -> None:
    document = of("readme_sample")
    document["datasetGroup"]["workflowConfig"]["schedules"]["import"] = "delete"
    document["solutions"][2]["workflowConfig"]["schedules"]["full"] = "DELETE"
    document["solutions"][2]["batchInferenceJobs"][0]["workflowConfig"]["schedule"] = "delete"
    tasks = desired_state(read(document), PLACE, version="v").tasks
    assert sorted(tasks) == ["full.tide-popular", "full.tide-sims"]
    assert "$.solutions[2].workflowConfig.schedules.full" in noted(document)


def test_keys_that_mean_nothing_are_noted_and_left_out() -> None:
    document = of("readme_sample")
    document["description"] = "harbours"
    document["solutions"][0]["comment"] = {"by": "us"}
    document["datasetGroup"]["workflowConfig"]["owner"] = "us"
    found = noted(document)
    for path in ("$.description", "$.solutions[0].comment", "$.datasetGroup.workflowConfig.owner"):
        assert "ignored" in found[path]


def test_a_key_among_the_datasets_is_a_problem() -> None:
    document = of("readme_sample")
    document["datasets"]["comment"] = "a dataset that is left out is missed once it is paid for"
    assert "is not a key" in problems(document)["$.datasets.comment"]


@pytest.mark.parametrize("name", ["comment", "_comment", "comments", "note", "notes", "_README"])
def test_a_remark_is_no_misspelt_section(name: str) -> None:
    document = of("readme_sample")
    document[name] = "made by the harbour's team"
    document["solutions"][0][name] = "the popular ones"
    assert {f"$.{name}", f"$.solutions[0].{name}"} <= noted(document).keys()


@pytest.mark.parametrize(
    ("name", "meant"), [("solution", "solutions"), ("Filters", "filters"), ("tag", "tags")]
)
def test_a_key_that_is_like_a_known_one_is_still_a_problem(name: str, meant: str) -> None:
    document = of("readme_sample")
    document[name] = []
    assert f"Did you mean '{meant}'?" in problems(document)[f"$.{name}"]


def test_automl_beside_a_recipe_is_left_out_as_there() -> None:
    document = of("readme_sample")
    document["solutions"][0]["serviceConfig"]["performAutoML"] = True
    state = desired_state(read(document), PLACE, version="v")
    assert "performAutoML" not in state.resources["solution.tide-sims"].params
    assert "$.solutions[0].serviceConfig.performAutoML" in noted(document)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        ("365 days", 365 * 86_400),
        ("two days", 2 * 86_400),
        ("12h", 12 * 3600),
        ("1 day and 12 hours", 36 * 3600),
        ("1d 6h", 30 * 3600),
        ("a week", 7 * 86_400),
        ("90 min", 5400),
        ("1.5 days", 36 * 3600),
        ("30 secs", 30),
        ("three months", 90 * 86_400),
        ("days", None),
        ("two", None),
        ("two moons", None),
        ("-3 days", None),
        ("", None),
        ("5", None),
    ],
)
def test_an_age_is_read_as_people_write_it(age: str, expected: int | None) -> None:
    assert seconds(age) == expected


RECIPE = "arn:aws:personalize:::recipe/"
RIGHT: list[tuple[str, dict[str, Any]]] = [
    ("aws-user-personalization", {"algorithmHyperParameters": {"hidden_dimension": "55"}}),
    (
        "aws-user-personalization",
        {
            "featureTransformationParameters": {
                "min_user_history_length_percentile": "0.01",
                "max_user_history_length_percentile": "0.99",
            }
        },
    ),
    ("aws-user-personalization-v2", {"algorithmHyperParameters": {"apply_recency_bias": "false"}}),
    (
        "aws-sims",
        {
            "hpoConfig": {
                "hpoResourceConfig": {
                    "maxNumberOfTrainingJobs": "20",
                    "maxParallelTrainingJobs": "5",
                },
                "algorithmHyperParameterRanges": {
                    "integerHyperParameterRanges": [
                        {"name": "min_cointeraction_count", "minValue": 1, "maxValue": 9}
                    ],
                    "continuousHyperParameterRanges": [
                        {"name": "popularity_discount_factor", "minValue": 0.1, "maxValue": 1.0}
                    ],
                },
            }
        },
    ),
    (
        "aws-personalized-ranking",
        {
            "hpoConfig": {
                "algorithmHyperParameterRanges": {
                    "categoricalHyperParameterRanges": [
                        {"name": "recency_mask", "values": ["true", "false"]}
                    ]
                }
            }
        },
    ),
]
USED = "Provide a hyperparameter that is used in the algorithm: arn:aws:personalize:::algorithm/"


def _range(kind: str, **given: Any) -> dict[str, Any]:
    return {
        "hpoConfig": {"algorithmHyperParameterRanges": {f"{kind}HyperParameterRanges": [given]}}
    }


WRONG: list[tuple[str, dict[str, Any], str]] = [
    (
        "aws-similar-items",
        _range("integer", name="model.id_embedding_dim", minValue=30, maxValue=200),
        f"{USED}aws-similar-items",
    ),
    ("aws-sims", {"algorithmHyperParameters": {"hidden_dimension": "55"}}, f"{USED}aws-sims"),
    ("aws-popularity-count", {"algorithmHyperParameters": {"bptt": "3"}}, USED),
    (
        "aws-user-personalization",
        {"algorithmHyperParameters": {"hidden_dimension": "12"}},
        "not a whole number from 32 to 256",
    ),
    (
        "aws-user-personalization",
        {"algorithmHyperParameters": {"recency_mask": "sometimes"}},
        "not one of true, false",
    ),
    (
        "aws-user-personalization",
        {"featureTransformationParameters": {"max_user_history": "0.9"}},
        USED,
    ),
    (
        "aws-user-personalization",
        {"featureTransformationParameters": {"max_user_history_length_percentile": "99"}},
        "not a number from 0 to 1",
    ),
    (
        "aws-user-personalization",
        _range("integer", name="bptt", minValue=2, maxValue=64),
        "64 is not a whole number from 2 to 32",
    ),
    (
        "aws-user-personalization",
        _range("integer", name="bptt", minValue=20, maxValue=10),
        "20 is more than maxValue",
    ),
    (
        "aws-user-personalization",
        _range("continuous", name="bptt", minValue=2, maxValue=10),
        "Use integerHyperParameterRanges",
    ),
    (
        "aws-user-personalization",
        {"hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "41"}}},
        "from 1 to 40",
    ),
]


def _with(recipe: str, solution_config: dict[str, Any]) -> dict[str, Any]:
    document = config()
    document["solutions"] = [
        {
            "serviceConfig": {
                "name": "own",
                "recipeArn": RECIPE + recipe,
                "solutionConfig": solution_config,
            }
        }
    ]
    return document


@pytest.mark.parametrize(("recipe", "solution_config"), RIGHT)
def test_hyperparameters_of_the_recipes_page_are_taken(
    recipe: str, solution_config: dict[str, Any]
) -> None:
    assert read(_with(recipe, solution_config)).solutions


@pytest.mark.parametrize(("recipe", "solution_config", "told"), WRONG)
def test_other_hyperparameters_are_refused_in_the_services_words(
    recipe: str, solution_config: dict[str, Any], told: str
) -> None:
    """https://github.com/aws-samples/amazon-personalize-samples/issues/156"""
    found = problems(_with(recipe, solution_config))
    assert told in " ".join(found.values())
    assert all(path.startswith("$.solutions[0].serviceConfig.solutionConfig.") for path in found)
