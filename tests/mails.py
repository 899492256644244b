"""A mail of each failure that the stack tells of, written to docs/mails.md.

    python -m tests.mails

Each is worded by the stack's own functions, from what the service, a workflow or somebody's file
says. The words of the service are those that its guide has; beside each stands where they are from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from mpe.aws.ledger import Ledger
from mpe.aws.objects import Objects
from mpe.aws.personalize import Busy
from mpe.aws.turns import Turns
from mpe.handlers.approved import CAMPAIGN_DOUBTED
from mpe.handlers.bury import MOST, WORDS
from mpe.handlers.ensure import LONG, OVERTAKEN, Ensure, Step
from mpe.handlers.fire import Fire
from mpe.handlers.holding import Holding
from mpe.handlers.importing import Importing
from mpe.handlers.judging import Judging
from mpe.handlers.smoking import Smoking
from mpe.handlers.training import Training
from mpe.handlers.watching import Watching
from mpe.model.config.parse import parse
from mpe.model.errors import (
    DataError,
    DataHeld,
    NewerForm,
    StateGone,
    TrainingHeld,
    TurnLost,
    Unavailable,
)
from mpe.model.gate.pointer import GATE, ModelPointer
from mpe.model.gate.smoke import Answer, Probe
from mpe.model.gate.watch import Alarm, Traffic
from mpe.model.messages import Message, message_for
from mpe.model.plan.desired import Desired, desired_state
from mpe.model.plan.erasure import CLASH, due
from mpe.model.plan.forms import OUTCOME
from mpe.model.plan.outcome import Outcome
from mpe.model.plan.quotas import LIMIT
from mpe.model.plan.reconcile import Observed, Reject, decide
from mpe.model.plan.removals import PATH
from mpe.model.rules import gate as rules
from mpe.model.service import avro
from mpe.model.service.counting import Tally
from mpe.model.service.csvs import Head, check_head
from mpe.model.service.profile import as_document
from tests.conftest import ROOT, config
from tests.handlers.memory import Table
from tests.handlers.test_runs import BUCKET, NOW, PLACE, STACK, Account, Events, Fixed, an_account

PAGE = ROOT / "docs" / "mails.md"
GROUP, SOLUTION, CAMPAIGN = "movielens", "movielens-for-you", "movielens-for-you"
FOLDER = f"train/{GROUP}"
RUN = "20260101T000000-abcdef12"
EXECUTION = f"arn:aws:states:us-east-1:{PLACE.account}:execution:Provision:{GROUP}-{RUN}"
ARN = f"arn:aws:personalize:us-east-1:{PLACE.account}:"
GUIDE = "https://docs.aws.amazon.com/personalize/latest/dg/"
MESSAGES = f"{GUIDE}error-messages.html"
API = f"{GUIDE}API_{{}}.html"
COMMON = f"{GUIDE}CommonErrors.html"
STEPS = "https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html"
OURS = "this project's own words"
HEAD = """\
# A mail of each failure

What people are told of whatever goes wrong: what it is about, why, and a command that helps. This
page is written by `python -m tests.mails`, which has the stack's own functions word each mail; a
test holds the page to them and puts every command to the parser of its program. Below each title
stands where the words of the reason come from.

