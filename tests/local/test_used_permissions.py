"""Two lists that must be empty after everything has run: calls denied, and grants not used."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from fnmatch import fnmatchcase
from typing import Any

import pytest

from mpe.assembly.synthesis import Assembly
from mpe.aws.events import Events
from mpe.aws.objects import Objects
from mpe.emulator import Quotas
from mpe.handlers.profiling import DATA_TO_COUNT, key_of
from mpe.local.cloud import LocalCloud
from mpe.local.deploy import deploy
from mpe.model.plan.desired import Data
from tests.arns import kinds
from tests.authorization import actions
from tests.conftest import BRIEF
from tests.everything import RECIPE, everything, files, schema
from tests.local.conftest import CSV, NEVER, SPEED, User, small, tend, wait_until
from tests.local.test_concurrency import campaign_of
from tests.local.test_everything import put_files
from tests.local.test_provisioning import shop
from tests.local.test_schedules import fire, settled

pytestmark = pytest.mark.local
QUOTAS = Quotas(dataset_groups=20, importing=20, training=20, solutions=50, campaigns=50)
AT_ONCE = 3
"""How many scenarios go on side by side: each waits more than it works."""
Grant = tuple[str, str, str]
"""A role by its name in the template, an action and a resource."""

REDRIVEN = "A run that is redriven takes its turn again; MiniStack cannot redrive one."

UNUSED = {
    ("*", "xray:*", "*"): "MiniStack keeps no traces.",
    ("*", "logs:*", "*"): "MiniStack writes logs without asking the role.",
    ("*MachineRole", "lambda:InvokeFunction", "*:[*]"): (
        "CDK grants a function's versions along with it; the function itself is called."
    ),
    ("NotificationsNotifyRole", "kms:*", "*"): "MiniStack does not encrypt topics.",
    ("*Role", "sqs:SendMessage", "*-Undelivered*"): (
        "A letter tells of what failed for good, which nothing here does; MiniStack sends those"
        " of functions without asking the role, and Scheduler's not at all."
    ),
    ("ConfigureRole", "s3:ListBucket", "*"): (
        "With it S3 tells that an object is gone, and not that it is denied; MiniStack always does."
    ),
    ("SchedulesKeepRole", "s3:DeleteObject", "*state/[*]"): (
        "Of states that are days older than an upload, of which there are none here."
    ),
    ("Ensure*Role", "dynamodb:PutItem", "*Turns*"): REDRIVEN,
    ("SchedulesKeepRole", "dynamodb:*Item", "*Turns*"): REDRIVEN,
    ("RemoveRole", "dynamodb:PutItem", "*Turns*"): REDRIVEN,
    ("EnsureCampaignRole", "personalize:DescribeSolution", "*:solution/[*]"): (
        "Whose campaign has a name is seen before a run; this is for one that comes meanwhile."
    ),
    ("EnsureCampaignRole", "dynamodb:Query", "*Ledger*"): (
        "Rollbacks before are looked for where a campaign is rolled back, which none is here."
    ),
    **{
        ("EnsureCampaignRole", f"personalize:{one}", "*:campaign/[*]"): (
            "The campaigns here are of a recipe that neither ranks nor recommends actions."
        )
        for one in ("GetPersonalizedRanking", "GetActionRecommendations")
    },
    **{
        ("TendRole", action, on): (
            "Of campaigns that a person has moved, or that fail, as in tests/local/test_cli.py."
        )
        for action, on in (
            ("personalize:[GD]e*", "*:campaign/[*]"),
            ("personalize:UpdateCampaign", "*:campaign/[*]"),
            ("personalize:DescribeSolutionVersion", "*:solution/[*]"),
            ("s3:GetObject", "*/train/[*]"),
            ("s3:GetObject", "*/smoke/[*]"),
            ("s3:ListBucket", "*"),
        )
    },
    ("ScheduledTasksFireTaskRole", "events:PutEvents", "*"): (
        "It tells of a row that only a newer release can read, of which there is none here."
    ),
    ("Ensure*Role", "personalize:Create*", "arn:aws:personalize:::recipe/[*]"): (
        "AWS's data does not say that it is asked for; the AWS solution, which runs, grants it."
    ),
    ("EnsureBatchSegmentJobRole", "personalize:CreateBatchSegmentJob", "*:solution/[*]"): (
        "AWS's data has the solution for the batch inference job alone, which is made alike."
    ),
}
"""What is granted and was not used, by patterns, and why it is granted nevertheless."""


@pytest.fixture(scope="module")
def cloud(assembly: Assembly) -> Iterator[LocalCloud]:
    """A cloud in which all that the stack can do was done."""
    with LocalCloud(speed=SPEED, empty=True, durations=BRIEF, quotas=QUOTAS) as running:
        key = make_key(running)
        running.stack_name = assembly.stack
        outputs = deploy(
            running.client,
            assembly,
            account=running.account,
            region=running.region,
            parameters={"Email": "you@example.com", "PersonalizeKmsKeyArn": key},
        )
        running.outputs = {**outputs, "Key": key}
        let_in(running, key, "personalize.amazonaws.com")
        with ThreadPoolExecutor(AT_ONCE) as together:
            list(together.map(lambda scenario: scenario(running), SCENARIOS))
        yield running


def make_key(cloud: LocalCloud) -> str:
    return str(cloud.client("kms").create_key()["KeyMetadata"]["Arn"])


def let_in(cloud: LocalCloud, key: str, service: str) -> None:
    """Let the service and its role use a key, as the guide's key policy does.

    https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-key-access.html
    """
    root = f"arn:aws:iam::{cloud.account}:root"
    actions = ["Decrypt", "GenerateDataKey", "DescribeKey", "CreateGrant", "ListGrants"]
    actions.append("GenerateDataKeyWithoutPlaintext")  # for exports
    who = {"AWS": cloud.outputs["PersonalizeRole"], "Service": service}
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": who,
            "Action": [f"kms:{action}" for action in actions],
            "Resource": "*",
        },
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    cloud.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy)


def custom(cloud: LocalCloud) -> None:
    """Make everything that a custom group can hold, and change what can be changed."""
    user = User(cloud, "all")
    document = everything("all")
    watch = {"for": "7 days", "alarms": ["none"]}
    document["solutions"][0]["workflowConfig"] = {"gate": {"smoke": {}, "watch": watch}}
    put_files(user, files("all"))
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED", user.mail()
    tend(cloud)
    fields = {"ITEM_ID": "string", "TITLE": "string", "PRICE": "float"}
    fields = {**fields, "GENRES": {"type": "string", "categorical": True}, "C": ["string", "null"]}
    document["datasets"]["items"]["schema"]["serviceConfig"] = {
        "name": "all-items-2",
        "schema": schema("Items", **fields),
    }
    document["metricAttribution"]["serviceConfig"]["metrics"].pop()
    first = document["solutions"][0]
    first["serviceConfig"]["performAutoTraining"] = False
    first["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 2
    user.put("deletions.csv", "USER_ID\nu58\n")  # beside versions, which are looked for by now
    user.upload(document)
    assert user.wait_for_run(2) == "SUCCEEDED", user.mail(2)[1]
    document["datasetGroup"]["workflowConfig"] = {"onRemoval": "delete"}
    for section in ("eventTracker", "filters", "metricAttribution", "dataDeletionJob"):
        del document[section]
    document["solutions"] = document["solutions"][1:]  # the first has a campaign
    user.upload(document)
    assert user.wait_for_run(3) == "SUCCEEDED", user.mail(3)[2]
    for noun in ("Campaign", "Solution", "EventTracker", "MetricAttribution", "Filter"):
        assert f"  removed {noun} " in user.mail(3)[2]["body"]


def domain(cloud: LocalCloud) -> None:
    """Start and stop a recommender by its schedules, and change it."""
    user = User(cloud, "shop")
    document = shop("shop")
    (recommender,) = document["recommenders"]
    document["tags"] = [{"tagKey": "project", "tagValue": "shop"}]
    recommender["workflowConfig"] = {"schedules": {"start": NEVER, "stop": NEVER}}
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED", user.mail()
    have_counted(user)
    tend(cloud)
    for kind in ("stop", "start"):
        run(user, f"{kind}.shop-for-you")
    capacity = recommender["serviceConfig"]["recommenderConfig"]
    capacity["minRecommendationRequestsPerSecond"] = 2
    user.upload(document)
    wait_until(lambda: "updated Recommender" in user.mail()[-1]["body"])
    document["datasetGroup"]["workflowConfig"] = {"onRemoval": "delete"}
    del document["recommenders"]
    user.upload(document)
    wait_until(lambda: "removed Recommender" in user.mail()[-1]["body"])


def have_counted(user: User) -> None:
    """Ask the function for large data as an import step does, and wait for its answer."""
    data = Data.csvs(user.bucket, f"train/{user.group}/interactions")
    key = key_of(Objects(user.cloud.client("s3")).data(data).objects)
    asked = {"DatasetGroup": user.group, "Dataset": "import.interactions", "Key": key, "Job": "one"}
    asked |= {"Data": asdict(data), "Until": "2999-01-01T00:00:00+00:00"}
    Events(user.cloud.client("events"), user.cloud.outputs["EventBus"]).put(DATA_TO_COUNT, asked)
    record = {"group": {"S": user.group}, "record": {"S": f"COUNTED#import.interactions#{key}"}}
    table = {"TableName": user.cloud.outputs["LedgerTable"], "Key": record}
    row = wait_until(lambda: user.cloud.client("dynamodb").get_item(**table).get("Item"))
    assert "profile" in row, row


def scheduled(cloud: LocalCloud) -> None:
    """Run tasks of every kind; then change one schedule and remove the others."""
    user = User(cloud, "timed")
    document = everything("timed")
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": NEVER}}
    export = document["datasets"]["interactions"]["export"]
    export["workflowConfig"] = {"schedule": NEVER}
    first, second, fans = document["solutions"]
    second["workflowConfig"] = {"schedules": {"judge": NEVER}}
    first["serviceConfig"]["recipeArn"] = f"{RECIPE}aws-user-personalization"  # it has updates
    first["workflowConfig"] = {"schedules": {"full": NEVER, "update": NEVER}}
    first["batchInferenceJobs"][0]["workflowConfig"] = {"schedule": NEVER}
    fans["batchSegmentJobs"][0]["workflowConfig"] = {"schedule": NEVER}
    put_files(user, files("timed"))
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED", user.mail()
    for task in tasks(user):
        run(user, task)
    first["workflowConfig"]["schedules"]["full"] = "cron(0 0 1 2 ? 2099)"
    del first["workflowConfig"]["schedules"]["update"], export["workflowConfig"]
    user.upload(document)
    wait_until(lambda: len(tasks(user)) == 5)


def unwanted(cloud: LocalCloud) -> None:
    """Upload what is wrong, and configs at once of which one overtakes the others."""
    user = User(cloud, "wrong")
    user.upload({**small("wrong"), "eventTraker": {}})
    user.mail()
    elsewhere = {"Key": "train/of/wrong.json", "Body": json.dumps(small("wrong")).encode()}
    cloud.client("s3").put_object(Bucket=user.bucket, **elsewhere)
    user.mail(2)
    user = User(cloud, "twice")
    user.put("interactions.csv", CSV)
    for capacity in (1, 2, 3):
        document = small("twice")
        document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = capacity
        user.upload(document)
    wait_until(lambda: campaign_of(user, 3))  # there are as many runs as events came in order
    assert user.wait_for_run() == "SUCCEEDED", user.mail()


def gone(cloud: LocalCloud) -> None:
    """Run a task whose dataset group was deleted."""
    user = User(cloud, "gone")
    document = small("gone", solutions=[], datasets={})
    document["datasets"] = small("gone")["datasets"]
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": NEVER}}
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED", user.mail()
    personalize = cloud.client("personalize")
    group = user.arn("dataset-group/gone")
    personalize.delete_dataset(datasetArn=user.arn("dataset/gone/INTERACTIONS"))
    wait_until(lambda: not personalize.list_datasets(datasetGroupArn=group)["datasets"])
    personalize.delete_dataset_group(datasetGroupArn=group)
    wait_until(lambda: group not in str(personalize.list_dataset_groups()))
    fire(user, "import")
    settled(user, "import", "FAILED")


def taken(cloud: LocalCloud) -> None:
    """Give a campaign the name of another group's, which is left as it is."""
    user, other = User(cloud, "owner"), User(cloud, "newcomer")
    documents = {one.group: small(one.group) for one in (user, other)}
    for one in (user, other):
        one.put("interactions.csv", CSV)
    (name,) = (
        one["serviceConfig"]["name"] for one in documents["owner"]["solutions"][0]["campaigns"]
    )
    documents["newcomer"]["solutions"][0]["campaigns"][0]["serviceConfig"]["name"] = name
    user.upload(documents["owner"])
    assert user.wait_for_run() == "SUCCEEDED", user.mail()
    other.upload(documents["newcomer"])
    assert other.wait_for_run() == "FAILED"
    assert f"the Campaign {name} is of the dataset group owner" in other.mail()[0]["body"]


