"""What holds for every kind of resource: names, tags, parents and pages."""

from __future__ import annotations

from typing import Any

import pytest

from mpe.emulator.settings import Quotas
from tests.conftest import ROLE, Emulated, interactions
from tests.emulator.conftest import Builder, avro

Made = dict[str, list[tuple[str, str]]]
"""By noun, the resources: each one's name and ARN."""
TAGS = [{"tagKey": "team", "tagValue": "films"}]
DOMAIN_EVENTS = interactions().replace("view", "View").replace("buy", "Purchase")


def path(name: str) -> dict[str, Any]:
    return {"s3DataDestination": {"path": f"s3://data/train/films/{name}/"}}


class Everything:
    """Builds one of each kind for each of two groups, the second's names with another ending."""

    def __init__(self, build: Builder) -> None:
        self.build = build
        self.made: Made = {}
        build.emulated.objects.objects["s3://data/train/films/in.json"] = '{"userId": "u1"}\n'
        build.emulated.objects.objects["s3://data/train/films/items.json"] = '{"itemId": "i1"}\n'
        build.emulated.objects.objects["s3://data/train/films/gone.csv"] = "USER_ID\nu1\n"

    def create(self, noun: str, name: str | None, operation: str, **params: Any) -> str:
        """Create one, wait for it, and note it."""
        key = "jobName" if noun.endswith("Job") else "name"
        named = {key: name} if name else {}
        arn: str = getattr(self.build.client, f"create_{operation}")(**named, **params)[
            noun[0].lower() + noun[1:] + "Arn"
        ]
        self.build.wait(4000)
        self.made.setdefault(noun, []).append((name or "", arn))
        return arn

    def group(self, end: str) -> None:
        """Create a group of one's own with all that may be in it."""
        group = self.create("DatasetGroup", f"g{end}", "dataset_group", tags=TAGS)
        dataset = self.build.dataset(group, "Interactions", f"d{end}")
        self.build.begin_import(dataset, name=f"first{end}")
        self.build.wait(900)
        at = {"datasetGroupArn": group, "tags": TAGS}
        self.create("EventTracker", f"t{end}", "event_tracker", **at)
        self.create("Filter", f"f{end}", "filter", filterExpression=EXPRESSION, **at)
        self.create(
            "MetricAttribution",
            f"m{end}",
            "metric_attribution",
            datasetGroupArn=group,
            metrics=[
                {"eventType": one, "metricName": one, "expression": "SAMPLECOUNT()"}
                for one in ("view", "buy")
            ],
            metricsOutputConfig={**path("m"), "roleArn": ROLE},
        )
        self.jobs(end, group, dataset)
        self.models(end, at)

    def jobs(self, end: str, group: str, dataset: str) -> None:
        """Create the jobs that move data."""
        common = {"roleArn": ROLE, "tags": TAGS}
        where = "s3://data/train/films/"
        self.create(
            "DatasetImportJob",
            f"i{end}",
            "dataset_import_job",
            datasetArn=dataset,
            dataSource={"dataLocation": f"{where}interactions.csv"},
            **common,
        )
        out = path("out")
        self.create(
            "DatasetExportJob",
            f"e{end}",
            "dataset_export_job",
            datasetArn=dataset,
            jobOutput=out,
            **common,
        )
        self.create(
            "DataDeletionJob",
            f"x{end}",
            "data_deletion_job",
            datasetGroupArn=group,
            dataSource={"dataLocation": f"{where}gone.csv"},
            **common,
        )

    def models(self, end: str, at: dict[str, Any]) -> None:
        """Train two models and use them."""
        recipe = "arn:aws:personalize:::recipe/aws-"
        off = {"performAutoTraining": False, **at}
        solution = self.create(
            "Solution", f"s{end}", "solution", recipeArn=f"{recipe}user-personalization", **off
        )
        affinity = self.create(
            "Solution", f"a{end}", "solution", recipeArn=f"{recipe}item-affinity", **off
        )
        version = self.create(
            "SolutionVersion",
            f"v{end}",
            "solution_version",
            solutionArn=solution,
            tags=TAGS,
        )
        segments = self.create(
            "SolutionVersion", None, "solution_version", solutionArn=affinity, tags=TAGS
        )
        self.create("Campaign", f"c{end}", "campaign", solutionVersionArn=version, tags=TAGS)
        job = {"jobOutput": path("b"), "roleArn": ROLE, "tags": TAGS}
        for noun, of, given in (
            ("inference", version, "in.json"),
            ("segment", segments, "items.json"),
        ):
            self.create(
                f"Batch{noun.title()}Job",
                f"b{noun}{end}",
                f"batch_{noun}_job",
                solutionVersionArn=of,
                jobInput={"s3DataSource": {"path": f"s3://data/train/films/{given}"}},
                **job,
            )

    def shop(self, end: str) -> None:
        """Create a domain's group with a recommender."""
        group = self.create(
            "DatasetGroup", f"r{end}", "dataset_group", domain="ECOMMERCE", tags=TAGS
        )
        schema = self.build.client.create_schema(
            name=f"rs{end}", schema=avro("Interactions"), domain="ECOMMERCE"
        )["schemaArn"]
        dataset = self.create(
            "Dataset",
            f"rd{end}",
            "dataset",
            datasetGroupArn=group,
            datasetType="Interactions",
            schemaArn=schema,
            tags=TAGS,
        )
        self.build.begin_import(dataset, DOMAIN_EVENTS, name=f"ri{end}")
        self.build.wait(900)
        self.create(
            "Recommender",
            f"z{end}",
            "recommender",
            datasetGroupArn=group,
            recipeArn="arn:aws:personalize:::recipe/aws-ecomm-popular-items-by-views",
            tags=TAGS,
        )