Mails of alarms are CloudWatch's own, with the alarm's description in them, which ends with a
command as well: [Operations](operations.md#alarms-and-what-to-do) has all. A scheduled task that
found nothing new sends none, and neither does a success where `Tell` is `failures`.
"""


class Rows(Table):
    """The ledger's table in memory, which need not be read with consistency."""

    def query(self, KeyConditionExpression: Any, ConsistentRead: bool = True) -> dict[str, Any]:
        return super().query(KeyConditionExpression, ConsistentRead)

    def get_item(self, Key: dict[str, str], ConsistentRead: bool = True) -> dict[str, Any]:
        return super().get_item(Key, ConsistentRead)


@dataclass
class Lab:
    """The stack's functions, with tables and a bucket of their own."""

    account: Account

    def __post_init__(self) -> None:
        document = config()
        document["solutions"][0]["workflowConfig"] = {"schedules": {"full": "rate(7 days)"}}
        self.state = desired_state(
            parse(json.dumps(document)), PLACE, version=RUN, folder=f"{FOLDER}/"
        )

    def desired(self, noun: str) -> Desired:
        """Return what the example's config wants of a type."""
        if noun == "DatasetImportJob":
            return self.state.resources["import.interactions"]
        return next(one for one in self.state.resources.values() if one.noun == noun)

    def ended(
        self, *outcomes: Outcome, crash: Mapping[str, str] | None = None, **run: Any
    ) -> Message:
        """Return the mail of a run that did this, or whose workflow broke down."""
        given = {
            "group": GROUP,
            "id": RUN,
            "config": {"key": f"{FOLDER}/config.json", "version": "1"},
            "state": {"bucket": BUCKET, "key": f"state/{GROUP}/{RUN}.json"},
            **run,
        }
        for outcome in outcomes:
            more = {"due": due(self.state)} if outcome.noun == "DataDeletionJob" else {}
            self.account.ledger.record(GROUP, RUN, {**outcome.as_dict(), **more}, NOW)
        finish = self.account.finishing(Fixed(moment=NOW + timedelta(hours=1)))
        self.account.turns.record(GROUP, RUN, {"status": "RUNNING", "started": NOW.isoformat()})
        finish(given, EXECUTION, [crash] if crash else [])
        return self.told()

    def told(self) -> Message:
        """Return the mail of what the bus was told last."""
        kind, detail = self.account.events.put_[-1]
        return message_for(kind, detail, region=PLACE.region)

    def upload(
        self, document: Mapping[str, Any] | str, key: str = f"{FOLDER}/config.json"
    ) -> Message:
        """Return the mail of a config that is not accepted."""
        body = document if isinstance(document, str) else json.dumps(document)
        assert "rejected" in self.account.upload(body, f"{len(self.account.events.put_):02}", key)
        return self.told()

    # What befell a resource.

    def failing(self, of: str | Desired, error: str, reason: str, **seen: Any) -> Message:
        """Return the mail where a step answers so."""
        desired = self.desired(of) if isinstance(of, str) else of
        outcome = replace(Outcome.of(desired), **seen)
        return self.ended(outcome.failing(error, reason))

    def refused(self, of: str | Desired, observed: Observed | None, **how: Any) -> Message:
        """Return the mail where what is there cannot be made what is wanted."""
        desired = self.desired(of) if isinstance(of, str) else of
        action = decide(desired, observed, **how)
        assert isinstance(action, Reject), action
        seen = observed or Observed("", status="ABSENT")
        return self.failing(
            desired,
            action.error,
            action.message,
            arn=seen.arn or desired.arn,
            status=seen.shown,
            did=how.get("pinned"),
        )

    def crashed(self, error: str, cause: str, resource: str = "Solutions", **run: Any) -> Message:
        """Return the mail where the workflow itself gave a step up."""
        return self.ended(crash={"error": error, "cause": cause, "resource": resource}, **run)

    def killed(self, status: str) -> Message:
        return self.crashed(status, WORDS[status][:MOST], "the workflow")


@dataclass(frozen=True)
class Kind:
    """One kind of failure, with where its words come from, and its mail."""

    title: str
    source: str
    told: Callable[[Lab], Message]


def _fields(lab: Lab, noun: str, **other: Any) -> dict[str, Any]:
    """Return what the service describes of what is as it is wanted, but for some of it."""
    return {**lab.desired(noun).params, **other}


def _bent(**group: Any) -> dict[str, Any]:
    document = config()
    document["solutions"][0]["serviceConfig"]["recipeArn"] = "arn:aws:personalize:::recipe/none"
    document["datasetGroup"]["serviceConfig"].update(group)
    return document


def _another_key(lab: Lab) -> Message:
    """Upload a second config to the folder in which one is maintained."""
    account = lab.account
    key = f"{FOLDER}/config.json"
    account.s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
    account.turns.announce(GROUP, RUN, "00", key)
    return lab.upload(config(), f"{FOLDER}/copy.json")


def _data_error(lab: Lab) -> Message:
    desired = lab.desired("DatasetImportJob")
    schema = avro.loads(str(desired.schema))
    rows = b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE\nu1,,881250949,watch,3\n"
    file = f"s3://{BUCKET}/{FOLDER}/interactions.csv"
    found = check_head(Head(file, rows), avro.kind_of(schema), avro.fields(schema))
    error = DataError([one for one in found if one.severity == "error"])
    return lab.failing("DatasetImportJob", "DataError", str(error))


def _held_data(lab: Lab) -> Message:
    """Have data judged in which all happened at one time."""
    rows = "USER_ID,ITEM_ID,TIMESTAMP\n" + "".join(f"u{n},i{n},881250949\n" for n in range(50))
    account = lab.account
    account.s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}/interactions.csv", Body=rows.encode())
    objects = Objects(account.s3)
    desired = replace(lab.desired("DatasetImportJob"), gate={"mode": "hold"})
    importing = Importing(objects, account.ledger, account.events, Fixed())
    try:
        importing(GROUP, objects.completed(desired), None, {"jobName": RUN})
    except DataHeld as held:
        return lab.failing("DatasetImportJob", type(held).__name__, str(held))
    raise AssertionError