def killed(cloud: LocalCloud) -> None:
    """Stop a run, and take its turn with the next, whose model is held until that expires."""
    user = User(cloud, "killed")
    user.put("interactions.csv", CSV)
    user.upload(small("killed"))
    (first,) = wait_until(user.executions)
    cloud.client("stepfunctions").stop_execution(executionArn=first["executionArn"])
    user.mail()
    document = small("killed")
    (solution,) = document["solutions"]
    solution["serviceConfig"]["performAutoTraining"] = False
    best = {"normalized_discounted_cumulative_gain_at_10": {"atLeast": 1}}
    gate = {"mode": "hold", "metrics": best, "hold": {"expires": "1 second"}}
    solution["workflowConfig"] = {"gate": gate}
    user.upload(document)
    wait_until(lambda: user.executions()[0]["status"] == "SUCCEEDED")
    tend(cloud)
    expired = "group killed: the hold of killed-popular"
    wait_until(lambda: [one for one in cloud.mail() if expired in one["subject"]])


def overtaken(cloud: LocalCloud) -> None:
    """Fire a task twice while a new config, which overtakes it, is being provisioned."""
    user = User(cloud, "overtaken")
    document = small("overtaken")
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": NEVER}}
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED", user.mail()
    document["solutions"][0]["campaigns"][0]["serviceConfig"]["minProvisionedTPS"] = 2
    user.upload(document)
    wait_until(lambda: len(user.executions()) == 2)

    def finds_it_running() -> bool:
        """Fire a second time, so that whichever comes second asks after the first."""
        fire(user, "import")
        fires = [one for one in cloud.calls() if "FireTask" in one["role"]]
        return any(one["action"] == "states:DescribeExecution" for one in fires)

    wait_until(finds_it_running)
    settled(user, "import", "SUCCEEDED")
    user.lend_turn(user.executions()[0]["executionArn"])  # it has ended: the next asks after it
    _run_with_a_former_config(user)


