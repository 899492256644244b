"""What is wrong with an account, before the stack is deployed there and after: only looked at.

Each check asks AWS itself. What cannot be asked, since the user may not or there is no such
service, is told as not tried, and never as right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from mpe.model.service.spec import READ, WRITTEN

TOOLKIT = "CDKToolkit"
LEAST_TOOLKIT = 6
"""The version of the bootstrap stack that deployments ask for
(https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html)."""
LOG_POLICY, LOG_POLICY_LIMIT, LOG_POLICIES = "AWSLogDeliveryWrite", 5_120, 10
"""The policy to which log deliveries add their groups, how many characters a policy may have, and
how many policies a region may have
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html)."""
NEARLY_FULL = 0.9
SERVICE = "personalize.amazonaws.com"
CONTROL = "iam:DeleteUser"
"""What no role of ours may do: where a simulation allows it, nothing was simulated."""


class Verdict(StrEnum):
    """What a check came to."""

    RIGHT = "right"
    WRONG = "wrong"
    WARNING = "warning"
    UNTRIED = "could not be tried"


@dataclass(frozen=True)
class Diagnosis:
    """What one check found, and what to do."""

    check: str
    verdict: Verdict
    told: str
    remedy: str = ""


class Asked(Protocol):
    """What gives the clients of an account, and names the stack."""

    @property
    def stack(self) -> str: ...

    def client(self, service: str) -> Any: ...


Check = Callable[[Asked], Iterator[Diagnosis]]
RIGHT, WRONG, WARNING, UNTRIED = Verdict


def diagnose(account: Asked) -> Iterator[Diagnosis]:
    """Yield what each check finds; a check that fails tells it, and the others go on."""
    for name, check in CHECKS.items():
        yield from _guarded(name, check, account)


def _guarded(name: str, check: Check, account: Asked) -> Iterator[Diagnosis]:
    try:
        yield from check(account)
    except NoCredentialsError:
        yield Diagnosis(name, WRONG, "there are no credentials", "Set AWS_PROFILE, or log in.")
    except NoRegionError:
        yield Diagnosis(name, WRONG, "no region is set", "Set AWS_REGION, or give --region.")
    except ClientError as error:
        told = f"{error.response['Error'].get('Code')}: {error.response['Error'].get('Message')}"
        yield Diagnosis(name, UNTRIED, told, f"It needs {error.operation_name}.")
    except BotoCoreError as error:
        yield Diagnosis(name, UNTRIED, str(error), "See the endpoint, the region and the network.")
    except (KeyError, TypeError, ValueError) as error:
        told = f"the answer cannot be read ({type(error).__name__}: {error})"
        yield Diagnosis(name, UNTRIED, told, "See --endpoint-url.")


def _credentials(account: Asked) -> Iterator[Diagnosis]:
    who = account.client("sts").get_caller_identity()
    yield Diagnosis("credentials", RIGHT, f"{who['Arn']} in the account {who['Account']}")


def _service(account: Asked) -> Iterator[Diagnosis]:
    client = account.client("personalize")
    region = client.meta.region_name
    try:
        client.list_dataset_groups(maxResults=1)
    except EndpointConnectionError:
        told = f"Amazon Personalize does not answer in {region}"
        yield Diagnosis("service", WRONG, told, f"Choose one of {_regions(client)}.")
    else:
        yield Diagnosis("service", RIGHT, f"Amazon Personalize answers in {region}")


def _regions(client: Any) -> str:
    """Return the regions that the SDK knows the service in."""
    name = client.meta.service_model.service_name
    return ", ".join(sorted(boto3.Session().get_available_regions(name)))


def _described(account: Asked, name: str) -> Mapping[str, Any] | None:
    """Return a stack, or None where there is none of that name."""
    try:
        found = account.client("cloudformation").describe_stacks(StackName=name)
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    stack: Mapping[str, Any] = found["Stacks"][0]
    return stack


def _outputs(stack: Mapping[str, Any] | None) -> dict[str, str]:
    found = stack.get("Outputs", ()) if stack else ()
    return {one["OutputKey"]: one["OutputValue"] for one in found}


def _bootstrap(account: Asked) -> Iterator[Diagnosis]:
    found = _described(account, TOOLKIT)
    version = _outputs(found).get("BootstrapVersion", "")
    remedy = "Run npx cdk bootstrap; a release's plain template does without it."
    if found is None:
        yield Diagnosis("bootstrap", WARNING, f"there is no stack {TOOLKIT}", remedy)
    elif version.isdecimal() and int(version) < LEAST_TOOLKIT:
        yield Diagnosis("bootstrap", WRONG, f"{TOOLKIT} has version {version}", remedy)
    elif not found["StackStatus"].endswith("COMPLETE"):
        yield Diagnosis("bootstrap", WRONG, f"{TOOLKIT} is {found['StackStatus']}", remedy)
    else:
        yield Diagnosis("bootstrap", RIGHT, f"{TOOLKIT} has version {version or 'unknown'}")


COUNTED = {
    "dataset groups": ("list_dataset_groups", "datasetGroups"),
    "schemas": ("list_schemas", "schemas"),
}
"""What can be counted, by words of its quota's name."""


