"""The Lambda functions' code and the layer of libraries they run on.

Built with pip alone, without Docker: wheels for the Lambda runtime in a release, or for this
very Python in the local cloud. The SDK is bundled at its pinned version, since the config is
validated against its service model, with only the models of the services that are called.
"""

from __future__ import annotations

import compileall
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2]
BUILD = SOURCE.parent / "build"
REQUIREMENTS = SOURCE / "requirements.txt"
ROOMS = ("model", "aws", "handlers")
"""The rooms of ``mpe`` that run in Lambda."""
SERVICES = frozenset(
    {
        "dynamodb",
        "events",
        "personalize",
        "personalize-events",
        "personalize-runtime",
        "s3",
        "scheduler",
        "sns",
        "stepfunctions",
        "sts",
    }
)
"""The service models that stay in the bundled SDK."""


class PackageError(RuntimeError):
    """The layer could not be built; the message has pip's own words."""


@dataclass(frozen=True)
class Target:
    """What the wheels are for."""

    name: str
    pip: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls) -> Target:
        """Return the Lambda runtime, or this machine where ``MPE_PACKAGE_TARGET`` is local."""
        return LOCAL if os.environ.get("MPE_PACKAGE_TARGET") == "local" else LAMBDA


LAMBDA = Target(
    "lambda",
    (
        "--platform=manylinux2014_x86_64",
        "--python-version=3.14",
        "--implementation=cp",
        "--only-binary=:all:",
    ),
)
LOCAL = Target(f"local-{sys.implementation.cache_tag}")


def code(build: Path = BUILD) -> Path:
    """Return a directory with our own code, as much of it as runs in Lambda."""
    place = build / "code"
    shutil.rmtree(place, ignore_errors=True)
    for room in ROOMS:
        shutil.copytree(
            SOURCE / "mpe" / room,
            place / "mpe" / room,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(SOURCE / "mpe" / "__init__.py", place / "mpe")
    return place


def layer(target: Target, build: Path = BUILD) -> Path:
    """Return a directory with the libraries, built once per target and list of pins."""
    pins = hashlib.sha256(REQUIREMENTS.read_bytes() + repr(sorted(SERVICES)).encode())
    place = build / "layer" / f"{target.name}-{pins.hexdigest()[:12]}"
    if not place.exists():
        unfinished = place.with_suffix(f".{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        _install(target, unfinished / "python")
        _prune(unfinished / "python")
        if target is LOCAL:
            _compile(unfinished / "python")
        unfinished.replace(place)
    return place


def _install(target: Target, place: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
        "--no-deps",
        f"--target={place}",
        f"--requirement={REQUIREMENTS}",
        *target.pip,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"pip could not build the Lambda layer:\n{done.stderr.strip()}")


def _prune(place: Path) -> None:
    """Drop what no function reads: other services' models, scripts, tests."""
    for models in (place / "botocore" / "data", place / "boto3" / "data"):
        for model in models.iterdir():
            if model.is_dir() and model.name not in SERVICES:
                shutil.rmtree(model)
    shutil.rmtree(place / "bin", ignore_errors=True)
    shutil.rmtree(place / "boto3" / "examples", ignore_errors=True)


def _compile(place: Path) -> None:
    """Compile ahead, so that a cold start need not."""
    compileall.compile_dir(
        place,
        quiet=2,
        workers=0,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
