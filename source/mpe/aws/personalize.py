"""Amazon Personalize by the resource table: observe, create and update any type.

Only this module knows botocore's error codes; what comes out is ``None`` (not there),
:class:`Busy` (try later), :class:`Exists` (someone was first) or :class:`Refused` (no).
The codes are those of
https://docs.aws.amazon.com/personalize/latest/dg/API_Operations_Amazon_Personalize.html
and https://docs.aws.amazon.com/personalize/latest/dg/CommonErrors.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from mpe.model.errors import PersonalizationError
from mpe.model.plan.desired import Desired
from mpe.model.plan.owner import owner_of
from mpe.model.plan.reconcile import Change, Observed, by_part, newest_first, same_job
from mpe.model.service.spec import ACTIVE, FAILED, SPECS, ResourceSpec

NOT_FOUND = "ResourceNotFoundException"
EXISTS = "ResourceAlreadyExistsException"
BUSY = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "ResourceInUseException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
SERVER_ERROR, NOT_IMPLEMENTED = 500, 501
"""HTTP statuses from which on the fault is the service's; what it cannot do it never will."""


class ServiceError(PersonalizationError):
    """An answer of the service, with its error code and its own words."""

    def __init__(self, code: str, message: str, *, unsure: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.unsure = unsure
        """Whether the call may have taken effect all the same."""


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

    def observe(
        self, desired: Desired, arn: str | None = None, *, active: bool = False
    ) -> Observed | None:
        """Return the resource as it is, or None where there is none.

        With ``arn`` it is that very one and never a newer; else it is found by its name,
        or among its parent's where only the service knows its ARN: the newest of those that are
        ``active``, where no other counts.
        """
        spec = desired.spec
        if arn is None and spec.listed:
            return self._find(desired, active=active)
        target = arn or desired.arn
        try:
            observed = self._describe(spec, str(target))
        except Missing:
            return None
        if spec.marked and observed.status == ACTIVE:
            observed = replace(observed, owner=owner_of(self.tags(observed.arn)))
        return self._with_group(desired, observed) if spec.grouped_by_parent else observed

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
            elif outer == desired.spec.parts:
                params.update(_difference(outer, change))
            else:
                params[outer] = change.new
        self._call(operation, **{**_beside(desired, params), **params})

    def switch(self, desired: Desired, arn: str, status: str) -> None:
        """Start or stop a resource."""
        self._call(desired.spec.switches[status], **{desired.spec.arn_key: arn})

    def followed(self, desired: Desired) -> datetime | None:
        """Return when the last job was done that makes this one stale, or None.

        One that is under way counts from when it was made, and once more when it is done.
        """
        if not desired.spec.follows:
            return None
        spec = SPECS[desired.spec.follows]
        times = [
            one.created if one.in_progress else one.settled
            for arn in desired.after
            for one in (_summary(spec, found) for found in self._jobs(spec, arn))
            if one.status not in FAILED
        ]
        return max((time for time in times if time), default=None)

    def _jobs(self, spec: ResourceSpec, parent: str) -> Iterator[Mapping[str, Any]]:
        """Yield the jobs of a parent, of which there are none where it does not exist."""
        try:
            yield from self.listed(spec, {str(spec.listed_by): parent})
        except Missing:
            return

    def metrics(self, arn: str) -> Mapping[str, float]:
        """Return the offline metrics of a solution version."""
        found: Mapping[str, float] = self._call("GetSolutionMetrics", solutionVersionArn=arn)[
            "metrics"
        ]
        return found

    def listed(
        self, spec: ResourceSpec, of: Mapping[str, Any] | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the summaries of a type: all of the account's, or of a parent."""
        return self._list(spec.list, spec.list_key, of or {})

    def described(
        self, spec: ResourceSpec, arn: str, *, with_parts: bool = True
    ) -> Mapping[str, Any]:
        """Return all that the service says of a resource; raise Missing where there is none."""
        described: Mapping[str, Any] = self._call(spec.describe, **{spec.arn_key: arn})[spec.key]
        if with_parts and spec.parts and spec.list_parts:
            parts = list(self._list(spec.list_parts, spec.parts, {spec.arn_key: arn}))
            return {**described, spec.parts: parts}
        return described

    def tags(self, arn: str) -> list[Mapping[str, str]]:
        """Return the tags of a resource."""
        found: list[Mapping[str, str]] = self._call("ListTagsForResource", resourceArn=arn)["tags"]
        return found

    def tag(self, arn: str, tags: Iterable[Mapping[str, str]]) -> None:
        """Add tags to a resource, in the place of those of the same keys."""
        self._call("TagResource", resourceArn=arn, tags=list(tags))

    def delete(self, spec: ResourceSpec, arn: str) -> None:
        """Ask for a resource's removal, which takes the service a while."""
        self._call(f"Delete{spec.noun}", **{spec.arn_key: arn})

    def _find(self, desired: Desired, *, active: bool = False) -> Observed | None:
        """Return the newest that counts: of several different jobs, of the wanted one.

        Raise Busy of a job or version that is listed and cannot be described: nobody can delete
        it, so that it is not visible yet, and an older one in its place would be gone back to.
        """
        spec = desired.spec
        try:
            since = self._parents_creation(desired) if spec.outlives_parent else None
            found = [_summary(spec, one) for one in self._children(desired)]
        except Missing:
            return None
        if active:
            found = [one for one in found if one.status == ACTIVE]
        if since:
            found = [one for one in found if one.created and one.created >= since]
        for summary in newest_first(found):
            try:
                observed = self._describe(spec, summary.arn)
            except Missing as missing:
                if spec.repeatable:
                    told = f"{summary.arn} is listed, but not found yet"
                    raise Busy(missing.code, told) from missing
                continue
            if same_job(desired, observed.fields):
                return observed
        return None

    def _with_group(self, desired: Desired, observed: Observed) -> Observed:
        """Add the dataset group of what is another parent's: a campaign of another solution."""
        version = str(observed.fields.get("solutionVersionArn", ""))
        parent = version.rpartition("/")[0]
        if not parent or parent == desired.parent:
            return observed
        try:
            group = self.described(SPECS[str(desired.spec.parent)], parent)["datasetGroupArn"]
        except Missing:
            return observed
        return replace(observed, fields={**observed.fields, "datasetGroupArn": group})

    def _children(self, desired: Desired) -> Iterator[Mapping[str, Any]]:
        spec = desired.spec
        assert spec.listed_by is not None, f"{spec.noun} is not listed by a parent"
        return self.listed(spec, {spec.listed_by: _parent(desired)})

    def _parents_creation(self, desired: Desired) -> datetime:
        described = self.described(SPECS[str(desired.spec.parent)], _parent(desired))
        created: datetime = described["creationDateTime"]
        return created

    def _list(self, operation: str, key: str, of: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield every page's items; boto3 has no paginator for some of the lists."""
        page = self._call(operation, **of)
        yield from page[key]
        while page.get("nextToken"):
            page = self._call(operation, **of, nextToken=page["nextToken"])
            yield from page[key]

    def _describe(self, spec: ResourceSpec, arn: str) -> Observed:
        return _observed(spec, self.described(spec, arn))

    def _call(self, operation: str, **params: Any) -> Mapping[str, Any]:
        with _translated():
            answer: Mapping[str, Any] = getattr(self._client, xform_name(operation))(**params)
            return answer


def _parent(desired: Desired) -> str:
    """Return the ARN of the parent by which a resource is listed."""
    return str(desired.params.get(str(desired.spec.listed_by), desired.parent))


def _beside(desired: Desired, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the service wants beside a change, although it may not have changed.

    A campaign that shall follow its solution must be told ``<solution>/$LATEST`` together with
    ``syncWithLatestSolutionVersion``, whichever version it serves already
    (https://docs.aws.amazon.com/personalize/latest/dg/API_UpdateCampaign.html).
    """
    config = params.get("campaignConfig") or {}
    if not config.get("syncWithLatestSolutionVersion"):
        return {}
    return {"solutionVersionArn": desired.params["solutionVersionArn"]}


def _difference(parts: str, change: Change) -> dict[str, Any]:
    """Return the parameters that add what is new or different, and remove what is not wanted."""
    old, new = by_part(change.old or ()), by_part(change.new)
    added = [part for name, part in new.items() if old.get(name) != part]
    removed = [name for name, part in old.items() if new.get(name) != part]
    told = {f"add{parts.capitalize()}": added, f"remove{parts.capitalize()}": removed}
    return {name: some for name, some in told.items() if some}


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the SDK's errors into ours."""
    try:
        yield
    except ClientError as error:
        code = str(error.response["Error"].get("Code", ""))
        message = str(error.response["Error"].get("Message", "")) or str(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        unsure = status >= SERVER_ERROR and status != NOT_IMPLEMENTED
        raise _kind(code, status)(code, message, unsure=unsure) from error
    except ParamValidationError as error:
        raise Refused("ValidationException", str(error)) from error
    except BotoCoreError as error:  # no answer at all: a time-out, a broken connection
        raise Busy(type(error).__name__, str(error), unsure=True) from error


def _kind(code: str, status: int) -> type[ServiceError]:
    """Tell what an error means: by its code, or where that says nothing by the HTTP status.

    Where a load balancer answers in the service's stead, with a page or with nothing, botocore
    makes the status the code.
    """
    if code in BUSY or (status >= SERVER_ERROR and status != NOT_IMPLEMENTED):
        return Busy
    return {NOT_FOUND: Missing, EXISTS: Exists}.get(code, Refused)


def _summary(spec: ResourceSpec, listed: Mapping[str, Any]) -> Observed:
    return Observed(
        arn=listed[spec.arn_key],
        status=listed.get("status", ACTIVE),
        created=listed.get("creationDateTime"),
        settled=listed.get("lastUpdatedDateTime"),
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
