"""What rests on MiniStack's internals, but for what :mod:`mpe.local.permissions` adds.

Each function leans on something that MiniStack does not promise; ``tests/local`` has a test
for each, and the version is pinned. Differences from AWS that are made good here:

* MiniStack has no Amazon Personalize: ours is mounted as one more service.
* Its own IAM check knows no resources of Personalize: every check that the service makes
  is made here with MiniStack's evaluator, before the emulator sees the call.
* It answers on plain HTTP: a loopback connection stands for TLS, so that policies which
  ask for ``aws:SecureTransport`` can be met. The asset bucket of ``cdk bootstrap`` has one:
  without this, ``cdk deploy`` ends with "exists, but we dont have access to it".
* It delivers no mail: what a subscriber would get is kept in a mailbox.
* Its S3 events for EventBridge do not name the object's version: it is added.
* Its S3 does not look at the owner that a request expects of a bucket: it is checked.
* Its rules invoke a function once, whatever comes of it: Lambda's retries are added.
* Its Scheduler counts a rate from when the schedule was made: here from its start date.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import json
import os
import secrets
import tempfile
import threading
import time
import zipfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from mpe.emulator import (
    Authorization,
    KeyDenied,
    MetricsDenied,
    ObjectsDenied,
    ObjectsMissing,
    Personalize,
    Request,
    authorizations,
)
from mpe.local.faults import Interference

VERSION = "1.5.33"
SERVICE = "personalize.amazonaws.com"
KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
    "kms:CreateGrant",
    "kms:ListGrants",
)
"""What the policy of a key must allow the service."""
NAMESPACE = "AWS/Personalize"
"""Where the metrics of the service go."""
CHUNK = 1 << 20
SESSION_SECONDS = 3600
DEFAULT_SUBJECT = "AWS Notification Message"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


TICK_SECONDS = 0.2
"""How often schedules are looked at."""
PROCESSES = max(16, 4 * (os.cpu_count() or 1))
"""How many invocations run at the same time."""
RETRY_SECONDS = 60
"""How long Lambda waits before it tries an asynchronous invocation again; then twice as long."""


class VersionError(RuntimeError):
    """Another version of MiniStack is installed than the one this was made for."""


def check_version() -> None:
    """Refuse any other version of MiniStack: this module rests on its internals."""
    try:
        found = f"MiniStack {importlib.metadata.version('ministack')}"
    except importlib.metadata.PackageNotFoundError:
        found = "no MiniStack"
    if found != f"MiniStack {VERSION}":
        raise VersionError(
            f"{found} is installed, but the local cloud is made for {VERSION}: "
            f"pip install ministack=={VERSION}"
        )


def environment(port: int, speed: float) -> dict[str, str]:
    """Return the environment that MiniStack reads, for its own process alone."""
    return {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",  # these two would listen on ports of their own
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "INFO",
        "MINISTACK_REGION": "us-east-1",
        "SFN_WAIT_SCALE": repr(1 / speed),
        "MPE_TIME_SCALE": repr(speed),
    }


def mount(service: Personalize) -> None:
    """Serve Amazon Personalize at MiniStack's endpoint."""
    import ministack.app
    from ministack.core.responses import get_account_id, get_region

    async def handler(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        request = Request(method, path, headers, body, get_account_id(), get_region())
        denied = denial(request, query)
        if denied:
            error = {"__type": "AccessDeniedException", "message": denied}
            kind = {"Content-Type": "application/x-amz-json-1.1"}
            return 400, {**kind, "x-amzn-errortype": error["__type"]}, json.dumps(error).encode()
        answer = await asyncio.to_thread(service.handle, request)
        return answer.status, dict(answer.headers), answer.body

    ministack.app.SERVICE_HANDLERS["personalize"] = handler


def denial(request: Request, query: Mapping[str, Any]) -> str | None:
    """Return why IAM denies a request, in its words, or None where it allows all of it."""
    from ministack.core.iam_evaluator import AuthError, enforce
    from ministack.core.router import extract_access_key_id

    key = extract_access_key_id(request.headers, query)
    for check in authorizations(request):
        denied = enforce(
            key,
            check.action,
            check.action.split(":")[0],
            request.region,
            resource_arn=check.resource,
            service_context=dict(check.context),
        )
        if isinstance(denied, AuthError):
            return str(denied.message)
        if denied:
            return _told(check, denied.principal_arn)
    return None


def _told(check: Authorization, principal: str) -> str:
    return (
        f"User: {principal} is not authorized to perform: {check.action} on resource: "
        f"{check.resource} because no identity-based policy allows the {check.action} action"
    )


_version: ContextVar[str | None] = ContextVar("version", default=None)


def name_versions() -> None:
    """Let S3's events for EventBridge name the version of the object, as in AWS."""
    from ministack.services import eventbridge, s3

    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire_with_version(*args: Any, **more: Any) -> None:
        _version.set(more.get("version_id"))
        fire(*args, **more)

    def dispatch_with_version(event: dict[str, Any], *args: Any, **more: Any) -> Any:
        version = _version.get()
        if event.get("Source") == "aws.s3" and version:
            detail = json.loads(event["Detail"])
            detail["object"].setdefault("version-id", version)
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *args, **more)

    s3._fire_s3_event, eventbridge._dispatch_event = fire_with_version, dispatch_with_version


