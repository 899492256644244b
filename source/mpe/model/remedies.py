"""What to do about a failure: each known one ends with a command.

The reasons are the service's own words, as https://docs.aws.amazon.com/personalize/latest/dg/ and
its users' reports have them, or this project's; the error codes are those of
https://docs.aws.amazon.com/personalize/latest/dg/CommonErrors.html.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mpe.model.plan.erasure import CLASH
from mpe.model.plan.outcome import CHANGES
from mpe.model.service.spec import DONE, FAILED, SPECS, UNDER_WAY

QUOTAS = "aws service-quotas list-service-quotas --service-code personalize"
DEPLOY = "npx cdk deploy"
NOT_ALLOWED = r"AccessDenied|not authorized to perform"
"""What IAM says in a reason, whichever error comes with it."""


@dataclass(frozen=True)
class Where:
    """What a remedy's command names, as far as it is known."""

    group: str = "GROUP"
    bucket: str = "BUCKET"
    config: str = ""
    """The key of the config."""
    run: str = "RUN"
    task: str = ""
    """The scheduled task that the run is of, if it is of one."""
    arn: str = ""
    """Of the resource that failed, where it is there."""
    status: str = ""
    """What the run last saw of it."""
    did: str = ""
    """What the run did to it before it failed."""
    dataset: str = "DATASET"
    """The kind of dataset that it is about."""

    @classmethod
    def of_outcome(cls, where: Where, outcome: Mapping[str, Any]) -> Where:
        """Return what is known of the resource of an outcome as well."""
        return replace(
            where,
            arn=str(outcome.get("arn") or ""),
            status=str(outcome.get("status") or ""),
            did=str(outcome.get("did") or ""),
            dataset=_dataset(outcome) or where.dataset,
        )

    @property
    def folder(self) -> str:
        """Where the CSVs are, beside the config."""
        key = self.config or f"train/{self.group}/config.json"
        return f"s3://{self.bucket}/{key.rpartition('/')[0]}"

    @property
    def check(self) -> str:
        return f"mpe check-data config.json --path {shlex.quote(self.folder)}"

    @property
    def apply(self) -> str:
        return "mpe apply config.json"

    @property
    def again(self) -> str:
        """What has the same done once more."""
        if not self.task:
            return self.apply
        return f"mpe schedule run {shlex.quote(self.group)} {shlex.quote(self.task)}"


def _dataset(outcome: Mapping[str, Any]) -> str:
    """Return the kind of dataset that an outcome is about, where it is about one."""
    failed = outcome.get("failed") or {}
    if failed.get("error") == "TrainingHeld":
        return str(failed["reason"]).partition(":")[0]
    of_import = outcome["noun"] == "DatasetImportJob"
    return str(outcome["resource"]).partition(".")[2] if of_import else ""


@dataclass(frozen=True)
class Remedy:
    """What to do where a reason, or an error's code, is a known one."""

    pattern: str
    told: str
    command: str
    """``{check}``, ``{again}`` and so on stand for what :class:`Where` knows."""


