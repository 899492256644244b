"""What several test folders share: an emulated service, and data with some structure."""

from __future__ import annotations

import gc
import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import hypothesis
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from filelock import FileLock
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.internal.constants_ast import Constants

from mpe.assembly.synthesis import Assembly, kept
from mpe.emulator import Durations, FakeClock, MemoryObjects, Quotas
from mpe.emulator.service import Personalize

# What was started in the background ignores Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of the machine than of the code. The suite tries the same
# examples on every run; `make thorough` looks for others, 25 times as many.
hypothesis.settings.register_profile(
    "mpe",
    deadline=None,
    max_examples=40,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "thorough",
    deadline=None,
    max_examples=1000,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("mpe")

# Each session of the SDK reads the services' models anew, which takes it most of its time: here
# all sessions have them from the first that read them.
LOADER = botocore.loaders.create_loader(
    botocore.session.get_session().get_config_variable("data_path")
)
botocore.session.create_loader = lambda *_: LOADER

COLLECTED_AFTER = 10_000
"""New objects after which Python looks for garbage: by its own 700, that takes a tenth."""
ROOT = Path(__file__).parents[1]
MOVIELENS = ROOT / "examples" / "01-movielens"
USUAL = Durations()
BRIEF = replace(
    USUAL,
    create={noun: seconds / 10 for noun, seconds in USUAL.create.items()},
    update={noun: seconds / 10 for noun, seconds in USUAL.update.items()},
)
"""What things take where a test is not about how often one looks at them: each look is a
function's invocation, and looks are most of what a run takes of this machine."""
ROLE = "arn:aws:iam::000000000000:role/service"
BUCKET = "s3://data/train/films"


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Draw nothing from the modules that a process has loaded: which, is chance under xdist.

    Hypothesis draws literals of the loaded modules of a project beside its own, also where a
    profile asks for the same examples on every run, and has no setting for it.
    """
    if hypothesis.settings.default.derandomize:
        HypothesisProvider._local_constants = Constants()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the local cloud's tests: the longest files must not be what is left at the end."""
    items.sort(key=lambda item: not item.path.is_relative_to(ROOT / "tests" / "local"))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Look no more for garbage among what is there by now, which is most of what ever is.

    pytest looks twice more as it ends. What was there before the tests is no more found to be
    unclosed where only itself holds it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)


def examples(count: int) -> int:
    """Return how many examples are tried where Hypothesis's own default would be ``count``."""
    return count * hypothesis.settings.default.max_examples // 100


class AtOnce(Executor):
    """An executor that works while one waits, so that tests need no threads."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve requests on this machine; give the endpoint."""
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Emulated:
    """An emulated service, the clients that it answers and what it lives by."""

    clock: FakeClock = field(default_factory=FakeClock)
    objects: MemoryObjects = field(default_factory=MemoryObjects)
    quotas: Quotas = field(default_factory=Quotas)
    durations: Durations = field(default_factory=Durations)

    def __post_init__(self) -> None:
        self.service = Personalize(
            objects=self.objects,
            clock=self.clock,
            executor=AtOnce(),
            quotas=self.quotas,
            durations=self.durations,
        )

    @cached_property
    def client(self) -> Any:
        return self.make("personalize")

    @cached_property
    def runtime(self) -> Any:
        return self.make("personalize-runtime")

    @cached_property
    def events(self) -> Any:
        return self.make("personalize-events")

    def make(self, name: str) -> Any:
        client = boto3.client(
            name,
            region_name="us-east-1",
            config=Config(
                retries={"max_attempts": 0}, signature_version=UNSIGNED, user_agent="tests"
            ),
        )
        client.meta.events.register(f"before-call.{name}", _rewrite)
        self.service.attach(client)
        return client


Rewrite = Callable[[str, str, dict[str, Any]], dict[str, Any]]
REWRITES: list[Rewrite] = []
"""What changes every request: given a service, an operation and its parameters."""


def _rewrite(model: Any, params: dict[str, Any], **_: Any) -> None:
    for rewrite in REWRITES:
        sent = rewrite(model.service_model.service_name, model.name, json.loads(params["body"]))
        params["body"] = json.dumps(sent).encode()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what commands note for a shell's completions out of the user's own cache."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The real app, synthesized once for all processes that run tests together."""
    base = tmp_path_factory.getbasetemp()
    together = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with FileLock(together / "synthesis.lock"):
        return kept()


@pytest.fixture
def emulated() -> Emulated:
    return Emulated()


def interactions(users: int = 60, each: int = 30, seed: int = 7) -> str:
    """Return a CSV in which each user likes one of three shelves of items."""
    chance = random.Random(seed)
    rows = ["USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP"]
    for user in range(users):
        shelf = user % 3
        for visit in range(each):
            own = chance.random() < 0.9
            item = (shelf if own else chance.randrange(3)) * 100 + chance.randrange(40)
            time = 1_700_000_000 + visit * 3600 + user
            rows.append(f"u{user},i{item},{'view' if visit % 3 else 'buy'},{visit % 5 + 1},{time}")
    return "\n".join(rows) + "\n"


def config() -> dict[str, Any]:
    """Return the example's config, to be bent."""
    document: dict[str, Any] = json.loads((MOVIELENS / "config.json").read_text())
    return document