EXPRESSION = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'
PARENTS = {
    "ListBatchInferenceJobs": ("solutionVersionArn", "SolutionVersion"),
    "ListBatchSegmentJobs": ("solutionVersionArn", "SolutionVersion"),
    "ListCampaigns": ("solutionArn", "Solution"),
    "ListDataDeletionJobs": ("datasetGroupArn", "DatasetGroup"),
    "ListDatasetExportJobs": ("datasetArn", None),
    "ListDatasetImportJobs": ("datasetArn", None),
    "ListDatasets": ("datasetGroupArn", "DatasetGroup"),
    "ListEventTrackers": ("datasetGroupArn", "DatasetGroup"),
    "ListFilters": ("datasetGroupArn", "DatasetGroup"),
    "ListMetricAttributions": ("datasetGroupArn", "DatasetGroup"),
    "ListRecommenders": ("datasetGroupArn", "DatasetGroup"),
    "ListSolutionVersions": ("solutionArn", "Solution"),
    "ListSolutions": ("datasetGroupArn", "DatasetGroup"),
}
PAGED = [*PARENTS, "ListDatasetGroups", "ListSchemas", "ListRecipes"]


@pytest.fixture
def everything(build: Builder) -> Everything:
    build.emulated.quotas = Quotas(dataset_groups=20)
    found = Everything(build)
    for end in ("1", "2"):
        found.group(end)
        found.shop(end)
    return found


def called(emulated: Emulated, operation: str, **params: Any) -> tuple[list[Any], str | None]:
    """Call a List operation; return its resources and the token of the next page."""
    method = "".join(f"_{one.lower()}" if one.isupper() else one for one in operation).lstrip("_")
    answer = getattr(emulated.client, method)(**params)
    (rows,) = (value for value in answer.values() if isinstance(value, list))
    return rows, answer.get("nextToken")


def test_each_kind_bears_the_name_and_the_tags_it_was_created_with(
    emulated: Emulated, everything: Everything
) -> None:
    for noun, resources in everything.made.items():
        method = "".join(f"_{one.lower()}" if one.isupper() else one for one in noun)
        key = noun[0].lower() + noun[1:]
        for name, arn in resources:
            described = getattr(emulated.client, f"describe{method}")(**{f"{key}Arn": arn})[key]
            if name:
                assert described.get("jobName", described.get("name")) == name, noun
            if noun != "MetricAttribution":
                kept = emulated.client.list_tags_for_resource(resourceArn=arn)["tags"]
                assert kept == TAGS, noun


def test_each_kind_is_listed_in_pages(emulated: Emulated, everything: Everything) -> None:
    for operation in PAGED:
        first, token = called(emulated, operation, maxResults=1)
        assert len(first) == 1, operation
        assert token, operation
        second, _ = called(emulated, operation, maxResults=1, nextToken=token)
        assert len(second) == 1, operation
        assert second != first, operation
    attribution = everything.made["MetricAttribution"][0][1]
    first, token = called(
        emulated, "ListMetricAttributionMetrics", metricAttributionArn=attribution, maxResults=1
    )
    assert token
    second, _ = called(
        emulated,
        "ListMetricAttributionMetrics",
        metricAttributionArn=attribution,
        nextToken=token,
    )
    assert [len(first), len(second)] == [1, 1]
    assert first != second


def test_each_kind_is_listed_by_its_parent(emulated: Emulated, everything: Everything) -> None:
    for operation, (parameter, noun) in PARENTS.items():
        every, _ = called(emulated, operation, maxResults=100)
        parents = [arn for _, arn in everything.made[noun]] if noun else datasets(emulated)
        shares = [
            called(emulated, operation, maxResults=100, **{parameter: parent})[0]
            for parent in parents
        ]
        assert all(len(share) < len(every) for share in shares), operation
        assert sum(len(share) for share in shares) == len(every), operation


def datasets(emulated: Emulated) -> list[str]:
    return [one["datasetArn"] for one in emulated.client.list_datasets()["datasets"]]
