"""Errors, lists and what goes over the wire."""

from __future__ import annotations

import json
from typing import Any

from mpe.emulator import Request
from tests.facts.bench import GONE, INVALID, Bench, refused, status_of
from tests.facts.record import GUIDE, WORKSHOP, Area

fact = Area("errors and lists")
ERRORS = f"{GUIDE}CommonErrors.html"
NOUNS = {
    "batch_inference_job": "batch-inference-job",
    "batch_segment_job": "batch-segment-job",
    "campaign": "campaign",
    "data_deletion_job": "data-deletion-job",
    "dataset": "dataset",
    "dataset_export_job": "dataset-export-job",
    "dataset_group": "dataset-group",
    "dataset_import_job": "dataset-import-job",
    "event_tracker": "event-tracker",
    "filter": "filter",
    "metric_attribution": "metric-attribution",
    "recommender": "recommender",
    "schema": "schema",
    "solution": "solution",
}


def camel(noun: str) -> str:
    first, *rest = noun.split("_")
    return first + "".join(one.title() for one in rest)


def _gone(noun: str, part: str) -> None:
    @fact(
        "M", f"Describe of a {part} that there is not: ResourceNotFoundException", "botocore errors"
    )
    def _(bench: Bench) -> None:
        arn = f"arn:aws:personalize:us-east-1:000000000000:{part}/none"
        code, told = refused(
            getattr(bench.client, f"describe_{noun}"), **{f"{camel(noun)}Arn": arn}
        )
        assert code == GONE
        assert arn in told


for noun, part in NOUNS.items():
    _gone(noun, part)


@fact("M", "a refusal of the control plane is HTTP 400", "botocore: the shapes have no status")
def _(bench: Bench) -> None:
    arn = "arn:aws:personalize:us-east-1:000000000000:campaign/none"
    assert status_of(bench.client.describe_campaign, campaignArn=arn) == 400


@fact(
    "R",
    "answers are application/x-amz-json-1.1 with x-amzn-requestid",
    f"{WORKSHOP} Media/Media_03_Training.ipynb",
)
def _(bench: Bench) -> None:
    answer = bench.client.list_schemas()["ResponseMetadata"]
    assert answer["HTTPHeaders"]["content-type"] == "application/x-amz-json-1.1"
    assert answer["HTTPHeaders"]["x-amzn-requestid"]


@fact(
    "R",
    "answers of the runtime are application/json with x-amzn-requestid",
    f"{WORKSHOP} Retail/Retail_03_Inference_Layer.ipynb, the output of execution 19",
)
def _(bench: Bench) -> None:
    answer = bench.runtime.get_recommendations(campaignArn=bench.campaign(), userId="u1")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == "application/json"
    assert headers["x-amzn-requestid"]


@fact("R", "a creation answers with the ARN alone", f"{WORKSHOP} Media/Media_03_Training.ipynb")
def _(bench: Bench) -> None:
    made = bench.client.create_dataset_group(name=bench.name("g"))
    assert set(made) == {"datasetGroupArn", "ResponseMetadata"}


@fact("D", "an operation that there is not", ERRORS)
def _(bench: Bench) -> None:
    headers = {"x-amz-target": "AmazonPersonalize.CreateNothing"}
    answer = bench.build.emulated.service.handle(Request("POST", "/", headers, b"{}"))
    assert answer.status == 400
    assert "UnknownOperation" in json.loads(answer.body)["__type"]


@fact("M", "a nextToken that is not the service's: InvalidNextTokenException", "botocore errors")
def _(bench: Bench) -> None:
    for call in (bench.client.list_schemas, bench.client.list_solutions, bench.client.list_filters):
        assert refused(call, nextToken="none")[0] == "InvalidNextTokenException"


LISTS = (
    "batch_inference_jobs",
    "batch_segment_jobs",
    "campaigns",
    "data_deletion_jobs",
    "dataset_export_jobs",
    "dataset_groups",
    "dataset_import_jobs",
    "datasets",
    "event_trackers",
    "filters",
    "metric_attributions",
    "recipes",
    "recommenders",
    "schemas",
    "solution_versions",
    "solutions",
)


@fact("M", "maxResults is at most 100 in every list", "MaxResults")
def _(bench: Bench) -> None:
    for one in LISTS:
        call: Any = getattr(bench.client, f"list_{one}")
        assert refused(call, maxResults=101)[0] == INVALID, one
        assert call(maxResults=100)["ResponseMetadata"]["HTTPStatusCode"] == 200


@fact("M", "the last page has no nextToken", "botocore: the value is null when there are no more")
def _(bench: Bench) -> None:
    own = bench.fresh()
    own.client.create_dataset_group(name="one")
    assert "nextToken" not in own.client.list_dataset_groups()


@fact("D", "a list without a size gives 100", f"{GUIDE}API_ListBatchInferenceJobs.html")
def _(bench: Bench) -> None:
    own = Bench()
    for _ in range(101):
        own.client.create_dataset_group(name=own.name("g"))
    page = own.client.list_dataset_groups()
    assert len(page["datasetGroups"]) == 100
    assert page["nextToken"]


@fact("M", "an ARN of another form is refused", "Arn")
def _(bench: Bench) -> None:
    assert refused(bench.client.describe_campaign, campaignArn="campaign/x")[0] == INVALID


@fact("M", "an ARN of more than 256 characters is refused", "Arn")
def _(bench: Bench) -> None:
    arn = f"arn:aws:personalize:us-east-1:000000000000:campaign/{'x' * 256}"
    assert refused(bench.client.describe_campaign, campaignArn=arn)[0] == INVALID


@fact("M", "a domain that there is not is refused", "Domain")
def _(bench: Bench) -> None:
    call = bench.client.create_dataset_group
    assert refused(call, name=bench.name("g"), domain="BOOKS")[0] == INVALID


@fact("M", "a trainingMode that there is not is refused", "TrainingMode")
def _(bench: Bench) -> None:
    call = bench.client.create_solution_version
    solution = bench.version().rpartition("/")[0]
    assert refused(call, solutionArn=solution, trainingMode="FAST")[0] == INVALID


@fact(
    "M",
    "ListSolutionVersions of a solution that there is not: ResourceNotFoundException",
    "ListSolutionVersions errors; no other list has it",
)
def _(bench: Bench) -> None:
    arn = "arn:aws:personalize:us-east-1:000000000000:solution/none"
    assert refused(bench.client.list_solution_versions, solutionArn=arn)[0] == GONE
    assert bench.client.list_campaigns(solutionArn=arn)["campaigns"] == []