def _held_training(lab: Lab) -> Message:
    """Have a model trained on data that was only observed, once the gate holds."""
    tally = Tally("interactions")
    rows = ["USER_ID,ITEM_ID,TIMESTAMP\n", *(f"u{n},i{n},881250949\n" for n in range(50))]
    tally.add(rows, go_on=lambda: True)
    desired, ledger = lab.desired("DatasetImportJob"), lab.account.ledger
    text = json.dumps(as_document(tally.profile()))
    row = {"profile": text, "data": "1", "at": NOW.isoformat(), "mode": "FULL", "imported": True}
    ledger.profiled(GROUP, desired.id, RUN, row)
    try:
        Training(ledger, Fixed())(GROUP, [replace(desired, gate={"mode": "hold"})])
    except TrainingHeld as held:
        return lab.failing("SolutionVersion", type(held).__name__, str(held))
    raise AssertionError


def _held_model(lab: Lab) -> Message:
    version = f"{ARN}solution/{SOLUTION}/1a2b3c4d"
    campaign = Outcome.of(lab.desired("Campaign"))
    return lab.ended(campaign.ready(arn=f"{ARN}campaign/{CAMPAIGN}", status="ACTIVE", held=version))


class _Silent:
    """A campaign of which every answer is an error."""

    def ask(self, arn: str, recipe: str, probes: Any, **_: Any) -> Iterator[Answer]:
        yield from (Answer(Probe(user=f"u{n}"), error="InternalServerException") for n in range(4))


def _asking(lab: Lab, **told: str) -> Smoking:
    """Return what asks campaigns, which answer nothing."""
    account = lab.account
    return Smoking(
        _Silent(),
        Objects(account.s3),
        account.ledger,
        account.events,
        account.measured,  # type: ignore[arg-type]
        **told,
    )


def _served(lab: Lab, version: str) -> Desired:
    """Return a campaign, whose gate holds, at a version."""
    desired = lab.desired("Campaign")
    gate = {"mode": "hold", "recipe": "USER_PERSONALIZATION", "probes": f"smoke/{GROUP}.csv"}
    return replace(desired, gate=gate, params={**desired.params, "solutionVersionArn": version})


def _rolled_back(lab: Lab) -> Message:
    versions = [f"{ARN}solution/{SOLUTION}/{id}" for id in ("1a2b3c4d", "5e6f7a8b")]
    desired = _served(lab, versions[1])
    told = _asking(lab).after(GROUP, desired, versions[0], None, NOW)
    assert told
    return lab.ended(Outcome.of(desired).ready(did="updated", status="ACTIVE", told=told))


def _expired(lab: Lab) -> Message:
    """End a hold that nobody has decided on."""
    account, at = lab.account, (NOW - timedelta(days=4)).isoformat()
    why = "NDCG@10 is 0.0610, -52.3 % against the live one's; down to -26.1 % would be noise. "
    version = f"{ARN}solution/{SOLUTION}/1a2b3c4d"
    pointer = ModelPointer().holding(version, why=f"{why}[{rules.NOT_BELOW.id}]", at=at)
    pointers = {f"campaign.{SOLUTION}.{CAMPAIGN}": pointer}
    Holding(account.ledger, account.events, Fixed(moment=NOW), STACK).expire(GROUP, {}, pointers)
    return lab.told()


