"""The emulated control plane: lifecycles, preconditions, errors, lists."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mpe.emulator import FakeClock, Quotas, Request, authorizations
from mpe.model.service.operations import Shape, operation, service_model
from tests.conftest import BUCKET, ROLE, Emulated, interactions
from tests.emulator.conftest import Builder, avro


def refused(call: Any, *args: Any, **params: Any) -> tuple[str, str]:
    """Return the code and the message of a refusal."""
    with pytest.raises(ClientError) as error:
        call(*args, **params)
    told = error.value.response["Error"]
    return told["Code"], told["Message"]


def test_a_dataset_group_is_pending_then_in_progress_then_active(build: Builder) -> None:
    arn = build.client.create_dataset_group(name="films")["datasetGroupArn"]
    seen = []
    for seconds in (0, 10, 30):
        build.wait(seconds)
        seen.append(build.client.describe_dataset_group(datasetGroupArn=arn)["datasetGroup"])
    statuses = [one["status"] for one in seen]
    assert statuses == ["CREATE PENDING", "CREATE IN_PROGRESS", "ACTIVE"]
    assert arn == "arn:aws:personalize:us-east-1:000000000000:dataset-group/films"
    assert seen[0]["creationDateTime"] < seen[2]["lastUpdatedDateTime"]


KEY = "arn:aws:kms:us-east-1:000000000000:key/one"


@pytest.mark.parametrize(
    ("params", "told"),
    [
        pytest.param({"kmsKeyArn": KEY}, "given together", id="a-key-without-a-role"),
        pytest.param({"roleArn": ROLE}, "given together", id="a-role-without-a-key"),
        pytest.param(
            {"kmsKeyArn": KEY, "roleArn": f"{ROLE}-untrusting"}, "cannot assume", id="no-trust"
        ),
    ],
)
def test_a_group_has_a_key_and_a_role_that_uses_it_or_neither(
    build: Builder, emulated: Emulated, params: dict[str, str], told: str
) -> None:
    emulated.objects.untrusting.add(f"{ROLE}-untrusting")
    code, message = refused(build.client.create_dataset_group, name="films", **params)
    assert code == "InvalidInputException"
    assert told in message


@pytest.mark.parametrize(("locked", "status"), [(False, "ACTIVE"), (True, "CREATE FAILED")])
def test_an_encrypted_group_becomes_active_only_where_its_key_can_be_used(
    build: Builder, emulated: Emulated, locked: bool, status: str
) -> None:
    if locked:
        emulated.objects.locked.add(KEY)
    arn = build.client.create_dataset_group(name="films", kmsKeyArn=KEY, roleArn=ROLE)
    build.wait(60)
    group = build.client.describe_dataset_group(datasetGroupArn=arn["datasetGroupArn"])
    assert group["datasetGroup"]["status"] == status
    assert group["datasetGroup"]["kmsKeyArn"] == KEY
    assert ("failureReason" in group["datasetGroup"]) == locked


def test_a_name_is_taken_once_in_an_account_and_region(build: Builder) -> None:
    build.group()
    code, _ = refused(build.client.create_dataset_group, name="films")
    assert code == "ResourceAlreadyExistsException"


def test_a_quota_is_kept(emulated: Emulated) -> None:
    for n in range(Quotas().dataset_groups):
        emulated.client.create_dataset_group(name=f"g{n}")
    code, _ = refused(emulated.client.create_dataset_group, name="one-more")
    assert code == "LimitExceededException"


def test_a_child_of_a_group_that_is_not_active_is_refused(build: Builder) -> None:
    arn = build.client.create_dataset_group(name="films")["datasetGroupArn"]
    schema = build.client.create_schema(name="s", schema=avro("Interactions"))["schemaArn"]
    params = {"name": "d", "datasetGroupArn": arn, "datasetType": "Interactions"}
    assert refused(build.client.create_dataset, **params, schemaArn=schema)[0] == (
        "ResourceInUseException"
    )
    assert refused(build.client.create_dataset, **params, schemaArn=schema + "x")[0] == (
        "ResourceInUseException"
    )
    build.wait(60)
    assert refused(build.client.create_dataset, **params, schemaArn=schema + "x")[0] == (
        "ResourceNotFoundException"
    )


def test_a_group_has_one_dataset_of_a_type_and_one_event_tracker(build: Builder) -> None:
    group = build.group()
    build.dataset(group)
    schema = build.client.create_schema(name="other", schema=avro("Interactions"))["schemaArn"]
    assert (
        refused(
            build.client.create_dataset,
            name="other",
            datasetGroupArn=group,
            datasetType="interactions",
            schemaArn=schema,
        )[0]
        == "ResourceAlreadyExistsException"
    )
    tracker = build.client.create_event_tracker(name="t", datasetGroupArn=group)
    assert tracker["trackingId"]
    assert refused(build.client.create_event_tracker, name="u", datasetGroupArn=group)[0] == (
        "ResourceAlreadyExistsException"
    )


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ("{", "not JSON"),
        (avro("Interactions").replace("Interactions", "Films"), "must be one of"),
        (avro("Interactions").replace("USER_ID", "USER"), "USER_ID"),
    ],
)
def test_a_schema_against_the_rules_is_refused(build: Builder, schema: str, told: str) -> None:
    code, message = refused(build.client.create_schema, name="s", schema=schema)
    assert code == "InvalidInputException"
    assert told in message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(
            interactions().replace("TIMESTAMP", "WHEN", 1).replace("USER_ID", "WHO", 1),
            "Input CSV is missing the following columns:[USER_ID, TIMESTAMP]",
            id="columns-missing",
        ),
        pytest.param(
            "\n".join(interactions().splitlines()[:1000]), "fewer than 1000", id="too-few"
        ),
        pytest.param(
            interactions().replace("1700000000", "yesterday", 1), "do not conform", id="no-number"
        ),
        pytest.param(interactions().replace("u0,", ",", 1), "do not conform", id="a-null"),
        pytest.param(
            interactions().encode().replace(b"u0", b"\xff"), "not encoded in UTF-8", id="no-text"
        ),
    ],
)
def test_a_bad_csv_fails_the_import_in_the_services_words(
    build: Builder, body: str | bytes, reason: str
) -> None:
    dataset = build.dataset(build.group())
    job = build.begin_import(dataset, body)  # type: ignore[arg-type]
    build.wait(400)
    begun = build.client.describe_dataset_import_job(datasetImportJobArn=job)
    assert begun["datasetImportJob"]["status"] == "CREATE IN_PROGRESS"
    build.wait(500)
    ended = build.client.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
    assert ended["status"] == "CREATE FAILED"
    assert reason in ended["failureReason"]


def test_an_import_needs_something_to_import(build: Builder) -> None:
    dataset = build.dataset(build.group())
    code, message = refused(
        build.client.create_dataset_import_job,
        jobName="j",
        datasetArn=dataset,
        dataSource={"dataLocation": f"{BUCKET}/nothing.csv"},
        roleArn=ROLE,
    )
    assert code == "InvalidInputException"
    assert "Invalid Data location" in message


def test_an_import_that_may_not_read_fails(build: Builder) -> None:
    dataset = build.dataset(build.group())
    build.emulated.objects.denied.add(ROLE)
    job = build.begin_import(dataset)
    build.wait(900)
    told = build.client.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
    assert told["failureReason"] == "Insufficient privileges for accessing data in Amazon S3"


def test_a_folder_of_csvs_is_one_import(build: Builder) -> None:
    dataset = build.dataset(build.group())
    header, *rows = interactions().splitlines()
    for n, part in enumerate((rows[:900], rows[900:])):
        body = "\n".join([header, *part])
        build.emulated.objects.objects[f"{BUCKET}/interactions/{n}.csv"] = body
    job = build.client.create_dataset_import_job(
        jobName="j",
        datasetArn=dataset,
        dataSource={"dataLocation": f"{BUCKET}/interactions/"},
        roleArn=ROLE,
    )["datasetImportJobArn"]
    build.wait(900)
    told = build.client.describe_dataset_import_job(datasetImportJobArn=job)["datasetImportJob"]
    assert told["status"] == "ACTIVE"


def test_an_incremental_import_needs_a_bulk_import_before(build: Builder) -> None:
    dataset = build.dataset(build.group())
    with pytest.raises(ClientError, match="bulk import"):
        build.begin_import(dataset, importMode="INCREMENTAL")
    build.begin_import(dataset)
    build.wait(900)
    build.begin_import(dataset, name="more", importMode="INCREMENTAL")


def test_training_on_too_little_fails_in_the_services_words(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    version = build.version(build.solution(group, eventType="BUY", name="s"))
    assert (
        build.client.describe_solution_version(solutionVersionArn=version)["solutionVersion"][
            "failureReason"
        ]
        == "Dataset has fewer than 1000 interactions after filtering by event type: BUY"
    )
    few = build.group("few")
    dataset = build.dataset(few, name="few")
    build.begin_import(dataset, interactions(users=20, each=60), name="few")
    build.wait(900)
    version = build.version(build.solution(few, name="few"))
    told = build.client.describe_solution_version(solutionVersionArn=version)["solutionVersion"]
    assert told["failureReason"].startswith("Dataset has fewer than 25 users")
    assert "trainingHours" not in told


@pytest.mark.parametrize(
    ("recipe", "mode", "told"),
    [
        ("user-personalization-v2", "UPDATE", "not supported"),
        ("user-personalization", "UPDATE", "needs an ACTIVE version"),
        ("user-personalization", "AUTOTRAIN", "service itself"),
        ("user-personalization", "SOME", "not one of"),
    ],
)
def test_a_training_mode_must_fit(build: Builder, recipe: str, mode: str, told: str) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group, recipe)
    code, message = refused(
        build.client.create_solution_version, solutionArn=solution, trainingMode=mode
    )
    assert code == "InvalidInputException"
    assert told in message


def test_a_training_can_be_stopped(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    arn = build.client.create_solution_version(solutionArn=solution)["solutionVersionArn"]
    build.wait(1000)
    build.client.stop_solution_version_creation(solutionVersionArn=arn)
    build.wait(60)
    told = build.client.describe_solution_version(solutionVersionArn=arn)["solutionVersion"]
    assert told["status"] == "CREATE STOPPED"


def test_a_solution_trains_by_itself_unless_told_not_to(build: Builder) -> None:
    group = build.group()
    dataset = build.imported(group)
    solution = build.solution(group, performAutoTraining=True)

    def versions() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = build.client.list_solution_versions(solutionArn=solution)[
            "solutionVersions"
        ]
        return found

    assert versions() == []
    build.wait(3600)
    (first,) = versions()
    told = build.client.describe_solution_version(solutionVersionArn=first["solutionVersionArn"])[
        "solutionVersion"
    ]
    assert told["trainingType"] == "AUTOMATIC"
    build.wait(8 * 24 * 3600)
    assert len(versions()) == 1, "without new data there is nothing to train on"
    build.begin_import(dataset, name="more")
    build.wait(900)
    assert len(versions()) == 2


def test_a_manual_training_within_the_hour_takes_the_automatic_ones_place(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group, performAutoTraining=True)
    build.version(solution)
    build.wait(7200)
    listed = build.client.list_solution_versions(solutionArn=solution)["solutionVersions"]
    assert len(listed) == 1


def test_the_settings_of_a_solution_can_be_updated(build: Builder) -> None:
    group = build.group()
    build.imported(group)
    solution = build.solution(group, performAutoTraining=True)
    build.client.update_solution(solutionArn=solution, performAutoTraining=False)
    build.wait(10)
    told = build.client.describe_solution(solutionArn=solution)["solution"]
    assert told["performAutoTraining"] is False
    assert told["latestSolutionUpdate"]["status"] == "ACTIVE"


def test_a_solution_that_is_let_train_by_itself_later_does_so_weekly(build: Builder) -> None:
    group = build.group()
    dataset = build.imported(group)
    solution = build.solution(group, performAutoTraining=False)
    build.version(solution)
    build.client.update_solution(solutionArn=solution, performAutoTraining=True)
    build.wait(10)
    told = build.client.describe_solution(solutionArn=solution)["solution"]
    rate = told["solutionConfig"]["autoTrainingConfig"]["schedulingExpression"]
    assert rate == "rate(7 days)"
    build.wait(3600)
    build.client.list_solutions()  # the emulator looks at its clock when it is called
    build.wait(3600)
    kinds = [one["trainingType"] for one in versions(build, solution)]
    assert kinds == ["MANUAL", "AUTOMATIC"]  # within an hour of the update: UpdateSolution
    build.begin_import(dataset, name="more")
    build.wait(8 * 24 * 3600)
    assert len(versions(build, solution)) == 3


def versions(build: Builder, solution: str) -> list[dict[str, Any]]:
    listed = build.client.list_solution_versions(solutionArn=solution)["solutionVersions"]
    return [
        build.client.describe_solution_version(solutionVersionArn=one["solutionVersionArn"])[
            "solutionVersion"
        ]
        for one in listed
    ]


def test_only_an_extending_schema_updates_a_dataset(build: Builder) -> None:
    group = build.group()
    items = build.dataset(group, "Items", "i")
    more = {"name": "COLOUR", "type": ["string", "null"], "categorical": True}
    strict = {**more, "type": "string"}
    good, bad = (
        build.client.create_schema(name=name, schema=avro("Items", field))["schemaArn"]
        for name, field in (("good", more), ("bad", strict))
    )
    assert refused(build.client.update_dataset, datasetArn=items, schemaArn=bad)[0] == (
        "InvalidInputException"
    )
    build.client.update_dataset(datasetArn=items, schemaArn=good)
    build.wait(60)
    assert build.client.describe_dataset(datasetArn=items)["dataset"]["schemaArn"] == good
    events = build.dataset(group)
    assert refused(build.client.update_dataset, datasetArn=events, schemaArn=good)[0] == (
        "InvalidInputException"
    )


def test_what_is_in_use_cannot_be_deleted_and_the_right_order_can(build: Builder) -> None:
    group = build.group()
    dataset = build.imported(group)
    solution = build.solution(group)
    campaign = build.campaign(build.version(solution))
    kept = build.client.create_filter(
        name="f",
        datasetGroupArn=group,
        filterExpression='EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")',
    )["filterArn"]
    schema = build.client.describe_dataset(datasetArn=dataset)["dataset"]["schemaArn"]
    build.wait(60)
    steps = [
        ("delete_solution", "solutionArn", solution),
        ("delete_dataset", "datasetArn", dataset),
        ("delete_dataset_group", "datasetGroupArn", group),
        ("delete_schema", "schemaArn", schema),
    ]
    for name, key, arn in steps:
        assert refused(getattr(build.client, name), **{key: arn})[0] == "ResourceInUseException"
    for name, key, arn in [
        ("delete_campaign", "campaignArn", campaign),
        steps[0],
        ("delete_filter", "filterArn", kept),
        *steps[1:],
    ]:
        getattr(build.client, name)(**{key: arn})
        build.wait(60)
    assert build.client.list_dataset_groups()["datasetGroups"] == []
    assert build.client.list_solution_versions()["solutionVersions"] == []


def test_a_resource_in_transition_cannot_be_deleted(build: Builder) -> None:
    arn = build.client.create_dataset_group(name="films")["datasetGroupArn"]
    assert refused(build.client.delete_dataset_group, datasetGroupArn=arn)[0] == (
        "ResourceInUseException"
    )


def test_lists_come_in_pages_and_by_parent(emulated: Emulated) -> None:
    for n in range(7):
        emulated.client.create_schema(name=f"s{n}", schema=avro("Interactions"))
    pages = emulated.client.get_paginator("list_schemas").paginate(PaginationConfig={"PageSize": 3})
    names = [[one["name"] for one in page["schemas"]] for page in pages]
    assert [len(page) for page in names] == [3, 3, 1]
    assert len({name for page in names for name in page}) == 7
    code, _ = refused(emulated.client.list_schemas, nextToken="nonsense")
    assert code == "InvalidNextTokenException"


def test_tags_are_kept_added_and_removed(build: Builder) -> None:
    arn = build.client.create_dataset_group(name="films", tags=[{"tagKey": "a", "tagValue": "1"}])[
        "datasetGroupArn"
    ]
    build.client.tag_resource(resourceArn=arn, tags=[{"tagKey": "b", "tagValue": "2"}])
    build.client.untag_resource(resourceArn=arn, tagKeys=["a"])
    listed = build.client.list_tags_for_resource(resourceArn=arn)["tags"]
    assert listed == [{"tagKey": "b", "tagValue": "2"}]


def test_parameters_are_held_to_the_services_model(emulated: Emulated) -> None:
    code, message = refused(emulated.client.create_dataset_group, name="x" * 64, domain="SHOP")
    assert code == "InvalidInputException"
    assert message.startswith("2 validation errors detected")


def test_faults_come_as_ordered(build: Builder) -> None:
    faults = build.emulated.service.faults
    faults.throttle("CreateDatasetGroup", 2)
    for _ in range(2):
        assert refused(build.client.create_dataset_group, name="films")[0] == (
            "ThrottlingException"
        )
    faults.fail("DatasetGroup", "fi*", "out of luck")
    faults.slow("DatasetGroup", "slow", 10)
    failing = build.group("films")
    slow = build.group("slow")
    told = build.client.describe_dataset_group(datasetGroupArn=failing)["datasetGroup"]
    assert (told["status"], told["failureReason"]) == ("CREATE FAILED", "out of luck")
    assert (
        build.client.describe_dataset_group(datasetGroupArn=slow)["datasetGroup"]["status"]
        == "CREATE IN_PROGRESS"
    )


def sample(shape: Shape) -> Any:
    """Return some value of a shape, with what is required and nothing more."""
    match shape.type_name:
        case "structure":
            return {name: sample(shape.members[name]) for name in shape.required_members}  # type: ignore[attr-defined]
        case "list":
            return [sample(shape.member)]  # type: ignore[attr-defined]
        case "string":
            arn = "arn:aws:personalize:us-east-1:000000000000:campaign/x"
            role = "arn:aws:iam::000000000000:role/some"
            if shape.enum:  # type: ignore[attr-defined]
                return shape.enum[0]  # type: ignore[attr-defined]
            return {"Arn": arn, "RoleArn": role, "S3Location": "s3://data/x"}.get(shape.name, "x")
        case _:
            return 1


@pytest.mark.parametrize("name", service_model().operation_names)
def test_every_operation_answers_or_says_that_it_is_not_emulated(
    emulated: Emulated, name: str
) -> None:
    body = json.dumps(sample(operation(name).input_shape)).encode()  # type: ignore[arg-type]
    headers = {"x-amz-target": f"AmazonPersonalize.{name}"}
    request = Request("POST", "/", headers, body)
    answer = emulated.service.handle(request)
    told = json.loads(answer.body)
    known = {error.name for error in operation(name).error_shapes}
    if answer.status == 501:
        assert name in told["message"]
        assert "not emulated" in told["message"]
    elif answer.status != 200:
        assert told["__type"] in known, told
    assert authorizations(request)[0].action == f"personalize:{name}"


def test_an_unknown_operation_is_refused(emulated: Emulated) -> None:
    headers = {"x-amz-target": "AmazonPersonalize.Dance"}
    answer = emulated.service.handle(Request("POST", "/", headers, b"{}"))
    assert json.loads(answer.body)["__type"] == "UnknownOperationException"


def test_a_body_that_is_not_json_is_refused(emulated: Emulated) -> None:
    headers = {"x-amz-target": "AmazonPersonalize.ListSchemas"}
    answer = emulated.service.handle(Request("POST", "/", headers, b"{"))
    assert json.loads(answer.body)["__type"] == "SerializationException"


def test_accounts_and_regions_are_worlds_of_their_own(emulated: Emulated) -> None:
    headers = {"x-amz-target": "AmazonPersonalize.CreateDatasetGroup"}
    for account, region in (("1" * 12, "us-east-1"), ("1" * 12, "eu-west-1"), ("2" * 12, "x")):
        request = Request("POST", "/", headers, b'{"name": "films"}', account, region)
        answer = json.loads(emulated.service.handle(request).body)
        assert answer["datasetGroupArn"] == (
            f"arn:aws:personalize:{region}:{account}:dataset-group/films"
        )


class Passing(FakeClock):
    """A clock that passes a little at each reading, once it is told to."""

    step = 0.0

    def __call__(self) -> datetime:
        self.advance(self.step)
        return super().__call__()


def test_an_update_that_is_done_shows_at_the_very_request_that_says_so() -> None:
    clock = Passing()
    build = Builder(Emulated(clock=clock))
    group = build.group()
    build.imported(group)
    solution = build.solution(group)
    old, new = build.version(solution), build.version(solution)
    arn = build.campaign(old)
    build.client.update_campaign(campaignArn=arn, solutionVersionArn=new)
    clock.step = 1
    statuses = set()
    while "ACTIVE" not in statuses:
        told = build.client.describe_campaign(campaignArn=arn)["campaign"]
        statuses.add(told["latestCampaignUpdate"]["status"])
    assert len(statuses) > 1
    assert told["solutionVersionArn"] == new


@pytest.mark.parametrize(
    ("recipe", "config", "words"),
    [
        (
            "similar-items",
            {"algorithmHyperParameters": {"model.id_embedding_dim": "30"}},
            "Provide a hyperparameter that is used in the algorithm: "
            "arn:aws:personalize:::algorithm/aws-similar-items",
        ),
        (
            "user-personalization",
            {"algorithmHyperParameters": {"hidden_dimension": "9"}},
            "from 32 to 256",
        ),
    ],
)
def test_a_hyperparameter_that_the_algorithm_has_not_is_refused(
    build: Builder, recipe: str, config: dict[str, Any], words: str
) -> None:
    """https://github.com/aws-samples/amazon-personalize-samples/issues/156"""
    group = build.group()
    build.dataset(group)
    with pytest.raises(ClientError, match=re.escape(words)):
        build.solution(group, recipe, solutionConfig=config)
