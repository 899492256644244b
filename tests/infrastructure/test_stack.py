"""The template: what it grants, keeps and lets in."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.aws_sqs import CfnQueue

from mpe.aws.clients import BESIDE, BRIEF, CONFIG
from mpe.handlers.ensure import PATIENCE
from mpe.infrastructure.package import LOCAL, SERVICES, code
from mpe.infrastructure.stages import OUT, REFUSED
from mpe.model.remedies import REMEDIES
from mpe.model.service.spec import SPECS
from tests import diagram
from tests.conftest import ROOT
from tests.permissions import PAGE, Synthesis, page
from tests.shell import parse
from tests.synth import checked
from tests.workflows import GOLDEN, PICTURES, TITLES, definitions, golden, pictures

Template = dict[str, Any]


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


def test_cdk_nag_and_the_cdks_own_validation_find_nothing(found: list[str]) -> None:
    assert found == []


def test_what_they_would_find_is_told(tmp_path: Path) -> None:
    """Each of the two has something against this queue: it takes plain HTTP, and is misspelt."""

    def misspelt(app: App) -> Stack:
        stack = Stack(app, "Films")
        CfnQueue(stack, "Queue").add_property_override("VisibilityTimeoute", 5)
        return stack

    told = checked(tmp_path, misspelt)
    assert [one for one in told if one.startswith("AwsSolutions-SQS4")]
    assert [one for one in told if "'VisibilityTimeout'" in one]


def test_cfn_lint_finds_nothing(folder: Path, template: Template) -> None:
    from cfnlint.api import ManualArgs, lint_file

    path = folder / "PersonalizedExperiences.template.json"
    ignored = ["W3005", "W3037"]  # each explained in .cfnlintrc.yaml
    matches = lint_file(path, config=ManualArgs(ignore_checks=ignored, regions=["us-east-1"]))
    assert [str(match) for match in matches] == []


ASKS = {
    f"personalize:Get{one}"
    for one in ("Recommendations", "PersonalizedRanking", "ActionRecommendations")
}


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
    assert granted == {
        spec.noun: {
            *spec.actions,
            *spec.list_actions,
            *spec.apart_actions,
            *spec.parent_actions,
            # A new version is judged for each of the campaigns that serve its solution.
            *({"personalize:DescribeCampaign"} if spec.measured else ()),
            # A campaign is asked before and after it moves to a version.
            *(ASKS if spec.noun == "Campaign" else ()),
        }
        for spec in SPECS.values()
    }


def test_only_what_has_no_resource_is_granted_on_everything(template: Template) -> None:
    everywhere = {
        action
        for _, statement in statements(template)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }
    lists = {
        action for spec in SPECS.values() for action in (*spec.list_actions, *spec.apart_actions)
    }
    lists.add("personalize:ListCampaigns")  # what serves a solution that is to be removed
    of_cloudwatch = {f"cloudwatch:{one}" for one in ("PutMetricData", "GetMetricData")}
    rest = everywhere - lists - of_cloudwatch - {"cloudwatch:DescribeAlarms"}  # composite ones
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
    assert inspecting == {"EnsureDatasetImportJobRole"}
    # A campaign is asked for users of the data.
    assert ensuring == {*inspecting, "EnsureCampaignRole"}


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


def test_workflows_log_where_every_account_lets_them_and_no_other_stack_does(
    template: Template,
) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html"""
    groups = dict(of(template, "AWS::Logs::LogGroup"))
    names = []
    for _, machine in of(template, "AWS::StepFunctions::StateMachine"):
        (to,) = machine["Properties"]["LoggingConfiguration"]["Destinations"]
        (name, _) = to["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"]
        named = json.dumps(groups[name]["Properties"]["LogGroupName"])
        assert "/aws/vendedlogs/states/" in named
        assert "AWS::StackId" in named
        names.append(named)
    assert len(set(names)) == 3


