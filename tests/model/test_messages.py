"""What people are told."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatch
from typing import Any

import pytest

from mpe.model.messages import attributes, execution_link, message_for, spoken, worth_telling
from mpe.model.remedies import Where, remedy

RUN: dict[str, Any] = {
    "DatasetGroup": "films",
    "Run": "20260101T000000-abcdef12",
    "Status": "SUCCEEDED",
    "ExecutionArn": "arn:aws:states:eu-west-1:000000000000:execution:m:films",
    "Duration": 3725,
    "Config": "train/films/config.json",
    "Changes": [{"Resource": "Campaign", "Name": "live", "Did": "created", "Seconds": 600}],
    "Changed": 1,
    "Kept": 3,
    "Failures": [],
    "Failed": 0,
    "Notes": [],
}


def tell(**changes: Any) -> Any:
    return message_for("Maintenance Run State Change", {**RUN, **changes}, region="eu-west-1")


def test_a_success_tells_what_was_done_and_where_to_look() -> None:
    message = tell()
    assert message.subject == "Personalize dataset group films is ready"
    assert "It took 1 h 2 min." in message.text
    assert "created Campaign live in 10 min 0 s" in message.text
    assert "kept 3 as they were" in message.text
    assert RUN["ExecutionArn"] in message.text


def test_a_run_that_changed_nothing_says_so() -> None:
    assert "all 3 resources are as the config says" in tell(Changes=[], Changed=0).text


def test_a_failure_tells_which_why_and_what_to_do() -> None:
    failure = {
        "Resource": "DatasetImportJob",
        "Name": "films",
        "Path": "$.datasets.items.dataset",
        "Error": "ResourceFailed",
        "Reason": "Input CSV is missing the following columns:[ITEM_ID]",
        "Remedy": "Add the columns.",
    }
    message = tell(Status="FAILED", Failures=[failure], Failed=3)
    assert message.subject == "Personalize dataset group films needs your attention"
    for told in (*failure.values(), "continues from there:\n      mpe apply config.json"):
        assert told in message.text
    assert "... and 2 more failed." in message.text


def test_sections_that_are_not_carried_out_are_told() -> None:
    message = tell(Notes=["$.recommenders[0]: a Recommender is not created yet."])
    assert "To note:\n  $.recommenders[0]" in message.text


def test_every_protocol_has_its_own_words() -> None:
    words = tell().by_protocol()
    assert json.loads(words["sqs"])["DatasetGroup"] == "films"
    assert json.loads(words["email-json"])["Event"] == "Maintenance Run State Change"
    assert len(words["sms"]) <= 140
    assert words["default"] == words["email"]


@pytest.mark.parametrize("note", ["<!channel> *now* `x` ```", "long " * 4_000])
def test_a_chat_shows_the_message_as_it_is(note: str) -> None:
    """https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html has the form."""
    message = tell(Notes=[note] * 3)
    told = json.loads(message.by_protocol()["https"])
    assert (told["version"], told["source"]) == ("1.0", "custom")
    content = told["content"]
    assert set(content) == {"textType", "title", "description"}
    assert (content["textType"], content["title"]) == ("client-markdown", message.subject)
    assert len(content["title"]) <= 250
    assert len(content["description"]) <= 8_000
    assert content["description"].split("```")[0::2] == ["", ""], "all of it is code"
    assert "It took 1 h 2 min." in content["description"]


def test_a_subject_is_one_line_of_ascii_up_to_100_characters() -> None:
    detail = {
        "Bucket": "b",
        "Key": f"train/{'ü' * 300}\n/config.json",
        "Total": 1,
        "Problems": [{"path": "$", "message": "is wrong.", "remedy": ""}],
    }
    subject = message_for("Configuration Rejected", detail, region="x").subject
    assert len(subject) <= 100
    assert subject.isascii()
    assert subject.isprintable()


def test_problems_beyond_those_listed_are_counted() -> None:
    problem = {"path": "$", "message": "is wrong.", "remedy": "Mend it."}
    detail = {"Bucket": "b", "Key": "k", "Total": 7, "Problems": [problem] * 5}
    assert "... and 2 more." in message_for("Configuration Rejected", detail, region="x").text


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (7260, "2 h 1 min")]
)
def test_durations_are_spoken(seconds: float, words: str) -> None:
    assert spoken(seconds) == words


@pytest.mark.parametrize(
    ("partition", "host"),
    [("aws", "console.aws.amazon.com"), ("aws-cn", "console.amazonaws.cn")],
)
def test_the_link_is_of_the_partition(partition: str, host: str) -> None:
    assert execution_link(f"arn:{partition}:states:r:a:execution:m:x", "r").startswith(
        f"https://{host}/"
    )


@pytest.mark.parametrize(
    ("error", "reason", "told"),
    [
        ("ResourceFailed", "Dataset has fewer than 1000 interactions: 3", "1,000"),
        ("InvalidInputException", "Invalid Data location: there is no CSV", "CSVs for a dataset"),
        # https://docs.aws.amazon.com/personalize/latest/dg/error-messages.html has both
        ("InvalidInputException", "Invalid S3 input path: s3://data/x.json", "lines for a batch"),
        ("AccessDeniedException", "User is not authorized", "permission"),
        ("ResourceFailed", "something new", "no known one"),
    ],
)
def test_a_known_reason_has_a_remedy(error: str, reason: str, told: str) -> None:
    found = remedy("DatasetImportJob", error, reason, Where("films", "data"))
    assert told in found
    assert " Run: " in found


DELETED = {"Resource": "DataDeletionJob", "Name": "d", "Did": "created"}
TRAINED = {"Resource": "SolutionVersion", "Name": "films", "Did": "created"}


SOLUTION = "arn:aws:personalize:eu-west-1:000000000000:solution/films"
DUE: dict[str, Any] = {
    "Solutions": [
        {"name": "often", "arn": f"{SOLUTION}-often", "task": "full.often"},
        {"name": "films", "arn": SOLUTION},
    ],
    "Left": 2,
    "Recommenders": ["shop"],
}
WRITTEN = (
    "export/films/items/films-20260101T000000-abcdef12/part-00000.csv",
    "batch/films/old/all-20260101T000000-abcdef12/job_config.json.out",
    "batch/films/films/all-20260101T000000-abcdef12/_CHECK",
)
READ = (
    "batch/films/films/job_config.json",
    "batch/films/old/job_config.json",
    "batch/films/films/former.json",
    "batch/films/job_config.json",
    "train/films/config.json",
    "train/films/interactions/a.csv",
    "export/films-too/items/x/part-00000.csv",
)


def after_deletion(**changes: Any) -> str:
    due = {**DUE, **changes}
    return str(tell(Changes=[DELETED], Bucket="data", Due=due).text)


def lines_with(text: str, command: str) -> list[list[str]]:
    """Return the words of each command of a mail that begins so."""
    found = (line.strip() for line in text.splitlines())
    return [shlex.split(line) for line in found if line.startswith(command)]


def removed_by(words: list[str], keys: Sequence[str]) -> set[str]:
    """Return the keys that ``aws s3 rm --recursive`` removes.

    Its filters are looked at in order and the last that matches counts; ``*`` matches slashes
    (https://docs.aws.amazon.com/cli/latest/reference/s3/#use-of-exclude-and-include-filters).
    """
    assert words[4] == "--recursive"
    prefix = words[3].removeprefix("s3://data/")
    filters = list(zip(words[5::2], words[6::2], strict=True))
    removed = set()
    for key in keys:
        taken = key.startswith(prefix)
        for option, pattern in filters:
            if fnmatch(key.removeprefix(prefix), pattern):
                taken = key.startswith(prefix) and option == "--include"
        removed |= {key} if taken else set()
    return removed


def test_after_a_deletion_the_mail_removes_what_jobs_wrote_and_never_what_they_read() -> None:
    commands = lines_with(after_deletion(), "aws s3 rm")
    gone = {key for words in commands for key in removed_by(words, [*WRITTEN, *READ])}
    assert gone == set(WRITTEN)


def test_after_a_deletion_each_model_of_before_has_a_command_that_trains_it_anew() -> None:
    text = after_deletion()
    assert lines_with(text, "mpe schedule run") == [
        ["mpe", "schedule", "run", "films", "full.often"]
    ]
    made = "aws personalize create-solution-version --training-mode FULL --solution-arn"
    assert lines_with(text, "aws personalize") == [[*made.split(), SOLUTION]]
    config = "s3://data/train/films/config.json"
    copy = ["aws", "s3", "cp", config, config, "--metadata-directive", "REPLACE"]
    assert lines_with(text, "aws s3 cp") == [copy]
    assert "recommenders shop," in text
    assert "OldVersionDays" in text


def test_a_training_after_a_deletion_is_not_asked_for_again() -> None:
    text = after_deletion(Solutions=[], Left=0, Recommenders=[])
    assert "Train anew" not in text
    assert "aws s3 rm" in text


def test_of_many_models_some_have_a_command_and_all_are_counted() -> None:
    assert "... and 7 more solutions" in after_deletion(Left=9)


def test_without_a_deletion_nothing_is_said_of_one() -> None:
    assert "deleted" not in tell(Changes=[TRAINED]).text


def model(**changes: Any) -> dict[str, Any]:
    """Return a version as the run's event tells of it."""
    version = "arn:aws:personalize:eu-west-1:000000000000:solution/films/"
    ndcg = "normalized_discounted_cumulative_gain_at_10"
    live = {"Campaign": "live", "Version": f"{version}1", "Metrics": {ndcg: 0.12}}
    return {
        "Solution": "films",
        "Version": f"{version}2",
        "TrainingMode": "FULL",
        "TrainingHours": 0.5,
        "Metrics": {ndcg: 0.108, "coverage": 0.3},
        "Live": [live, {**live, "Campaign": "canary"}],
        **changes,
    }


def test_every_training_tells_its_numbers_beside_the_live_ones() -> None:
    text = tell(Models=[model()]).text
    assert "New model of films (FULL, 0.5 training hours):" in text
    assert "0.1080  before 0.1200 -10.0 %" in text
    assert "before: arn:aws:personalize:eu-west-1:000000000000:solution/films/1" in text
    assert "on live, canary" in text


@pytest.mark.parametrize(
    ("mode", "held", "told"),
    [
        ("UPDATE", False, "an UPDATE training ends that,"),
        ("FULL", True, "the live version gets no new items"),
        ("FULL", False, ""),
    ],
)
def test_a_training_tells_what_it_costs_in_new_items(mode: str, held: bool, told: str) -> None:
    word = {"Campaign": "live", "Verdict": "pass", "Mode": "hold", "Held": held, "Pinned": False}
    verdict = {**word, "NoNewItems": True, "Reasons": [], "Notes": []}
    text = tell(Models=[model(TrainingMode=mode, Verdicts=[verdict])]).text
    assert told in text
    assert ("no new items" in text) is bool(told)


def test_a_first_model_is_told_alone() -> None:
    text = tell(Models=[model(Live=[])]).text
    assert "0.1080" in text
    assert "before" not in text


def test_a_model_without_metrics_says_so() -> None:
    assert "The service told no metrics of it." in tell(Models=[model(Metrics={})]).text


def test_a_live_version_without_metrics_says_so() -> None:
    live = {"Campaign": "live", "Version": "arn:1", "Metrics": {}}
    assert "of which no metrics are known" in tell(Models=[model(Live=[live])]).text


WHERE = Where("films", "data-1", config="train/films/config.json", run="20260801T1-ab")
ARN = "arn:aws:personalize:eu-west-1:000000000000:campaign/live"
FAILURES = [
    ("DatasetImportJob", "DataError", "items.csv, line 3: ITEM_ID is empty [MPE-D003]",
     "mpe check-data config.json --path s3://data-1/train/films"),
    ("DatasetImportJob", "ResourceFailed", "Input csv has rows that do not conform to the schema.",
     "mpe check-data config.json --path s3://data-1/train/films"),
    ("Solution", "LimitExceededException", "You have reached the limit of 20 solutions.",
     "aws service-quotas list-service-quotas --service-code personalize"),
    ("DatasetGroup", "ResourceFailed", "The KMS key cannot be used.",
     "mpe destroy films"),
    ("DatasetImportJob", "InvalidInputException", "KMS key is not accessible",
     "npx cdk deploy --parameters PersonalizeKmsKeyArn=KEY_ARN"),
    ("DatasetGroup", "ResourceFailed", "an earlier attempt is CREATE FAILED",
     "mpe destroy films"),
    ("Campaign", "ResourceFailed", "an earlier attempt is CREATE FAILED",
     f"aws personalize delete-campaign --campaign-arn {ARN}"),
    ("Campaign", "ResourceAlreadyExistsException", "Another resource with the name exists.",
     "mpe plan config.json"),
    ("Solution", "DriftError", "cannot change recipeArn", "mpe plan config.json"),
    ("Campaign", "ResourceMissing", "the Campaign live does not exist any more.",
     "mpe apply config.json"),
    ("Campaign", "TurnLost", "the run has lost its turn", "mpe watch films"),
    ("Step", "States.Timeout", "", "mpe logs 20260801T1-ab"),
    ("Step", "Lambda.Unknown", "", "mpe logs 20260801T1-ab"),
    ("Campaign", "AccessDeniedException", "not authorized", "npx cdk deploy"),
    ("SolutionVersion", "ResourceFailed", "fewer than 25 users", "mpe apply config.json --data ."),
]  # fmt: skip
"""A failure of each known kind, and the command that its mail ends with."""
FAILED = dict.fromkeys(
    ("The KMS key cannot be used.", "an earlier attempt is CREATE FAILED"), "CREATE FAILED"
)
"""What the service says of what failed for such a reason."""


def test_a_campaign_whose_update_failed_is_never_to_be_deleted() -> None:
    """It serves what it served before."""
    where = replace(WHERE, arn=ARN, status="CREATE FAILED", did="updated")
    told = remedy("Campaign", "ResourceFailed", "the update is CREATE FAILED", where)
    assert "What it was before stays." in told
    assert "delete" not in told


@pytest.mark.parametrize(("noun", "error", "reason", "command"), FAILURES)
def test_a_known_failure_ends_with_a_command(
    noun: str, error: str, reason: str, command: str
) -> None:
    where = replace(WHERE, arn=ARN if noun == "Campaign" else "", status=FAILED.get(reason, ""))
    assert remedy(noun, error, reason, where).endswith(f" Run: {command}")


def test_a_group_that_failed_is_not_said_to_go_on() -> None:
    failure = {"Resource": "DatasetGroup", "Name": "films", "Path": "", "Error": "ResourceFailed",
               "Reason": "x", "Remedy": "y"}  # fmt: skip
    assert "continues from there" not in tell(Status="FAILED", Failures=[failure], Failed=1).text


def test_a_mail_tells_stack_account_region_and_bucket() -> None:
    text = tell(Stack="Films", Bucket="data-1").text
    assert "Stack Films, account 000000000000, region eu-west-1, bucket data-1" in text
    detail = {"Bucket": "data-1", "Key": "train/films/config.json", "Total": 0, "Problems": [],
              "Stack": "Films", "Account": "000000000000"}  # fmt: skip
    text = message_for("Configuration Rejected", detail, region="eu-west-1").text
    assert "Stack Films, account 000000000000, region eu-west-1, bucket data-1" in text
    assert "mpe validate config.json" in text


TASK = {"Task": "import", "Changes": [], "Changed": 0}


def test_a_scheduled_task_that_found_nothing_new_is_not_told() -> None:
    assert not worth_telling({**RUN, **TASK})
    assert worth_telling({**RUN, **TASK, "Changed": 1})
    assert worth_telling({**RUN, **TASK, "Status": "FAILED"})
    assert worth_telling({**RUN, "Changes": [], "Changed": 0}), "somebody waits for an upload"


def test_failures_alone_are_told_where_that_is_asked_for() -> None:
    assert not worth_telling(RUN, failures_only=True)
    assert worth_telling({**RUN, "Status": "FAILED"}, failures_only=True)
    assert worth_telling({"Problems": [], "Total": 1}, failures_only=True)


def test_a_filter_policy_may_go_by_status_group_and_kind() -> None:
    assert attributes(RUN) == {"status": "SUCCEEDED", "group": "films", "kind": "config"}
    assert attributes({**RUN, "Task": "full.films"})["kind"] == "full"
    assert attributes({"Problems": [], "DatasetGroup": "films"})["status"] == "REJECTED"