BY_ERROR = (
    Remedy(
        "Overtaken", "The run of the newer config follows: see how it goes.", "mpe status {group}"
    ),
    Remedy("DataError", "Mend these lines and upload the file again.", "{check}"),
    Remedy(
        "DataHeld",
        "What is live stays. Upload better data, or look at it and let it in as it is.",
        "mpe accept {group} {dataset} --why ...",
    ),
    Remedy(
        "TrainingHeld",
        "Nothing was trained, and what is live stays. Import better data, or look at it and let it "
        "in as it is; the next training takes it.",
        "mpe accept {group} {dataset} --why ...",
    ),
    Remedy(
        "DriftError",
        "Give it another name in the config, or undo the change; the plan shows each field.",
        "mpe plan config.json",
    ),
    Remedy(
        "ResourceMissing",
        "Its schedule is disabled now. Upload the config to create it again.",
        "mpe apply config.json",
    ),
    Remedy(
        "OfAnotherStack",
        "Change it there, or let this stack maintain it.",
        "mpe adopt {group} --take-over",
    ),
    Remedy(
        "StateGone",
        "Upload the config again, which writes it anew. Where that does not help, deploy the stack "
        "again.",
        "{apply}",
    ),
    Remedy(
        "NewerForm",
        "A newer release was rolled back: deploy that one again.",
        DEPLOY,
    ),
    Remedy("TurnLost", "Another run has taken over: see what it does.", "mpe watch {group}"),
    Remedy(
        "LimitExceededException|RequestLimitExceeded|TooManyRequestsException",
        "A quota of the account is used up: remove what is not needed, or ask for more.",
        QUOTAS,
    ),
    Remedy(
        "ResourceAlreadyExistsException",
        "Another dataset group or stack has a resource of this name: give it another one in the "
        "config.",
        "mpe plan config.json",
    ),
    Remedy(
        "ResourceInUseException",
        "Something else still works on it: upload the config again once that is done.",
        "{apply}",
    ),
    Remedy(
        "TooManyTag(Key)?sException",
        "A resource has 50 tags at most, its stack's among them: take some out of the config.",
        "mpe validate config.json",
    ),
    Remedy(
        CLASH,
        "Users are being deleted from the datasets: do it again once that is done.",
        "{again}",
    ),
    Remedy(
        r"Unavailable|Internal.*|ServiceUnavailable.*|Throttling.*|\w+(Timeout|Connection)\w*Error",
        "An AWS service did not do it for hours. Do it again once that is well.",
        "{again}",
    ),
)
BY_REASON = (
    Remedy(
        r"[Kk][Mm][Ss]|encrypt",
        "Deploy the stack with the key of the dataset group, and let the key's policy admit the "
        "stack's service role.",
        f"{DEPLOY} --parameters PersonalizeKmsKeyArn=KEY_ARN",
    ),
    Remedy(
        r"missing the following columns",
        "Add the columns to the CSV's header and rows.",
        "{check}",
    ),
    Remedy(
        r"fewer than 1,?000|at least 1,?000",
        "Amazon Personalize trains on 1,000 interactions or more: upload more data.",
        "{apply} --data .",
    ),
    Remedy(
        r"fewer than 25 users",
        "At least 25 users need two interactions or more: upload more data.",
        "{apply} --data .",
    ),
    Remedy(
        r"[Ii]nvalid ([Dd]ata location|S3 input path)|does not exist in S3",
        "Upload the file to that place: CSVs for a dataset, JSON lines for a batch job.",
        "{apply} --data .",
    ),
    Remedy(
        r"[Ii]nsufficient privileges",
        "Let the service role and the bucket's policy read that place, and the KMS key where there "
        "is one.",
        DEPLOY,
    ),
    Remedy(
        r"(?i)\b(csv|row|line|column|header|delimiter|malformed|parse|timestamp|null|quot)",
        "Mend the data: the check names the lines.",
        "{check}",
    ),
    Remedy(
        r"something else deleted it",
        "Whatever deleted it may do so again: look at who did. An upload of the config creates it.",
        "mpe apply config.json",
    ),
    Remedy(
        r"it is DELETE [A-Z_ ]+ for more than an hour",
        "It goes by itself: look later whether it is gone.",
        "mpe status {group}",
    ),
    Remedy(
        r"(?i)limit (exceeded|reached)|quota|maximum number of",
        "A quota of the account is used up: remove what is not needed, or ask for more.",
        QUOTAS,
    ),
    Remedy(
        r"(?i)already exists|name is (taken|in use)",
        "Give it another name in the config.",
        "mpe plan config.json",
    ),
)
DENIED = Remedy(
    "AccessDenied.*", "A role of the stack lacks a permission: deploy it again, unchanged.", DEPLOY
)
REFUSED = (
    Remedy(
        "InvalidInputException|Validation(Exception|Error)",
        "The service does not take it so: mend in the config what it names, and see that the plan "
        "has it.",
        "mpe plan config.json",
    ),
    Remedy(
        "ResourceNotFoundException",
        "Something that it rests on is gone: the plan shows what, and an upload creates it again.",
        "mpe plan config.json",
    ),
)
"""What helps by the error's code alone, where its reason is no known one."""
STEP = Remedy(
    "Step",
    "A step of the workflow ended early: its log says why. Then it can be done again.",
    "mpe logs {run}",
)
"""Of the workflow itself, whatever ended it."""
OTHERWISE = Remedy(
    ".*", "This reason is no known one. Mend what it tells of, and do it again.", "{again}"
)
LOST_GROUP = Remedy(
    "DatasetGroup",
    "A dataset group that failed stays so, with all in it: remove it, and upload the config again.",
    "mpe destroy {group}",
)
"""A dataset group whose creation failed is neither mended nor made anew by an upload."""
LEFT = Remedy(
    "CREATE FAILED",
    "It stays as it is until it is deleted: do so, and upload the config again.",
    "aws personalize delete-{word} --{word}-arn {arn}",
)
ANEW = Remedy(
    "CREATE FAILED",
    "This reason is no known one. Once what it tells of is mended, the next run makes it anew.",
    "{again}",
)
AS_BEFORE = Remedy(
    "updated",
    "What it was before stays. The next run tries the change again.",
    "{again}",
)
UNKNOWN = Remedy(
    "unknown",
    "See what the service says of it.",
    "aws personalize describe-{word} --{word}-arn {arn}",
)
REMEDIES = (
    *(*BY_ERROR, *BY_REASON, DENIED, *REFUSED),
    *(STEP, OTHERWISE, LOST_GROUP, LEFT, ANEW, AS_BEFORE, UNKNOWN),
)
"""All of them."""


