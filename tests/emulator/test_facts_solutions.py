"""What is known of solutions and their versions from outputs of the service and its guide."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import interactions
from tests.emulator.conftest import Builder, avro
from tests.emulator.test_control_plane import refused

INVALID = "InvalidInputException"


def group_with_data(build: Builder) -> str:
    group = build.group()
    build.imported(group)
    return group


def described(build: Builder, solution: str) -> dict[str, Any]:
    told: dict[str, Any] = build.client.describe_solution(solutionArn=solution)["solution"]
    return told


def test_a_hyperparameter_that_the_algorithm_has_not_is_refused_in_the_services_words(
    build: Builder,
) -> None:
    """https://github.com/aws-samples/amazon-personalize-samples/issues/156."""
    ranges = [{"name": "model.id_embedding_dim", "minValue": 30, "maxValue": 200}]
    config = {
        "hpoConfig": {"algorithmHyperParameterRanges": {"integerHyperParameterRanges": ranges}}
    }
    code, told = refused(
        build.solution,
        group_with_data(build),
        recipe="similar-items",
        performHPO=True,
        solutionConfig=config,
    )
    assert code == INVALID
    assert told.startswith(
        "Provide a hyperparameter that is used in the algorithm: "
        "arn:aws:personalize:::algorithm/aws-similar-items"
    )


WRONG = {
    "a threshold that is no number": {"eventValueThreshold": "abc"},
    "a threshold that is none at all": {"eventValueThreshold": ""},
    "a threshold without an end": {"eventValueThreshold": "inf"},
    "an unknown hyperparameter": {"algorithmHyperParameters": {"exploring": "1"}},
    "a value beyond its range": {"algorithmHyperParameters": {"hidden_dimension": "1000"}},
    "a value of another kind": {"algorithmHyperParameters": {"bptt": "many"}},
    "a parameter of features among the algorithm's": {
        "algorithmHyperParameters": {"max_user_history_length_percentile": "0.9"}
    },
    "a share beyond one": {
        "featureTransformationParameters": {"max_user_history_length_percentile": "9"}
    },
    "too many training jobs": {
        "hpoConfig": {"hpoResourceConfig": {"maxNumberOfTrainingJobs": "41"}}
    },
    "a number of jobs that is none": {
        "hpoConfig": {"hpoResourceConfig": {"maxParallelTrainingJobs": "two"}}
    },
    "a column that there is not": {
        "trainingDataConfig": {"excludedDatasetColumns": {"Interactions": ["NONE"]}}
    },
    "a dataset that there is not": {
        "trainingDataConfig": {"excludedDatasetColumns": {"Items": ["PRICE"]}}
    },
    "an objective without items": {"optimizationObjective": {"itemAttribute": "PRICE"}},
}


@pytest.mark.parametrize("config", WRONG.values(), ids=WRONG)
def test_what_a_solutions_config_may_not_be_is_refused_at_once(
    build: Builder, config: dict[str, Any]
) -> None:
    code, _ = refused(
        build.solution,
        group_with_data(build),
        recipe="user-personalization",
        solutionConfig=config,
    )
    assert code == INVALID


def test_describe_gives_the_percentiles_of_histories_other_names(build: Builder) -> None:
    """https://github.com/boto/boto3/issues/3514."""
    given = {
        "min_user_history_length_percentile": "0.0",
        "max_user_history_length_percentile": "0.99",
    }
    solution = build.solution(
        group_with_data(build),
        recipe="user-personalization",
        solutionConfig={"featureTransformationParameters": given},
    )
    told = described(build, solution)["solutionConfig"]["featureTransformationParameters"]
    assert told == {"min_hist_length_percentile": "0.0", "max_hist_length_percentile": "0.99"}


