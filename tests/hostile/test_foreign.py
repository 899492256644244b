"""A config that points at what is another bucket's, account's or dataset group's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mpe.model.config.checks.parameters import FILLED
from mpe.model.config.parse import parse
from mpe.model.errors import ConfigError
from mpe.model.plan.desired import Place, desired_state
from mpe.model.plan.foreign import foreign
from mpe.model.plan.reconcile import Keep, Observed, Reject, Switch, decide
from mpe.model.service.operations import ListShape, MapShape, Shape, StructureShape, operation
from mpe.model.service.spec import SPECS
from tests.everything import everything
from tests.hostile.inputs import PLACE

OURS = "arn:aws:personalize:us-east-1:000000000000:"
THEIRS = "arn:aws:personalize:us-east-1:999999999999:"


def pointers(shape: Shape, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every parameter that names a place in S3, a role, a key or a resource."""
    if isinstance(shape, StructureShape):
        for name, inner in shape.members.items():
            yield from pointers(inner, f"{path}.{name}" if path else name)
    elif isinstance(shape, ListShape):
        yield from pointers(shape.member, f"{path}[]")
    elif isinstance(shape, MapShape):
        yield from pointers(shape.value, f"{path}{{}}")
    elif shape.name.endswith("Arn") or shape.name == "S3Location":
        yield path, shape.name


def left_to_users() -> Iterator[tuple[str, str]]:
    for noun, spec in SPECS.items():
        for path, shape in pointers(operation(spec.create).input_shape):
            if path.split(".")[0] not in FILLED.get(noun, ()):
                yield f"{noun}.{path}", shape


def test_what_a_config_can_point_with_is_known_and_nothing_of_it_is_a_bucket() -> None:
    """A parameter that a newer service model adds has to be thought about, here."""
    assert dict(left_to_users()) == {
        "DatasetGroup.roleArn": "RoleArn",  # the stack's own is used instead
        "DatasetGroup.kmsKeyArn": "KmsKeyArn",  # may be shared by another account
        "Solution.recipeArn": "Arn",
        "Solution.solutionConfig.autoMLConfig.recipeList[]": "Arn",
        "Recommender.recipeArn": "Arn",
        "Campaign.solutionVersionArn": "Arn",
        "BatchInferenceJob.filterArn": "Arn",
        "BatchSegmentJob.filterArn": "Arn",
    }


def filled() -> Iterator[Any]:
    bucket, role = "s3://other-bucket/x", "arn:aws:iam::999999999999:role/other"
    for noun, spec in SPECS.items():
        for path, shape in pointers(operation(spec.create).input_shape):
            top, *inner = path.split(".")
            if top in FILLED.get(noun, ()) and "[]" not in path:
                value: Any = {"S3Location": bucket, "RoleArn": role}.get(shape, f"{THEIRS}x/y")
                for name in reversed(inner):
                    value = {name: value}
                yield pytest.param(noun, top, value, id=f"{noun}.{path}")


SECTIONS: dict[str, list[Any]] = {
    "DatasetImportJob": ["datasets"],
    "DatasetExportJob": ["datasets", "interactions", "export"],
    "Dataset": ["datasets", "items", "dataset"],
    "Schema": ["datasets", "items", "schema"],
    "MetricAttribution": ["metricAttribution"],
    "DataDeletionJob": ["dataDeletionJob"],
    "EventTracker": ["eventTracker"],
    "Filter": ["filters", 0],
    "Solution": ["solutions", 0],
    "SolutionVersion": ["solutions", 0, "solutionVersion"],
    "BatchInferenceJob": ["solutions", 0, "batchInferenceJobs", 0],
    "BatchSegmentJob": ["solutions", 2, "batchSegmentJobs", 0],
    "Recommender": ["recommenders", 0],
}


def pointing(noun: str, name: str, value: Any) -> str:
    document: Any = everything()
    document = json.loads(json.dumps(document))
    document["solutions"][0]["solutionVersion"] = {"serviceConfig": {}}
    document["recommenders"] = [{"serviceConfig": {"name": "r"}}]
    section = document
    for key in SECTIONS[noun]:
        section = section[key]
    section.setdefault("serviceConfig", {})[name] = value
    return json.dumps(document)