def _quotas(account: Asked) -> Iterator[Diagnosis]:
    pages = account.client("service-quotas").get_paginator("list_service_quotas")
    quotas = [one for page in pages.paginate(ServiceCode="personalize") for one in page["Quotas"]]
    service = account.client("personalize")
    for words, (operation, key) in COUNTED.items():
        limits = [one["Value"] for one in quotas if one["QuotaName"].lower().endswith(words)]
        if not limits:
            told = f"no quota of {words} is listed"
            yield Diagnosis("quotas", UNTRIED, told, "See the console of Service Quotas.")
            continue
        rows = service.get_paginator(operation).paginate().search(f"{key}[]")
        used, limit = sum(1 for one in rows if one), min(limits)
        full = used >= limit * NEARLY_FULL
        remedy = f"Remove {words} or ask for more in Service Quotas." if full else ""
        told = f"{used} of {limit:.0f} {words} are used"
        yield Diagnosis("quotas", WRONG if full else RIGHT, told, remedy)


def _logs(account: Asked) -> Iterator[Diagnosis]:
    pages = account.client("logs").get_paginator("describe_resource_policies").paginate()
    policies = [one for page in pages for one in page.get("resourcePolicies", ())]
    longest = max(
        (len(one.get("policyDocument", "")) for one in policies if _of_logs(one)), default=0
    )
    told = f"{longest} of {LOG_POLICY_LIMIT} characters of {LOG_POLICY}… are used"
    if longest >= LOG_POLICY_LIMIT * NEARLY_FULL:
        remedy = "Remove the entries of log groups that are gone: aws logs put-resource-policy."
        yield Diagnosis("log deliveries", WRONG, told, remedy)
    elif len(policies) >= LOG_POLICIES and not longest:
        told = f"{len(policies)} of {LOG_POLICIES} resource policies are used"
        yield Diagnosis("log deliveries", WARNING, told, "Remove one that is not needed.")
    else:
        yield Diagnosis("log deliveries", RIGHT, told)


def _of_logs(policy: Mapping[str, Any]) -> bool:
    return str(policy.get("policyName", "")).startswith(LOG_POLICY)


def _stack(account: Asked) -> Iterator[Diagnosis]:
    found = _described(account, account.stack)
    if found is None:
        told = f"there is no stack {account.stack}"
        yield Diagnosis("stack", WARNING, told, "Deploy it: npx cdk deploy. Then ask again.")
        return
    status = found["StackStatus"]
    if status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}:
        yield Diagnosis("stack", RIGHT, f"{account.stack} is {status}")
        return
    reason = _first_failure(account)
    remedy = "Mend the cause and deploy again; one that is ROLLBACK_COMPLETE must be deleted first."
    working = status.endswith("_IN_PROGRESS")
    told = f"{account.stack} is {status}{reason}"
    yield Diagnosis(
        "stack", WARNING if working else WRONG, told, "Wait for its end." if working else remedy
    )


def _first_failure(account: Asked) -> str:
    """Return the reason of the first failure of the newest change of the stack."""
    pages = account.client("cloudformation").get_paginator("describe_stack_events")
    first = ""
    for page in pages.paginate(StackName=account.stack):
        for event in page["StackEvents"]:  # the newest first
            if event.get("ResourceStatus", "").endswith("_FAILED"):
                reason = event.get("ResourceStatusReason", "no reason is told")
                first = f": {event.get('LogicalResourceId')}: {reason}"
            if event.get("ResourceStatusReason") == "User Initiated":
                return first
    return first


def _mails(account: Asked) -> Iterator[Diagnosis]:
    topic = _outputs(_described(account, account.stack)).get("Topic")
    if not topic:
        return
    pages = account.client("sns").get_paginator("list_subscriptions_by_topic")
    rows = [one for page in pages.paginate(TopicArn=topic) for one in page["Subscriptions"]]
    pending = [one for one in rows if one["SubscriptionArn"] == "PendingConfirmation"]
    for one in pending:
        told = f"{one['Endpoint']} has not confirmed its subscription"
        yield Diagnosis("mails", WRONG, told, "Follow the link in the mail that AWS sent.")
    if not rows:
        told = "nobody is told of runs"
        yield Diagnosis("mails", WARNING, told, "Deploy with --parameters Email=you@example.com.")
    elif not pending:
        yield Diagnosis("mails", RIGHT, f"{len(rows)} confirmed subscriptions")