def test_old_versions_are_kept_for_as_long_as_the_user_says(template: Template) -> None:
    parameter = template["Parameters"]["OldVersionDays"]
    assert (parameter["Type"], parameter["Default"], parameter["MinValue"]) == ("Number", 90, 0)
    (bucket,) = (
        one["Properties"]
        for name, one in of(template, "AWS::S3::Bucket")
        if not name.startswith("DataAccessLogs")
    )
    _, rule = bucket["LifecycleConfiguration"]["Rules"]
    assert "Prefix" not in rule, "it is for every file"
    never = template["Conditions"]["KeepsOldVersions"]
    assert never == {"Fn::Equals": [{"Ref": "OldVersionDays"}, "0"]}
    assert rule["Status"] == {"Fn::If": ["KeepsOldVersions", "Disabled", "Enabled"]}
    days = rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
    assert days == {"Fn::If": ["KeepsOldVersions", 1, {"Ref": "OldVersionDays"}]}
    assert "ExpirationInDays" not in rule, "what is current never expires"


def test_schedules_are_kept_for_as_long_as_a_function_may_run(template: Template) -> None:
    """A config may have hundreds of tasks: 15 minutes
    (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)."""
    (keep,) = (
        one["Properties"]
        for name, one in of(template, "AWS::Lambda::Function")
        if name.startswith("SchedulesKeep")
    )
    assert keep["Timeout"] == 900


def test_who_reads_configs_is_told_404_of_one_that_is_gone(template: Template) -> None:
    """Without ListBucket it would be 403, as of one that may not be read
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html)."""
    granted = [
        statement
        for name, statement in statements(template)
        if name.startswith("ConfigureRole") and "s3:ListBucket" in listed(statement["Action"])
    ]
    assert [one.get("Condition") for one in granted] == [None], "GetObject carries no prefix"


def test_an_alarms_mail_ends_with_a_command(template: Template) -> None:
    """The description is what CloudWatch's mail has of an alarm, with 1,024 characters at most
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html)."""
    for name, alarm in of(template, "AWS::CloudWatch::Alarm"):
        told = alarm["Properties"]["AlarmDescription"]
        if isinstance(told, dict):
            told = "".join(one if isinstance(one, str) else "X" for one in told["Fn::Join"][1])
        assert len(told) < 1_024
        found = re.search(r"`([^`]+)`\.$", told)
        assert found, name
        parse(found[1])


def test_the_parameter_that_a_mail_names_is_the_stacks(template: Template) -> None:
    named = {one for text in DEPLOYS for one in re.findall(r"--parameters (\w+)=", text)}
    assert named == {"PersonalizeKmsKeyArn"}
    assert named <= template["Parameters"].keys()


DEPLOYS = [one.command for one in REMEDIES if one.command.startswith("npx")]


def alarmed(template: Template, namespace: str, metric: str) -> set[str]:
    """Return the resources, by their names in the template, whose metric some alarm watches."""
    found = set()
    for _, alarm in of(template, "AWS::CloudWatch::Alarm"):
        own = alarm["Properties"]
        stats = [one.get("MetricStat", {}).get("Metric", {}) for one in own.get("Metrics", ())]
        for one in (own, *stats):
            if (one.get("Namespace"), one.get("MetricName")) == (namespace, metric):
                found.update(dimension["Value"]["Ref"] for dimension in one["Dimensions"])
    return found


def test_an_alarm_covers_every_function_and_every_workflow(template: Template) -> None:
    """But the function that reports use, which may be lost."""
    functions = {name for name, _ in of(template, "AWS::Lambda::Function")}
    told = {name for name in functions if not name.startswith("UsageReport")}
    assert alarmed(template, "AWS/Lambda", "Errors") == told
    assert alarmed(template, "AWS/Lambda", "Throttles") == told
    machines = {name for name, _ in of(template, "AWS::StepFunctions::StateMachine")}
    assert alarmed(template, "AWS/States", "ExecutionsTimedOut") == machines


def test_no_alarm_has_more_metrics_than_one_may(template: Template) -> None:
    """Ten (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html)."""
    for name, alarm in of(template, "AWS::CloudWatch::Alarm"):
        several = [one for one in alarm["Properties"].get("Metrics", ()) if "MetricStat" in one]
        assert len(several) <= 10, name