def locate_schedules() -> None:
    """Let IAM check schedules in their own group, and not all in the one called default.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html
    """
    from ministack.core import iam_actions

    extract = iam_actions.extract_resource_arn

    def in_its_group(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, Any],
        *scope: str,
    ) -> str:
        arn = str(extract(service, method, path, headers, body, query, *scope))
        if service != "scheduler":
            return arn
        asked = query.get("groupName") or json.loads(body or b"{}").get("GroupName") or "default"
        group = asked[0] if isinstance(asked, list) else asked
        return arn.replace(":schedule/default/", f":schedule/{group}/")

    iam_actions.extract_resource_arn = in_its_group


class _Hastened:
    """The ``time`` module for MiniStack's Scheduler, whose clock runs faster."""

    def __init__(self, speed: float) -> None:
        self._speed, self._began = speed, time.time()

    def time(self) -> float:
        return self._began + (time.time() - self._began) * self._speed

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def hasten_schedules(speed: float) -> None:
    """Let schedules fire by a clock that runs as much faster as everything else does.

    MiniStack's ``SFN_WAIT_SCALE`` has no counterpart for Scheduler, and it looks for what is
    due every 10 seconds, which would be hours.
    """
    from ministack.services import scheduler

    scheduler.time = _Hastened(speed)
    scheduler._SCHEDULE_TICK_INTERVAL = TICK_SECONDS


DATES = ("StartDate", "EndDate")
"""The times that a schedule may be given."""


def start_schedules() -> None:
    """Let a rate first fire at its start date, and without one at once.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html

    Who calls Scheduler lives by the real time: the dates in a request or an answer are as far
    from now as they are by Scheduler's own clock.
    """
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import eventbridge, scheduler

    get = scheduler._get_schedule

    def moved(dates: Mapping[str, Any], by: float) -> dict[str, Any]:
        found = {name: scheduler._to_epoch(dates.get(name)) for name in DATES}
        return {**dates, **{name: at + by for name, at in found.items() if at is not None}}

    def ahead() -> float:
        return float(scheduler.time.time() - time.time())

    def counting(make: Callable[..., Any]) -> Callable[..., Any]:
        def made(name: str, body: dict[str, Any]) -> Any:
            told = moved(body, ahead())
            answer = make(name, told)
            if answer[0] == 200:
                key = (get_account_id(), get_region(), f"{body.get('GroupName', 'default')}/{name}")
                scheduler._schedule_last_fired.pop(key, None)
                every = eventbridge._parse_rate_seconds(body["ScheduleExpression"])
                if every is not None:
                    first = told.get("StartDate") or scheduler.time.time()
                    scheduler._schedule_last_fired[key] = first - every
            return answer

        return made

    def got(name: str, query: dict[str, Any]) -> Any:
        status, headers, body = get(name, query)
        return status, headers, json.dumps(moved(json.loads(body), -ahead())).encode()

    scheduler._create_schedule = counting(scheduler._create_schedule)
    scheduler._update_schedule = counting(scheduler._update_schedule)
    scheduler._get_schedule = got


def follow_invocations(interference: Interference) -> None:
    """Let it be known to which invocation of a function a request belongs, and end its process.

    Functions send the trace id of their invocation along, as in AWS.
    """
    from ministack.core.lambda_runtime import Worker

    invoke = Worker.invoke

    def followed(worker: Any, event: Any, request_id: str, **more: Any) -> Any:
        def kill() -> None:
            worker._proc.kill()

        with interference.invocation(worker.func_name, event, kill) as trace:
            if trace:
                more["trace_id"] = trace
            return invoke(worker, event, request_id, **more)

    Worker.invoke = followed


