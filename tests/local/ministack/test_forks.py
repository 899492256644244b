"""Processes that are forks of one that has loaded what they need."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpe.local.ministack.forks import Fork, Forker, Forkers, imports, popen, possible
from tests.conftest import ROOT
from tests.local.conftest import wait_until

pytestmark = pytest.mark.skipif(not possible(), reason="only Linux forks what has loaded much")


@pytest.fixture(scope="module")
def forker() -> Iterator[Forker]:
    forker = Forker([], ["decimal", "there_is_no_such_module"])
    yield forker
    forker.end()


def script(folder: Path, text: str) -> str:
    path = folder / "it.py"
    path.write_text(text)
    return str(path)


def running(pid: int) -> bool:
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def ended(fork: Fork, given: str = "") -> tuple[str, str]:
    """Give a process its input, and return what it says."""
    with fork.stdin, fork.stdout, fork.stderr:
        fork.stdin.write(given)
        fork.stdin.close()
        told = fork.stdout.read(), fork.stderr.read()
    assert fork.wait(60) == fork.poll() == 0
    return told


def test_it_reads_and_writes_in_its_folder_with_its_environment_alone(
    forker: Forker, tmp_path: Path
) -> None:
    asks = "import os, sys; print(input(), os.getcwd(), dict(os.environ), sys.argv, __name__)"
    path = script(tmp_path, asks)
    told, errors = ended(forker.start(path, str(tmp_path), {"ONE": "1"}), "hello\n")
    assert told == f"hello {tmp_path} {{'ONE': '1'}} ['{path}'] __main__\n"
    assert errors == ""


def test_what_was_loaded_before_is_there_at_once(forker: Forker, tmp_path: Path) -> None:
    asks = "import sys; print([one in sys.modules for one in ('decimal', 'mpe', 'wave')])"
    told, _ = ended(forker.start(script(tmp_path, asks), str(tmp_path), {}))
    assert told == "[True, False, False]\n"


def test_one_that_breaks_tells_why_and_others_start(forker: Forker, tmp_path: Path) -> None:
    told, errors = ended(forker.start(script(tmp_path, "1 / 0"), str(tmp_path), {}))
    assert "ZeroDivisionError" in errors
    told, _ = ended(forker.start(script(tmp_path, "print('well')"), str(tmp_path), {}))
    assert told == "well\n"


@pytest.mark.parametrize("ending", ["terminate", "kill"])
def test_one_that_does_not_end_is_ended(forker: Forker, tmp_path: Path, ending: str) -> None:
    fork = forker.start(script(tmp_path, "print('begun'); input()"), str(tmp_path), {"A": "B"})
    with fork.stdin, fork.stdout, fork.stderr:
        assert fork.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            fork.wait(0)
        getattr(fork, ending)()
        assert fork.wait(60) == 0
        getattr(fork, ending)()  # which is no error, and meets no other process


def test_it_ends_once_nobody_can_give_it_orders() -> None:
    forker = Forker([], [])
    forker.end()
    assert forker.process.returncode == 0


def test_another_takes_the_place_of_one_that_was_ended(tmp_path: Path) -> None:
    forkers = Forkers()
    path = script(tmp_path, "import os; print(os.getppid())")
    first, _ = ended(forkers.start(path, str(tmp_path), {}))
    waits = forkers.start(script(tmp_path, "input()"), str(tmp_path), {})
    os.kill(int(first), signal.SIGKILL)
    waits.kill()
    with waits.stdin, waits.stdout, waits.stderr:
        waits.wait(60)
    wait_until(lambda: not running(int(first)))
    second, _ = ended(
        forkers.start(script(tmp_path, "import os; print(os.getppid())"), str(tmp_path), {})
    )
    forkers.end()
    assert second != first


def test_packages_with_other_code_or_layers_have_processes_of_their_own(tmp_path: Path) -> None:
    forkers, found = Forkers(), []
    for code, layer in (("a", "x"), ("b", "x"), ("a", "y"), ("a", "x")):
        for one in (code, layer):
            (tmp_path / one).mkdir(exist_ok=True)
        path = script(tmp_path, "import os; print(os.getppid())")
        env = {"_LAMBDA_LAYERS_DIRS": str(tmp_path / layer)}
        found.append(ended(forkers.start(path, str(tmp_path / code), env))[0])
    forkers.end()
    assert len(set(found)) == 3
    assert found[0] == found[3]


def test_another_program_than_this_python_is_started_as_ever(tmp_path: Path) -> None:
    start = popen(Forkers())
    with start(["echo", "well"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.read() == "well\n"


def test_what_the_handlers_import_is_loaded_before_and_none_of_them() -> None:
    found = imports(ROOT / "source")
    assert {"botocore.handlers", "mpe.aws.clients", "mpe.model.plan.desired"} <= set(found)
    assert [one for one in found if one.startswith("mpe.handlers")] == []


def test_what_is_loaded_before_does_not_depend_on_a_functions_environment() -> None:
    """Nor does it make anything that a fork must not share: threads, or streams of its own."""
    asks = """
import importlib, os, sys, threading

class Environ(type(os.environ)):
    def __getitem__(self, key):
        caller = sys._getframe(1)
        while caller.f_globals["__name__"] in ("os", "_collections_abc", __name__):
            caller = caller.f_back
        if caller.f_globals["__name__"].startswith(("mpe.", "boto")):
            print(caller.f_globals["__name__"], key)
        return super().__getitem__(key)

os.environ.__class__ = Environ
for name in sys.argv[1:]:
    importlib.import_module(name)
assert threading.active_count() == 1
"""
    command = [sys.executable, "-c", asks, *imports(ROOT / "source")]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "source")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == ""
