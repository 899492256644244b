"""Every failure that is told of ends with a command that its program takes."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

from mpe.infrastructure.notifications import TOLD
from mpe.model import errors
from mpe.model.messages import Message
from mpe.model.plan import reconcile
from mpe.model.remedies import OTHERWISE, REMEDIES, Where, remedy
from mpe.model.service.spec import SPECS
from tests.mails import KINDS, PAGE, mails, page
from tests.shell import commands_in, parse

WHERE = Where(
    "films",
    "data",
    "train/films/config.json",
    "20260101T000000-abcdef12",
    dataset="interactions",
)
PLACE = "Stack Films, account 000000000000, region us-east-1"


@pytest.fixture(scope="module")
def told() -> dict[str, Message]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "none")
        return mails()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody types the commands: their config lies there."""
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)


def test_the_page_of_mails_has_what_is_told(told: dict[str, Message]) -> None:
    assert PAGE.read_text() == page(told), "run python -m tests.mails"


@pytest.mark.parametrize("title", [one.title for one in KINDS])
def test_a_mail_has_its_place_and_commands_that_their_programs_take(
    told: dict[str, Message], title: str
) -> None:
    message = told[title]
    assert PLACE in message.text
    found = list(commands_in(message.text))
    assert found
    for command in found:
        parse(command)
    for failure in message.facts.get("Failures", ()):
        assert list(commands_in(failure["Remedy"])), "it ends with a command"


@pytest.mark.parametrize(
    "command",
    [
        "mpe none",
        "mpe status --none",
        "mpe accept films prices --why x",
        "mpe apply none.json",
        "mpe schedule run films",
        "aws personalize delete-none --none-arn x",
        "aws personalize delete-campaign --filter-arn x",
        "npx cdk destroy",
    ],
)
def test_a_command_that_its_program_does_not_take_is_none(command: str) -> None:
    with pytest.raises((ValueError, click.UsageError)):
        parse(command)


def test_every_remedy_is_in_some_mail(told: dict[str, Message]) -> None:
    text = "\n".join(one.text for one in told.values())
    unseen = [one.told for one in REMEDIES if one.told not in text]
    assert unseen == [OTHERWISE.told], "which is of what nobody has thought of"


def test_every_event_that_is_told_of_has_a_mail(told: dict[str, Message]) -> None:
    assert {one.facts["Event"] for one in told.values()} == set(TOLD)


def own_errors() -> Iterator[str]:
    """Yield the errors of ours that a run can end with."""
    for name, kind in vars(errors).items():
        if inspect.isclass(kind) and issubclass(kind, errors.PersonalizationError):
            yield name


def service_errors() -> Iterator[str]:
    """Yield the errors that the service's model has of the operations that runs call."""
    model = ServiceModel(Loader().load_service_model("personalize", "service-2"))
    for spec in SPECS.values():
        for name in (spec.create, spec.update, spec.describe, spec.list, *spec.switches.values()):
            if name:
                yield from (one.name for one in model.operation_model(name).error_shapes)


COMMON = (
    "AccessDeniedException",
    "InternalFailure",
    "ServiceUnavailable",
    "ThrottlingException",
    "ValidationError",
)
"""What any call may answer (https://docs.aws.amazon.com/personalize/latest/dg/CommonErrors.html)."""
OF_THE_WORKFLOW = (
    *("States.Timeout", "States.TaskFailed", "States.Runtime", "States.DataLimitExceeded"),
    *("States.Permissions", "States.QueryEvaluationError", "Lambda.Unknown", "Sandbox.Timedout"),
    *("StepFunctions.AWSStepFunctionsException", "KeyError", "ABORTED", "TIMED_OUT", "FAILED"),
)
"""What an execution tells of itself
(https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""
NO_RUNS = {"PersonalizationError", "ConfigError"}
"""The root, and what is told before a run begins."""
PAGES_ONLY = {"InvalidNextTokenException"}
"""The service makes the token that a list is asked on with."""


def known() -> list[tuple[str, str]]:
    found = {("Campaign", one) for one in own_errors() if one not in {*NO_RUNS, "ResourceFailed"}}
    found |= {("Campaign", one) for one in service_errors() if one not in PAGES_ONLY}
    found |= {("Campaign", one) for one in COMMON}
    found |= {("Step", one) for one in OF_THE_WORKFLOW}
    return sorted(found)


@pytest.mark.parametrize(("noun", "error"), known())
def test_every_error_that_can_be_known_has_a_remedy_of_its_own(noun: str, error: str) -> None:
    found = remedy(noun, error, "", WHERE)
    assert OTHERWISE.told not in found
    (command,) = commands_in(found)
    parse(command)


@pytest.mark.parametrize("noun", SPECS)
@pytest.mark.parametrize("status", ["CREATE FAILED", "DELETE FAILED", "PAUSED", "ABSENT", "ACTIVE"])
@pytest.mark.parametrize("did", [None, "created", "updated", "stopped"])
def test_whatever_fails_in_whatever_state_ends_with_a_command(
    noun: str, status: str, did: str | None
) -> None:
    arn = f"arn:aws:personalize:us-east-1:000000000000:{xform_name(noun, '-')}/x"
    row = {"resource": "x", "noun": noun, "arn": arn, "status": status, "did": did}
    found = remedy(noun, "ResourceFailed", "Something new.", Where.of_outcome(WHERE, row))
    (command,) = commands_in(found)
    parse(command)
    if did in {"updated", "stopped"}:
        assert "delete" not in command, "it is there, and serves"


def literals(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def refusals() -> list[tuple[int, str]]:
    """Return the longest piece of text of every refusal of the plan, with its line."""
    tree = ast.parse(Path(inspect.getfile(reconcile)).read_text())
    named = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    found = []
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "Reject":
            continue
        texts: list[str] = []
        for node in ast.walk(call.args[1]):
            own = named.get(getattr(getattr(node, "func", None), "id", ""))
            if own:
                docstring = ast.get_docstring(own, clean=False)
                texts += [one for one in literals(own) if one != docstring]
        texts += list(literals(call.args[1]))
        found.append((call.lineno, max(texts, key=len)))
    return found


def test_every_refusal_of_the_plan_is_in_some_mail(told: dict[str, Message]) -> None:
    text = "\n".join(one.text for one in told.values())
    assert len(refusals()) >= 9
    assert [one for one in refusals() if one[1].strip() not in text] == []