def retry_events(speed: float) -> None:
    """Let functions that a rule invokes be tried again, and their events end as dead letters.

    EventBridge invokes functions asynchronously: Lambda tries an invocation that failed again
    after one minute and after two more, and then sends the event to the function's dead-letter
    queue (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).
    MiniStack does so for other asynchronous invocations.
    """
    from ministack.services import eventbridge, lambda_svc

    lambda_svc._LAMBDA_ASYNC_RETRY_BASE_SECONDS = RETRY_SECONDS / speed

    def dispatch(arn: str, payload: str) -> None:
        function, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if function and config:
            record = lambda_svc._execution_record_for_config(function, config)
            lambda_svc.invoke_async_with_retry(record, json.loads(payload))

    eventbridge._dispatch_to_lambda = dispatch


def keep_dead_letter_queues() -> None:
    """Let a function of a template have its dead-letter queue, which MiniStack leaves out."""
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]

    def with_queue(make: Callable[..., Any], properties: int) -> Callable[..., Any]:
        def made(*given: Any, **more: Any) -> Any:
            answer = make(*given, **more)
            config = lambda_svc._functions[answer[0]]["config"]
            config["DeadLetterConfig"] = given[properties].get("DeadLetterConfig", {})
            return answer

        return made

    handlers["create"] = with_queue(handlers["create"], 1)
    handlers["update"] = with_queue(handlers["update"], 2)


def limit_processes() -> None:
    """Let invocations beyond what this machine can do at a time wait for their turn.

    AWS runs as many as the account's concurrency allows. Here each has a process of its own,
    which would be hundreds when as many executions call a function at the same moment.
    """
    from ministack.services import lambda_svc

    free = threading.BoundedSemaphore(PROCESSES)
    execute = lambda_svc._execute_function_warm

    def in_turn(*given: Any) -> Any:
        with free:
            return execute(*given)

    lambda_svc._execute_function_warm = in_turn


def guard_sessions() -> None:
    """Let sessions be made one at a time: MiniStack looks through all of them for each."""
    from ministack.services import sts

    register, alone = sts.register_session, threading.Lock()

    def registered(key: str, session: dict[str, Any]) -> None:
        with alone:
            register(key, session)

    sts.register_session = registered


class _SharedZip(zipfile.ZipFile):
    """A package that is unpacked once; every execution environment gets a link to it."""

    _unpacking = threading.Lock()

    def __init__(self, path: str) -> None:
        super().__init__(path)
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        self._folder = Path(tempfile.gettempdir()) / f"unpacked-{digest[:16]}"

    def namelist(self) -> list[str]:
        """Return what is yet to be unpacked, of which MiniStack checks each path."""
        return [] if self._folder.exists() else super().namelist()

    def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
        with self._unpacking:
            if not self._folder.exists():
                fresh = self._folder.with_suffix(".fresh")
                super().extractall(fresh)
                fresh.rename(self._folder)
        Path(path).rmdir()
        Path(path).symlink_to(self._folder, target_is_directory=True)


def share_packages() -> None:
    """Unpack the functions' code and libraries once, and not for each cold start.

    In AWS too a function can write to /tmp alone
    (https://docs.aws.amazon.com/whitepapers/latest/security-overview-aws-lambda/lambda-isolation-technologies.html).
    """
    from ministack.core import lambda_runtime

    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=_SharedZip,
        BadZipFile=zipfile.BadZipFile,
        LargeZipFile=zipfile.LargeZipFile,
        LargeFileError=zipfile.LargeZipFile,  # the name that MiniStack looks for
    )


