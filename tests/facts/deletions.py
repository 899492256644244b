"""What keeps resources from being deleted."""

from __future__ import annotations

from typing import Any

from tests.conftest import interactions
from tests.facts.bench import GONE, IN_USE, Bench, refused
from tests.facts.jobs import attribution
from tests.facts.record import GUIDE, Area

fact = Area("deletions")
DATASET = f"{GUIDE}delete-dataset.html"
GROUP = f"{GUIDE}API_DeleteDatasetGroup.html"


def with_data(bench: Bench) -> tuple[str, str]:
    """Return a group and its dataset of interactions."""
    group = bench.new_group()
    dataset = bench.dataset(group, "Interactions")
    bench.imported(dataset, interactions())
    return group, dataset


def kept(bench: Bench, dataset: str) -> None:
    assert refused(bench.client.delete_dataset, datasetArn=dataset)[0] == IN_USE


@fact("D", "interactions with an event tracker stay", DATASET)
def _(bench: Bench) -> None:
    group, dataset = with_data(bench)
    bench.client.create_event_tracker(name=bench.name("t"), datasetGroupArn=group)
    bench.wait(60)
    kept(bench, dataset)


@fact("D", "a dataset that a metric attribution reads stays", DATASET)
def _(bench: Bench) -> None:
    group, dataset = with_data(bench)
    attribution(bench, group)
    kept(bench, dataset)


@fact("D", "a dataset that is being imported stays", DATASET)
def _(bench: Bench) -> None:
    _, dataset = with_data(bench)
    bench.begin_import(dataset, interactions())
    kept(bench, dataset)


@fact("D", "a dataset that is being trained on stays", DATASET)
def _(bench: Bench) -> None:
    group, dataset = with_data(bench)
    bench.client.create_solution_version(solutionArn=bench.solution(group=group))
    kept(bench, dataset)
    bench.wait(3600)


@fact("D", "a dataset with an ACTIVE campaign stays", DATASET)
def _(bench: Bench) -> None:
    group, dataset = with_data(bench)
    bench.served(bench.trained(bench.solution(group=group)))
    kept(bench, dataset)


@fact("D", "a dataset that a batch job reads stays", DATASET)
def _(bench: Bench) -> None:
    group, dataset = with_data(bench)
    version = bench.trained(bench.solution(group=group))
    bench.client.create_batch_inference_job(**bench.job(version, '{"userId": "u1"}\n'))
    kept(bench, dataset)


@fact("D", "a dataset that nothing uses goes over DELETE PENDING and DELETE IN_PROGRESS", DATASET)
def _(bench: Bench) -> None:
    _, dataset = with_data(bench)
    bench.client.delete_dataset(datasetArn=dataset)
    found = []
    for _ in range(2):
        found.append(bench.client.describe_dataset(datasetArn=dataset)["dataset"]["status"])
        bench.wait(10)
    bench.wait(30)
    assert found == ["DELETE PENDING", "DELETE IN_PROGRESS"]
    assert refused(bench.client.describe_dataset, datasetArn=dataset)[0] == GONE


@fact("D", "a group with an event tracker stays", GROUP)
def _(bench: Bench) -> None:
    group = bench.new_group()
    bench.dataset(group, "Interactions")
    bench.client.create_event_tracker(name=bench.name("t"), datasetGroupArn=group)
    bench.wait(60)
    assert refused(bench.client.delete_dataset_group, datasetGroupArn=group)[0] == IN_USE


@fact("D", "a group with a solution stays", GROUP)
def _(bench: Bench) -> None:
    group, _ = with_data(bench)
    bench.solution(group=group)
    assert refused(bench.client.delete_dataset_group, datasetGroupArn=group)[0] == IN_USE


@fact("D", "a solution's versions go with it", f"{GUIDE}API_DeleteSolution.html")
def _(bench: Bench) -> None:
    version = bench.trained(bench.solution())
    bench.client.delete_solution(solutionArn=version.rpartition("/")[0])
    bench.wait(60)
    call = bench.client.describe_solution_version
    assert refused(call, solutionVersionArn=version)[0] == GONE


def _moving(told: str, verb: str, key: str) -> None:
    @fact("M", f"{told} that is being created cannot be deleted", f"Delete{key} errors")
    def _(bench: Bench) -> None:
        arn = begun(bench, key)
        call: Any = getattr(bench.client, f"delete_{verb}")
        member = f"{key[0].lower()}{key[1:]}Arn"
        assert refused(call, **{member: arn})[0] == IN_USE
        bench.wait(4000)
        call(**{member: arn})
        bench.wait(60)


def begun(bench: Bench, key: str) -> str:
    """Begin to create a resource of a type; return its ARN."""
    name, client = bench.name("x"), bench.client
    if key == "Campaign":
        made = client.create_campaign(name=name, solutionVersionArn=bench.version())
    elif key == "Filter":
        made = client.create_filter(
            name=name,
            datasetGroupArn=bench.group(),
            filterExpression="INCLUDE ItemID WHERE Items.PRICE > 1",
        )
    elif key == "EventTracker":
        made = client.create_event_tracker(name=name, datasetGroupArn=with_data(bench)[0])
    elif key == "Recommender":
        made = client.create_recommender(
            name=name,
            datasetGroupArn=bench.shop("ECOMMERCE"),
            recipeArn="arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you",
        )
    else:
        made = client.create_dataset_group(name=name)
    return str(made[f"{key[0].lower()}{key[1:]}Arn"])


for told, verb, key in (
    ("a campaign", "campaign", "Campaign"),
    ("a filter", "filter", "Filter"),
    ("an event tracker", "event_tracker", "EventTracker"),
    ("a recommender", "recommender", "Recommender"),
    ("a group", "dataset_group", "DatasetGroup"),
):
    _moving(told, verb, key)
