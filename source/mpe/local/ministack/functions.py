"""Lambda: the functions' queues, packages and processes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mpe.local.faults import Interference
from mpe.local.ministack import forks
from mpe.local.ministack.difference import Difference

PROCESSES = max(16, 4 * (os.cpu_count() or 1))
"""How many invocations run at the same time."""


def share_packages() -> None:
    """Unpack the functions' code and libraries once, and not for each cold start.

    In AWS too a function can write to /tmp alone
    (https://docs.aws.amazon.com/whitepapers/latest/security-overview-aws-lambda/lambda-isolation-technologies.html).
    """
    from ministack.core import lambda_runtime

    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=_SharedZip,
        BadZipFile=zipfile.BadZipFile,
        LargeZipFile=zipfile.LargeZipFile,
        LargeFileError=zipfile.LargeZipFile,  # the name that MiniStack looks for
    )


class _SharedZip(zipfile.ZipFile):
    """A package that is unpacked once; every execution environment gets a link to it."""

    _unpacking = threading.Lock()

    def __init__(self, path: str) -> None:
        super().__init__(path)
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        self._folder = Path(tempfile.gettempdir()) / f"unpacked-{digest[:16]}"

    def namelist(self) -> list[str]:
        """Return what is yet to be unpacked, of which MiniStack checks each path."""
        return [] if self._folder.exists() else super().namelist()

    def extractall(self, path: Any = None, *_: Any, **__: Any) -> None:
        with self._unpacking:
            if not self._folder.exists():
                fresh = self._folder.with_suffix(".fresh")
                super().extractall(fresh)
                fresh.rename(self._folder)
        Path(path).rmdir()
        Path(path).symlink_to(self._folder, target_is_directory=True)


def fork_processes() -> None:
    """Load the functions' libraries once, and not for each cold start."""
    from ministack.core import lambda_runtime

    if forks.possible():
        lambda_runtime.subprocess = SimpleNamespace(
            Popen=forks.popen(forks.Forkers()),
            PIPE=subprocess.PIPE,
            DEVNULL=subprocess.DEVNULL,
            STDOUT=subprocess.STDOUT,
        )


def keep_dead_letter_queues() -> None:
    """Let a function of a template have its dead-letter queue, which MiniStack leaves out."""
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]

    def with_queue(make: Callable[..., Any], properties: int) -> Callable[..., Any]:
        def made(*given: Any, **more: Any) -> Any:
            answer = make(*given, **more)
            config = lambda_svc._functions[answer[0]]["config"]
            config["DeadLetterConfig"] = given[properties].get("DeadLetterConfig", {})
            return answer

        return made

    handlers["create"] = with_queue(handlers["create"], 1)
    handlers["update"] = with_queue(handlers["update"], 2)


def limit_processes() -> None:
    """Let invocations beyond what this machine can do at a time wait for their turn.

    AWS runs as many as the account's concurrency allows. Here each has a process of its own,
    which would be hundreds when as many executions call a function at the same moment.
    """
    from ministack.services import lambda_svc

    free = threading.BoundedSemaphore(PROCESSES)
    execute = lambda_svc._execute_function_warm

    def in_turn(*given: Any) -> Any:
        with free:
            return execute(*given)

    lambda_svc._execute_function_warm = in_turn


def follow_invocations(interference: Interference) -> None:
    """Let it be known to which invocation of a function a request belongs, and end its process.

    Functions send the trace id of their invocation along, as in AWS.
    """
    from ministack.core.lambda_runtime import Worker

    invoke = Worker.invoke

    def followed(worker: Any, event: Any, request_id: str, **more: Any) -> Any:
        def kill() -> None:
            worker._proc.kill()

        with interference.invocation(worker.func_name, event, kill) as trace:
            if trace:
                more["trace_id"] = trace
            return invoke(worker, event, request_id, **more)

    Worker.invoke = followed


DIFFERENCES = (
    Difference(
        aws="a function can write to /tmp alone, so its code is always the same",
        alone="each execution environment unpacks a copy of its own, which takes its time",
        page="https://docs.aws.amazon.com/whitepapers/latest/security-overview-aws-lambda/lambda-isolation-technologies.html",
        test="test_functions.py::test_alone_each_environment_has_its_own_copy_of_the_code",
        make_good=lambda start: share_packages(),
    ),
    Difference(
        aws="each environment has a processor's share of its own, also while it starts",
        alone="those that start share this machine's, and each loads all libraries for a second",
        page="https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html",
        test="test_functions.py::test_alone_each_environment_loads_its_own_libraries",
        make_good=lambda start: fork_processes(),
    ),
    Difference(
        aws="a function that a template makes has its dead-letter queue",
        alone="it has none",
        page="https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-deadletterconfig.html",
        test="test_functions.py::test_alone_a_function_of_a_template_has_no_dead_letter_queue",
        make_good=lambda start: keep_dead_letter_queues(),
    ),
    Difference(
        aws="as many invocations run as the account's concurrency allows",
        alone="each has a process, however many they are",
        page="https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html",
        test="test_functions.py::test_alone_invocations_are_not_limited",
        make_good=lambda start: limit_processes(),
    ),
    Difference(
        aws="an invocation has a trace id",
        alone="it has none, so nothing tells to which one a call belongs",
        page="https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
        test="test_functions.py::test_alone_an_invocation_has_no_trace_id",
        make_good=lambda start: follow_invocations(start.interference),
    ),
)