class RoleObjects:
    """Read S3 and use keys in the name of a role: its policies and the resource's decide.

    The service assumes the role that an import job was given, so the role's trust policy
    must let it, in this account.
    """

    def __init__(self, endpoint: str, region: str) -> None:
        self._endpoint = endpoint
        self._region = region
        self._session = boto3.Session()
        self._making = threading.Lock()  # a session makes one client at a time

    def role_trusts_service(self, role_arn: str, *, account: str) -> bool:
        source = f"arn:aws:personalize:{self._region}:{account}:dataset-import-job/any"
        return trusts(role_arn, SERVICE, source, self._region)

    def keys(self, url: str, *, role_arn: str, account: str) -> list[str]:
        bucket, key = _split(url)
        with _Errors():
            pages = self._s3(role_arn, account).get_paginator("list_objects_v2")
            found = [
                f"s3://{bucket}/{item['Key']}"
                for page in pages.paginate(Bucket=bucket, Prefix=key)
                for item in page.get("Contents", ())
            ]
        return found if url.endswith("/") else [one for one in found if one == url]

    def read(self, url: str, *, role_arn: str, account: str) -> Iterator[bytes]:
        bucket, key = _split(url)
        with _Errors():
            body = self._s3(role_arn, account).get_object(Bucket=bucket, Key=key)["Body"]
        yield from body.iter_chunks(CHUNK)

    def write(self, url: str, body: bytes, *, role_arn: str, account: str) -> None:
        bucket, key = _split(url)
        with _Errors():
            self._s3(role_arn, account).put_object(Bucket=bucket, Key=key, Body=body)

    def use_key(self, key_arn: str, *, role_arn: str, account: str) -> None:
        """Use a key in a role's name, and see that its policy lets the service in as well.

        https://docs.aws.amazon.com/personalize/latest/dg/granting-personalize-key-access.html
        """
        kms = self._client("kms", role_arn, account)
        try:
            kms.describe_key(KeyId=key_arn)
            data = kms.generate_data_key(KeyId=key_arn, KeySpec="AES_256")
            kms.decrypt(CiphertextBlob=data["CiphertextBlob"], KeyId=key_arn)
            kms.list_grants(KeyId=key_arn)
            kms.create_grant(KeyId=key_arn, GranteePrincipal=SERVICE, Operations=["Decrypt"])
        except ClientError as error:
            raise KeyDenied(str(error)) from error
        for action in KEY_ACTIONS:
            if not _key_lets_service(key_arn, action, account):
                raise KeyDenied(f"the key's policy does not allow {SERVICE} to perform {action}")

    def put_metrics(self, *, role_arn: str, account: str) -> None:
        """Publish a metric in a role's name."""
        metric = {"MetricName": "Validation", "Value": 0.0}
        try:
            client = self._client("cloudwatch", role_arn, account)
            client.put_metric_data(Namespace=NAMESPACE, MetricData=[metric])
        except (ClientError, ObjectsDenied) as error:
            raise MetricsDenied(str(error)) from error

    def _s3(self, role_arn: str, account: str) -> Any:
        return self._client("s3", role_arn, account)

    def _client(self, service: str, role_arn: str, account: str) -> Any:
        """Return a client with a new session of the role, if the role lets the service."""
        if not self.role_trusts_service(role_arn, account=account):
            raise ObjectsDenied(f"{SERVICE} may not assume {role_arn}")
        with self._making:
            return self._session.client(
                service,
                endpoint_url=self._endpoint,
                region_name=self._region,
                config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3}),
                **_session(role_arn, account),
            )


def _session(role_arn: str, account: str) -> dict[str, str]:
    """Return the credentials of a new session of a role."""
    from ministack.services import sts

    name = role_arn.rsplit("/", 1)[-1]
    key, secret, token = (secrets.token_hex(size) for size in (8, 20, 20))
    key = f"ASIA{key.upper()}"
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/personalize",
        "UserId": f"{name}:personalize",
        "SecretAccessKey": secret,
        "SessionToken": token,
        "Expiration": time.time() + SESSION_SECONDS,
    }
    sts.register_session(key, session)
    return {
        "aws_access_key_id": key,
        "aws_secret_access_key": secret,
        "aws_session_token": token,
    }


def _key_lets_service(key_arn: str, action: str, account: str) -> bool:
    """Tell whether a key's policy allows the service an action."""
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
    from ministack.services import kms

    context = EvalContext(
        principal_arn=SERVICE,
        principal_type="Service",
        principal_account=account,
        action=action,
        resource_arn=key_arn,
        region=key_arn.split(":")[3],
        service_context={"aws:sourceaccount": account},
    )
    policy, _ = kms.key_policy_for_arn(key_arn)
    allowed = evaluate_resource_policy(policy, context, service=SERVICE)
    return str(allowed.decision) == "Allow"