def test_alarms_may_use_the_topic_and_its_key_as_those_of_this_stack_alone(
    template: Template,
) -> None:
    """The AWS managed key of SNS would let no alarm publish, and say so nowhere."""
    ((_, topic),) = of(template, "AWS::SNS::Topic")
    name, _attribute = topic["Properties"]["KmsMasterKeyId"]["Fn::GetAtt"]
    key = template["Resources"][name]["Properties"]
    assert key["EnableKeyRotation"] is True
    ((_, policy),) = of(template, "AWS::SNS::TopicPolicy")
    for document, actions in (
        (key["KeyPolicy"], ["kms:Decrypt", "kms:GenerateDataKey*"]),
        (policy["Properties"]["PolicyDocument"], ["sns:Publish"]),
    ):
        (statement,) = (
            one
            for one in document["Statement"]
            if one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        )
        assert listed(statement["Action"]) == actions
        condition = statement["Condition"]
        assert condition["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert {"Ref": "AWS::StackName"} in condition["ArnLike"]["aws:SourceArn"]["Fn::Join"][1]


def test_what_publishes_to_the_topic_may_use_its_key(template: Template) -> None:
    ((_, topic),) = of(template, "AWS::SNS::Topic")
    publishers = {name for name, one in statements(template) if one["Action"] == "sns:Publish"}
    users = {
        name
        for name, one in statements(template)
        if one["Resource"] == topic["Properties"]["KmsMasterKeyId"]
        and listed(one["Action"]) == ["kms:Decrypt", "kms:GenerateDataKey*"]
    }
    assert publishers == users
    assert len(users) == 1


def test_the_service_role_may_use_the_key_as_the_guide_says(template: Template) -> None:
    (actions,) = (
        one["Action"] for name, one in statements(template) if name.startswith("ServiceRoleUseKey")
    )
    assert actions == [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ListGrants",
    ]


def test_the_dashboard_is_of_this_stack_alone(template: Template) -> None:
    ((_, dashboard),) = of(template, "AWS::CloudWatch::Dashboard")
    body = json.dumps(dashboard["Properties"]["DashboardBody"])
    for told in ("precision_at_10", "FailedRuns", "ConfigProblems", "ExecutionsFailed"):
        assert told in body


def test_the_dashboard_opens_at_four_weeks_with_what_to_do_alarms_and_failed_runs(
    template: Template,
) -> None:
    ((_, dashboard),) = of(template, "AWS::CloudWatch::Dashboard")
    parts = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(one if isinstance(one, str) else "X" for one in parts))
    assert body["start"] == "-P28D"
    kinds = [(one["type"], one["properties"].get("title")) for one in body["widgets"]]
    assert kinds[:3] == [
        ("text", None),
        ("alarm", "Alarms"),
        ("log", "The last runs that failed"),
    ]
    alarms = list(of(template, "AWS::CloudWatch::Alarm"))
    assert len(body["widgets"][1]["properties"]["alarms"]) == len(alarms)
    assert "mpe runs show RUN" in body["widgets"][0]["properties"]["markdown"]


def test_nothing_is_searched_for_that_reports_more_seldom_than_every_two_weeks(
    template: Template,
) -> None:
    ((_, dashboard),) = of(template, "AWS::CloudWatch::Dashboard")
    assert "SEARCH(" not in json.dumps(dashboard["Properties"]["DashboardBody"])


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


def test_the_service_role_reads_and_writes_its_own_prefixes_alone(template: Template) -> None:
    bucket = template["Outputs"]["DataBucket"]["Value"]["Ref"]
    granted = _granted(_of_the_service_role(template), bucket)
    assert granted == {
        ("s3:ListBucket", ""),
        *(("s3:GetObject", f"/{prefix}/*") for prefix in ("train", "batch")),
        *(("s3:PutObject", f"/{prefix}/*") for prefix in ("batch", "export", "metric-attribution")),
    }
    assert not any("Condition" in one for one in _of_the_service_role(template))


