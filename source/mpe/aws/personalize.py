"""Amazon Personalize by the resource table: observe, create and update any type.

Only this module knows botocore's error codes; what comes out is ``None`` (not there),
:class:`Busy` (try later), :class:`Exists` (someone was first) or :class:`Refused` (no).
The codes are those of
https://docs.aws.amazon.com/personalize/latest/dg/API_Operations_Amazon_Personalize.html
and https://docs.aws.amazon.com/personalize/latest/dg/CommonErrors.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from mpe.model.desired import Desired
from mpe.model.errors import PersonalizationError
from mpe.model.reconcile import Change, Observed, newest
from mpe.model.spec import ACTIVE, ResourceSpec

NOT_FOUND = "ResourceNotFoundException"
EXISTS = "ResourceAlreadyExistsException"
BUSY = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "RequestLimitExceeded",
        "ResourceInUseException",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class ServiceError(PersonalizationError):
    """An answer of the service, with its error code and its own words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Busy(ServiceError):
    """The call may succeed later: a quota, a throttle, a parent in transition."""


class Exists(ServiceError):
    """The name is taken: by an earlier attempt of ours, or by somebody else."""


class Refused(ServiceError):
    """The call cannot succeed as it is."""


class Missing(ServiceError):
    """The resource does not exist."""


class Personalize:
    """Observe, create and update resources through a boto3 ``personalize`` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def observe(self, desired: Desired, arn: str | None = None) -> Observed | None:
        """Return the resource as it is, or None where there is none.

        With ``arn`` it is that very one and never a newer; else it is found by its name,
        or among its parent's where only the service knows its ARN.
        """
        spec = desired.spec
        if arn is None and spec.listed:
            return self._find(desired)
        target = arn or desired.arn
        try:
            return self._describe(spec, str(target))
        except Missing:
            return None

    def create(self, desired: Desired, params: Mapping[str, Any]) -> str:
        """Create the resource and return its ARN."""
        answer = self._call(desired.spec.create, **params)
        return str(answer[desired.spec.arn_key])

    def update(self, desired: Desired, arn: str, changes: tuple[Change, ...]) -> None:
        """Change fields of an existing resource in place."""
        operation = desired.spec.update
        assert operation is not None, f"{desired.noun} has no update"
        params: dict[str, Any] = {desired.spec.arn_key: arn}
        for change in changes:
            outer, _, inner = change.field.partition(".")
            if inner:
                params.setdefault(desired.spec.update_inside[outer], {})[inner] = change.new
            else:
                params[outer] = change.new
        self._call(operation, **params)

    def _find(self, desired: Desired) -> Observed | None:
        spec = desired.spec
        try:
            found = [_summary(spec, one) for one in self._list(spec, desired.parent)]
        except Missing:
            return None
        chosen = newest(found)
        try:
            return self._describe(spec, chosen.arn) if chosen else None
        except Missing:
            return None

    def _list(self, spec: ResourceSpec, parent: str | None) -> Iterator[Mapping[str, Any]]:
        assert spec.listed_by is not None, f"{spec.noun} is not listed by a parent"
        with _translated():
            paginator = self._client.get_paginator(xform_name(spec.list))
            for page in paginator.paginate(**{spec.listed_by: parent}):
                yield from page[spec.list_key]

    def _describe(self, spec: ResourceSpec, arn: str) -> Observed:
        return _observed(spec, self._call(spec.describe, **{spec.arn_key: arn})[spec.key])

    def _call(self, operation: str, **params: Any) -> Mapping[str, Any]:
        with _translated():
            answer: Mapping[str, Any] = getattr(self._client, xform_name(operation))(**params)
            return answer


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the SDK's errors into ours."""
    try:
        yield
    except ClientError as error:
        code = str(error.response["Error"].get("Code", ""))
        message = str(error.response["Error"].get("Message", "")) or str(error)
        raise _kind(code)(code, message) from error
    except ParamValidationError as error:
        raise Refused("ValidationException", str(error)) from error
    except BotoCoreError as error:  # no answer at all: a time-out, a broken connection
        raise Busy(type(error).__name__, str(error)) from error


def _kind(code: str) -> type[ServiceError]:
    if code in BUSY:
        return Busy
    return {NOT_FOUND: Missing, EXISTS: Exists}.get(code, Refused)


def _summary(spec: ResourceSpec, listed: Mapping[str, Any]) -> Observed:
    return Observed(
        arn=listed[spec.arn_key],
        status=listed.get("status", ACTIVE),
        created=listed.get("creationDateTime"),
    )


def _observed(spec: ResourceSpec, described: Mapping[str, Any]) -> Observed:
    update = described.get(spec.update_status or "") or {}
    return Observed(
        arn=described[spec.arn_key],
        status=described.get("status", ACTIVE),
        fields=described,
        created=update.get("creationDateTime") or described.get("creationDateTime"),
        settled=update.get("lastUpdatedDateTime") or described.get("lastUpdatedDateTime"),
        update=update.get("status"),
        reason=update.get("failureReason") or described.get("failureReason") or "",
    )