def _functions(account: Asked) -> Iterator[Diagnosis]:
    """Look at each function's state and Python: one that is old was not deployed again."""
    if _described(account, account.stack) is None:
        return
    pages = account.client("cloudformation").get_paginator("list_stack_resources")
    rows = pages.paginate(StackName=account.stack).search("StackResourceSummaries[]")
    names = [one["PhysicalResourceId"] for one in rows
             if one and one["ResourceType"] == "AWS::Lambda::Function"]  # fmt: skip
    client, wrong = account.client("lambda"), []
    for name in names:
        found = client.get_function_configuration(FunctionName=name)
        if found.get("Runtime") != RUNTIME or found.get("State", "Active") != "Active":
            wrong.append(f"{name} ({found.get('Runtime')}, {found.get('State')})")
    if wrong:
        told = f"not on {RUNTIME}, or not active: {', '.join(wrong)}"
        yield Diagnosis("functions", WRONG, told, "Deploy this version again.")
    elif names:
        yield Diagnosis("functions", RIGHT, f"{len(names)} functions run on {RUNTIME}")


RUNTIME = "python3.14"
"""The runtime that the template asks for."""


def _role(account: Asked) -> Iterator[Diagnosis]:
    """Let IAM say what the service's role may do with the bucket."""
    outputs = _outputs(_described(account, account.stack))
    if "PersonalizeRole" not in outputs or "DataBucket" not in outputs:
        return
    role, bucket = outputs["PersonalizeRole"], _bucket(outputs)
    iam = account.client("iam")

    def denied(action: str, resource: str) -> bool:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
        )
        return not _allowed(answer)

    yield from _simulated(
        "service role", denied, bucket, "Deploy the stack again: its role was changed."
    )


def _policy(account: Asked) -> Iterator[Diagnosis]:
    """Let IAM say what the bucket's policy lets the service do, as if it were a role's policy.

    A simulation takes no service as the caller
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html).
    """
    outputs = _outputs(_described(account, account.stack))
    if "DataBucket" not in outputs:
        return
    found = account.client("s3").get_bucket_policy(Bucket=outputs["DataBucket"])
    statements = [
        {key: value for key, value in one.items() if key != "Principal"}
        for one in json.loads(found["Policy"])["Statement"]
        if _concerns_service(one)
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam = account.client("iam")
    if not _simulates(iam, ENCRYPTED, "s3:ListBucket", "*"):
        told = "the simulation passes over the context that it is given"
        yield Diagnosis("bucket policy", UNTRIED, told, "In AWS, IAM itself simulates it.")
        return

    def denied(action: str, resource: str) -> bool:
        return not _simulates(iam, policy, action, resource)

    remedy = "Deploy the stack again: its bucket's policy was changed."
    yield from _simulated("bucket policy", denied, _bucket(outputs), remedy)


def _simulates(iam: Any, policy: str, action: str, resource: str) -> bool:
    """Tell whether a policy allows an action by an encrypted request."""
    answer = iam.simulate_custom_policy(
        PolicyInputList=[policy],
        ActionNames=[action],
        ResourceArns=[resource],
        ContextEntries=[SECURE],
    )
    return _allowed(answer)


ENCRYPTED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "s3:*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "true"}},
            }
        ],
    }
)
"""What allows everything to an encrypted request: a simulation that denies it knows no context."""
SECURE = {
    "ContextKeyName": "aws:SecureTransport",
    "ContextKeyValues": ["true"],
    "ContextKeyType": "boolean",
}


def _concerns_service(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    if principal == "*":
        return True
    named = principal.get("Service", principal.get("AWS", ())) if principal else ()
    return any(one in {SERVICE, "*"} for one in ([named] if isinstance(named, str) else named))


def _bucket(outputs: Mapping[str, str]) -> str:
    partition = outputs["PersonalizeRole"].split(":")[1] if "PersonalizeRole" in outputs else "aws"
    return f"arn:{partition}:s3:::{outputs['DataBucket']}"


def _simulated(
    name: str, denied: Callable[[str, str], bool], bucket: str, remedy: str
) -> Iterator[Diagnosis]:
    if not denied(CONTROL, "*"):
        told = f"the simulation allows {CONTROL} too, so it is none"
        yield Diagnosis(name, UNTRIED, told, "In AWS, IAM itself simulates it.")
        return
    refused = [f"{action} on {place}" for action, place in _needed(bucket) if denied(action, place)]
    if refused:
        yield Diagnosis(name, WRONG, f"IAM's simulation denies {', '.join(refused)}", remedy)
    else:
        yield Diagnosis(name, RIGHT, "IAM's simulation allows what the service does in the bucket")


def _needed(bucket: str) -> Iterator[tuple[str, str]]:
    """Yield what the service must be able to do (model/service/spec.py says where)."""
    yield "s3:ListBucket", bucket
    for read in READ:
        yield "s3:GetObject", f"{bucket}/{read}/any/file.csv"
    for written in WRITTEN:
        yield "s3:PutObject", f"{bucket}/{written}/any/file.csv"


def _allowed(answer: Mapping[str, Any]) -> bool:
    results: Iterable[Mapping[str, Any]] = answer["EvaluationResults"]
    return all(one["EvalDecision"] == "allowed" for one in results)


CHECKS: Mapping[str, Check] = {
    "credentials": _credentials,
    "service": _service,
    "bootstrap": _bootstrap,
    "quotas": _quotas,
    "log deliveries": _logs,
    "stack": _stack,
    "mails": _mails,
    "functions": _functions,
    "service role": _role,
    "bucket policy": _policy,
}
