"""The service: takes a request, finds the operation, answers."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from typing import Any

from botocore.awsrequest import AWSResponse

from mpe.emulator import lists, runtime, streaming, tags
from mpe.emulator.faults import Faults
from mpe.emulator.lifecycle import ACTIVE
from mpe.emulator.objects import Objects
from mpe.emulator.recipes import describe_static, list_recipes
from mpe.emulator.resources import KINDS
from mpe.emulator.resources.attribution import list_metrics
from mpe.emulator.resources.base import in_use, invalid
from mpe.emulator.resources.recommenders import start, stop
from mpe.emulator.resources.solutions import KIND_OF_VERSION, train_automatically
from mpe.emulator.settings import Durations, Quotas, utcnow
from mpe.emulator.state import World
from mpe.emulator.wire import Request, Response, ServiceError, answer, error_answer
from mpe.model.service.operations import OperationNotFoundError, StructureShape, operation
from mpe.model.service.shapes import violations

LOG = logging.getLogger(__name__)
Params = Mapping[str, Any]


class Personalize:
    """Amazon Personalize in memory, for any number of accounts and regions.

    ``speed`` is how many of the service's seconds pass in one of the clock's. Times are
    reported by the clock. Requests may come from several threads; real work (reading CSVs,
    training) goes to the executor, so that an answer never waits for it.
    """

    def __init__(
        self,
        *,
        objects: Objects,
        speed: float = 1.0,
        clock: Callable[[], datetime] = utcnow,
        durations: Durations | None = None,
        quotas: Quotas | None = None,
        executor: Executor | None = None,
        seed: int = 0,
    ) -> None:
        self.faults = Faults()
        self._objects = objects
        self._speed = speed
        self._clock = clock
        self._durations = durations or Durations()
        self._quotas = quotas or Quotas()
        self._executor = executor or ThreadPoolExecutor(2, thread_name_prefix="personalize")
        self._chance = random.Random(seed)
        self._worlds: dict[tuple[str, str], World] = {}
        self._lock = threading.RLock()

    def handle(self, request: Request) -> Response:
        """Answer a request; every failure is an answer too."""
        try:
            with self._lock:
                result = self._dispatch(request)
            if callable(result):
                result = result()
        except ServiceError as error:
            return error_answer(error, runtime=request.runtime)
        except Exception as error:
            LOG.exception("the emulator failed at %s", request.operation)
            broken = ServiceError("InternalFailure", f"{type(error).__name__}: {error}", 500)
            return error_answer(broken, runtime=request.runtime)
        return answer(result, runtime=request.runtime)

    def attach(self, client: Any) -> None:
        """Answer a boto3 client in place of the network."""
        events = client.meta.events
        service = client.meta.service_model.service_name

        def respond(request: Any, **_: Any) -> AWSResponse:
            headers = {key.lower(): _text(value) for key, value in request.headers.items()}
            path = "/" + request.url.split("://", 1)[1].partition("/")[2].partition("?")[0]
            body = request.body or b""
            body = body.encode() if isinstance(body, str) else body
            found = self.handle(
                Request(request.method, path, headers, body, region=client.meta.region_name)
            )
            return AWSResponse(request.url, found.status, found.headers, _Raw(found.body))

        events.register(f"before-send.{service}", respond)

    def _world(self, request: Request) -> World:
        key = (request.account, request.region)
        if key not in self._worlds:
            self._worlds[key] = World(
                request.account,
                request.region,
                self._clock,
                self._speed,
                self._durations,
                self._quotas,
                self._objects,
                self.faults,
                self._executor,
                self._chance,
            )
        return self._worlds[key]

    def _dispatch(self, request: Request) -> dict[str, Any] | Callable[[], dict[str, Any]] | None:
        """Return an answer, or what works one out that needs no lock."""
        world = self._world(request)
        world.settle()
        train_automatically(world)
        name = request.operation
        self.faults.meet_call(name)
        if request.runtime:
            return _called(world, name, request.params)
        try:
            model = operation(name)
        except OperationNotFoundError:
            raise ServiceError("UnknownOperationException", f"Unknown operation {name}") from None
        params = request.params
        _validate(model.input_shape, params)
        result = _call(world, name, params)
        shaped: dict[str, Any] = lists.shaped(model.output_shape, result)
        return shaped


def _called(world: World, name: str, params: Params) -> Callable[[], dict[str, Any]] | None:
    """Answer a call of the runtime or of the events API."""
    if name.startswith("Get"):
        return runtime.call(world, name, params)
    if name:
        streaming.call(world, name, params)
        return None
    raise ServiceError("UnknownOperationException", "There is no such operation.", 404)


def _validate(shape: StructureShape | None, params: Params) -> None:
    wrong = list(violations(shape, params)) if shape else []
    if wrong:
        told = "; ".join(one.told.removeprefix("$.") for one in wrong)
        plural = "error" if len(wrong) == 1 else "errors"
        raise invalid(f"{len(wrong)} validation {plural} detected: {told}")


def _call(world: World, name: str, params: Params) -> dict[str, Any]:
    special = _SPECIAL.get(name)
    if special:
        return special(world, params)
    for verb, act in _VERBS.items():
        noun = name.removeprefix(verb)
        if name.startswith(verb) and (verb == "List" or noun in KINDS):
            return act(world, noun, params)
    raise not_emulated(name)


def not_emulated(name: str) -> ServiceError:
    return ServiceError("NotImplementedException", f"{name} is not emulated yet.", 501)


def _key(noun: str) -> str:
    return noun[0].lower() + noun[1:]


def _create(world: World, noun: str, params: Params) -> dict[str, Any]:
    made = KINDS[noun].new(world, params)
    return {**made.fields, f"{_key(noun)}Arn": made.arn}


def _describe(world: World, noun: str, params: Params) -> dict[str, Any]:
    found = world.get(noun, params[f"{_key(noun)}Arn"])
    return {_key(noun): KINDS[noun].describe(world, found)}


def _update(world: World, noun: str, params: Params) -> dict[str, Any]:
    key = f"{_key(noun)}Arn"
    if key not in params:  # the model asks for it everywhere but in one update
        raise invalid(f"{key} is required.")
    found = world.get(noun, params[key])
    if found.changing(world.now):
        raise in_use(f"{found.arn} is being changed: {found.state(world.now).status}.")
    found.change = KINDS[noun].update(world, found, params)
    return {f"{_key(noun)}Arn": found.arn}


def _delete(world: World, noun: str, params: Params) -> dict[str, Any]:
    KINDS[noun].delete(world, world.get(noun, params[f"{_key(noun)}Arn"]))
    return {}


def _list(world: World, noun: str, params: Params) -> dict[str, Any]:
    if noun[:-1] not in KINDS:
        raise not_emulated(f"List{noun}")
    return lists.listed(world, KINDS[noun[:-1]], params)


def _metrics(world: World, params: Params) -> dict[str, Any]:
    version = world.get("SolutionVersion", params["solutionVersionArn"])
    if version.state(world.now).status != ACTIVE or version.model is None:
        raise in_use(f"{version.arn} is not ACTIVE: its metrics are not there yet.")
    return {"solutionVersionArn": version.arn, "metrics": version.model.metrics}


def _stop(world: World, params: Params) -> dict[str, Any]:
    KIND_OF_VERSION.stop(world, world.get("SolutionVersion", params["solutionVersionArn"]))
    return {}


def _start_recommender(world: World, params: Params) -> dict[str, Any]:
    return start(world, world.get("Recommender", params["recommenderArn"]))


def _stop_recommender(world: World, params: Params) -> dict[str, Any]:
    return stop(world, world.get("Recommender", params["recommenderArn"]))


_VERBS: dict[str, Callable[[World, str, Params], dict[str, Any]]] = {
    "Create": _create,
    "Describe": _describe,
    "Update": _update,
    "Delete": _delete,
    "List": _list,
}
_SPECIAL: dict[str, Callable[[World, Params], dict[str, Any]]] = {
    "GetSolutionMetrics": _metrics,
    "StopSolutionVersionCreation": _stop,
    "StartRecommender": _start_recommender,
    "StopRecommender": _stop_recommender,
    "ListMetricAttributionMetrics": list_metrics,
    "ListRecipes": list_recipes,
    "DescribeRecipe": describe_static("recipe"),
    "DescribeAlgorithm": describe_static("algorithm"),
    "DescribeFeatureTransformation": describe_static("featureTransformation"),
    "TagResource": tags.tag,
    "UntagResource": tags.untag,
    "ListTagsForResource": tags.listed,
}


class _Raw:
    """A body as botocore reads it from a connection."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._body

    def read(self, *_: Any, **__: Any) -> bytes:
        return self._body


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