def remedy(noun: str, error: str, reason: str, where: Where) -> str:
    """Say what to do about a failure, with a command at its end.

    What is known of the reason comes first, and then what must be deleted before anything helps.
    """
    found = _known(noun, error, reason)
    after = _after(noun, where) if error == "ResourceFailed" else None
    lasting = after if not found or after in {LEFT, LOST_GROUP} else None
    told = [one for one in (found, lasting) if one] or [OTHERWISE]
    last = _filled(told[-1].command, noun, where)
    return f"{' '.join(one.told for one in told)} Run: {last}"


def _after(noun: str, where: Where) -> Remedy | None:
    """Return what a resource that failed asks for, by the state that it is in.

    What exists stays as it was before a change that failed. What failed when it was made stays so,
    whatever is uploaded; versions and jobs are made anew by the next run.
    """
    spec = SPECS.get(noun)
    if spec is None or where.did in CHANGES - {"created"}:
        return AS_BEFORE if spec else None
    if where.status in FAILED and spec.repeatable:
        return ANEW
    if where.status in FAILED and noun == "DatasetGroup":
        return LOST_GROUP
    if not where.arn:
        return None
    if where.status in FAILED:
        return LEFT
    return None if where.status in {*DONE, *UNDER_WAY, "ABSENT", ""} else UNKNOWN


def _known(noun: str, error: str, reason: str) -> Remedy | None:
    by_reason = next((one for one in BY_REASON if re.search(one.pattern, reason)), None)
    if by_reason is BY_REASON[0]:  # a key, before what it is of
        return by_reason
    if re.fullmatch(DENIED.pattern, error) or re.search(NOT_ALLOWED, reason):
        return DENIED
    by_error = _matching(BY_ERROR, error)
    if by_error:
        return by_error
    if noun == "Step":
        return STEP
    return by_reason or _matching(REFUSED, error)


def _matching(remedies: Sequence[Remedy], error: str) -> Remedy | None:
    return next((one for one in remedies if re.fullmatch(one.pattern, error)), None)


def _filled(command: str, noun: str, where: Where) -> str:
    return command.format(
        check=where.check,
        apply=where.apply,
        again=where.again,
        group=shlex.quote(where.group),
        run=where.run,
        dataset=where.dataset,
        arn=where.arn,
        word="-".join(re.findall("[A-Z][a-z]*", noun)).lower(),
    )