def _doubted(lab: Lab) -> Message:
    """Ask a campaign that a person has moved, which answers nothing."""
    desired = _served(lab, f"{ARN}solution/{SOLUTION}/5e6f7a8b")
    asking = _asking(lab, doubted=CAMPAIGN_DOUBTED, stack=STACK)
    asking.after(GROUP, desired, None, None, NOW)
    return lab.told()


class _Failing:
    """CloudWatch, which counted errors only."""

    def traffic(self, *_: Any) -> Traffic:
        return Traffic(120, 0, 40)

    def alarms(self, _: Any) -> list[Alarm]:
        return []


class _Serving:
    """A campaign that serves a version since an hour, and takes every update."""

    def __init__(self, version: str) -> None:
        self._told = {
            "status": "ACTIVE",
            "solutionVersionArn": version,
            "creationDateTime": NOW - timedelta(hours=1),
        }

    def described(self, *_: Any) -> Any:
        return self._told

    def update(self, *_: Any) -> None: ...


def _watched(lab: Lab, **gate: Any) -> Message:
    """Watch a campaign that has moved, and does badly."""
    former, version = (f"{ARN}solution/{SOLUTION}/{id}" for id in ("1a2b3c4d", "5e6f7a8b"))
    account, desired = lab.account, _served(lab, version)
    desired = replace(desired, gate={**desired.gate, "watch": {}, **gate})
    at = (NOW - timedelta(hours=2)).isoformat()
    pointer = ModelPointer().moved(former, by=GATE, why="pass", at=at)
    pointer = pointer.moved(version, by=GATE, why="pass", at=at)
    account.ledger.point(GROUP, desired.id, pointer)
    watching = Watching(
        _Serving(version),  # type: ignore[arg-type]
        _Failing(),  # type: ignore[arg-type]
        account.ledger,
        account.events,
        account.measured,  # type: ignore[arg-type]
        Fixed(moment=NOW),
        STACK,
    )
    watching(GROUP, desired, pointer)
    return lab.told()


def _drifted(lab: Lab) -> Message:
    """Judge a version beside a campaign that was moved in the console since its pointer was."""
    solution = f"{ARN}solution/{SOLUTION}"
    recorded, version = (f"{solution}/{id}" for id in ("1a2b3c4d", "5e6f7a8b"))
    account, desired = lab.account, _served(lab, version)
    at = (NOW - timedelta(hours=2)).isoformat()
    account.ledger.point(GROUP, desired.id, ModelPointer().moved(recorded, by=GATE, why="", at=at))
    told = {"id": desired.id, "arn": desired.arn, "mode": "observe", "pinned": False}
    wanted = replace(lab.desired("SolutionVersion"), parent=solution, campaigns=(told,))
    around = (_Serving(version), account.ledger, account.events, Fixed(moment=NOW), STACK)
    Judging(*around, RUN)(GROUP, wanted, version)  # type: ignore[arg-type]
    return lab.told()


def _deleted(lab: Lab) -> Message:
    deletion = Outcome("deletion", "DataDeletionJob", GROUP, "$.datasets", did="created")
    return lab.ended(deletion.ready(status="COMPLETED"))


class _Full:
    """The service while a quota is used up."""

    def observe(self, *_: Any) -> None:
        raise Busy(LIMIT, "More than 20 resources with PENDING or IN_PROGRESS status.")


class _Turn:
    """The turn, which this run has."""

    def overtaken(self, *_: Any) -> bool:
        return False


def _waits(lab: Lab) -> Message:
    account, desired = lab.account, lab.desired("SolutionVersion")
    ensure = Ensure(
        _Full(),  # type: ignore[arg-type]
        Objects(account.s3),
        account.ledger,
        _Turn(),  # type: ignore[arg-type]
        account.events,
        account.measured,
        Fixed(),
        stack=STACK,
    )
    before = replace(Outcome.of(desired), blocked=LONG - 1)
    group = lab.state.resources["datasetGroup"]
    ensure(Step(RUN, GROUP, desired, before, group_arn=str(group.arn), bucket=BUCKET))
    return lab.told()


