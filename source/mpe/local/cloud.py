"""A local cloud with the stack deployed in it, for the command line, the demo and tests."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config

from mpe.emulator import Quotas
from mpe.local import ministack
from mpe.local.deploy import Assembly, Template, deploy, synthesize
from mpe.local.errors import LocalCloudError, PortInUseError, ServerDiedError
from mpe.local.server import QUOTAS, WATCHED

ACCOUNT = "000000000000"
REGION = "us-east-1"
KEY = SECRET = "test"
"""MiniStack's credentials of the account's root."""
DEFAULT_SPEED = 200.0
START_SECONDS = 60
STOP_SECONDS = 2
"""How long the servers may take to end by themselves: nothing in them needs saving."""


class LocalCloud:
    """Start, deploy and stop; a context manager that leaves no process behind.

    ``speed`` is how many times faster than AWS the time passes for jobs and waits.
    ``quotas`` are the service's, as an account's may be raised. ``edit_template`` may change
    the synthesized template before it is deployed, and ``assembly`` saves the synthesis
    where it was done before.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        speed: float = DEFAULT_SPEED,
        email: str = "you@example.com",
        quotas: Quotas | None = None,
        edit_template: Callable[[Template], Template] | None = None,
        assembly: Assembly | None = None,
        app: Sequence[str] = ("source/app.py",),
        log: Path | None = None,
        detached: bool = False,
    ) -> None:
        self.port = port or _free_port()
        self.speed = speed
        self.account, self.region = ACCOUNT, REGION
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.outputs: dict[str, str] = {}
        self.stack_name = ""
        self._email = email
        self._quotas = quotas or Quotas()
        self._edit = edit_template
        self._assembly = assembly
        self._app = app
        self._detached = detached
        self.folder = Path(tempfile.mkdtemp(prefix="mpe-local-"))
        self.log_path = log or self.folder / "server.log"
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> LocalCloud:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point any AWS client at the local cloud."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": self.region,
        }

    @property
    def pid(self) -> int:
        assert self._server is not None, "the local cloud is not started"
        return self._server.pid

    def client(self, service: str) -> Any:
        """Return a boto3 client of the local cloud, whatever the user's own settings are."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
        )

    def mail(self) -> list[dict[str, str]]:
        """Return what SNS has sent to people, the oldest first."""
        found: list[dict[str, str]] = self._page("/_mpe/mail")
        return found

    def start(self) -> None:
        """Start the servers and deploy the stack; stop everything where that fails."""
        ministack.check_version()
        try:
            self._serve()
            assembly = self._assembly or synthesize(self.folder / "cdk.out", self._app)
            self.stack_name = assembly.stack
            self.outputs = deploy(
                self.client,
                assembly,
                account=self.account,
                region=self.region,
                parameters={"Email": self._email},
                edit=self._edit,
            )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the servers and every process that they started."""
        if self._server is not None:
            end_group(self._server.pid, self._server.poll)
        shutil.rmtree(self.folder, ignore_errors=True)

    def check(self) -> None:
        """Raise ServerDiedError where the server is no longer running."""
        if self._server is not None and self._server.poll() is not None:
            raise ServerDiedError(
                f"the local cloud ended by itself (exit code {self._server.returncode}). "
                f"The end of its log:\n{log_end(self.log_path)}"
            )

    def _serve(self) -> None:
        if listening(self.port):
            raise PortInUseError(
                f"port {self.port} is in use. Choose another with --port, "
                "or stop what listens there."
            )
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("wb") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "mpe.local.server"],
                env=self._server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            self.check()
            if time.monotonic() > deadline:
                raise LocalCloudError(
                    f"the local cloud did not answer within {START_SECONDS} s. "
                    f"The end of its log:\n{log_end(self.log_path)}"
                )
            time.sleep(0.1)

    def _server_environment(self) -> dict[str, str]:
        """Return a clean environment: nothing of the user's own AWS settings gets in."""
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        own = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        return {
            **own,
            **ministack.environment(self.port, self.speed),
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            QUOTAS: json.dumps(asdict(self._quotas)),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TMPDIR": str(temporary),
            **({} if self._detached else {WATCHED: str(os.getpid())}),
        }

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, ValueError):
            return bool(self._page("/_mpe/health")["pid"])
        return False

    def _page(self, path: str) -> Any:
        return page(self.port, path)


def page(port: int, path: str) -> Any:
    """Return a page of JSON that the server has beside AWS's; raise OSError or ValueError."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return json.loads(answer.read())


def listening(port: int) -> bool:
    """Tell whether anything listens on a port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def end_group(pid: int, ended: Callable[[], object]) -> None:
    """End a process group: asked first, then forced; its leader's workers go with it."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, sign)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and group_alive(pid):
            ended()  # reaps the leader where it is our child
            time.sleep(0.05)
        if not group_alive(pid):
            return


def group_alive(pid: int) -> bool:
    """Tell whether any process of a group is left."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def log_end(path: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(there is no log)"