@pytest.mark.parametrize(("noun", "name", "value"), list(filled()))
def test_what_the_workflow_fills_in_cannot_be_pointed_elsewhere(
    noun: str, name: str, value: Any
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(pointing(noun, name, value))
    assert any(
        one.path.endswith(f".serviceConfig.{name}") and "filled in" in one.message
        for one in caught.value.problems
    )


def bent(**changes: Any) -> str:
    """Return a good config in which some things point elsewhere."""
    document = json.loads(json.dumps(everything()))
    solution = document["solutions"][0]
    if "filter" in changes:
        solution["batchInferenceJobs"][1]["serviceConfig"]["filterArn"] = changes["filter"]
    if "version" in changes:
        solution["campaigns"][0]["serviceConfig"]["solutionVersionArn"] = changes["version"]
    if "recipe" in changes:
        solution["serviceConfig"]["recipeArn"] = changes["recipe"]
    if "recipes" in changes:
        config = {"autoMLConfig": {"recipeList": changes["recipes"]}}
        solution["serviceConfig"]["solutionConfig"] = config
    if "group" in changes:
        document["datasetGroup"]["serviceConfig"].update(changes["group"])
    return json.dumps(document)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"filter": f"{OURS}filter/of-another-group"}, id="filter"),
        pytest.param({"filter": f"{OURS}solution/all-genre"}, id="no-filter"),
        pytest.param({"filter": f"x {OURS}filter/all-genre\n"}, id="around-a-filter"),
        pytest.param({"version": f"{OURS}solution/another/1"}, id="version"),
        pytest.param({"version": f"{OURS}solution/x/:solution/all-for-you/1"}, id="disguised"),
        pytest.param({"recipe": f"{OURS}recipe/aws-sims"}, id="recipe"),
        pytest.param({"recipes": [f"{THEIRS}recipe/x"]}, id="recipes-to-choose-from"),
    ],
)
def test_what_is_another_groups_is_refused_wherever_the_stack_is(changes: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(bent(**changes))
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"filter": f"{THEIRS}filter/all-genre"}, id="filter"),
        pytest.param({"version": f"{THEIRS}solution/all-for-you/1"}, id="version"),
        pytest.param(
            {"filter": "arn:aws:personalize:eu-west-1:000000000000:filter/all-genre"}, id="region"
        ),
        pytest.param(
            {"filter": "arn:aws-cn:personalize:us-east-1:000000000000:filter/all-genre"},
            id="partition",
        ),
    ],
)
def test_what_is_another_accounts_is_refused_where_the_stack_is(changes: Any) -> None:
    (problem,) = foreign(parse(bent(**changes)), PLACE)
    assert "not of this account and region" in problem.message
    assert "000000000000" in problem.remedy


def test_what_is_ones_own_is_not_foreign() -> None:
    config = parse(bent(version=f"{OURS}solution/all-for-you/1"))
    assert list(foreign(config, PLACE)) == []
    elsewhere = Place("eu-west-1", "111111111111", "data", "role")
    assert len(list(foreign(config, elsewhere))) == 2


def test_a_recipe_is_of_the_partition_that_the_stack_is_in() -> None:
    config = parse(bent(recipe="arn:aws-cn:personalize:::recipe/aws-user-personalization"))
    china = Place("cn-north-1", "000000000000", "data", "role", "aws-cn")
    told = [problem.path for problem in foreign(config, china)]
    assert "$.solutions[0].serviceConfig.recipeArn" not in told
    (problem,) = foreign(config, PLACE)
    assert problem.path == "$.solutions[0].serviceConfig.recipeArn"
    assert problem.remedy == "Begin it with arn:aws: instead."


def test_a_role_is_the_stacks_own_and_a_key_may_be_shared() -> None:
    role = "arn:aws:iam::999999999999:role/other"
    key = "arn:aws:kms:us-east-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    config = parse(bent(group={"roleArn": role, "kmsKeyArn": key}))
    assert any("stack's own role" in note.message for note in config.notes)
    assert list(foreign(config, PLACE)) == []
    state = desired_state(config, PLACE, version="x")
    assert role not in state.to_json()
    assert state.resources["datasetGroup"].params["kmsKeyArn"] == key


def recommender(status: str | None = None) -> Any:
    document = {
        "datasetGroup": {"serviceConfig": {"name": "mine", "domain": "ECOMMERCE"}},
    }
    made = desired_state(parse(json.dumps(document)), PLACE, version="x").resources["datasetGroup"]
    return type(made)(
        "recommender.shop",
        "Recommender",
        "shop",
        "$.recommenders[0]",
        {"name": "shop", "datasetGroupArn": f"{OURS}dataset-group/mine"},
        status=status,
    )


@pytest.mark.parametrize("found", ["ACTIVE", "INACTIVE", "CREATE FAILED", "CREATE PENDING"])
@pytest.mark.parametrize("wanted", [None, "INACTIVE", "ACTIVE"])
def test_a_resource_of_another_group_is_left_alone(found: str, wanted: str | None) -> None:
    fields = {"name": "shop", "datasetGroupArn": f"{OURS}dataset-group/theirs"}
    action = decide(recommender(wanted), Observed(f"{OURS}recommender/shop", found, fields))
    assert isinstance(action, Reject)
    assert "of the dataset group theirs" in action.message


def test_a_resource_of_the_own_group_is_kept_and_switched() -> None:
    fields = {"name": "shop", "datasetGroupArn": f"{OURS}dataset-group/mine"}
    observed = Observed(f"{OURS}recommender/shop", "ACTIVE", fields)
    assert isinstance(decide(recommender(), observed), Keep)
    assert isinstance(decide(recommender("INACTIVE"), observed), Switch)
