"""Solutions, their versions and their metrics."""

from __future__ import annotations

from typing import Any

from tests.conftest import interactions
from tests.facts.bench import (
    GONE,
    IN_USE,
    INVALID,
    LIMIT,
    RECIPE,
    THERE,
    Bench,
    refused,
)
from tests.facts.groups import seen
from tests.facts.record import GUIDE, SAMPLES, Area

fact = Area("solutions")
CREATE = f"{GUIDE}API_CreateSolution.html"
VERSION = f"{GUIDE}API_CreateSolutionVersion.html"
METRICS = f"{GUIDE}working-with-training-metrics.html"
UPDATED = f"{SAMPLES} update-item-dataset-schema-example.ipynb, the output before execution 27"
AUTO = f"{GUIDE}solution-config-auto-training.html"
LIMITS = f"{GUIDE}limits.html"
ERRORS = f"{GUIDE}error-messages.html"


def told_of(bench: Bench, arn: str) -> dict[str, Any]:
    return dict(bench.client.describe_solution(solutionArn=arn)["solution"])


def told_of_version(bench: Bench, arn: str) -> dict[str, Any]:
    told = bench.client.describe_solution_version(solutionVersionArn=arn)
    return dict(told["solutionVersion"])


def metrics(bench: Bench, version: str) -> dict[str, float]:
    return dict(bench.client.get_solution_metrics(solutionVersionArn=version)["metrics"])


@fact(
    "R",
    "Provide a hyperparameter that is used in the algorithm: refused in these words",
    f"{SAMPLES}#156",
)
def _(bench: Bench) -> None:
    config = {"algorithmHyperParameters": {"model.id_embedding_dim": "30"}}
    code, told = refused(bench.solution, recipe="similar-items", solutionConfig=config)
    assert code == INVALID
    assert told.startswith(
        "Provide a hyperparameter that is used in the algorithm: "
        "arn:aws:personalize:::algorithm/aws-similar-items"
    )


@fact(
    "R",
    "an UPDATE with nothing new since the last FULL training is refused",
    "README of the AWS solution v1.4.5, line 574",
)
def _(bench: Bench) -> None:
    solution = bench.solution()
    bench.trained(solution)
    code, told = refused(bench.trained, solution=solution, trainingMode="UPDATE")
    assert code == INVALID
    assert "There should be updates to at least one dataset after last active" in told


@fact("M", "performAutoML true is taken, without a recipe", "CreateSolutionRequest.performAutoML")
def _(bench: Bench) -> None:
    made = bench.client.create_solution(
        name=bench.name("sol"), datasetGroupArn=bench.group(), performAutoML=True
    )
    assert told_of(bench, made["solutionArn"])["performAutoML"] is True


@fact("D", "AutoML and a recipe together are refused", CREATE)
def _(bench: Bench) -> None:
    assert refused(bench.solution, performAutoML=True)[0] == INVALID


@fact("D", "AutoML always optimizes hyperparameters", CREATE)
def _(bench: Bench) -> None:
    made = bench.client.create_solution(
        name=bench.name("sol"), datasetGroupArn=bench.group(), performAutoML=True
    )
    assert told_of(bench, made["solutionArn"])["performHPO"] is True


@fact("D", "a solution without a recipe and without AutoML is refused", CREATE)
def _(bench: Bench) -> None:
    call = bench.client.create_solution
    assert refused(call, name=bench.name("sol"), datasetGroupArn=bench.group())[0] == INVALID


DEFAULTS = {"performHPO": False, "performAutoML": False, "performAutoTraining": True}


def _default(key: str, value: bool) -> None:
    @fact("D", f"{key} is {str(value).lower()} where it was not given", CREATE)
    def _(bench: Bench) -> None:
        made = bench.client.create_solution(
            name=bench.name("sol"),
            datasetGroupArn=bench.group(),
            recipeArn=f"{RECIPE}user-personalization",
        )
        assert told_of(bench, made["solutionArn"])[key] is value


for key, value in DEFAULTS.items():
    _default(key, value)