def _run_with_a_former_config(user: User) -> None:
    """Run a task as it was before the config changed: it gives its turn back, whatever is timed."""
    states = user.cloud.client("stepfunctions")
    run = {
        "id": "20270101T000000-former00",
        "group": user.group,
        "task": "import",
        "started": "2027-01-01T00:00:00+00:00",
        "state": {"bucket": user.bucket, "key": f"state/{user.group}/former.json"},
        "config": {"key": f"train/{user.group}/config.json", "version": "former"},
        "sequencer": "00",
        "notes": [],
    }
    begun = states.start_execution(
        stateMachineArn=user.cloud.outputs["Workflow"], input=json.dumps({"run": run})
    )["executionArn"]
    wait_until(lambda: states.describe_execution(executionArn=begun)["status"] == "SUCCEEDED")


def fired(cloud: LocalCloud) -> None:
    """Let Scheduler itself start a task."""
    user = User(cloud, "fired")
    document = small("fired", solutions=[])
    document["datasetGroup"]["workflowConfig"] = {"schedules": {"import": "rate(12 hours)"}}
    user.put("interactions.csv", CSV)
    user.upload(document)
    settled(user, "import", "SUCCEEDED")
    del document["datasetGroup"]["workflowConfig"]
    user.upload(document)
    wait_until(lambda: not tasks(user))


