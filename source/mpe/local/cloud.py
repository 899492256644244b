"""A local cloud with the stack deployed in it, for the command line, the demo and tests."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mpe.assembly.processes import end_group
from mpe.assembly.synthesis import APP, Assembly, AssemblyError, kept, synthesize
from mpe.emulator import Durations, Quotas
from mpe.local.asking import page
from mpe.local.deploy import Template, deploy
from mpe.local.errors import DeployError, LocalCloudError, PortInUseError, ServerDiedError
from mpe.local.ministack import process
from mpe.local.ports import free_port, listening
from mpe.local.variables import DURATIONS, QUOTAS, RELEASED, WATCHED
from mpe.local.variables import SECRET as SECRET_VARIABLE

ACCOUNT = "000000000000"
REGION = "us-east-1"
KEY = SECRET = "test"
"""MiniStack's credentials of the account's root."""
DEFAULT_SPEED = 200.0
START_SECONDS = 120
DEATH_SECONDS = 5
"""How long a server that no longer answers may take until it is seen to have died."""
PORTS = 3
"""How many ports are tried where any will do: another process may take one meanwhile."""
PAGE_SECONDS = 60
"""How long the server may take to answer with a page that grows."""


class LocalCloud:
    """Start, deploy and stop; a context manager that leaves no process behind.

    ``speed`` is how many times faster than AWS the time passes for jobs and waits.
    ``quotas`` are the service's, as an account's may be raised, and ``durations`` how many of
    its seconds things take where not what is usual. ``edit_template`` may change
    the synthesized template before it is deployed, and ``assembly`` saves the synthesis
    where it was done before. ``empty`` starts it without the stack.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        speed: float = DEFAULT_SPEED,
        email: str = "you@example.com",
        quotas: Quotas | None = None,
        durations: Durations | None = None,
        edit_template: Callable[[Template], Template] | None = None,
        assembly: Assembly | None = None,
        app: Sequence[str] = APP,
        empty: bool = False,
        log: Path | None = None,
    ) -> None:
        self._any_port = not port
        self.port = port or free_port()
        self.speed = speed
        self.account, self.region = ACCOUNT, REGION
        self.outputs: dict[str, str] = {}
        self.stack_name = ""
        self.secret = secrets.token_urlsafe(32)
        self._email = email
        self._quotas = quotas or Quotas()
        self._durations = durations or Durations()
        self._edit = edit_template
        self._assembly = assembly
        self._app = app
        self._empty = empty
        self.folder = Path(tempfile.mkdtemp(prefix="mpe-local-"))
        self.log_path = log or self.folder / "server.log"
        self._server: subprocess.Popen[bytes] | None = None
        self._making = Lock()
        self._clients: dict[tuple[str, int], Any] = {}

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
    def endpoint(self) -> str:
        """The URL that any AWS client is pointed at."""
        return f"http://127.0.0.1:{self.port}"

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
        """Return the boto3 client of the local cloud, whatever the user's own settings are.

        Threads share a client, but make it one after another
        (https://docs.aws.amazon.com/boto3/latest/guide/session.html).
        """
        with self._making:
            at = (service, self.port)
            if at not in self._clients:
                self._clients[at] = self._made(service)
            return self._clients[at]

    def _made(self, service: str) -> Any:
        config = Config(
            s3={"addressing_style": "path"},
            retries={"max_attempts": 2},
            proxies={},  # never None, which would mean those of the environment
            use_fips_endpoint=False,
            use_dualstack_endpoint=False,
        )
        return self._session.client(
            service,
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=config,
        )

    @cached_property
    def _session(self) -> boto3.Session:
        """Return a session that reads neither the user's files nor their AWS_PROFILE."""
        unread = {
            name: (None, None, value, None)
            for name, value in (
                ("profile", None),
                ("config_file", os.devnull),
                ("credentials_file", os.devnull),
            )
        }
        own = botocore.session.Session(session_vars=unread)
        return boto3.Session(botocore_session=own)

    def mail(self) -> list[dict[str, str]]:
        """Return what SNS has sent to people, the oldest first."""
        found: list[dict[str, str]] = self.page("/_mpe/mail")
        return found

    def calls(self) -> list[dict[str, Any]]:
        """Return what was asked in the name of each role, and whether IAM allowed it."""
        found: list[dict[str, Any]] = self.page("/_mpe/calls")
        return found

    def page(self, path: str, order: Any = None) -> Any:
        """Return a page of the local cloud's own, after an order where one is given."""
        return page(self.port, path, self.secret, order=order, seconds=PAGE_SECONDS)

    def start(self) -> None:
        """Start the servers and deploy the stack; stop everything where that fails."""
        process.check_version()
        try:
            self._serve_somewhere()
            if not self._empty:
                self._deploy(self._assembly or self._synthesized())
        except BaseException:
            self.stop()
            raise

    def release(self) -> None:
        """Let the servers outlive this process, which until then they would not."""
        self._released.touch()

    def stop(self) -> None:
        """End the servers and every process that they started."""
        self._end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        if self._server is not None:
            end_group(self._server.pid, self._server.poll)

    def check(self) -> None:
        """Raise ServerDiedError where the server is no longer running."""
        if self._server is not None and self._server.poll() is not None:
            raise ServerDiedError(
                f"the local cloud ended by itself (exit code {self._server.returncode}). "
                f"The end of its log:\n{log_end(self.log_path)}"
            )

    def _synthesized(self) -> Assembly:
        try:
            own = self._app == APP
            return kept() if own else synthesize(self.folder / "cdk.out", self._app)
        except AssemblyError as error:
            raise DeployError(str(error)) from error

    def _deploy(self, assembly: Assembly) -> None:
        self.stack_name = assembly.stack
        try:
            self.outputs = deploy(
                self.client,
                assembly,
                account=self.account,
                region=self.region,
                parameters={"Email": self._email},
                edit=self._edit,
            )
        except (BotoCoreError, ClientError) as error:
            if isinstance(error, BotoCoreError) and self._server is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    # Where it died, that is the reason to tell.
                    self._server.wait(timeout=DEATH_SECONDS)
                self.check()
            raise DeployError(f"the stack could not be deployed: {error}") from error

    @property
    def _released(self) -> Path:
        return self.folder / "released"

    def _serve_somewhere(self) -> None:
        """Serve at the port that was asked for; where any will do, at one that nobody takes."""
        for _ in range(PORTS - 1 if self._any_port else 0):
            try:
                self._serve()
            except (PortInUseError, ServerDiedError):
                self._end()
                self.port = free_port()
            else:
                return
        self._serve()

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
        own = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("AWS_") and not key.lower().endswith("_proxy")
        }
        return {
            **own,
            **process.environment(self.port, self.speed),
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            SECRET_VARIABLE: self.secret,
            QUOTAS: json.dumps(asdict(self._quotas)),
            DURATIONS: json.dumps(asdict(self._durations)),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TMPDIR": str(temporary),
            WATCHED: str(os.getpid()),
            RELEASED: str(self._released),
        }

    def _answers(self) -> bool:
        """Tell whether our own server answers: another's may have taken the port meanwhile."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            return bool(page(self.port, "/_mpe/health", self.secret)["pid"] == self.pid)
        return False


def log_end(path: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(there is no log)"