def test_the_bucket_lets_the_service_do_what_its_role_may(template: Template) -> None:
    """Imports need both, and exports too.

    https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-s3-access.html
    https://docs.aws.amazon.com/personalize/latest/dg/export-permissions.html
    """
    bucket = template["Outputs"]["DataBucket"]["Value"]["Ref"]
    (policy,) = (
        one["Properties"]["PolicyDocument"]["Statement"]
        for _, one in of(template, "AWS::S3::BucketPolicy")
        if one["Properties"]["Bucket"] == {"Ref": bucket}
    )
    let_in = [one for one in policy if one["Principal"] == {"Service": "personalize.amazonaws.com"}]
    assert _granted(let_in, bucket) == _granted(_of_the_service_role(template), bucket)
    assert not any("Condition" in one for one in let_in), "the guide's policy has none"


def _of_the_service_role(template: Template) -> list[Template]:
    """Return the statements on S3 of the role that Amazon Personalize acts in."""
    return [
        one
        for name, one in statements(template)
        if name.startswith("ServiceRoleDefaultPolicy") and "s3:" in json.dumps(one["Action"])
    ]


def _granted(found: list[Template], bucket: str) -> set[tuple[str, ...]]:
    """Return the actions that statements allow, each with where below the bucket."""
    return {
        (action, *_below(resource, bucket))
        for one in found
        for action in listed(one["Action"])
        for resource in listed(one["Resource"])
    }


def test_the_service_role_may_publish_the_metrics_of_metric_attributions(
    template: Template,
) -> None:
    """https://docs.aws.amazon.com/personalize/latest/dg/metric-attribution-requirements.html"""
    ((name, statement),) = (
        (name, one)
        for name, one in statements(template)
        if "cloudwatch:PutMetricData" in listed(one["Action"])
    )
    assert name.startswith("ServiceRoleDefaultPolicy")
    assert (statement["Action"], statement["Resource"]) == ("cloudwatch:PutMetricData", "*")


def _below(resource: Template, bucket: str) -> list[str]:
    """Return what follows a bucket's ARN in a resource; fail where it is another's."""
    arn = {"Fn::GetAtt": [bucket, "Arn"]}
    if resource == arn:
        return [""]
    first, *rest = resource["Fn::Join"][1]
    assert first == arn
    return rest


def test_every_service_that_a_resource_lets_in_comes_from_this_account(template: Template) -> None:
    found = [
        (name, statement)
        for name, one in template["Resources"].items()
        for key, value in one["Properties"].items()
        if key in {"PolicyDocument", "KeyPolicy"} and one["Type"] != "AWS::IAM::Policy"
        for statement in value["Statement"]
        if "Service" in statement.get("Principal", {})
        if statement["Principal"]["Service"] != "personalize.amazonaws.com"  # as the guide has it
    ]
    assert len(found) >= 6
    for name, statement in found:
        keys = {key for one in statement["Condition"].values() for key in one}
        assert keys & {"aws:SourceAccount", "aws:SourceArn"}, name


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


def test_an_event_that_a_function_fails_at_is_kept_as_a_dead_letter(template: Template) -> None:
    functions = dict(of(template, "AWS::Lambda::Function"))
    started = [
        functions[target["Arn"]["Fn::GetAtt"][0]]["Properties"]
        for _, rule in of(template, "AWS::Events::Rule")
        if rule.get("Condition") != "ReportsUse"  # of which a lost one is no loss
        for target in rule["Properties"]["Targets"]
    ]
    assert {one["Handler"].split(".")[2] for one in started} == {
        "configure",
        "notify",
        "bury",
        "tend",
        "profiling",
    }
    for one in started:
        queue = one["DeadLetterConfig"]["TargetArn"]["Fn::GetAtt"][0]
        assert queue.startswith("Undelivered"), one["Handler"]


def test_a_run_that_ends_without_a_report_is_told(template: Template) -> None:
    (pattern,) = [
        rule["Properties"]["EventPattern"]["detail"]
        for _, rule in of(template, "AWS::Events::Rule")
        if rule["Properties"].get("EventPattern", {}).get("source") == ["aws.states"]
    ]
    assert set(pattern["status"]) == {"ABORTED", "FAILED", "TIMED_OUT"}


