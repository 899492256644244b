"""The template: what it grants, keeps and lets in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mpe.infrastructure.package import SERVICES, code
from mpe.model.spec import SPECS
from tests.synth import synthesize
from tests.workflows import GOLDEN, PICTURES, TITLES, definitions, golden, pictures

Template = dict[str, Any]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("synth")


@pytest.fixture(scope="session")
def found(folder: Path) -> list[str]:
    """What cdk-nag found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPE_PACKAGE_TARGET", "local")
        return synthesize(folder)


@pytest.fixture(scope="session")
def template(folder: Path, found: list[str]) -> Template:
    text = (folder / "PersonalizedExperiences.template.json").read_text()
    loaded: Template = json.loads(text)
    return loaded


def of(template: Template, kind: str) -> Iterator[tuple[str, Template]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource


def statements(template: Template) -> Iterator[tuple[str, Template]]:
    for name, policy in of(template, "AWS::IAM::Policy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            yield name, statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_cdk_nag_finds_nothing(found: list[str]) -> None:
    assert found == []


def test_cfn_lint_finds_nothing(folder: Path, template: Template) -> None:
    from cfnlint.api import ManualArgs, lint_file

    path = folder / "PersonalizedExperiences.template.json"
    ignored = ["W3005", "W3037"]  # each explained in .cfnlintrc.yaml
    matches = lint_file(path, config=ManualArgs(ignore_checks=ignored, regions=["us-east-1"]))
    assert [str(match) for match in matches] == []


def test_each_resource_type_has_a_function_with_just_its_actions(template: Template) -> None:
    granted = {
        spec.noun: {
            action
            for name, statement in statements(template)
            if name.startswith(f"Ensure{spec.noun}RoleDefaultPolicy")
            for action in listed(statement["Action"])
            if action.startswith("personalize:")
        }
        for spec in SPECS.values()
    }
    assert granted == {spec.noun: {*spec.actions, *spec.list_actions} for spec in SPECS.values()}


def test_only_what_has_no_resource_is_granted_on_everything(template: Template) -> None:
    everywhere = {
        action
        for _, statement in statements(template)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }
    lists = {action for spec in SPECS.values() for action in spec.list_actions}
    rest = everywhere - lists
    assert rest
    assert all(action.startswith(("xray:", "logs:")) for action in rest), rest


def test_only_what_looks_at_the_users_data_may_read_it(template: Template) -> None:
    readers = {
        name
        for name, statement in statements(template)
        if "s3:GetObject" in listed(statement["Action"])
        and "/train/*" in json.dumps(statement["Resource"])
    }
    inspecting = {f"Ensure{spec.noun}Role" for spec in SPECS.values() if spec.inspects}
    ensuring = {name.partition("DefaultPolicy")[0] for name in readers if name.startswith("Ensure")}
    assert ensuring == inspecting == {"EnsureDatasetImportJobRole"}


def test_roles_are_passed_to_their_services_only(template: Template) -> None:
    passing = [one for _, one in statements(template) if "iam:PassRole" in listed(one["Action"])]
    services = [one["Condition"]["StringEquals"]["iam:PassedToService"] for one in passing]
    assert services.count("personalize.amazonaws.com") == sum(
        spec.passes_role for spec in SPECS.values()
    )
    assert services.count("scheduler.amazonaws.com") == 2
    assert len(set(services)) == 2


def test_scheduler_starts_one_machine_for_one_schedule_group(template: Template) -> None:
    (role,) = (
        one for name, one in of(template, "AWS::IAM::Role") if name.startswith("SchedulesRole")
    )
    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert set(trust["Condition"]["StringEquals"]) == {"aws:SourceAccount", "aws:SourceArn"}
    actions = [
        action
        for name, one in statements(template)
        if name.startswith("SchedulesRole")
        for action in listed(one["Action"])
    ]
    assert sorted(actions) == ["sqs:SendMessage", "states:StartExecution"]


def test_alarms_tell_the_topic(template: Template) -> None:
    alarms = dict(of(template, "AWS::CloudWatch::Alarm"))
    assert len(alarms) >= 5
    for name, alarm in alarms.items():
        assert alarm["Properties"]["AlarmActions"], name
        assert alarm["Properties"]["AlarmDescription"], name


def test_the_dashboard_is_of_this_stack_alone(template: Template) -> None:
    ((_, dashboard),) = of(template, "AWS::CloudWatch::Dashboard")
    body = json.dumps(dashboard["Properties"]["DashboardBody"])
    assert body.count("AWS::StackName") >= 3
    for told in ("precision_at_10", "FailedRuns", "ConfigProblems", "ExecutionsFailed"):
        assert told in body


def test_the_service_role_is_safe_from_the_confused_deputy(template: Template) -> None:
    (role,) = (
        one for name, one in of(template, "AWS::IAM::Role") if name.startswith("ServiceRole")
    )
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "personalize.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {
        "aws:SourceAccount": {"Ref": "AWS::AccountId"}
    }
    assert "aws:SourceArn" in statement["Condition"]["ArnLike"]


def test_the_data_bucket_is_private_versioned_logged_and_outlives_the_stack(
    template: Template,
) -> None:
    name = template["Outputs"]["DataBucket"]["Value"]["Ref"]
    bucket = template["Resources"][name]
    properties = bucket["Properties"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["BucketEncryption"]
    assert properties["LoggingConfiguration"]
    assert properties["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }
    rules = properties["LifecycleConfiguration"]["Rules"]
    assert not any("ExpirationInDays" in rule for rule in rules), "a user's data is kept"


@pytest.mark.parametrize("kind", ["AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SNS::Topic"])
def test_plain_http_is_refused(template: Template, kind: str) -> None:
    policies = [
        statement
        for policy in template["Resources"].values()
        if policy["Type"]
        == kind.replace("::Topic", "::TopicPolicy")
        .replace("::Queue", "::QueuePolicy")
        .replace("::Bucket", "::BucketPolicy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    ]
    assert len(policies) == len(list(of(template, kind)))


def test_tables_outlive_the_stack_and_can_be_restored(template: Template) -> None:
    tables = list(of(template, "AWS::DynamoDB::GlobalTable"))
    assert len(tables) == 3
    for _, table in tables:
        assert table["DeletionPolicy"] == "Retain"
        (replica,) = table["Properties"]["Replicas"]
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


def test_an_upload_of_a_config_is_what_starts_a_run(template: Template) -> None:
    (rule,) = (
        one["Properties"]
        for name, one in of(template, "AWS::Events::Rule")
        if name.startswith("Upload")
    )
    assert rule["EventPattern"]["detail"]["object"]["key"] == [{"wildcard": "train/*.json"}]
    (target,) = rule["Targets"]
    assert "DeadLetterConfig" in target


def test_email_and_key_are_optional(template: Template) -> None:
    for name in ("Email", "PersonalizeKmsKeyArn"):
        assert template["Parameters"][name]["Default"] == ""
    (subscription,) = of(template, "AWS::SNS::Subscription")
    assert subscription[1]["Condition"] == "HasEmail"
    conditional = [
        one for _, one in of(template, "AWS::IAM::Policy") if one.get("Condition") == "HasKmsKey"
    ]
    assert len(conditional) == 1


def test_nothing_in_the_template_is_tied_to_a_region_or_an_account(template: Template) -> None:
    text = json.dumps(template)
    assert "us-east-1" not in text
    assert "000000000000" not in text


def machines(template: Template) -> dict[str, Template]:
    return {name: dict(one) for name, one in definitions(template).items()}


def states(definition: Template) -> Iterator[tuple[str, Template]]:
    for name, state in definition["States"].items():
        yield name, state
        for inner in (state.get("ItemProcessor"), *state.get("Branches", ())):
            if inner:
                yield from states(inner)


def test_every_task_tries_again_and_every_failure_leads_somewhere(template: Template) -> None:
    for definition in machines(template).values():
        assert definition["QueryLanguage"] == "JSONata"
        assert definition["TimeoutSeconds"] > 0
        for name, state in states(definition):
            if state["Type"] == "Task" and "lambda" in state["Resource"]:
                assert state["Retry"], name
                last = name in {"Report", "Fire", "Settle"}  # an alarm watches these
                assert state.get("Catch") or last, name


def test_every_resource_type_has_its_step_in_one_machine(template: Template) -> None:
    names = [name for one in machines(template).values() for name, _ in states(one)]
    assert sorted(name for name in names if name.startswith("Ensure ")) == sorted(
        f"Ensure {noun}" for noun in SPECS
    )


def test_the_functions_carry_no_more_than_runs_in_lambda(tmp_path: Path) -> None:
    place = code(tmp_path)
    rooms = {path.name for path in (place / "mpe").iterdir() if path.is_dir()}
    assert rooms == {"model", "aws", "handlers"}
    assert not list(place.rglob("__pycache__"))


def test_the_bundled_sdk_has_every_service_that_is_called() -> None:
    import re

    called = set()
    source = Path(__file__).parents[2] / "source" / "mpe"
    for room in ("aws", "handlers"):
        for path in (source / room).glob("*.py"):
            called |= set(re.findall(r'client\("([a-z0-9-]+)"\)', path.read_text()))
    assert called
    assert called <= SERVICES


def test_the_workflows_are_as_their_golden_files(template: Template) -> None:
    """After a change that is meant: python -m tests.workflows."""
    found = definitions(template)
    assert set(found) == set(TITLES)
    for name, definition in found.items():
        assert golden(definition) == (GOLDEN / f"{name}.asl.json").read_text(), name


def test_the_pictures_in_the_docs_are_of_these_workflows(template: Template) -> None:
    assert PICTURES.read_text() == pictures(definitions(template))


def test_every_state_is_reached_and_leads_somewhere(template: Template) -> None:
    for definition in definitions(template).values():
        _sound(definition)


def _sound(definition: Template) -> None:
    """Check a definition as Step Functions does when it is created."""
    ends = {"Succeed", "Fail"}
    reached = {definition["StartAt"]}
    for name, state in definition["States"].items():
        targets = {state.get("Next"), state.get("Default")} | {
            one["Next"] for one in (*state.get("Choices", ()), *state.get("Catch", ()))
        } - {None}
        reached |= targets - {None}
        assert targets - {None} or state.get("End") or state["Type"] in ends, name
        for inner in (state.get("ItemProcessor"), *state.get("Branches", ())):
            if inner:
                _sound(inner)
    assert reached == set(definition["States"])