class _Errors:
    """Turn S3's refusals into the emulator's."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if not isinstance(error, ClientError):
            return
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 403:
            raise ObjectsDenied(str(error)) from error
        if status == 404:
            raise ObjectsMissing(str(error)) from error


def trusts(role_arn: str, service: str, source: str, region: str) -> bool:
    """Tell whether a role lets a service of its account assume it, on behalf of a resource."""
    from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy

    account = source.split(":")[4]
    role = _role(role_arn, account)
    if role is None:
        return False
    context = EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn="*",
        region=region,
        service_context={"aws:sourceaccount": account, "aws:sourcearn": source},
    )
    trusted = evaluate_resource_policy(_on_anything(role), context, service=service)
    return str(trusted.decision) == "Allow"


def _role(role_arn: str, account: str) -> dict[str, Any] | None:
    from ministack.services import iam

    found: dict[str, Any] | None = iam._roles.get_scoped(account, None, role_arn.rsplit("/", 1)[-1])
    return found if found and found.get("Arn") == role_arn else None


def _on_anything(role: Mapping[str, Any]) -> dict[str, Any]:
    """Return a trust policy as the evaluator reads a resource's: with a resource named."""
    policy = role.get("AssumeRolePolicyDocument", "{}")
    policy = json.loads(policy) if isinstance(policy, str) else policy
    statements = policy.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    return {"Statement": [{**one, "Resource": "*"} for one in statements]}


def _split(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key


@dataclass(frozen=True)
class Mail:
    """One message as a subscriber of a topic would get it."""

    to: str
    protocol: str
    subject: str
    body: str
    topic: str
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat())


class Mailbox:
    """Keep what SNS would send to people."""

    def __init__(self) -> None:
        self._mail: list[Mail] = []
        self._lock = threading.Lock()

    def add(self, mail: Mail) -> None:
        with self._lock:
            self._mail.append(mail)

    def as_list(self) -> list[dict[str, str]]:
        with self._lock:
            return [asdict(one) for one in self._mail]

    def listen(self) -> None:
        """Take a copy of everything that SNS delivers to email and SMS subscribers.

        An email has the message alone, a JSON email the whole notification
        (https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html), and a text
        message has no subject.
        """
        from ministack.services import sns

        deliver = sns._fanout

        def deliver_and_keep(
            topic: str,
            id: str,
            message: str,
            subject: str,
            structure: str = "",
            attributes: dict[str, Any] | None = None,
            *args: Any,
            **more: Any,
        ) -> None:
            for one in (sns._topic_by_arn_any_scope(topic) or {}).get("subscriptions", ()):
                protocol = one["protocol"]
                if not one.get("confirmed") or protocol not in {"email", "email-json", "sms"}:
                    continue
                body = sns._resolve_message_for_protocol(message, structure, protocol)
                if not sns._matches_filter_policy(one, attributes or {}, body):
                    continue
                if protocol == "email-json":
                    body = sns._build_envelope(topic, id, body, subject, attributes or {}, False)
                title = "" if protocol == "sms" else subject or DEFAULT_SUBJECT
                self.add(Mail(one["endpoint"], protocol, title, body, topic))
            deliver(topic, id, message, subject, structure, attributes, *args, **more)

        sns._fanout = deliver_and_keep


def wrap(app: App, pages: Mapping[str, Callable[[], Any]]) -> App:
    """Serve pages of JSON beside MiniStack, and let every request count as secure."""

    async def wrapped(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        page = pages.get(scope["path"])
        if page:
            await _send_json(send, page())
            return
        if expects_another_owner(scope):
            await _send(send, 403, b"application/xml", DENIED)
            return
        secure = (b"x-forwarded-proto", b"https")
        await app({**scope, "headers": [*scope["headers"], secure]}, receive, send)

    return wrapped


def expects_another_owner(scope: Scope) -> bool:
    """Tell whether a request to S3 names another account than the one that owns the bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    expected = headers.get("x-amz-expected-bucket-owner")
    if expected is None:
        return False
    from ministack.services import s3

    bucket, _ = s3._parse_bucket_key(scope["path"], headers)
    return s3._bucket_owner_account(bucket) not in {None, expected}


async def _send_json(send: Any, found: Any) -> None:
    await _send(send, 200, b"application/json", json.dumps(found).encode())


async def _send(send: Any, status: int, kind: bytes, body: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
