"""Process groups and ports: what a local cloud starts, it also ends."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable

STOP_SECONDS = 2
"""How long a group may take to end by itself: nothing in it needs saving."""


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


def listening(port: int) -> bool:
    """Tell whether anything listens on a port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
