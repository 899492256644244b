"""Functions that start as forks of a process which has loaded their libraries before.

A function of the stack takes a second of a processor to load its libraries, and there are thirty of
them, each with an execution environment of its own or several. AWS does the like for functions that
ask for it, which the stack's do not: https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html.
A fork is safe of a process that has one thread, as :mod:`mpe.local.ministack.forker` is.

What is loaded before must not depend on a function's own environment: that is what all handlers
import, but no handler itself.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from mpe.local.ministack import forker

HANDLERS = Path("mpe", "handlers")
IMPORTS = re.compile(r"^(?:from|import) ([\w.]+)", re.MULTILINE)
ANY = "botocore.handlers"
"""What MiniStack has each function import."""


def possible() -> bool:
    """Tell whether this system can: macOS forbids what a fork does without another program."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


class Fork:
    """A process that another one forked, as :class:`subprocess.Popen` has its own."""

    def __init__(self, pid: int, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self.pid, self.stdin, self.stdout, self.stderr = pid, stdin, stdout, stderr
        self.returncode: int | None = None
        self._handle = os.pidfd_open(pid)
        self._end = select.poll()
        self._end.register(self._handle, select.POLLIN)
        weakref.finalize(self, os.close, self._handle)

    def poll(self) -> int | None:
        """Return 0 once it has ended, however it did: only its parent knows more."""
        if self.returncode is None and self._end.poll(0):
            self.returncode = 0
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raise TimeoutExpired where that takes too long."""
        if not self._end.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        self.returncode = 0
        return 0

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, sign: signal.Signals) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, sign)


class Forker:
    """The process that is forked, for one package of code with its layers."""

    def __init__(self, paths: Sequence[str], modules: Sequence[str]) -> None:
        self._control, theirs = socket.socketpair()
        self._ordering = threading.Lock()
        with theirs:
            what = json.dumps([paths, modules])
            self.process = subprocess.Popen(
                [sys.executable, "-P", forker.__file__, str(theirs.fileno()), what],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def end(self) -> None:
        """Give no more orders, and wait until it has ended of that."""
        self._control.close()
        self.process.wait()

    def start(self, script: str, cwd: str, env: Mapping[str, str]) -> Fork:
        """Start a process that runs a script of Python."""
        order = json.dumps({"script": script, "cwd": cwd, "env": dict(env)}).encode()
        (inner, stdin), (stdout, outer), (stderr, errors) = (os.pipe() for _ in range(3))
        streams = (inner, outer, errors)
        try:
            with self._ordering:
                socket.send_fds(self._control, [f"{len(order):{forker.SIZE}}".encode()], streams)
                self._control.sendall(order)
                pid = int(self._control.recv(forker.SIZE, socket.MSG_WAITALL))
                # As long as no other order comes, the id is this process's, even if it has ended.
                return Fork(pid, os.fdopen(stdin, "w", 1), os.fdopen(stdout), os.fdopen(stderr))
        finally:
            for stream in streams:
                os.close(stream)


class Forkers:
    """The processes that are forked, each made when first needed."""

    def __init__(self) -> None:
        self._forkers: dict[tuple[str, ...], Forker] = {}
        self._making = threading.Lock()

    def start(self, script: str, cwd: str, env: Mapping[str, str]) -> Fork:
        """Start a function's process: the script runs in the folder of the code."""
        layers = filter(None, env.get("_LAMBDA_LAYERS_DIRS", "").split(os.pathsep))
        code, *libraries = (os.path.realpath(one) for one in (cwd, *layers))
        with self._making:
            found = self._forkers.get((code, *libraries))
            if found and found.process.poll() is not None:
                found.end()
                found = None
            if found is None:
                paths = [*(f"{one}/python" for one in libraries), *libraries, code]
                found = self._forkers[code, *libraries] = Forker(paths, imports(Path(code)))
        return found.start(script, cwd, env)

    def end(self) -> None:
        """End all of them."""
        for one in self._forkers.values():
            one.end()


def imports(code: Path) -> list[str]:
    """Return what the handlers in a package import, which are none of themselves."""
    texts = [one.read_text() for one in sorted((code / HANDLERS).glob("*.py"))]
    found = {name for text in texts for name in IMPORTS.findall(text)}
    own = ".".join(HANDLERS.parts)
    return [ANY, *sorted(one for one in found if not one.startswith(own))]


def popen(forkers: Forkers) -> Any:
    """Return what stands in for Popen where MiniStack starts functions."""

    def started(command: Sequence[str], **given: Any) -> Fork | subprocess.Popen[Any]:
        program, *scripts = command
        if program == sys.executable and scripts:
            return forkers.start(scripts[0], given["cwd"], given["env"])
        return subprocess.Popen(command, **given)

    return started