def _newer(lab: Lab) -> Message:
    """Fire a task whose row a newer release wrote."""
    mark = {"version": 99, "needs": 99, "release": "9.0.0"}
    row = {"group": GROUP, "record": f"full.{SOLUTION}", "form": mark}
    lab.account.tasks._table.put_item(Item=row)
    fire = Fire(lab.account.tasks, lab.account.executions, lab.account.events, Fixed(), STACK)  # type: ignore[arg-type]
    fire(GROUP, f"full.{SOLUTION}", EXECUTION)
    return lab.told()


def _newer_outcome(lab: Lab) -> Message:
    saved = {"record": f"RUN#{RUN}#campaign", "form": {"needs": 99, "release": "9.0.0"}}
    try:
        OUTCOME.read(saved)
    except NewerForm as newer:
        return lab.failing("Campaign", type(newer).__name__, str(newer))
    raise AssertionError


def _lost(lab: Lab) -> Message:
    lost = TurnLost(GROUP, RUN)
    return lab.failing("SolutionVersion", type(lost).__name__, str(lost))


def _removal(reason: str, status: str) -> Callable[[Lab], Message]:
    def told(lab: Lab) -> Message:
        one = Outcome("removed.x", "Campaign", "old", PATH, status, f"{ARN}campaign/old")
        return lab.ended(one.failing("ResourceFailed", reason))

    return told


def _failed(noun: str, reason: str) -> Callable[[Lab], Message]:
    """Tell of something that this run made, and that failed with these words."""

    def told(lab: Lab) -> Message:
        arn = lab.desired(noun).arn or f"{ARN}{noun}/x"
        observed = Observed(arn, "CREATE FAILED", reason=reason)
        return lab.refused(noun, observed, pinned="created")

    return told


def _left(noun: str) -> Callable[[Lab], Message]:
    """Tell of something that failed before this run."""

    def told(lab: Lab) -> Message:
        return lab.refused(noun, Observed(str(lab.desired(noun).arn), "CREATE FAILED"))

    return told


def _says(noun: str, error: str, reason: str) -> Callable[[Lab], Message]:
    return lambda lab: lab.failing(noun, error, reason)


def _breaks(error: str, cause: str) -> Callable[[Lab], Message]:
    return lambda lab: lab.crashed(error, cause)


def _kill(status: str) -> Callable[[Lab], Message]:
    return lambda lab: lab.killed(status)


def _not_started(lab: Lab) -> Message:
    arn = f"{ARN}recommender/shop"
    desired = Desired(
        "recommender.shop", "Recommender", "shop", "$.recommenders[0]", {}, arn=arn, status="ACTIVE"
    )
    return lab.refused(desired, Observed(arn, "INACTIVE"), pinned="started")


