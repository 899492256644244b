"""What to do about a failure: each known one ends with a command.

The reasons are the service's own words, as https://docs.aws.amazon.com/personalize/latest/dg/ and
its users' reports have them, or this project's; the error codes are those of
https://docs.aws.amazon.com/personalize/latest/dg/CommonErrors.html.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from mpe.model.service.spec import SPECS

QUOTAS = "aws service-quotas list-service-quotas --service-code personalize"
DEPLOY = "npx cdk deploy"


@dataclass(frozen=True)
class Where:
    """What a remedy's command names, as far as it is known."""

    group: str = "GROUP"
    bucket: str = "BUCKET"
    config: str = ""
    """The key of the config."""
    run: str = "RUN"
    arn: str = ""
    """Of the resource that failed, where it is there."""

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


@dataclass(frozen=True)
class Remedy:
    """What to do where a reason, or an error's code, is a known one."""

    pattern: str
    told: str
    command: str
    """``{check}``, ``{group}`` and so on stand for what :class:`Where` knows."""


BY_ERROR = (
    Remedy(
        "Overtaken", "The run of the newer config follows: see how it goes.", "mpe status {group}"
    ),
    Remedy("DataError", "Mend these lines and upload the file again.", "{check}"),
    Remedy(
        "DataHeld",
        "Nothing was imported, and what is live stays. Look at the data, or let it in as it is.",
        "mpe accept {group} DATASET --why ...",
    ),
    Remedy(
        "DriftError",
        "Give it another name in the config, or undo the change; the plan shows each field.",
        "mpe plan config.json",
    ),
    Remedy(
        "ResourceMissing",
        "Its schedule is disabled now. Upload the config to create it again.",
        "{apply}",
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
        "States.Timeout|Lambda.*|Sandbox.*|Stopped|ABORTED|TIMED_OUT|States.*",
        "A step of the workflow ended early: its log says why. Then upload the config again.",
        "mpe logs {run}",
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
LOST_GROUP = Remedy(
    "DatasetGroup",
    "A dataset group that failed stays so, with all in it: remove it, and upload the config again.",
    "mpe destroy {group}",
)
"""A dataset group whose creation failed is neither mended nor made anew by an upload."""


def _left(noun: str, where: Where) -> Remedy | None:
    """Return how a resource goes that failed and stays so, whatever is uploaded.

    Versions and jobs are made anew by the next run.
    """
    spec = SPECS.get(noun)
    if spec is None or spec.repeatable:
        return None
    if noun == "DatasetGroup":
        return LOST_GROUP
    if not where.arn:
        return None
    word = "-".join(re.findall("[A-Z][a-z]*", noun)).lower()
    told = "It stays as it is until it is deleted: do so, and upload the config again."
    return Remedy(noun, told, f"aws personalize delete-{word} --{word}-arn {where.arn}")


def remedy(noun: str, error: str, reason: str, where: Where) -> str:
    """Say what to do about a failure, with a command at its end; nothing where nobody knows."""
    found = _known(error, reason)
    left = _left(noun, where) if error == "ResourceFailed" else None
    told = " ".join([one.told for one in (found, left) if one])
    last = left or found
    return f"{told} Run: {_filled(last.command, where)}" if last else ""


def _known(error: str, reason: str) -> Remedy | None:
    if re.fullmatch(DENIED.pattern, error):
        return DENIED
    by_reason = next((one for one in BY_REASON if re.search(one.pattern, reason)), None)
    if by_reason is BY_REASON[0]:  # a key, before what it is of
        return by_reason
    by_error = next((one for one in BY_ERROR if re.fullmatch(one.pattern, error)), None)
    return by_error or by_reason


def _filled(command: str, where: Where) -> str:
    return command.format(
        check=where.check, apply=where.apply, group=shlex.quote(where.group), run=where.run
    )
