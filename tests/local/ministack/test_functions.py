"""The functions' queues, packages and processes."""

from __future__ import annotations

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mpe.local.cloud import LocalCloud
from mpe.local.faults import PAGE
from mpe.local.ministack import forks, functions
from tests.local.conftest import wait_until
from tests.local.ministack.conftest import Alone, function_in

pytestmark = pytest.mark.local


def test_a_function_of_the_template_has_its_dead_letter_queue(cloud: LocalCloud) -> None:
    """MiniStack's CloudFormation alone leaves it out."""
    found = {
        one["FunctionName"].split("-")[1]: one.get("DeadLetterConfig", {}).get("TargetArn", "")
        for one in cloud.client("lambda").list_functions(MaxItems=1000)["Functions"]
        if one["FunctionName"].startswith(cloud.stack_name)
    }
    having = {name for name, queue in found.items() if "Undelivered" in queue}
    assert {name[:4] for name in having} == {"Noti", "Bury", "Conf", "Tend", "Prof"}


WHERE = """
import os
def handler(event, context):
    return os.path.realpath(__file__)
"""
PARENT = """
import os
def handler(event, context):
    parent = os.getppid()
    return [parent, open(f"/proc/{parent}/cmdline").read()]
"""
TRACED = """
import os
def handler(event, context):
    return os.environ.get("_X_AMZN_TRACE_ID")
"""
OWN = """
import os
calls = []
def handler(event, context):
    calls.append(event)
    if event.get("fail"):
        raise RuntimeError("as was asked")
    here = os.path.realpath(os.getcwd()) == os.path.dirname(os.path.realpath(__file__))
    return [os.environ["OWN"], here, str(len(calls))]
"""
TOGETHER = """
import os, time
def handler(event, context):
    open(os.path.join(event["folder"], str(event["number"])), "w").close()
    while len(os.listdir(event["folder"])) < event["all"]:
        time.sleep(0.05)
    return "together"
"""


def answer(cloud: LocalCloud | Alone, function: str, event: Any = None) -> Any:
    invoked = cloud.client("lambda").invoke(
        FunctionName=function, Payload=json.dumps(event or {}).encode()
    )
    return json.loads(invoked["Payload"].read())


def test_the_code_is_unpacked_once_for_all_environments(cloud: LocalCloud) -> None:
    places = {answer(cloud, function_in(cloud, name, WHERE)) for name in ("here", "there")}
    assert len(places) == 1


def test_alone_each_environment_has_its_own_copy_of_the_code(alone: Alone) -> None:
    places = {answer(alone, function_in(alone, name, WHERE)) for name in ("here", "there")}
    assert len(places) == 2


@pytest.mark.skipif(not forks.possible(), reason="only Linux forks a process that has loaded much")
def test_the_libraries_are_loaded_once_for_all_environments(cloud: LocalCloud) -> None:
    (one, command), other = (
        answer(cloud, function_in(cloud, name, PARENT)) for name in ("born", "sibling")
    )
    assert other == [one, command]
    assert "forker.py" in command


def test_alone_each_environment_loads_its_own_libraries(alone: Alone) -> None:
    """Its process is a new one, whose parent is MiniStack itself."""
    _, command = answer(alone, function_in(alone, "born", PARENT))
    assert command.endswith("-m\0ministack\0")


def test_an_environment_has_its_own_variables_folder_and_errors(cloud: LocalCloud) -> None:
    """Though the process is a fork: nothing is left of the one that it is forked of."""
    one, other = (
        function_in(cloud, name, OWN, Environment={"Variables": {"OWN": name}})
        for name in ("own-one", "own-two")
    )
    assert answer(cloud, one) == ["own-one", True, "1"]
    assert answer(cloud, other) == ["own-two", True, "1"]
    assert answer(cloud, one) == ["own-one", True, "2"]
    assert answer(cloud, one, {"fail": True})["errorMessage"] == "as was asked"
    assert answer(cloud, one) == ["own-one", True, "1"], "what failed starts anew"


def test_an_invocation_that_is_watched_has_a_trace_id(cloud: LocalCloud) -> None:
    function = function_in(cloud, "traced", TRACED)
    cloud.page(PAGE, {"label": "traced-here"})
    assert answer(cloud, function, {"label": "traced-here"}).startswith("Root=1-")
    assert answer(cloud, function, {"label": "another"}) is None


def test_alone_an_invocation_has_no_trace_id(alone: Alone) -> None:
    assert answer(alone, function_in(alone, "traced", TRACED)) is None


QUEUED = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Resources": {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "queued",
                "Runtime": "python3.14",
                "Handler": "index.handler",
                "Role": "arn:aws:iam::000000000000:role/any",
                "Code": {"ZipFile": TRACED},
                "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:letters"},
            },
        }
    },
}


def test_alone_a_function_of_a_template_has_no_dead_letter_queue(alone: Alone) -> None:
    alone.client("cloudformation").create_stack(StackName="queued", TemplateBody=json.dumps(QUEUED))
    config = wait_until(lambda: configuration(alone, "queued"))
    assert not config.get("DeadLetterConfig")


def configuration(cloud: Alone, function: str) -> Any:
    client = cloud.client("lambda")
    with contextlib.suppress(client.exceptions.ResourceNotFoundException):
        return client.get_function_configuration(FunctionName=function)
    return None


def test_alone_invocations_are_not_limited(alone: Alone, tmp_path: Path) -> None:
    """One more than may run at the same time in the local cloud, all waiting for each other."""
    many = functions.PROCESSES + 1
    function = function_in(alone, "together", TOGETHER, Timeout=300)

    def invoke(number: int) -> Any:
        event = {"folder": str(tmp_path), "number": number, "all": many}
        return answer(alone, function, event)

    with ThreadPoolExecutor(many) as pool:
        assert set(pool.map(invoke, range(many))) == {"together"}