def encrypted(cloud: LocalCloud) -> None:
    """Make a group that is encrypted with the key that the stack was given."""
    user = User(cloud, "locked")
    document = small("locked")
    document["datasets"]["interactions"]["export"] = {"serviceConfig": {}}
    user.put("interactions.csv", CSV)
    user.upload(document)
    assert user.wait_for_run() == "SUCCEEDED", user.mail()


SCENARIOS = (
    encrypted, custom, domain, scheduled, unwanted, gone, taken, killed, overtaken, fired,
)  # fmt: skip


def tasks(user: User) -> list[str]:
    """Return the ids of a group's scheduled tasks."""
    found = user.cloud.client("dynamodb").query(
        TableName=user.cloud.outputs["TasksTable"],
        KeyConditionExpression="#g = :g",
        ExpressionAttributeNames={"#g": "group"},
        ExpressionAttributeValues={":g": {"S": user.group}},
    )
    return [one["record"]["S"] for one in found["Items"]]


def run(user: User, task: str) -> None:
    """Run a task to its end."""
    fire(user, task)
    settled(user, task, "SUCCEEDED")


def test_nothing_is_denied(cloud: LocalCloud) -> None:
    mine = roles(cloud)
    denied = [one for one in cloud.calls() if not one["allowed"] and one["role"] in mine]
    assert denied == []


