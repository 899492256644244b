"""Everything that rests on MiniStack's internals, and nothing else.

Each function leans on something that MiniStack does not promise; ``tests/local`` has a test
for each, and the version is pinned. Differences from AWS that are made good here:

* MiniStack has no Amazon Personalize: ours is mounted as one more service.
* Its own IAM check knows no resources of Personalize: every check that the service makes
  is made here with MiniStack's evaluator, before the emulator sees the call.
* It answers on plain HTTP: a loopback connection stands for TLS, so that policies which
  ask for ``aws:SecureTransport`` can be met.
* It delivers no mail: what a subscriber would get is kept in a mailbox.
* Its S3 events for EventBridge do not name the object's version: it is added.
* It starts a process for every concurrent invocation: only some run at the same time.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from mpe.emulator import (
    Authorization,
    ObjectsDenied,
    ObjectsMissing,
    Personalize,
    Request,
    authorizations,
)

VERSION = "1.5.33"
SERVICE = "personalize.amazonaws.com"
CHUNK = 1 << 20
SESSION_SECONDS = 3600
DEFAULT_SUBJECT = "AWS Notification Message"
Scope = dict[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


INVOCATIONS = 10
"""How many functions run at the same time."""
TICK_SECONDS = 0.2
"""How often schedules are looked at."""


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


def queue_invocations(at_once: int = INVOCATIONS) -> None:
    """Let functions wait for each other, where AWS would run all of them at the same time.

    MiniStack starts a process for each invocation that finds the others at work: a hundred
    solutions would be hundreds of processes on one machine.
    """
    from ministack.services import lambda_svc

    free, execute = threading.Semaphore(at_once), lambda_svc._execute_function_with_config_scope

    def execute_in_turn(function: dict[str, Any], event: dict[str, Any]) -> Any:
        with free:
            return execute(function, event)

    lambda_svc._execute_function_with_config_scope = execute_in_turn


class RoleObjects:
    """Read S3 in the name of a role: its policies and the bucket's decide.

    The service assumes the role that an import job was given, so the role's trust policy
    must let it, in this account.
    """

    def __init__(self, endpoint: str, region: str) -> None:
        self._endpoint = endpoint
        self._region = region

    def role_trusts_service(self, role_arn: str, *, account: str) -> bool:
        from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy

        role = _role(role_arn, account)
        if role is None:
            return False
        source = f"arn:aws:personalize:{self._region}:{account}:dataset-import-job/any"
        context = EvalContext(
            principal_arn=SERVICE,
            principal_type="Service",
            principal_account=account,
            action="sts:AssumeRole",
            resource_arn="*",
            region=self._region,
            service_context={"aws:sourceaccount": account, "aws:sourcearn": source},
        )
        trusted = evaluate_resource_policy(_on_anything(role), context, service=SERVICE)
        return str(trusted.decision) == "Allow"

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

    def _s3(self, role_arn: str, account: str) -> Any:
        """Return a client with a new session of the role, if the role lets the service."""
        from ministack.services import sts

        if not self.role_trusts_service(role_arn, account=account):
            raise ObjectsDenied(f"{SERVICE} may not assume {role_arn}")
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
        return boto3.Session().client(
            "s3",
            endpoint_url=self._endpoint,
            region_name=self._region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3}),
        )


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
        secure = (b"x-forwarded-proto", b"https")
        await app({**scope, "headers": [*scope["headers"], secure]}, receive, send)

    return wrapped


async def _send_json(send: Any, found: Any) -> None:
    body = json.dumps(found).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
