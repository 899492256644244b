"""Batch inference and batch segment jobs."""

from __future__ import annotations

import json
from typing import Any

from tests.facts.bench import INVALID, LIMIT, THERE, Bench, refused
from tests.facts.groups import seen
from tests.facts.record import GUIDE, SAMPLES, STORE, Area

fact = Area("batch")
UPDATED = f"{SAMPLES} update-item-dataset-schema-example.ipynb"
SEGMENTS = f"{SAMPLES} user_segmentation_example.ipynb, cells 82 and 148"
INPUTS = f"{GUIDE}batch-data-upload.html"
OUTPUTS = f"{GUIDE}batch-inference-job-output-examples.html"
CREATE = f"{GUIDE}API_CreateBatchInferenceJob.html"
ERRORS = f"{GUIDE}error-messages.html"
QUERIES = f"{GUIDE}prepare-input-data-user-segment.html"


def lines(*asked: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in asked)


def ended(bench: Bench, kind: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a job of a kind, ``inference`` or ``segment``; return the lines of its output."""
    made = getattr(bench.client, f"create_batch_{kind}_job")(**params)
    bench.wait(1300)
    key = f"batch{kind.title()}Job"
    told = getattr(bench.client, f"describe_batch_{kind}_job")(**{f"{key}Arn": made[f"{key}Arn"]})
    assert told[key]["status"] == "ACTIVE", told[key]
    body = bench.objects[f"s3://data/out/{params['jobName']}/{params['jobName']}.json.out"]
    text = body.decode() if isinstance(body, bytes) else body
    return [json.loads(line) for line in text.splitlines()]


def inferred(
    bench: Bench, recipe: str, *asked: dict[str, Any], **more: Any
) -> list[dict[str, Any]]:
    return ended(bench, "inference", bench.job(bench.version(recipe), lines(*asked), **more))


def segmented(
    bench: Bench, recipe: str, *asked: dict[str, Any], **more: Any
) -> list[dict[str, Any]]:
    return ended(bench, "segment", bench.job(bench.version(recipe), lines(*asked), **more))


def create(bench: Bench, kind: str, **params: Any) -> Any:
    return getattr(bench.client, f"create_batch_{kind}_job")(**params)


@fact("R", "an object called _CHECK is left in the output folder", f"{UPDATED}, cell 114")
def _(bench: Bench) -> None:
    params = bench.job(bench.version(), lines({"userId": "u1"}))
    ended(bench, "inference", params)
    target = params["jobOutput"]["s3DataDestination"]["path"]
    assert f"{target}_CHECK" in bench.objects


@fact("R", "the output is called as the input, with .out at its end", f"{UPDATED}, execution 30")
def _(bench: Bench) -> None:
    assert inferred(bench, "user-personalization", {"userId": "u1"})


@fact("R", "a line of a segment has input, output.usersList and error null", SEGMENTS)
def _(bench: Bench) -> None:
    (line,) = segmented(bench, "item-affinity", {"itemId": "i1"})
    assert list(line) == ["input", "output", "error"]
    assert (set(line["output"]), line["error"]) == ({"usersList"}, None)


@fact("R", 'a query on an attribute: ITEMS.CATEGORY = "value"', f"{UPDATED}, execution 28")
def _(bench: Bench) -> None:
    asked = {"itemAttributes": 'ITEMS.GENRES = "Comedy"'}
    (line,) = segmented(bench, "item-attribute-affinity", asked, numResults=10)
    assert len(line["output"]["usersList"]) == 10


@fact(
    "R", "a query names its columns in lower case too", f"{UPDATED}, the text before execution 28"
)
def _(bench: Bench) -> None:
    asked = {"itemAttributes": 'ITEMS.genres = "Comedy"'}
    (line,) = segmented(bench, "item-attribute-affinity", asked)
    assert line["output"]["usersList"]


@fact("D", 'a query on a column of several values: X = "Comedy" AND X = "Drama"', QUERIES)
def _(bench: Bench) -> None:
    asked = {"itemAttributes": 'ITEMS.GENRES = "Comedy" AND ITEMS.GENRES = "Drama"'}
    (line,) = segmented(bench, "item-attribute-affinity", asked)
    assert line["output"]["usersList"]


@fact("D", "an input without a slash at its end is a prefix", f"{GUIDE}creating-batch-seg-job.html")
def _(bench: Bench) -> None:
    params = bench.job(bench.version(), "")
    for name in ("pre-1.json", "pre-2.json"):
        bench.objects[f"s3://data/{params['jobName']}/{name}"] = lines({"userId": "u1"})
    params["jobInput"] = {"s3DataSource": {"path": f"s3://data/{params['jobName']}/pre"}}
    bench.client.create_batch_inference_job(**params)
    bench.wait(1300)
    target = params["jobOutput"]["s3DataDestination"]["path"]
    assert {f"{target}pre-1.json.out", f"{target}pre-2.json.out"} <= set(bench.objects)


@fact(
    "R",
    "a job goes from CREATE PENDING over CREATE IN_PROGRESS to ACTIVE",
    f"{UPDATED}, execution 30",
)
def _(bench: Bench) -> None:
    params = bench.job(bench.version("item-affinity"), lines({"itemId": "i1"}))
    made = bench.client.create_batch_segment_job(**params)
    call = bench.client.describe_batch_segment_job
    arn = made["batchSegmentJobArn"]
    found = seen(bench, call, "batchSegmentJob", step=40, batchSegmentJobArn=arn)
    assert found == ["CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"]


@fact("R", "the ARN of a job ends with its name, which is taken once", f"{UPDATED}, execution 29")
def _(bench: Bench) -> None:
    params = bench.job(bench.version("item-affinity"), lines({"itemId": "i1"}))
    made = bench.client.create_batch_segment_job(**params)
    assert made["batchSegmentJobArn"].endswith(f":batch-segment-job/{params['jobName']}")
    assert refused(bench.client.create_batch_segment_job, **params)[0] == THERE
    bench.wait(1300)


@fact("D", "recommendations for users: recommendedItems, scores, error null", OUTPUTS)
def _(bench: Bench) -> None:
    (line,) = inferred(bench, "user-personalization", {"userId": "u1"})
    assert set(line) == {"input", "output", "error"}
    assert set(line["output"]) == {"recommendedItems", "scores"}
    assert (len(line["output"]["scores"]), line["error"]) == (25, None)


@fact("D", "related items have no scores", OUTPUTS)
def _(bench: Bench) -> None:
    (line,) = inferred(bench, "similar-items", {"itemId": "i1"})
    assert set(line["output"]) == {"recommendedItems"}


@fact("D", "a ranking: the given items in their new order, with scores", OUTPUTS)
def _(bench: Bench) -> None:
    asked = {"userId": "u1", "itemList": ["i1", "i2", "i3"]}
    (line,) = inferred(bench, "personalized-ranking", asked)
    assert sorted(line["output"]["recommendedItems"]) == ["i1", "i2", "i3"]
    assert len(line["output"]["scores"]) == 3


@fact(
    "R",
    "themes: theme and itemsThemeRelevanceScores, one for each item",
    f"{STORE} personalize_pre_create_resources.py",
)
def _(bench: Bench) -> None:
    config = {"fieldsForThemeGeneration": {"itemName": "BLURB"}}
    (line,) = inferred(
        bench,
        "similar-items",
        {"itemId": "i1"},
        batchInferenceJobMode="THEME_GENERATION",
        themeGenerationConfig=config,
        numResults=10,
    )
    output = line["output"]
    assert set(output) == {"recommendedItems", "theme", "itemsThemeRelevanceScores"}
    assert len(output["itemsThemeRelevanceScores"]) == len(output["recommendedItems"])


@fact(
    "D",
    "a line that cannot be answered has its error beside it, and the others are answered",
    f"{GUIDE}batch-inference-job-output-examples.html",
)
def _(bench: Bench) -> None:
    bad, good = inferred(bench, "user-personalization", {"x": 1}, {"userId": "u1"})
    assert bad["error"]
    assert good["output"]["recommendedItems"]


@fact("D", "values of a filter stand in each line", f"{GUIDE}filter-batch.html")
def _(bench: Bench) -> None:
    arn = bench.filter("INCLUDE ItemID WHERE Items.GENRES IN ($G)")
    asked = {"userId": "u1", "filterValues": {"G": '"Comedy"'}}
    (line,) = inferred(bench, "user-personalization", asked, filterArn=arn)
    assert set(line["output"]["recommendedItems"]) <= {f"i{n}" for n in range(100)}


@fact(
    "M",
    "DescribeBatchInferenceJob tells numResults and the mode, given or not",
    "BatchInferenceJob",
)
def _(bench: Bench) -> None:
    params = bench.job(bench.version(), lines({"userId": "u1"}))
    arn = bench.client.create_batch_inference_job(**params)["batchInferenceJobArn"]
    told = bench.client.describe_batch_inference_job(batchInferenceJobArn=arn)["batchInferenceJob"]
    assert told["batchInferenceJobMode"] == "BATCH_INFERENCE"
    bench.wait(1300)


@fact("D", "500 results at most", f"{GUIDE}limits.html")
def _(bench: Bench) -> None:
    params = bench.job(bench.version(), lines({"userId": "u1"}), numResults=501)
    assert refused(create, bench=bench, kind="inference", **params)[0] == INVALID


def _no_batch(recipe: str, source: str) -> None:
    @fact("D", f"aws-{recipe} has no batch recommendations", source)
    def _(bench: Bench) -> None:
        version = bench.version(recipe) if recipe != "next-best-action" else _acting(bench)
        params = bench.job(version, lines({"userId": "u1"}))
        assert refused(create, bench=bench, kind="inference", **params)[0] == INVALID


def _acting(bench: Bench) -> str:
    from tests.conftest import interactions

    group = bench.new_group()
    bench.imported(bench.dataset(group, "Interactions"), interactions())
    bench.imported(bench.dataset(group, "Actions"), "ACTION_ID,VALUE,MONTHS\na,1,1\n")
    return bench.trained(bench.solution("next-best-action", group=group))


_no_batch("trending-now", CREATE)
_no_batch("next-best-action", CREATE)
_no_batch("item-affinity", CREATE)


@fact("D", "segments are only of recipes for segments", f"{GUIDE}API_CreateBatchSegmentJob.html")
def _(bench: Bench) -> None:
    params = bench.job(bench.version(), lines({"userId": "u1"}))
    assert refused(create, bench=bench, kind="segment", **params)[0] == INVALID


@fact("D", "themes are of Similar-Items alone", CREATE)
def _(bench: Bench) -> None:
    config = {"fieldsForThemeGeneration": {"itemName": "BLURB"}}
    params = bench.job(
        bench.version("sims"),
        lines({"itemId": "i1"}),
        batchInferenceJobMode="THEME_GENERATION",
        themeGenerationConfig=config,
    )
    assert refused(create, bench=bench, kind="inference", **params)[0] == INVALID


@fact("D", "an input that is not there: Invalid S3 input path", ERRORS)
def _(bench: Bench) -> None:
    source = {"s3DataSource": {"path": "s3://data/nothing/here.json"}}
    params = bench.job(bench.version(), "", jobInput=source)
    code, told = refused(create, bench=bench, kind="inference", **params)
    assert code == INVALID
    assert "Invalid S3 input path" in told


@fact("D", "an output that is the input: Invalid S3 output path", ERRORS)
def _(bench: Bench) -> None:
    params = bench.job(bench.version(), lines({"userId": "u1"}))
    same = params["jobInput"]["s3DataSource"]["path"]
    params["jobOutput"] = {"s3DataDestination": {"path": same}}
    code, told = refused(create, bench=bench, kind="inference", **params)
    assert code == INVALID
    assert "Invalid S3 output path" in told


@fact("D", "a sixth job of a kind at a time is too many", f"{GUIDE}limits.html")
def _(bench: Bench) -> None:
    own = Bench()
    own.build = own.fresh()
    for _ in range(5):
        params = own.job(own.version(), lines({"userId": "u1"}))
        own.client.create_batch_inference_job(**params)
    params = own.job(own.version(), lines({"userId": "u1"}))
    assert refused(create, bench=own, kind="inference", **params)[0] == LIMIT


@fact("D", "a segment may have up to 5 million users", f"{GUIDE}limits.html")
def _(bench: Bench) -> None:
    version = bench.version("item-affinity")
    params = bench.job(version, lines({"itemId": "i1"}), numResults=5_000_001)
    assert refused(create, bench=bench, kind="segment", **params)[0] == INVALID
    assert segmented(bench, "item-affinity", {"itemId": "i1"}, numResults=5_000_000)


@fact("M", "a job's summary has its version and mode", "BatchInferenceJobSummary")
def _(bench: Bench) -> None:
    inferred(bench, "user-personalization", {"userId": "u1"})
    listed = bench.client.list_batch_inference_jobs(solutionVersionArn=bench.version())
    (told, *_) = listed["batchInferenceJobs"]
    assert told["solutionVersionArn"] == bench.version()
    assert "jobInput" not in told


QUERIES_OF = {"item-affinity": 500, "item-attribute-affinity": 10}


def _queries(recipe: str, most: int) -> None:
    @fact(
        "D", f"aws-{recipe} answers {most} queries of a file", f"{GUIDE}native-recipe-{recipe}.html"
    )
    def _(bench: Bench) -> None:
        asked = (
            {"itemId": "i1"}
            if recipe == "item-affinity"
            else {"itemAttributes": 'ITEMS.GENRES = "Comedy"'}
        )
        found = segmented(bench, recipe, *[asked] * most, numResults=1)
        assert len(found) == most
        params = bench.job(bench.version(recipe), lines(*[asked] * (most + 1)))
        arn = bench.client.create_batch_segment_job(**params)["batchSegmentJobArn"]
        bench.wait(1300)
        told = bench.client.describe_batch_segment_job(batchSegmentJobArn=arn)["batchSegmentJob"]
        assert told["status"] == "CREATE FAILED"
        assert told["failureReason"]


for recipe, most in QUERIES_OF.items():
    _queries(recipe, most)


@fact("M", "explorationWeight is from 0 to 1 in a batch too", "HyperParameters")
def _(bench: Bench) -> None:
    config = {"itemExplorationConfig": {"explorationWeight": "2"}}
    job = bench.job(bench.version(), '{"userId": "u1"}', batchInferenceJobConfig=config)
    assert refused(bench.client.create_batch_inference_job, **job)[0] == INVALID


@fact("D", "an input is s3, http or https", "S3Location")
def _(bench: Bench) -> None:
    job = bench.job(bench.version(), '{"userId": "u1"}')
    job["jobInput"] = {"s3DataSource": {"path": "ftp://data/in.json"}}
    assert refused(bench.client.create_batch_inference_job, **job)[0] == INVALID


@fact("D", "themes need the field that has the items' names", CREATE)
def _(bench: Bench) -> None:
    job = bench.job(
        bench.version("similar-items"), '{"itemId": "i1"}', batchInferenceJobMode="THEME_GENERATION"
    )
    assert refused(bench.client.create_batch_inference_job, **job)[0] == INVALID
