"""A process that has loaded what functions load, and is forked for each that starts.

It is run by its path, with the functions' libraries and not with ours: it imports nothing of
:mod:`mpe`. What it is given and answers is described in :mod:`mpe.local.ministack.forks`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import socket
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SIZE = 8
"""How many bytes tell how long an order is; the streams of the new process come with them."""


class Models:
    """The files of botocore's data that functions have read, each parsed once for all.

    A process that reads one which is not there yet says so to the one that is forked.
    """

    def __init__(self) -> None:
        self._parsed: dict[str, Any] = {}
        self._told, self._tell = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def keep(self) -> None:
        """Let botocore look here first, if there is a botocore."""
        with contextlib.suppress(ImportError):
            from botocore.loaders import JSONFileLoader

            self._load = JSONFileLoader().load_file
            JSONFileLoader.load_file = lambda _, path: self._found(path)

    def _found(self, path: str) -> Any:
        if path not in self._parsed:
            self._parsed[path] = self._load(path)
            if self._parsed[path] is not None:
                with contextlib.suppress(BlockingIOError):
                    os.write(self._tell, f"{path}\n".encode())
        return self._parsed[path]

    def learn(self) -> None:
        """Parse what others had to, who were forked before."""
        with contextlib.suppress(BlockingIOError):
            for path in os.read(self._told, 1 << 16).decode().splitlines():
                self._parsed[path] = self._parsed.get(path) or self._load(path)


def load(paths: Sequence[str], modules: Sequence[str]) -> None:
    """Import modules as they are found in some folders first."""
    own = list(sys.path)
    sys.path[:0] = paths
    for module in modules:
        # What cannot be imported here is told by the function that needs it.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    sys.path[:] = own


def fork(order: dict[str, Any], streams: Sequence[int], control: socket.socket) -> int:
    """Start a process that runs a script, and takes no orders itself; return its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        try:
            control.close()
            _become(order, streams)
            runpy.run_path(order["script"], run_name="__main__")
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(0)
    return process


def _become(order: dict[str, Any], streams: Sequence[int]) -> None:
    """Take on the streams, the folder and the environment of a new process."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = [order["script"]]
    sys.path.insert(0, str(Path(order["script"]).parent))


def main(control: socket.socket, paths: Sequence[str], modules: Sequence[str]) -> None:
    """Load, then fork for each order until nobody is there to give one."""
    models = Models()
    load(paths, modules)
    models.keep()
    while True:
        head, streams, _, _ = socket.recv_fds(control, SIZE, 3)
        if not head:
            return
        order = json.loads(_read(control, int(head)))
        while _reaped():
            pass
        models.learn()
        gc.freeze()
        process = fork(order, streams, control)
        for stream in streams:
            os.close(stream)
        control.sendall(f"{process:{SIZE}}".encode())


def _read(control: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size and (more := control.recv(size - len(found))):
        found += more
    return found


def _reaped() -> bool:
    """Collect one process that has ended; until now its id was not given to another."""
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    return False


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), *json.loads(sys.argv[2]))