@fact(
    "D", "a recipe of a domain's use case makes no solution", f"{GUIDE}API_CreateRecommender.html"
)
def _(bench: Bench) -> None:
    assert refused(bench.solution, recipe="ecomm-popular-items-by-views")[0] == INVALID


@fact(
    "R",
    "a domain's group can have solutions of custom recipes",
    f"{SAMPLES} update-item-dataset-schema-example.ipynb, execution 34",
)
def _(bench: Bench) -> None:
    assert bench.solution("item-attribute-affinity", group=bench.shop("ECOMMERCE"))


@fact("M", "a name that is taken", "CreateSolution errors")
def _(bench: Bench) -> None:
    arn = bench.solution()
    taken = refused(bench.solution, name=arn.rpartition("/")[2])
    assert taken == (THERE, f"Another resource with Arn {arn} already exists.")


@fact(
    "R",
    "DescribeSolution calls min_user_history_length_percentile min_hist_length_percentile",
    "https://github.com/boto/boto3/issues/3514",
)
def _(bench: Bench) -> None:
    given = {
        "min_user_history_length_percentile": "0.0",
        "max_user_history_length_percentile": "0.99",
    }
    arn = bench.solution(solutionConfig={"featureTransformationParameters": given})
    told = told_of(bench, arn)["solutionConfig"]["featureTransformationParameters"]
    assert told == {"min_hist_length_percentile": "0.0", "max_hist_length_percentile": "0.99"}


RATES = {"rate(0 days)": True, "rate(1 day)": False, "rate(30 days)": False, "rate(31 days)": True}


def _rate(rate: str, wrong: bool) -> None:
    @fact("D", f"{rate} is {'refused' if wrong else 'taken'}", AUTO)
    def _(bench: Bench) -> None:
        config = {"autoTrainingConfig": {"schedulingExpression": rate}}
        params: dict[str, Any] = {"performAutoTraining": True, "solutionConfig": config}
        if wrong:
            assert refused(bench.solution, **params)[0] == INVALID
        else:
            told = told_of(bench, bench.solution(**params))["solutionConfig"]
            assert told["autoTrainingConfig"] == {"schedulingExpression": rate}


for rate, wrong in RATES.items():
    _rate(rate, wrong)


@fact(
    "D",
    "an optimization objective is for two recipes alone",
    f"{GUIDE}optimizing-solution-for-objective.html",
)
def _(bench: Bench) -> None:
    config = {"optimizationObjective": {"itemAttribute": "PRICE"}}
    for recipe in ("user-personalization", "personalized-ranking"):
        assert bench.solution(recipe, solutionConfig=config)
    for recipe in ("sims", "user-personalization-v2", "popularity-count"):
        assert refused(bench.solution, recipe=recipe, solutionConfig=config)[0] == INVALID


@fact(
    "D",
    "the column of an objective must be a number of the items",
    f"{GUIDE}optimizing-solution-for-objective.html",
)
def _(bench: Bench) -> None:
    config = {"optimizationObjective": {"itemAttribute": "GENRES"}}
    assert refused(bench.solution, solutionConfig=config)[0] == INVALID


