"""What a former release kept is read, a newer one's is told of, and no form changes unnoticed.

``tests/golden/<release>/written.json`` has what the code of that release wrote: ``0.1.0`` is the
code of before there were versions. ``python -m tests.kept --release`` writes one at a release.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest

from mpe.aws import clients
from mpe.aws.objects import Objects
from mpe.handlers import begin, bury, finish, fire, schedule, settle
from mpe.handlers.ensure import step_of
from mpe.model.errors import NewerForm
from mpe.model.messages import message_for
from mpe.model.plan import forms
from mpe.model.plan.desired import SOLUTION_STAGES, STAGES, DesiredState
from mpe.model.plan.outcome import Outcome
from tests.conftest import ROOT
from tests.handlers.test_runs import BUCKET, Account
from tests.kept import GOLDEN, GROUP, TASK, account, known_shapes, scheduled, shape, shapes, written

RELEASES = sorted(path.parent.name for path in GOLDEN.glob("*/written.json"))
AGAIN = "give it a new version in model/plan/forms.py, and run python -m tests.kept"
EXECUTION = "arn:aws:states:us-east-1:000000000000:execution:machine:one"
HANDLERS: dict[str, Any] = {
    "begin": begin.handler,
    "schedule": schedule.handler,
    "finish": finish.handler,
    "fire": fire.handler,
    "settle": settle.handler,
}
SETTINGS = {
    "TURNS_TABLE": "turns",
    "TASKS_TABLE": "tasks",
    "LEDGER_TABLE": "ledger",
    "EVENT_BUS": "default",
    "STACK": "stack",
    "SCHEDULE_GROUP": "group",
    "MACHINE": "arn:aws:states:us-east-1:000000000000:stateMachine:machine",
    "SCHEDULE_ROLE": "arn:aws:iam::000000000000:role/scheduler",
    "DEAD_LETTERS": "arn:aws:sqs:us-east-1:000000000000:queue",
    "AWS_DEFAULT_REGION": "us-east-1",
}


class Put:
    """What was put on the bus, as it goes over the wire."""

    def __init__(self, client: Any) -> None:
        self.details: list[dict[str, Any]] = []
        client.meta.events.register("provide-client-params.events.PutEvents", self)

    def __call__(self, params: dict[str, Any], **_: Any) -> None:
        self.details += [json.loads(one["Detail"]) for one in params["Entries"]]

    @property
    def mails(self) -> list[str]:
        return [message_for("x", one, region="us-east-1").text for one in self.details]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """The account, in which the handlers themselves find what they are told to use."""
    written()  # in an account of its own, which must not be within this one
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    clients.client.cache_clear()
    clients.table.cache_clear()
    clients.tables.cache_clear()
    with account() as empty:
        boto3.client("scheduler").create_schedule_group(Name="group")
        yield empty
    clients.client.cache_clear()
    clients.table.cache_clear()
    clients.tables.cache_clear()


@pytest.fixture
def bus(stack: Account) -> Put:
    """What the handlers put on the bus."""
    return Put(clients.client("events"))


def of(release: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / release / "written.json").read_text())
    return found


def left(stack: Account, found: dict[str, Any]) -> None:
    """Put into S3 and DynamoDB what a release left there."""
    run = found["steps"][0]["event"]["run"]
    body = json.dumps(found["state"]).encode()
    stack.s3.put_object(Bucket=BUCKET, Key=run["state"]["key"], Body=body)
    database = boto3.resource("dynamodb")
    for one in found["rows"]:
        row = json.loads(json.dumps(one["row"]), parse_float=Decimal)
        sets = {key: set(value["set"]) for key, value in row.items() if _is_set(value)}
        database.Table(one["table"]).put_item(Item={**row, **sets})


def _is_set(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"set"}


def steps(found: dict[str, Any], handler: str) -> list[dict[str, Any]]:
    return [one for one in found["steps"] if one["handler"] == handler]


@pytest.mark.parametrize("release", RELEASES)
def test_the_desired_state_of_a_release_is_read(release: str) -> None:
    saved = of(release)["state"]
    state = DesiredState.from_json(json.dumps(saved))
    assert state.resources.keys() == saved["resources"].keys()
    assert state.tasks.keys() == saved["tasks"].keys()
    assert DesiredState.from_json(state.to_json()) == state
    for id, one in state.resources.items():
        assert dict(one.params) == saved["resources"][id]["params"]
        assert (one.data is None) == (saved["resources"][id]["data"] is None)


@pytest.mark.parametrize("release", RELEASES)
def test_a_run_under_way_at_an_upgrade_goes_on(stack: Account, release: str) -> None:
    """Its execution keeps the workflow of before, and what that hands to the new functions."""
    found = of(release)
    left(stack, found)
    (began,) = steps(found, "begin")
    answer = begin.handler(began["event"], None)  # type: ignore[arg-type]
    assert answer.keys() == {"work"}
    assert answer["work"].keys() >= {stage.key for stage in STAGES}
    for solution in answer["work"]["solutions"]:
        assert solution.keys() >= {stage.key for stage in SOLUTION_STAGES}
    for step in steps(found, "ensure"):
        given = {"solutionVersionArn": "arn:version"}
        event = {**step["event"], "previous": step["answer"], "given": given}
        read = step_of(event, Objects(stack.s3))
        plain = {key: value for key, value in step["answer"].items() if key != forms.MARK}
        again = {key: value for key, value in read.previous.as_dict().items() if key in plain}
        assert again == plain


@pytest.mark.parametrize("release", RELEASES)
def test_what_a_release_asks_its_functions_the_new_ones_answer_alike(
    stack: Account, bus: Put, release: str
) -> None:
    """What the workflow of then reads of an answer is in the answers of now."""
    found = of(release)
    left(stack, found)
    for name in ("begin", "schedule", "finish", "settle"):
        for step in steps(found, name):
            answer = HANDLERS[name](step["event"], None)
            assert answer.keys() >= step["answer"].keys() - {"error", "cause"}
    (step,) = steps(found, "fire")
    fired = fire.handler({**step["event"], "execution": f"{EXECUTION}-2"}, None)  # type: ignore[arg-type]
    assert fired["run"].keys() >= step["answer"]["run"].keys()
    killed = {"status": "ABORTED", "input": json.dumps(steps(found, "schedule")[0]["event"])}
    bury.handler({"detail": {**killed, "executionArn": EXECUTION}}, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("release", RELEASES)
def test_every_row_of_a_release_is_read(stack: Account, release: str) -> None:
    found = of(release)
    left(stack, found)
    run = found["steps"][0]["event"]["run"]["id"]
    assert {row["record"] for row in stack.tasks.all()} == set(found["state"]["tasks"])
    assert [row["run"] for row in stack.turns.newest()] == [run]
    assert [row["run"] for row in stack.turns.runs(GROUP)] == [run]
    assert len([Outcome.from_dict(one) for one in stack.ledger.outcomes(GROUP, run)]) == 3
    version = f"version.{GROUP}-for-you"
    assert stack.ledger.durations(GROUP, version, "created") == (3600.5,)
    assert stack.ledger.seen(GROUP, "dataset-import-job/one") == {"0123456789ab"}


def asked(name: str, event: dict[str, Any], stack: Account) -> None:
    """Have a function read what it is given."""
    if name == "ensure":
        step_of(event, Objects(stack.s3))
    else:
        HANDLERS[name](event, None)


def newer(saved: dict[str, Any], *, needs: int) -> dict[str, Any]:
    """Return what a newer release wrote: a field that we do not know, and its mark."""
    mark = {"version": 99, "needs": needs, "release": "9.0.0"}
    return {**saved, "alien": {"from": "9.0.0"}, forms.MARK: mark}


def written_by_a_newer_release(needs: int) -> dict[str, Any]:
    """Return all that is written, each document, row and payload with something new in it."""
    found = written()
    state = newer(found["state"], needs=needs)
    state["resources"] = {id: {**one, "alien": 1} for id, one in state["resources"].items()}
    for one in state["resources"].values():
        one["data"] = {**one["data"], "alien": 1} if one["data"] else None
    state["tasks"] = {id: {**one, "alien": 1} for id, one in state["tasks"].items()}
    rows = [{**one, "row": newer(one["row"], needs=needs)} for one in found["rows"]]
    told = [
        {
            **step,
            "event": {
                **step["event"],
                "alien": 1,
                **({"run": newer(step["event"]["run"], needs=needs)} if "run" in step["event"]
                   else {}),
            },
            "answer": newer(step["answer"], needs=needs),
        }
        for step in found["steps"]
    ]  # fmt: skip
    return {"state": state, "rows": rows, "steps": told}


def test_after_a_rollback_what_one_need_not_know_is_ignored_and_kept(
    stack: Account, bus: Put
) -> None:
    found = written_by_a_newer_release(needs=0)
    left(stack, found)
    for name in ("begin", "schedule", "finish", "settle"):
        for step in steps(found, name):
            HANDLERS[name](step["event"], None)
    for step in steps(found, "ensure"):
        event = {**step["event"], "given": {"solutionVersionArn": "arn:version"}}
        step_of({**event, "previous": step["answer"]}, Objects(stack.s3))
    run = found["steps"][0]["event"]["run"]["id"]
    row = stack.turns.recorded(GROUP, run)
    assert row is not None
    assert row["alien"] == {"from": "9.0.0"}
    assert row[forms.MARK]["release"] == "9.0.0", "it is still the newer release's row"


def test_after_a_rollback_what_one_must_know_is_told_in_words(stack: Account, bus: Put) -> None:
    found = written_by_a_newer_release(needs=99)
    left(stack, found)
    for name in ("begin", "schedule", "ensure"):
        for step in steps(found, name):
            with pytest.raises(NewerForm, match=r"Deploy release 9\.0\.0 or a newer one"):
                asked(name, step["event"], stack)


def test_a_run_of_a_newer_release_is_told_of_by_mail(stack: Account, bus: Put) -> None:
    """What a function of the workflow raised comes to the report as Lambda words it."""
    left(stack, written_by_a_newer_release(needs=99))
    run = {**steps(written(), "finish")[0]["event"]["run"], "id": "20260101T000000-00000000"}
    try:
        stack.tasks.get(GROUP, TASK)
    except NewerForm as error:
        told = {"errorMessage": str(error), "errorType": "NewerForm", "stackTrace": ["  File x"]}
    cause = json.dumps(told)[:2000]
    crash = {"error": "NewerForm", "cause": cause, "resource": "Take turn"}
    event = {"run": run, "execution": EXECUTION, "crashes": [crash]}
    assert finish.handler(event, None)["succeeded"] is False  # type: ignore[arg-type]
    (mail,) = bus.mails
    assert "Deploy release 9.0.0 or a newer one again, or upload the config again" in mail
    assert "stackTrace" not in mail
    assert "File x" not in mail


def test_what_a_run_did_that_cannot_be_read_is_told_all_the_same(stack: Account, bus: Put) -> None:
    found = written_by_a_newer_release(needs=99)
    left(stack, found)
    (step,) = steps(found, "finish")
    verdict = finish.handler(step["event"], None)  # type: ignore[arg-type]
    assert verdict["error"] == "NewerForm"
    assert "Deploy release 9.0.0 or a newer one again" in bus.mails[0]


def test_a_fire_whose_row_cannot_be_read_is_told_by_mail(stack: Account, bus: Put) -> None:
    found = written_by_a_newer_release(needs=99)
    left(stack, found)
    (step,) = steps(found, "fire")
    assert "skip" in fire.handler(step["event"], None)  # type: ignore[arg-type]
    (mail,) = bus.mails
    assert f"the row of the task {TASK} was written by release 9.0.0" in mail
    assert "upload the config again" in mail


def test_an_upload_of_the_config_has_it_all_written_anew(stack: Account, bus: Put) -> None:
    """What the words say is to be done helps."""
    found = written_by_a_newer_release(needs=99)
    left(stack, {**found, "rows": [one for one in found["rows"] if "LEASE" not in str(one)]})
    run = stack.upload(json.dumps(scheduled()), "09", f"train/{GROUP}/config.json")["started"]
    (given,) = (one for name, one in stack.executions.started.items() if run in name)
    event = {"run": given["run"], "execution": f"{EXECUTION}-new"}
    assert "work" in begin.handler(event, None)  # type: ignore[arg-type]
    assert schedule.handler(event, None) == {"failed": False}  # type: ignore[arg-type]
    fired = fire.handler({"group": GROUP, "task": TASK, "execution": EXECUTION}, None)  # type: ignore[arg-type]
    assert fired["run"]["state"]["key"].endswith(f"{run}.json")


def test_a_resource_type_that_only_a_newer_release_knows_is_told() -> None:
    state = written()["state"]
    id, one = next(iter(state["resources"].items()))
    state["resources"][id] = {**one, "noun": "Crystal"}
    with pytest.raises(NewerForm, match=r"does not know: Crystal\. Deploy the release"):
        DesiredState.from_json(json.dumps(state))


def test_the_first_code_of_all_had_one_prefix_for_data() -> None:
    """A state as it was before the change to files and folders, with a key that is gone."""
    one = {
        "id": "import.items",
        "noun": "DatasetImportJob",
        "name": "items",
        "path": "$",
        "params": {},
        "data": {"bucket": "data", "prefix": "train/films/items", "besides": []},
    }
    saved = {"group": "films", "version": "1", "resources": {"import.items": one}, "work": {}}
    (desired,) = DesiredState.from_json(json.dumps(saved)).resources.values()
    assert desired.data is not None
    assert (desired.data.file, desired.data.folder) == (
        "train/films/items.csv",
        "train/films/items/",
    )


def test_no_written_form_changes_without_a_new_version() -> None:
    now, known = shapes(written()), known_shapes()
    assert now.keys() == known.keys()
    for name, found in now.items():
        version = str(getattr(forms, name).version)
        assert known[name].get(version) == found, f"the form {name} has changed: {AGAIN}"


def test_a_field_more_or_less_or_of_another_type_is_another_shape() -> None:
    row = {"group": "all", "last": {"status": "RUNNING"}, "state": None}
    same = shape(row)
    assert shape({**row, "more": 1}) != same
    assert shape({**row, "last": {}}) != same
    assert shape({**row, "state": "text"}) != same
    assert shape({"resources": {"a": {"b": 1}}}) == shape({"resources": {"c": {"b": 2}}})


def test_every_version_has_its_step_and_its_shape() -> None:
    for name, versions in known_shapes().items():
        form: forms.Form = getattr(forms, name)
        assert set(versions) == {str(one) for one in range(1, form.version + 1)}
        assert form.needs <= form.version


def test_all_that_is_written_bears_its_mark() -> None:
    found = written()
    marks = [found["state"], *(one["row"] for one in found["rows"])]
    marks += [one["answer"] for one in steps(found, "ensure")]
    marks += [one["event"]["run"] for one in found["steps"] if "run" in one["event"]]
    assert all(one[forms.MARK]["release"] == forms.RELEASE for one in marks)


def test_the_release_is_called_as_the_package_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == forms.RELEASE


def test_what_is_kept_names_no_module() -> None:
    """So that code may move: nothing is pickled, and no path of a class is written."""
    assert not re.search(r"\bmpe\.|pickle|__class__", json.dumps(written()))
    source = [path.read_text() for path in (ROOT / "source" / "mpe").rglob("*.py")]
    assert not [one for one in source if re.search(r"^\s*(import|from) (pickle|shelve)", one)]


def _called(workflow: Any) -> Iterator[dict[str, Any]]:
    """Yield the payloads with which a workflow calls functions."""
    if isinstance(workflow, dict):
        if isinstance(workflow.get("Arguments"), dict) and "Payload" in workflow["Arguments"]:
            yield workflow["Arguments"]["Payload"]
        for inner in workflow.values():
            yield from _called(inner)
    if isinstance(workflow, list):
        for inner in workflow:
            yield from _called(inner)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("workflow", ["Provisioning", "Solution", "ScheduledTask"])
def test_the_workflow_of_now_hands_to_the_functions_of_then_what_they_had(
    release: str, workflow: str
) -> None:
    """After a rollback a run goes on with the newer workflow and the functions of before."""
    then, now = (
        json.loads((folder / f"{workflow}.asl.json").read_text())
        for folder in (GOLDEN / release, GOLDEN)
    )
    had = {frozenset(one) for one in _called(then)}
    has = {frozenset(one) for one in _called(now)}
    assert had
    assert all(any(keys <= more for more in has) for keys in had)
