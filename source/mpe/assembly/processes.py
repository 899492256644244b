"""Process groups: what is started here is also ended here."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable

STOP_SECONDS = 2
"""How long a group may take to end by itself: nothing in it needs saving."""
KILL_SECONDS = 6
"""How long a group that was forced to end may take, on a machine that has much else to do."""


def end_group(pid: int, ended: Callable[[], object]) -> None:
    """End a process group: asked first, then forced; its leader's workers go with it."""
    for sign, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, sign)
        deadline = time.monotonic() + seconds
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