@fact("M", "objectiveSensitivity is LOW, MEDIUM, HIGH or OFF", "ObjectiveSensitivity")
def _(bench: Bench) -> None:
    config = {"optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "MAX"}}
    assert refused(bench.solution, solutionConfig=config)[0] == INVALID


@fact("D", "at most 10 event parameters", f"{GUIDE}API_EventsConfig.html")
def _(bench: Bench) -> None:
    listed = [{"eventType": f"e{number}", "weight": 0.1} for number in range(11)]
    config = {"eventsConfig": {"eventParametersList": listed}}
    code, _ = refused(bench.solution, recipe="user-personalization-v2", solutionConfig=config)
    assert code == INVALID


@fact("M", "a weight of events is from 0 to 1", "EventTypeWeight")
def _(bench: Bench) -> None:
    config = {"eventsConfig": {"eventParametersList": [{"eventType": "buy", "weight": 1.5}]}}
    code, _ = refused(bench.solution, recipe="user-personalization-v2", solutionConfig=config)
    assert code == INVALID


@fact("D", "HPO runs at most 40 trainings, 10 at a time", f"{GUIDE}API_HPOResourceConfig.html")
def _(bench: Bench) -> None:
    for key, most in (("maxNumberOfTrainingJobs", 40), ("maxParallelTrainingJobs", 10)):
        for value, wrong in ((most, False), (most + 1, True)):
            config = {"hpoConfig": {"hpoResourceConfig": {key: str(value)}}}
            params: dict[str, Any] = {"performHPO": True, "solutionConfig": config}
            if wrong:
                assert refused(bench.solution, **params)[0] == INVALID
            else:
                assert bench.solution(**params)


@fact(
    "D",
    "v2 recipes are tuned by automatic training alone: performHPO is refused",
    f"{GUIDE}customizing-solution-config-hpo.html",
)
def _(bench: Bench) -> None:
    code, _ = refused(bench.solution, recipe="user-personalization-v2", performHPO=True)
    assert code == INVALID


@fact("D", "only the semantic recipe learns incrementally", f"{GUIDE}API_CreateSolution.html")
def _(bench: Bench) -> None:
    assert refused(bench.solution, performIncrementalUpdate=True)[0] == INVALID


@fact(
    "D", "item-attribute affinity needs items", f"{GUIDE}native-recipe-item-attribute-affinity.html"
)
def _(bench: Bench) -> None:
    group = bench.new_group()
    bench.imported(bench.dataset(group, "Interactions"), interactions())
    assert refused(bench.solution, recipe="item-attribute-affinity", group=group)[0] == INVALID


@fact("D", "an eleventh solution of a group is too many", LIMITS)
def _(bench: Bench) -> None:
    own = bench.fresh()
    group = own.group()
    own.imported(group)
    for number in range(10):
        own.solution(group, name=f"s{number}")
    assert refused(own.solution, group=group, name="s10")[0] == LIMIT


# Versions


@fact("R", "a version without a name is told as SOLUTION/ID", UPDATED)
def _(bench: Bench) -> None:
    version = bench.version()
    told = told_of_version(bench, version)
    assert told["name"] == version.rpartition(":solution/")[2]


@fact("R", "the id of a version is eight hexadecimal digits", UPDATED)
def _(bench: Bench) -> None:
    last = bench.version().rpartition("/")[2]
    assert len(last) == 8
    assert int(last, 16) >= 0


@fact("D", "the ARN of a version that was named ends with the name", VERSION)
def _(bench: Bench) -> None:
    solution = bench.solution()
    made = bench.client.create_solution_version(solutionArn=solution, name="spring")
    assert made["solutionVersionArn"] == f"{solution}/spring"
    bench.wait(3600)


@fact("R", "trainingMode is FULL where it was not given", UPDATED)
def _(bench: Bench) -> None:
    assert told_of_version(bench, bench.version())["trainingMode"] == "FULL"


@fact("M", "a version that was asked for is of the training type MANUAL", "TrainingType")
def _(bench: Bench) -> None:
    assert told_of_version(bench, bench.version())["trainingType"] == "MANUAL"


@fact(
    "D",
    "trainingHours is there only after a training that succeeded",
    f"{GUIDE}API_SolutionVersion.html",
)
def _(bench: Bench) -> None:
    solution = bench.solution()
    arn = bench.client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    assert "trainingHours" not in told_of_version(bench, arn)
    bench.wait(3600)
    assert told_of_version(bench, arn)["trainingHours"] > 0


@fact("R", "a version goes from CREATE PENDING over CREATE IN_PROGRESS to ACTIVE", UPDATED)
def _(bench: Bench) -> None:
    solution = bench.solution()
    arn = bench.client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    call = bench.client.describe_solution_version
    found = seen(bench, call, "solutionVersion", step=100, solutionVersionArn=arn)
    assert found == ["CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"]


@fact("R", "DescribeSolutionVersion tells recipe, group, performHPO and performAutoML", UPDATED)
def _(bench: Bench) -> None:
    told = told_of_version(bench, bench.version())
    assert (told["performHPO"], told["performAutoML"]) == (False, False)
    assert told["datasetGroupArn"] == bench.group()
    assert told["recipeArn"] == f"{RECIPE}user-personalization"


@fact(
    "R",
    "the versions of a solution are listed with the newest last",
    f"{SAMPLES} update-item-dataset-schema-example.ipynb, code of execution 34",
)
def _(bench: Bench) -> None:
    solution = bench.solution()
    made = [bench.trained(solution) for _ in range(3)]
    listed = bench.client.list_solution_versions(solutionArn=solution)["solutionVersions"]
    assert [one["solutionVersionArn"] for one in listed] == made


@fact("M", "a version's summary has mode, type and status, and no config", "SolutionVersionSummary")
def _(bench: Bench) -> None:
    solution = bench.version().rpartition("/")[0]
    (told, *_) = bench.client.list_solution_versions(solutionArn=solution)["solutionVersions"]
    assert {"trainingMode", "trainingType", "status"} <= set(told)
    assert not {"recipeArn", "solutionConfig", "trainingHours"} & set(told)


@fact("M", "DescribeSolution tells its latest version", "Solution.latestSolutionVersion")
def _(bench: Bench) -> None:
    solution = bench.solution()
    assert "latestSolutionVersion" not in told_of(bench, solution)
    version = bench.trained(solution)
    assert told_of(bench, solution)["latestSolutionVersion"]["solutionVersionArn"] == version


@fact("M", "ListSolutions tells the recipe", "SolutionSummary.recipeArn")
def _(bench: Bench) -> None:
    bench.solution()
    (told, *_) = bench.client.list_solutions(datasetGroupArn=bench.group())["solutions"]
    assert told["recipeArn"].startswith(RECIPE)
    assert "performHPO" not in told


@fact("D", "a version needs an ACTIVE solution", VERSION)
def _(bench: Bench) -> None:
    group = bench.group()
    arn = bench.client.create_solution(
        name=bench.name("sol"), datasetGroupArn=group, recipeArn=f"{RECIPE}sims"
    )["solutionArn"]
    assert refused(bench.client.create_solution_version, solutionArn=arn)[0] == IN_USE
    bench.wait(60)
    bench.client.update_solution(solutionArn=arn, performAutoTraining=False)
    bench.wait(60)


@fact("D", "UPDATE is for User-Personalization alone", VERSION)
def _(bench: Bench) -> None:
    solution = bench.version("sims").rpartition("/")[0]
    assert refused(bench.trained, solution=solution, trainingMode="UPDATE")[0] == INVALID


@fact("D", "UPDATE needs an ACTIVE version that was trained fully", VERSION)
def _(bench: Bench) -> None:
    assert refused(bench.trained, solution=bench.solution(), trainingMode="UPDATE")[0] == INVALID


@fact(
    "D",
    "a training that is stopped while pending is CREATE STOPPED at once",
    f"{GUIDE}API_StopSolutionVersionCreation.html",
)
def _(bench: Bench) -> None:
    solution = bench.solution()
    arn = bench.client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    bench.client.stop_solution_version_creation(solutionVersionArn=arn)
    assert told_of_version(bench, arn)["status"] == "CREATE STOPPED"


@fact(
    "D",
    "a training in progress is CREATE STOPPING, then CREATE STOPPED",
    f"{GUIDE}API_StopSolutionVersionCreation.html",
)
def _(bench: Bench) -> None:
    solution = bench.solution()
    arn = bench.client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    bench.wait(1000)
    bench.client.stop_solution_version_creation(solutionVersionArn=arn)
    call = bench.client.describe_solution_version
    found = seen(bench, call, "solutionVersion", step=2, solutionVersionArn=arn)
    assert found == ["CREATE STOPPING", "CREATE STOPPED"]


@fact("D", "an ACTIVE version cannot be stopped", f"{GUIDE}API_StopSolutionVersionCreation.html")
def _(bench: Bench) -> None:
    call = bench.client.stop_solution_version_creation
    assert refused(call, solutionVersionArn=bench.version())[0] in {IN_USE, INVALID}


@fact("D", "a solution that is being trained cannot be deleted", f"{GUIDE}API_DeleteSolution.html")
def _(bench: Bench) -> None:
    solution = bench.solution()
    bench.client.create_solution_version(solutionArn=solution)
    assert refused(bench.client.delete_solution, solutionArn=solution)[0] == IN_USE
    bench.wait(3600)


@fact("D", "a solution with a campaign cannot be deleted", f"{GUIDE}API_DeleteSolution.html")
def _(bench: Bench) -> None:
    bench.campaign()
    solution = bench.version().rpartition("/")[0]
    assert refused(bench.client.delete_solution, solutionArn=solution)[0] == IN_USE


@fact("D", "a deleted solution goes over DELETE PENDING and DELETE IN_PROGRESS", CREATE)
def _(bench: Bench) -> None:
    solution = bench.solution()
    bench.client.delete_solution(solutionArn=solution)
    found = [told_of(bench, solution)["status"]]
    bench.wait(10)
    found.append(told_of(bench, solution)["status"])
    bench.wait(60)
    assert found == ["DELETE PENDING", "DELETE IN_PROGRESS"]
    assert refused(bench.client.describe_solution, solutionArn=solution)[0] == GONE


@fact("D", "21 trainings at a time are too many", LIMITS)
def _(bench: Bench) -> None:
    own = bench.fresh()
    group = own.group()
    own.imported(group)
    solution = own.solution(group)
    for _ in range(20):
        own.client.create_solution_version(solutionArn=solution)
    assert refused(own.client.create_solution_version, solutionArn=solution)[0] == LIMIT


def failed(bench: Bench, body: str, **more: Any) -> str:
    """Train on what a CSV has; return why that failed."""
    group = bench.new_group()
    bench.imported(bench.dataset(group, "Interactions"), body)
    told = told_of_version(bench, bench.trained(bench.solution(group=group, **more)))
    assert told["status"] == "CREATE FAILED", told
    return str(told["failureReason"])


@fact(
    "D", "too few users: Dataset has fewer than 25 users with at least 2 interactions each", ERRORS
)
def _(bench: Bench) -> None:
    told = failed(bench, interactions(20, 60))
    assert "Dataset has fewer than 25 users with at least 2 interactions each" in told


@fact(
    "D",
    "Dataset has fewer than 1000 interactions after filtering by event type: TYPE",
    ERRORS,
)
def _(bench: Bench) -> None:
    told = failed(bench, interactions(), eventType="buy")
    assert "Dataset has fewer than 1000 interactions after filtering by event type: buy" in told


@fact("D", "users with two interactions must be 1% of all", LIMITS)
def _(bench: Bench) -> None:
    once = "".join(f"o{n},i1,view,1,1700000000\n" for n in range(6000))
    assert failed(bench, interactions() + once)


@fact("D", "only events from eventValueThreshold on count", f"{GUIDE}API_SolutionConfig.html")
def _(bench: Bench) -> None:
    config = {"eventValueThreshold": "5"}
    assert failed(bench, interactions(), eventType="view", solutionConfig=config)


# Automatic training


def automatic(bench: Bench, **more: Any) -> str:
    """Create a solution that trains by itself, in a group of its own."""
    group = bench.new_group()
    dataset = bench.dataset(group, "Interactions")
    bench.imported(dataset, interactions())
    return bench.solution(group=group, performAutoTraining=True, **more)


def versions(bench: Bench, solution: str) -> list[dict[str, Any]]:
    return list(bench.client.list_solution_versions(solutionArn=solution)["solutionVersions"])


@fact("D", "a solution trains by itself within an hour of being ACTIVE", CREATE)
def _(bench: Bench) -> None:
    solution = automatic(bench)
    assert not versions(bench, solution)
    bench.wait(3700)
    (found,) = versions(bench, solution)
    assert found["trainingType"] == "AUTOMATIC"


@fact("D", "a version by hand within that hour takes the first one's place", CREATE)
def _(bench: Bench) -> None:
    solution = automatic(bench)
    bench.trained(solution)
    bench.wait(7200)
    assert [one["trainingType"] for one in versions(bench, solution)] == ["MANUAL"]


@fact(
    "D",
    "turned on by an update, the first training is within one hour",
    "botocore UpdateSolutionRequest.performAutoTraining",
)
def _(bench: Bench) -> None:
    solution = bench.solution()
    bench.trained(solution)
    bench.client.update_solution(solutionArn=solution, performAutoTraining=True)
    bench.wait(4000)
    kinds = [one["trainingType"] for one in versions(bench, solution)]
    bench.client.update_solution(solutionArn=solution, performAutoTraining=False)
    bench.wait(4000)
    assert kinds == ["MANUAL", "AUTOMATIC"]


@fact(
    "D",
    "an update of a solution is told by latestSolutionUpdate: CREATE PENDING to ACTIVE",
    f"{GUIDE}API_UpdateSolution.html",
)
def _(bench: Bench) -> None:
    solution = bench.solution()
    assert "latestSolutionUpdate" not in told_of(bench, solution)
    bench.client.update_solution(solutionArn=solution, performAutoTraining=False)
    newest = told_of(bench, solution)["latestSolutionUpdate"]
    assert newest["status"] == "CREATE PENDING"
    assert newest["performAutoTraining"] is False
    bench.wait(60)
    assert told_of(bench, solution)["latestSolutionUpdate"]["status"] == "ACTIVE"


# Metrics

LISTS = {
    "coverage",
    "mean_reciprocal_rank_at_25",
    *(f"normalized_discounted_cumulative_gain_at_{k}" for k in (5, 10, 25)),
    *(f"precision_at_{k}" for k in (5, 10, 25)),
}


def _lists(recipe: str) -> None:
    @fact("D", f"the metrics of aws-{recipe} are coverage, MRR at 25, NDCG and precision", METRICS)
    def _(bench: Bench) -> None:
        assert set(metrics(bench, bench.version(recipe))) == LISTS


for recipe in (
    "user-personalization",
    "user-personalization-v2",
    "personalized-ranking",
    "sims",
    "similar-items",
    "popularity-count",
):
    _lists(recipe)


@fact("D", "aws-trending-now is measured by its accuracy too", METRICS)
def _(bench: Bench) -> None:
    assert set(metrics(bench, bench.version("trending-now"))) > LISTS


@fact(
    "R",
    "segments: coverage, hits_at_1_percent, recall_at_1_percent",
    f"{SAMPLES} user_segmentation_example.ipynb, cell 136",
)
def _(bench: Bench) -> None:
    found = metrics(bench, bench.version("item-affinity"))
    assert set(found) == {"coverage", "hits_at_1_percent", "recall_at_1_percent"}


@fact(
    "R",
    "hits_at_1_percent is a count, not a share",
    f"{SAMPLES} user_segmentation_example.ipynb, cell 136",
)
def _(bench: Bench) -> None:
    group = bench.new_group()
    rows = [
        f"u{user},i{user % 10},view,1,{1_700_000_000 + visit}"
        for user in range(1000)
        for visit in range(5)
    ]
    header = interactions().partition("\n")[0]
    bench.imported(bench.dataset(group, "Interactions"), "\n".join([header, *rows, ""]))
    version = bench.trained(bench.solution("item-affinity", group=group))
    assert metrics(bench, version)["hits_at_1_percent"] > 1


@fact("D", "an objective adds average_rewards_at_k", METRICS)
def _(bench: Bench) -> None:
    config = {"optimizationObjective": {"itemAttribute": "PRICE", "objectiveSensitivity": "HIGH"}}
    found = metrics(bench, bench.trained(bench.solution(solutionConfig=config)))
    assert set(found) - LISTS == {f"average_rewards_at_{k}" for k in (5, 10, 25)}


@fact(
    "D",
    "weights of events add normalized_discounted_cumulative_gain_with_event_weights_at_k",
    METRICS,
)
def _(bench: Bench) -> None:
    listed = [{"eventType": "view", "weight": 0.5}, {"eventType": "buy", "weight": 1.0}]
    config = {"eventsConfig": {"eventParametersList": listed}}
    version = bench.trained(bench.solution("user-personalization-v2", solutionConfig=config))
    name = "normalized_discounted_cumulative_gain_with_event_weights_at_"
    assert set(metrics(bench, version)) - LISTS == {f"{name}{k}" for k in (5, 10, 25)}


@fact("D", "metrics of lists are from 0 to 1", METRICS)
def _(bench: Bench) -> None:
    assert all(0 <= one <= 1 for one in metrics(bench, bench.version()).values())


@fact("M", "a version that is not there yet has no metrics", "GetSolutionMetrics errors")
def _(bench: Bench) -> None:
    arn = bench.client.create_solution_version(solutionArn=bench.solution())["solutionVersionArn"]
    assert refused(bench.client.get_solution_metrics, solutionVersionArn=arn)[0] == IN_USE
    bench.wait(3600)


@fact(
    "D",
    "aws-semantic-similarity trains on items alone",
    f"{GUIDE}native-recipe-semantic-similarity.html",
)
def _(bench: Bench) -> None:
    group = bench.new_group()
    title = {"name": "TITLE", "type": "string", "itemName": True}
    about = {"name": "ABOUT", "type": "string", "textual": True}
    rows = "".join(f"i{n},1,name {n},about the {n % 7}\n" for n in range(1200))
    bench.imported(
        bench.dataset(group, "Items", title, about), f"ITEM_ID,PRICE,TITLE,ABOUT\n{rows}"
    )
    version = bench.trained(bench.solution("semantic-similarity", group=group))
    told = told_of_version(bench, version)
    assert told["status"] == "ACTIVE", told


COLUMNS = f"{GUIDE}custom-config-columns.html"


def _config_refused(
    told: str, source: str, recipe: str = "user-personalization", **config: Any
) -> None:
    @fact("D", f"{told} is refused", source)
    def _(bench: Bench) -> None:
        assert refused(bench.solution, recipe=recipe, solutionConfig=config)[0] == INVALID


def _excluded(dataset: str, column: str) -> dict[str, Any]:
    return {"trainingDataConfig": {"excludedDatasetColumns": {dataset: [column]}}}


_config_refused(
    "EVENT_TYPE left out of training", COLUMNS, **_excluded("INTERACTIONS", "EVENT_TYPE")
)
_config_refused("a column left out that there is not", COLUMNS, **_excluded("ITEMS", "NOTHING"))
_config_refused(
    "a dataset left out of training that there is not", COLUMNS, **_excluded("ACTIONS", "X")
)
_config_refused(
    "a hidden_dimension of 257",
    f"{GUIDE}native-recipe-new-item-USER_PERSONALIZATION.html",
    algorithmHyperParameters={"hidden_dimension": "257"},
)
_config_refused(
    "a hidden_dimension of 31",
    f"{GUIDE}native-recipe-search.html",
    "personalized-ranking",
    algorithmHyperParameters={"hidden_dimension": "31"},
)
_config_refused(
    "a trend_discovery_frequency of 2 days",
    f"{GUIDE}native-recipe-trending-now.html",
    "trending-now",
    featureTransformationParameters={"trend_discovery_frequency": "2 days"},
)


@fact("D", "an items' column may be left out of training, whatever its case", COLUMNS)
def _(bench: Bench) -> None:
    arn = bench.solution(solutionConfig=_excluded("ITEMS", "GENRES"))
    assert told_of(bench, arn)["solutionConfig"] == _excluded("ITEMS", "GENRES")


@fact(
    "D",
    "trends may be looked for every 30 minutes, 1 hour, 3 hours or 1 day",
    f"{GUIDE}native-recipe-trending-now.html",
)
def _(bench: Bench) -> None:
    for often in ("30 minutes", "1 hour", "3 hours", "1 day"):
        config = {"featureTransformationParameters": {"trend_discovery_frequency": often}}
        assert bench.solution("trending-now", solutionConfig=config)


@fact("D", "an automatic training is every seven days where nothing is said", AUTO)
def _(bench: Bench) -> None:
    arn = bench.solution(performAutoTraining=True)
    config = told_of(bench, arn)["solutionConfig"]
    assert config["autoTrainingConfig"] == {"schedulingExpression": "rate(7 days)"}


@fact("M", "eventValueThreshold is a text that must be a number", "EventValueThreshold")
def _(bench: Bench) -> None:
    config = {"eventValueThreshold": "abc"}
    assert refused(bench.solution, eventType="view", solutionConfig=config)[0] == INVALID