def test_an_update_with_nothing_new_is_refused(build: Builder) -> None:
    """https://stackoverflow.com/questions/69294232; the README of the AWS solution v1.4.5."""
    group = build.group()
    dataset = build.imported(group)
    solution = build.solution(group, "user-personalization")
    build.version(solution)
    code, told = refused(build.version, solution, trainingMode="UPDATE")
    assert code == INVALID
    assert "There should be updates to at least one dataset" in told
    build.begin_import(dataset, name="more")
    build.wait(900)
    build.version(solution, trainingMode="UPDATE")


def test_a_version_that_was_tuned_tells_what_was_found_within_the_ranges(build: Builder) -> None:
    """API_SolutionVersion: tunedHPOParams, where hyperparameters were optimized."""
    ranges = {
        "integerHyperParameterRanges": [
            {"name": "hidden_dimension", "minValue": 32, "maxValue": 64}
        ],
        "categoricalHyperParameterRanges": [{"name": "recency_mask", "values": ["false"]}],
    }
    solution = build.solution(
        group_with_data(build),
        "user-personalization",
        performHPO=True,
        solutionConfig={"hpoConfig": {"algorithmHyperParameterRanges": ranges}},
    )
    version = build.version(solution)
    told = build.client.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    found = told["tunedHPOParams"]["algorithmHyperParameters"]
    assert 32 <= int(found["hidden_dimension"]) <= 64
    assert found["recency_mask"] == "false"
    assert found["bptt"] == "32"


def test_a_version_that_was_not_tuned_tells_nothing_of_it(build: Builder) -> None:
    version = build.version(build.solution(group_with_data(build)))
    told = build.client.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    assert "tunedHPOParams" not in told


def test_an_update_cannot_train_more_seldom_than_every_thirty_days(build: Builder) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/solution-config-auto-training.html."""
    solution = build.solution(group_with_data(build))
    config = {"autoTrainingConfig": {"schedulingExpression": "rate(31 days)"}}
    code, _ = refused(
        build.client.update_solution, solutionArn=solution, solutionUpdateConfig=config
    )
    assert code == INVALID


def test_only_the_semantic_recipe_learns_incrementally(build: Builder) -> None:
    """UpdateSolutionRequest.performIncrementalUpdate."""
    solution = build.solution(group_with_data(build))
    code, _ = refused(
        build.client.update_solution, solutionArn=solution, performIncrementalUpdate=True
    )
    assert code == INVALID


def test_a_dataset_that_is_updated_says_so_in_its_own_status(build: Builder) -> None:
    """aws-samples/amazon-personalize-samples update-item-dataset-schema-example, cell 92."""
    items = build.dataset(build.group(), "Items", "i")
    more = {"name": "COLOUR", "type": ["string", "null"], "categorical": True}
    schema = build.client.create_schema(name="more", schema=avro("Items", more))["schemaArn"]
    build.client.update_dataset(datasetArn=items, schemaArn=schema)
    seen = []
    for _ in range(12):
        seen.append(build.client.describe_dataset(datasetArn=items)["dataset"]["status"])
        build.wait(3)
    assert list(dict.fromkeys(seen)) == ["UPDATE PENDING", "UPDATE IN_PROGRESS", "ACTIVE"]


def measured(build: Builder, group: str, recipe: str, **more: Any) -> dict[str, float]:
    version = build.version(build.solution(group, recipe, **more))
    told: dict[str, float] = build.client.get_solution_metrics(solutionVersionArn=version)[
        "metrics"
    ]
    return told


LISTS = {
    "coverage",
    "mean_reciprocal_rank_at_25",
    *(f"normalized_discounted_cumulative_gain_at_{k}" for k in (5, 10, 25)),
    *(f"precision_at_{k}" for k in (5, 10, 25)),
}
"""https://docs.aws.amazon.com/personalize/latest/dg/working-with-training-metrics.html."""


@pytest.mark.parametrize("recipe", ["user-personalization-v2", "sims", "popularity-count"])
def test_lists_are_measured_by_the_metrics_of_the_guide(build: Builder, recipe: str) -> None:
    metrics = measured(build, group_with_data(build), recipe)
    assert set(metrics) == LISTS
    assert all(0 <= one <= 1 for one in metrics.values())


