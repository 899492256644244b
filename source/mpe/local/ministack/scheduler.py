"""EventBridge Scheduler: its clock, its groups, and what its schedules' roles may."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from mpe.local.kept import Calls
from mpe.local.ministack.difference import Difference
from mpe.local.ministack.iam import denied_to, trusts

LOG = logging.getLogger(__name__)
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Answer]]
SERVICE = "scheduler.amazonaws.com"
TICK_SECONDS = 0.2
"""How often schedules are looked at."""
DATES = ("StartDate", "EndDate")
"""The times that a schedule may be given."""
TARGETS = {"states": "states:StartExecution", "sqs": "sqs:SendMessage"}
"""The action that Scheduler takes on a target, by the service in its ARN."""


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


def check_targets(calls: Calls) -> None:
    """Let a schedule start only what its role may, if the role lets Scheduler assume it."""
    from ministack.services import eventbridge

    invoke = eventbridge._invoke_target

    def invoke_if_allowed(
        target: dict[str, Any], event: Any, rule: dict[str, Any], *more: Any
    ) -> Any:
        if "ScheduleExpressionTimezone" in rule:
            denied = _refusal_of_target(calls, target, rule)
            if denied:
                LOG.error("the schedule %s cannot start its target: %s", rule["Arn"], denied)
                return None
        return invoke(target, event, rule, *more)

    eventbridge._invoke_target = invoke_if_allowed


def _refusal_of_target(
    calls: Calls, target: Mapping[str, Any], schedule: Mapping[str, Any]
) -> str | None:
    role, arn = target["RoleArn"], target["Arn"]
    region = arn.split(":")[3]
    group = schedule["Arn"].replace(":schedule/", ":schedule-group/").rsplit("/", 1)[0]
    if not trusts(role, SERVICE, group, region):
        return f"{SERVICE} may not assume the role {role}"
    return denied_to(role, TARGETS[arn.split(":")[2]], arn, calls)


def name_fires() -> None:
    """Replace the context attributes in a target's input, as Scheduler does.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html

    The time is that of Scheduler's own clock, which is unique to each fire of a schedule.
    """
    from ministack.services import eventbridge

    invoke = eventbridge._invoke_target

    def invoke_with_context(
        target: dict[str, Any], event: Any, rule: dict[str, Any], *more: Any
    ) -> Any:
        if "ScheduleExpressionTimezone" in rule and target.get("Input"):
            at = datetime.fromtimestamp(float(event["Time"]), UTC)
            context = {
                "schedule-arn": rule["Arn"],
                "scheduled-time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                "execution-id": event["EventId"].replace("-", "")[:16],
                "attempt-number": "1",
            }
            given = target["Input"]
            for name, value in context.items():
                given = given.replace(f"<aws.scheduler.{name}>", value)
            target = {**target, "Input": given}
        return invoke(target, event, rule, *more)

    eventbridge._invoke_target = invoke_with_context


def check_passing() -> None:
    """Ask IAM whether who makes or changes a schedule may pass the target's role."""
    import ministack.app
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_region
    from ministack.core.router import extract_access_key_id

    handle: Handler = ministack.app.SERVICE_HANDLERS["scheduler"]

    async def handle_if_allowed(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Answer:
        role = _passed(method, path, body)
        if role:
            denied = iam_evaluator.enforce(
                extract_access_key_id(headers, query),
                "iam:PassRole",
                "iam",
                get_region(),
                resource_arn=role,
                service_context={"iam:PassedToService": SERVICE},
            )
            if denied:
                return _denied(role)
        return await handle(method, path, headers, body, query)

    ministack.app.SERVICE_HANDLERS["scheduler"] = handle_if_allowed


def _passed(method: str, path: str, body: bytes) -> str | None:
    """Return the role that a request hands to Scheduler."""
    if method not in {"POST", "PUT"} or not path.startswith("/schedules/"):
        return None
    target = json.loads(body or b"{}").get("Target") or {}
    return target.get("RoleArn")


def _denied(role: str) -> Answer:
    kind = "AccessDeniedException"
    told = {
        "__type": kind,
        "Message": f"not authorized to perform: iam:PassRole on resource: {role}",
    }
    headers = {"Content-Type": "application/json", "x-amzn-errortype": kind}
    return 403, headers, json.dumps(told).encode()


DIFFERENCES = (
    Difference(
        aws="IAM knows a schedule in its own group",
        alone="each is one of the group called default",
        page="https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html",
        test="test_scheduler.py::test_alone_iam_knows_a_schedule_in_the_default_group",
        make_good=lambda start: locate_schedules(),
    ),
    Difference(
        aws="time passes as it does",
        alone="no setting hastens schedules as `SFN_WAIT_SCALE` does waits",
        page=None,
        test="test_scheduler.py::test_alone_schedules_fire_by_the_real_time_and_whatever_the_role",
        make_good=lambda start: hasten_schedules(start.speed),
    ),
    Difference(
        aws="a rate first fires at its start date, and without one at once",
        alone="it first fires one period after it was made",
        page="https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html",
        test="test_scheduler.py::test_alone_schedules_fire_by_the_real_time_and_whatever_the_role",
        make_good=lambda start: start_schedules(),
    ),
    Difference(
        aws="a schedule starts only what its role may",
        alone="no role is asked",
        page="https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html",
        test="test_scheduler.py::test_alone_schedules_fire_by_the_real_time_and_whatever_the_role",
        make_good=lambda start: check_targets(start.calls),
    ),
    Difference(
        aws="a target's input is told which fire it is of, by context attributes",
        alone="it gets the keywords as they are",
        page="https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html",
        test="test_scheduler.py::test_alone_schedules_fire_by_the_real_time_and_whatever_the_role",
        make_good=lambda start: name_fires(),
    ),
    Difference(
        aws="who makes a schedule must be allowed to pass its role",
        alone="nobody is asked",
        page="https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html",
        test="test_scheduler.py::test_alone_any_role_can_be_passed",
        make_good=lambda start: check_passing(),
    ),
)