INVALID = "InvalidInputException"
CONFIGS = (
    Kind("A config with problems", OURS, lambda lab: lab.upload(_bent(name="a name"))),
    Kind("A file that is no JSON", OURS, lambda lab: lab.upload('{"datasetGroup": ')),
    Kind(
        "A file that lies elsewhere", OURS, lambda lab: lab.upload(config(), "train/ä/config.json")
    ),
    Kind("A second config of a group", OURS, _another_key),
)
DATA = (
    Kind("Rows that an import would fail for", OURS, _data_error),
    Kind(
        "An import that the service failed",
        MESSAGES,
        _failed("DatasetImportJob", "Input CSV is missing the following columns:[ITEM_ID]"),
    ),
    Kind(
        "Rows of another schema",
        "an answer that users report; the page above has none of it",
        _failed(
            "DatasetImportJob", "Input csv has rows that do not conform to the dataset schema."
        ),
    ),
    Kind(
        "No file where one should be",
        MESSAGES,
        _says("DatasetImportJob", INVALID, "Invalid Data location"),
    ),
    Kind(
        "No access to the data",
        MESSAGES,
        _failed("DatasetImportJob", "Insufficient privileges for accessing data in Amazon S3"),
    ),
    Kind("Data that a gate holds", OURS, _held_data),
    Kind("A training on data that a gate holds", OURS, _held_training),
    Kind(
        "Too few interactions",
        MESSAGES,
        _failed("SolutionVersion", "Dataset has fewer than 1000 interactions"),
    ),
    Kind(
        "Too few users",
        MESSAGES,
        _failed(
            "SolutionVersion", "Dataset has fewer than 25 users with at least 2 interactions each"
        ),
    ),
)
MODELS = (
    Kind("A model that a gate holds", OURS, _held_model),
    Kind("A hold that nobody has decided on", OURS, _expired),
    Kind("A campaign that was rolled back", OURS, _rolled_back),
    Kind("A campaign that a person has moved, and that answers badly", OURS, _doubted),
    Kind("A campaign that has moved, and goes back since it does badly", OURS, _watched),
    Kind(
        "A campaign that has moved, does badly and stays",
        OURS,
        lambda lab: _watched(lab, mode="observe"),
    ),
    Kind("A campaign that was moved by other means", OURS, _drifted),
    Kind("What is due once users are deleted", OURS, _deleted),
    Kind(
        "An import beside a deletion of users",
        f"{GUIDE}delete-records.html",
        _says(
            "DatasetImportJob",
            CLASH,
            "users are deleted from the dataset group, and it may not run beside it.",
        ),
    ),
)
QUOTAS = (
    Kind("A quota that is waited for", MESSAGES, _waits),
    Kind(
        "A quota that no waiting frees",
        MESSAGES,
        _says(
            "Campaign",
            LIMIT,
            "Cannot create a campaign. More than 5 resources in ACTIVE state. Please delete some "
            "and try again.",
        ),
    ),
    Kind(
        "A newer config while it waited",
        OURS,
        _says("SolutionVersion", OVERTAKEN, "it waited, and a newer config came: Rate exceeded"),
    ),
    Kind(
        "A service that is not well",
        COMMON,
        _says(
            "Campaign", "ServiceUnavailable", "The request has failed due to a temporary failure."
        ),
    ),
    Kind(
        "Too many tags",
        API.format("TagResource"),
        _says(
            "DatasetGroup", "TooManyTagsException", "You have exceeded the maximum number of tags."
        ),
    ),
)
KEYS = (
    Kind(
        "A key that cannot be used",
        "worded here; the guide has what the key's policy needs: "
        f"{GUIDE}granting-personalize-key-access.html",
        _failed("DatasetGroup", "The KMS key cannot be used."),
    ),
    Kind(
        "A permission that the stack lacks",
        COMMON,
        _says(
            "Campaign",
            "AccessDeniedException",
            "User: arn:aws:sts::000000000000:assumed-role/r/f is not authorized to perform: "
            "personalize:CreateCampaign on resource: arn:aws:personalize:us-east-1:000000000000:"
            "campaign/x",
        ),
    ),
)
THERE = (
    Kind("A dataset group that failed before", OURS, _left("DatasetGroup")),
    Kind("A campaign that failed before", OURS, _left("Campaign")),
    Kind("A filter that failed before", OURS, _left("Filter")),
    Kind(
        "A change of a campaign that failed",
        OURS,
        lambda lab: lab.refused(
            "Campaign",
            Observed(str(lab.desired("Campaign").arn), update="CREATE FAILED"),
            pinned="updated",
        ),
    ),
    Kind(
        "A change that came to nothing",
        OURS,
        lambda lab: lab.refused(
            "Campaign",
            Observed(
                str(lab.desired("Campaign").arn),
                fields=_fields(lab, "Campaign", minProvisionedTPS=9),
            ),
            pinned="updated",
        ),
    ),
    Kind(
        "A field that the service cannot change",
        OURS,
        lambda lab: lab.refused(
            "Solution",
            Observed(
                str(lab.desired("Solution").arn),
                fields=_fields(lab, "Solution", recipeArn="arn:aws:personalize:::recipe/aws-sims"),
            ),
        ),
    ),
    Kind(
        "A name that another dataset group has",
        OURS,
        lambda lab: lab.refused(
            "Solution",
            Observed(
                str(lab.desired("Solution").arn),
                fields=_fields(lab, "Solution", datasetGroupArn=f"{ARN}dataset-group/shop"),
            ),
        ),
    ),
    Kind(
        "A name that is taken",
        API.format("CreateCampaign"),
        _says(
            "Campaign", "ResourceAlreadyExistsException", "Another resource with the name exists."
        ),
    ),
    Kind(
        "A name that the service refuses",
        "made up",
        _says("Filter", INVALID, "A resource with this name already exists."),
    ),
    Kind(
        "A dataset group of another stack",
        OURS,
        lambda lab: lab.refused(
            lab.desired("DatasetGroup").owned_by(STACK),
            Observed(str(lab.desired("DatasetGroup").arn), owner="Other"),
        ),
    ),
    Kind("A recommender that does not start", OURS, _not_started),
    Kind(
        "A status that nobody knows",
        OURS,
        lambda lab: lab.refused("Campaign", Observed(str(lab.desired("Campaign").arn), "PAUSED")),
    ),
    Kind(
        "Something that disappeared",
        OURS,
        lambda lab: lab.refused("Campaign", None, pinned="created"),
    ),
    Kind(
        "A task whose resource is gone",
        OURS,
        lambda lab: lab.refused("Campaign", None, existing=True),
    ),
    Kind(
        "Something that it rests on is gone",
        API.format("CreateCampaign"),
        _says("Campaign", "ResourceNotFoundException", "Could not find the specified resource."),
    ),
    Kind(
        "Something that is in use",
        API.format("CreateSolutionVersion"),
        _says("SolutionVersion", "ResourceInUseException", "The specified resource is in use."),
    ),
    Kind(
        "A value that the service refuses",
        API.format("CreateFilter"),
        _says("Filter", INVALID, "Provide a valid value for the field or parameter."),
    ),
    Kind(
        "A removal that failed",
        OURS,
        _removal("its status is DELETE FAILED", "DELETE FAILED"),
    ),
    Kind(
        "A removal without an end",
        OURS,
        _removal("it is DELETE IN_PROGRESS for more than an hour", "DELETE IN_PROGRESS"),
    ),
    Kind("A reason that nobody knows", "made up", _failed("SolutionVersion", "Something new.")),
)
RUNS = (
    Kind("A step that took too long", STEPS, _breaks("States.Timeout", "")),
    Kind(
        "A function that broke down",
        "https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html",
        _breaks(
            "KeyError", '{"errorMessage": "\'run\'", "errorType": "KeyError", "stackTrace": []}'
        ),
    ),
    Kind(
        "An AWS service with an outage of hours",
        OURS,
        _breaks(Unavailable.__name__, "PutItem: InternalServerError: Internal server error"),
    ),
    Kind("A run that somebody stopped", OURS, _kill("ABORTED")),
    Kind("A run that took longer than it may", OURS, _kill("TIMED_OUT")),
    Kind("A run that could not report", OURS, _kill("FAILED")),
    Kind("A run that lost its turn", OURS, _lost),
    Kind(
        "A desired state that was deleted",
        OURS,
        _says(
            "Campaign", StateGone.__name__, str(StateGone(f"s3://{BUCKET}/state/{GROUP}/x.json"))
        ),
    ),
    Kind("A release that was rolled back", OURS, _newer_outcome),
    Kind("A task that only a newer release can read", OURS, _newer),
    Kind(
        "A scheduled training that failed",
        STEPS,
        lambda lab: lab.crashed("States.Timeout", "", task=f"full.{SOLUTION}"),
    ),
)
PARTS = {
    "Configs": CONFIGS,
    "Data": DATA,
    "Models and users": MODELS,
    "Quotas and outages": QUOTAS,
    "Keys and permissions": KEYS,
    "What is there already": THERE,
    "Runs": RUNS,
}
KINDS = tuple(one for part in PARTS.values() for one in part)


def mails() -> dict[str, Message]:
    """Return the mail of each kind of failure, by its title."""
    found = {}
    with an_account() as account:
        for one in KINDS:
            fresh = {"turns": Turns(Table()), "ledger": Ledger(Rows()), "events": Events()}
            found[one.title] = one.told(Lab(replace(account, **fresh)))  # type: ignore[arg-type]
    return found


def page(told: Mapping[str, Message]) -> str:
    parts = [HEAD]
    for title, kinds in PARTS.items():
        parts.append(f"## {title}\n")
        for one in kinds:
            message = told[one.title]
            source = f"Reason: {one.source}."
            shown = f"Subject: {message.subject}\n\n{message.text.rstrip()}"
            parts.append(f"### {one.title}\n\n{source}\n\n```text\n{shown}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "none")
        PAGE.write_text(page(mails()))
