"""Amazon Personalize, which MiniStack does not have: the emulator, as one more service.

MiniStack's own IAM check knows no resources of Personalize either: every check that the
service makes is made here with MiniStack's evaluator, before the emulator sees the call.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import botocore.session

from mpe.emulator import Request, authorizations
from mpe.emulator.service import Personalize
from mpe.local.ministack.difference import Difference
from mpe.local.ministack.iam import refusal


def mount(service: Personalize) -> None:
    """Serve Amazon Personalize at MiniStack's endpoint."""
    import ministack.app
    from ministack.core import router
    from ministack.core.responses import get_account_id, get_region

    # MiniStack would look into the models of all services, for seconds, at the first call of one
    # that it does not have itself, only to tell whether AWS has it.
    names = botocore.session.get_session().get_available_services()
    router._KNOWN_AWS_SERVICE_NAMES = frozenset(names)

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
            return refusal(denied.principal_arn, check.action, check.resource)
    return None


DIFFERENCES = (
    Difference(
        aws="Amazon Personalize answers, and IAM knows its actions and resources",
        alone="there is none",
        page="https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonpersonalize.html",
        test="test_personalize.py::test_alone_there_is_no_personalize",
        make_good=lambda start: mount(start.service),
    ),
)