def test_a_call_without_an_answer_is_tried_again_before_the_functions_time_is_up(
    template: Template,
) -> None:
    shortest = min(
        function["Properties"]["Timeout"] for _, function in of(template, "AWS::Lambda::Function")
    )
    for one in (CONFIG, BRIEF, BESIDE):
        # A client that was made of it has the first try counted among them.
        tries = one.retries.get("max_attempts", one.retries.get("total_max_attempts", 0) - 1)
        assert tries > 1
        between = 2**tries
        assert shortest > tries * (one.connect_timeout + one.read_timeout) + between


def test_what_an_outage_breaks_waits_for_hours_as_a_resource_does(template: Template) -> None:
    tasks = [
        (name, state)
        for definition in machines(template).values()
        for name, state in states(definition)
        if state["Type"] == "Task"
    ]
    for name, state in tasks:
        patient = [one for one in state["Retry"] if {*one["ErrorEquals"]} & {*OUT, *REFUSED}]
        assert patient, name
        for one in patient:
            most = [
                min(one["IntervalSeconds"] * one["BackoffRate"] ** n, one["MaxDelaySeconds"])
                for n in range(one["MaxAttempts"])
            ]
            assert one["JitterStrategy"] == "FULL"  # half of it on the average
            assert PATIENCE * 0.95 < sum(most) / 2 < PATIENCE * 1.2, name


def test_a_start_is_tried_again_for_each_way_in_which_it_can_be_refused(
    template: Template,
) -> None:
    """The names that Step Functions gives to errors of Lambda and of itself.

    https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
    """
    advised = {
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
    }
    assert advised <= {*OUT}


def test_email_and_key_are_optional(template: Template) -> None:
    assert template["Parameters"]["Tell"]["Default"] == "all"
    assert template["Parameters"]["Architecture"]["Default"] == "arm64"
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
    assert re.findall(r"\b[a-z]{2}(?:-[a-z]+)+-\d[a-z]?\b", text) == []
    assert re.findall(r"\barn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]+:", text) == []
    assert re.findall(r":\d{12}:|\b\d{12}\b", text) == []


def test_no_name_is_fixed_so_that_two_stacks_of_one_template_live_side_by_side(
    template: Template,
) -> None:
    fixed = {
        (name, key)
        for name, one in template["Resources"].items()
        for key, value in one["Properties"].items()
        if key == "Name" or (key.endswith("Name") and key not in {"MetricName", "PolicyName"})
        if isinstance(value, str)
    }
    assert fixed == set()


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
            if state["Type"] == "Task":
                assert state["Retry"], name
                last = name in {"Report", "Fire", "Settle"}  # an alarm watches these
                assert state.get("Catch") or last, name


def test_an_execution_that_was_refused_is_started_again_and_one_that_failed_is_not(
    template: Template,
) -> None:
    found = {
        name: [error for retry in state["Retry"] for error in retry["ErrorEquals"]]
        for definition in machines(template).values()
        for name, state in states(definition)
        if "startExecution" in state.get("Resource", "")
    }
    assert found.keys() == {"Train and deploy", "Run the task"}
    for errors in found.values():
        assert "StepFunctions.ExecutionLimitExceeded" in errors
        assert not [error for error in errors if error.startswith("States.")]


def test_every_resource_type_has_its_step_in_one_machine(template: Template) -> None:
    names = [name for one in machines(template).values() for name, _ in states(one)]
    assert sorted(name for name in names if name.startswith("Ensure ")) == sorted(
        f"Ensure {noun}" for noun in SPECS
    )


def test_the_functions_carry_no_more_than_runs_in_lambda(tmp_path: Path) -> None:
    place = code(LOCAL, tmp_path)
    rooms = {path.name for path in (place / "mpe").iterdir() if path.is_dir()}
    assert rooms == {"model", "aws", "handlers", "__pycache__"}
    files = [one for one in place.rglob("*") if one.is_file()]
    assert {one.suffix for one in files} == {".py", ".pyc", ".json"}


def test_the_bundled_sdk_has_every_service_that_is_called() -> None:
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


def definition(name: str) -> str:
    """Return a machine's definition with ARNs in the place of references."""
    text = (GOLDEN / f"{name}.asl.json").read_text().replace("<AWS::Partition>", "aws")
    return re.sub(r'"<\w+(\.Arn)?>"', '"arn:aws:lambda:us-east-1:000000000000:function:f"', text)


