"""The server process: MiniStack and the emulator at one endpoint.

Started by :mod:`mpe.local.cloud` in a session of its own, with MiniStack's settings in the
environment, since MiniStack reads them as it is imported.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from mpe.assembly.processes import STOP_SECONDS
from mpe.emulator import Durations, Quotas
from mpe.emulator.service import Personalize
from mpe.local.door import guard
from mpe.local.faults import Interference
from mpe.local.kept import Calls, Mailbox
from mpe.local.ministack.difference import Start
from mpe.local.ministack.differences import make_good
from mpe.local.ministack.objects import RoleObjects
from mpe.local.ministack.process import check_version
from mpe.local.pages import serve
from mpe.local.serving import listen
from mpe.local.variables import DURATIONS, QUOTAS, RELEASED, SECRET, WATCHED

WATCH_SECONDS = 0.5
LEAST = 60
"""Real seconds before a new solution is trained by itself, however fast the time passes."""
COLLECTED_AFTER = 10_000
"""Objects after which Python looks for such as nothing reaches. By the 700 of Python 3.11, that
took a tenth of this process's time, since it holds all that the clouds have."""


def main() -> int:
    """Serve until told to stop, or until the watched parent is gone."""
    check_version()
    _live_with_parent()
    import ministack.app

    speed = float(os.environ["MPE_TIME_SCALE"])
    start = Start(_service(speed), speed, Calls(), Mailbox(), Interference())
    make_good(start)
    pages = {
        "/_mpe/mail": start.mailbox.as_list,
        "/_mpe/calls": start.calls.as_list,
        "/_mpe/health": lambda: {"pid": os.getpid(), "speed": speed},
    }
    port, secret = int(os.environ["GATEWAY_PORT"]), os.environ.pop(SECRET)  # functions get the rest
    app = serve(start.interference.wrap(ministack.app.app), pages)
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)
    listen(guard(app, port=port, secret=secret), os.environ["BIND_HOST"], port)
    return 0


def _service(speed: float) -> Personalize:
    """Return Amazon Personalize, with the objects of this cloud and the quotas that were asked."""
    objects = RoleObjects(
        f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}", os.environ["MINISTACK_REGION"]
    )
    quotas = Quotas(**json.loads(os.environ.get(QUOTAS, "{}")))
    durations = Durations(**json.loads(os.environ.get(DURATIONS, "{}")))
    # A cold start takes as long as ever: a workflow's own training must come first here as well.
    first_training = max(durations.first_training, LEAST * speed)
    durations = replace(durations, first_training=first_training)
    return Personalize(objects=objects, speed=speed, quotas=quotas, durations=durations)


def _live_with_parent() -> None:
    """End the whole process group, Lambda workers included, when the parent is gone.

    The parent could not clean up, so its folder goes as well.
    """
    parent, released = int(os.environ[WATCHED]), Path(os.environ[RELEASED])

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        if released.exists():
            return
        shutil.rmtree(released.parent, ignore_errors=True)
        os.killpg(os.getpgrp(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


if __name__ == "__main__":
    sys.exit(main())