def roles(cloud: LocalCloud) -> dict[str, str]:
    """Return the stack's roles: their names in the template by those they have."""
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources")
    return {
        one["PhysicalResourceId"].rsplit("/", 1)[-1]: re.sub(
            r"[0-9A-F]{8}$", "", one["LogicalResourceId"]
        )
        for page in pages.paginate(StackName=cloud.stack_name)
        for one in page["StackResourceSummaries"]
        if one["ResourceType"] == "AWS::IAM::Role"
    }


def grants(cloud: LocalCloud) -> Iterator[Grant]:
    """Yield all that the roles' policies grant, as deployed."""
    iam = cloud.client("iam")
    for name, role in roles(cloud).items():
        assert not iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                assert statement["Effect"] == "Allow"
                for action in listed(statement["Action"]):
                    for resource in listed(statement["Resource"]):
                        yield role, action, resource


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_everything_that_is_granted_was_used(cloud: LocalCloud) -> None:
    names = roles(cloud)
    used = {
        (names[one["role"]], one["action"], one["resource"])
        for one in cloud.calls()
        if one["allowed"] and one["role"] in names
    }
    unused = {grant for grant in grants(cloud) if not any(covers(grant, one) for one in used)}
    excused = {grant: pattern for grant in unused for pattern in UNUSED if covers(pattern, grant)}
    left = sorted(unused - set(excused))
    assert not left, "\n".join(map(str, left))
    assert set(UNUSED) - set(excused.values()) == set(), "no longer needed as an exception"


def test_every_call_is_as_awss_own_data_has_it(cloud: LocalCloud) -> None:
    """Each action exists, on a type of resources that it has, and on all that it requires."""
    names, asked = roles(cloud), defaultdict[tuple[str, str], set[str]](set)
    wrong = []
    for one in cloud.calls():
        if one["role"] in names:
            service, _, operation = one["action"].partition(":")
            types = actions(service)[operation.lower()]["resourceTypes"]
            found = kinds(service, one["resource"])
            asked[names[one["role"]], one["action"]] |= found
            if types and not found & {kind["name"] for kind in types}:
                wrong.append((one["action"], one["resource"]))
    missing = [
        (role, action, kind["name"])
        for (role, action), found in asked.items()
        for kind in actions(action.partition(":")[0])[action.partition(":")[2].lower()][
            "resourceTypes"
        ]
        if kind["required"] and kind["name"] not in {*found, *ALTERNATIVE}
    ]
    assert len(asked) > 150
    assert wrong == []
    assert missing == []


ALTERNATIVE = {"express"}
"""What the data calls required although it is one of two: an execution of an express machine."""


def covers(pattern: Grant, one: Grant) -> bool:
    """Tell whether a grant covers a call, or an exception a grant."""
    return all(fnmatchcase(found, wanted) for found, wanted in zip(one, pattern, strict=True))


def test_a_group_is_encrypted_with_the_key_that_the_stack_was_given(cloud: LocalCloud) -> None:
    group = cloud.client("personalize").describe_dataset_group(
        datasetGroupArn=User(cloud, "locked").arn("dataset-group/locked")
    )["datasetGroup"]
    assert group["status"] == "ACTIVE"
    assert group["kmsKeyArn"] == cloud.outputs["Key"]
    assert group["roleArn"] == cloud.outputs["PersonalizeRole"]
    grants = cloud.client("kms").list_grants(KeyId=cloud.outputs["Key"])["Grants"]
    assert {one["GranteePrincipal"] for one in grants} == {"personalize.amazonaws.com"}


def test_a_key_that_does_not_let_the_service_in_fails_the_run(cloud: LocalCloud) -> None:
    user = User(cloud, "unlettable")
    key = make_key(cloud)
    let_in(cloud, key, "forecast.amazonaws.com")
    document = small("unlettable")
    document["datasetGroup"]["serviceConfig"]["kmsKeyArn"] = key
    user.upload(document)
    assert user.wait_for_run() == "FAILED"
    assert "does not allow personalize.amazonaws.com" in user.mail()[0]["body"]