@pytest.mark.parametrize("name", TITLES)
def test_a_validator_of_the_states_language_finds_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "definition.json"
    path.write_text(definition(name))
    validator = ROOT / "node_modules" / ".bin" / "asl-validator"
    done = subprocess.run([validator, "--json-path", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def served(text: str) -> list[str]:
    """Return what AWS's language service finds (npm ``amazon-states-language-service``)."""
    service = ROOT / "tests" / "infrastructure" / "language_service.mjs"
    done = subprocess.run(["node", service], input=text, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", TITLES)
def test_the_language_service_of_aws_finds_nothing(name: str) -> None:
    assert served(definition(name)) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"StartAt": "', '"StartAt": "Nowhere '),
        ('"QueryLanguage": "JSONata"', '"QueryLanguage": "SQL"'),
        ('"Type": "Wait"', '"Type": "Pause"'),
    ],
)
def test_the_language_service_of_aws_would_find_what_is_wrong(right: str, wrong: str) -> None:
    assert served(definition("Solution").replace(right, wrong, 1))


def test_the_pictures_in_the_docs_are_of_these_workflows(template: Template) -> None:
    assert PICTURES.read_text() == pictures(definitions(template))


def test_the_picture_of_the_stack_in_the_docs_is_of_this_template(template: Template) -> None:
    """``python -m tests.diagram`` draws it anew."""
    text = diagram.PAGE.read_text()
    assert text == diagram.page(text, template)
    assert diagram.BEGIN in text


def test_the_permissions_in_the_docs_are_those_of_the_template(
    folder: Path, template: Template
) -> None:
    """After a change that is meant: python -m tests.permissions. Each wildcard has its reason."""
    assert PAGE.read_text() == page(Synthesis.read(folder))


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


def test_what_reports_use_is_there_only_where_it_is_wanted(template: Template) -> None:
    parameters = template["Parameters"]
    assert parameters["OperationalMetrics"]["Default"] == "Yes"
    assert parameters["OperationalMetricsEndpoint"]["Default"] == ""
    found = {id: one for id, one in template["Resources"].items() if id.startswith("Usage")}
    assert {one["Type"] for one in found.values()} >= {"AWS::Lambda::Function", "AWS::Events::Rule"}
    assert {one.get("Condition") for one in found.values()} == {"ReportsUse"}
    assert json.dumps(template["Conditions"]["ReportsUse"]).count("Fn::Equals") == 2


def test_as_many_alarms_and_metrics_are_watched_as_the_page_of_costs_says(
    template: Template,
) -> None:
    """An alarm of math is billed by its metrics (https://aws.amazon.com/cloudwatch/pricing/)."""
    alarms = [one["Properties"] for _, one in of(template, "AWS::CloudWatch::Alarm")]
    metrics = [
        metric
        for alarm in alarms
        for metric in alarm.get("Metrics", [{"MetricStat": alarm}])
        if "MetricStat" in metric
    ]
    page = (ROOT / "docs" / "costs.md").read_text()
    said = re.search(
        r"(\d+) alarms: they are billed by the metric, of\s+which they watch (\d+)", page
    )
    assert said, "the page says how many there are"
    assert (int(said[1]), int(said[2])) == (len(alarms), len(metrics))


def test_each_dead_letter_is_told_and_not_the_first_alone(template: Template) -> None:
    """An alarm tells when it begins: one of how many there are would last for two weeks."""
    ((_, alarm),) = [
        (name, one["Properties"])
        for name, one in of(template, "AWS::CloudWatch::Alarm")
        if "DeadLetters" in name
    ]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("NumberOfMessagesSent", "Sum")
    assert alarm["TreatMissingData"] == "notBreaching"


def test_the_page_on_moving_names_outputs_that_are_there(template: Template) -> None:
    page = (ROOT / "docs/moving.md").read_text()
    (told,) = re.findall(r"the outputs (`.*`) \|", page)
    assert set(re.findall(r"`(\w+)`", told)) <= template["Outputs"].keys()