def test_hits_of_segments_are_counted(build: Builder) -> None:
    """aws-samples/amazon-personalize-samples user_segmentation_example, cell 136: 19.76.

    Of 1,000 users, each of whom has one item only, the top 1% are ten who all turn to it.
    """
    group = build.group()
    dataset = build.dataset(group)
    rows = [
        f"u{user},i{user % 10},view,1,{1_700_000_000 + visit}"
        for user in range(1000)
        for visit in range(5)
    ]
    header = interactions().partition("\n")[0]
    build.begin_import(dataset, "\n".join([header, *rows, ""]))
    build.wait(900)
    assert measured(build, group, "item-affinity")["hits_at_1_percent"] == 10


def test_an_objective_is_measured_and_its_column_counts(build: Builder) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/working-with-training-metrics.html."""
    group = group_with_data(build)
    items = build.dataset(group, "Items", "i")
    rows = "".join(f"i{n},{n}\n" for n in range(240))
    build.begin_import(items, f"ITEM_ID,PRICE\n{rows}", name="items")
    build.wait(900)
    config = {"optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "HIGH"}}
    metrics = measured(build, group, "user-personalization", solutionConfig=config)
    assert set(metrics) - LISTS == {f"average_rewards_at_{k}" for k in (5, 10, 25)}
    assert 0 < metrics["average_rewards_at_25"] <= 1


def test_weights_of_events_are_measured_and_choose_what_is_trained(build: Builder) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/event-values-types.html."""
    group = group_with_data(build)
    events = [{"eventType": "view", "weight": 1.0}, {"eventType": "BUY", "weight": 0.2}]
    config = {"eventsConfig": {"eventParametersList": events}}
    metrics = measured(build, group, "user-personalization-v2", solutionConfig=config)
    name = "normalized_discounted_cumulative_gain_with_event_weights_at_"
    assert set(metrics) - LISTS == {f"{name}{k}" for k in (5, 10, 25)}
    few = {"eventsConfig": {"eventParametersList": [{"eventType": "buy"}]}}
    version = build.version(build.solution(group, name="few", solutionConfig=few))
    told = build.client.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    assert told["status"] == "CREATE FAILED"  # 600 events of that type are fewer than 1,000


def test_what_trends_is_measured_by_how_well_it_was_foreseen(build: Builder) -> None:
    metrics = measured(build, group_with_data(build), "trending-now")
    assert 0 <= metrics["trend_prediction_accuracy"] <= 1


def test_automl_trains_and_tells_the_recipe_that_it_chose(build: Builder) -> None:
    """API_CreateSolution: performAutoML omits recipeArn, and always optimizes hyperparameters."""
    group = group_with_data(build)
    solution = build.client.create_solution(
        name="auto", datasetGroupArn=group, performAutoML=True, performAutoTraining=False
    )["solutionArn"]
    build.wait(10)
    version = build.version(solution)
    best = described(build, solution)["autoMLResult"]["bestRecipeArn"]
    told = build.client.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    assert (told["status"], told["recipeArn"]) == ("ACTIVE", best)
    assert told["performHPO"] is True
    campaign = build.campaign(version)
    assert build.emulated.runtime.get_recommendations(campaignArn=campaign, userId="u1")["itemList"]


@pytest.mark.parametrize(
    "more",
    [
        {"recipeArn": "arn:aws:personalize:::recipe/aws-sims"},
        {
            "solutionConfig": {
                "autoMLConfig": {"recipeList": ["arn:aws:personalize:::recipe/aws-none"]}
            }
        },
    ],
)
def test_automl_chooses_only_among_recipes_for_users(build: Builder, more: dict[str, Any]) -> None:
    group = group_with_data(build)
    code, _ = refused(
        build.client.create_solution,
        name="auto",
        datasetGroupArn=group,
        performAutoML=True,
        **more,
    )
    assert code == INVALID
