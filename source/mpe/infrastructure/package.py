"""The Lambda functions' code and the layer of libraries they run on.

Built with pip alone, without Docker: wheels for the Lambda runtime in a release, or for this
very Python in the local cloud. Every archive must have one of the hashes that its pin lists. The
SDK is bundled at its pinned version, since the config is validated against its service model, with
only the models of the services that are called.
"""

from __future__ import annotations

import compileall
import hashlib
import json
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

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
UTILITIES = frozenset({"jmespath_utils", "typing"})
"""The utilities of Powertools that stay: what its logger and metrics import."""
UNUSED = (
    "bin",
    "aws_lambda_powertools/event_handler",
    "boto3/examples",
    "jsonschema/benchmarks",
    "jsonschema/tests",
    "lark/__pyinstaller",
    "lark/tools",
)
"""What no function imports, from the top of the layer's Python folder."""
INSTALLATION = ("INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json", "top_level.txt")
"""What pip keeps of an installation; the metadata, entry points and licences stay."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts that are this very machine."""
LIBRARIES = "libraries.json"
"""Beside the libraries: each one's version and its archive with its hash."""


class PackageError(RuntimeError):
    """The layer could not be built; the message has pip's own words."""


@dataclass(frozen=True)
class Target:
    """What the wheels are for."""

    name: str
    python: tuple[int, int]
    pip: tuple[str, ...] = ()

    @property
    def compiled(self) -> bool:
        """Tell whether this Python can compile for it: bytecode is of one version alone."""
        return sys.implementation.name == "cpython" and sys.version_info[:2] == self.python

    @classmethod
    def from_environment(cls) -> Target:
        """Return the Lambda runtime, or this machine where the functions will run on it.

        ``MPE_PACKAGE_TARGET`` says so; else an endpoint on the loopback interface does, which
        `cdk deploy` hands on to the app.
        """
        endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname
        here = "local" if endpoint in LOOPBACK else LAMBDA.name
        return LOCAL if os.environ.get("MPE_PACKAGE_TARGET", here) == "local" else LAMBDA


LAMBDA = Target(
    "lambda",
    (3, 14),
    (
        "--platform=manylinux2014_x86_64",
        "--python-version=3.14",
        "--implementation=cp",
        "--only-binary=:all:",
    ),
)
LOCAL = Target(f"local-{sys.implementation.cache_tag}", sys.version_info[:2])


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
    """Return a directory with the libraries, built once per target and list of pins.

    It is also built anew when this module, which says what stays in it, is another.
    """
    contents = hashlib.sha256(REQUIREMENTS.read_bytes() + Path(__file__).read_bytes())
    name = f"{target.name}-compiled" if target.compiled else target.name
    place = build / "layer" / f"{name}-{contents.hexdigest()[:12]}"
    if not place.exists():
        unfinished = place.with_suffix(f".{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        installed = install(target, REQUIREMENTS, unfinished / "python")
        (unfinished / LIBRARIES).write_text(json.dumps(installed, indent=1) + "\n")
        _prune(unfinished / "python")
        if target.compiled:
            _compile(unfinished)
        _settle(unfinished, place)
    return place


def _settle(unfinished: Path, place: Path) -> None:
    """Put a built directory in its place; another build that came first is as good."""
    try:
        unfinished.replace(place)
    except OSError:
        if not place.exists():
            raise
        shutil.rmtree(unfinished)


def install(target: Target, requirements: Path, place: Path) -> dict[str, dict[str, str]]:
    """Install pinned libraries, each with a hash that its pin lists; return which archives.

    https://pip.pypa.io/en/stable/topics/secure-installs/ has the hash-checking mode.
    """
    report = place.parent / "pip.json"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
        "--no-deps",
        "--require-hashes",
        f"--report={report}",
        f"--target={place}",
        f"--requirement={requirements}",
        *target.pip,
    ]
    report.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"pip could not build the Lambda layer:\n{done.stderr.strip()}")
    installed = _archives(json.loads(report.read_text()))
    report.unlink()
    return installed


def _archives(report: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return version, file and hash of each archive that pip installed, without its address.

    https://pip.pypa.io/en/stable/reference/installation-report/
    """
    found = {}
    for one in report["install"]:
        archive = one["download_info"]
        found[one["metadata"]["name"]] = {
            "version": one["metadata"]["version"],
            "archive": archive["url"].rsplit("/", 1)[-1],
            "sha256": archive["archive_info"]["hashes"]["sha256"],
        }
    return dict(sorted(found.items()))


def _prune(place: Path) -> None:
    """Drop what no function reads: other services' models, unused utilities, tests."""
    for models in (place / "botocore" / "data", place / "boto3" / "data"):
        _keep_folders(models, SERVICES)
        for examples in models.rglob("examples-1.json*"):
            examples.unlink()
    _keep_folders(place / "aws_lambda_powertools" / "utilities", UTILITIES)
    for unused in UNUSED:
        shutil.rmtree(place / unused, ignore_errors=True)
    for metadata in place.glob("*.dist-info"):
        for name in INSTALLATION:
            (metadata / name).unlink(missing_ok=True)


def _keep_folders(place: Path, names: Collection[str]) -> None:
    for one in place.iterdir():
        if one.is_dir() and one.name not in names:
            shutil.rmtree(one)


def _compile(place: Path) -> None:
    """Compile ahead, so that a cold start need not: Lambda has the layer at ``/opt``, read-only.

    https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html
    """
    compileall.compile_dir(
        place / "python",
        stripdir=str(place),
        prependdir="/opt",
        quiet=2,
        workers=0,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
