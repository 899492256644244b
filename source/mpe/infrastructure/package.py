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
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mpe.model.endpoints import LOOPBACK

SOURCE = Path(__file__).parents[2]
BUILD = SOURCE.parent / "build"
REQUIREMENTS = SOURCE / "requirements.txt"
ROOMS = ("model", "aws", "handlers")
"""The rooms of ``mpe`` that run in Lambda."""
SERVICES = frozenset(
    {
        "cloudwatch",
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
)
"""What no function imports, from the top of the layer's Python folder."""
INSTALLATION = ("INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json", "top_level.txt")
"""What pip keeps of an installation; the metadata, entry points and licences stay."""
LIBRARIES = "libraries.json"
"""Beside the libraries: each one's version and its archive with its hash."""


SCRIPT = Path(__file__).with_name("compile.mjs")
"""What compiles for Lambda's Python on another one."""
COMPILER = SOURCE.parent / "node_modules" / "pyodide"
"""CPython in WebAssembly, in the version that Lambda has."""
OPT, TASK = "/opt", "/var/task"
"""Where Lambda has layers, and the code."""


class PackageError(RuntimeError):
    """The layer could not be built; the message has pip's own words."""


@dataclass(frozen=True)
class Target:
    """What the wheels are for."""

    name: str
    python: tuple[int, int]
    pip: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    """pip's platforms: what one has of machine code lies beside the others', by another name."""

    @property
    def own(self) -> bool:
        """Tell whether this very Python can compile for it: bytecode is of one version alone."""
        return sys.implementation.name == "cpython" and sys.version_info[:2] == self.python

    @property
    def compiled(self) -> bool:
        """Tell whether the modules are compiled for it, here or by the Python that npm has."""
        return self.own or (self is LAMBDA and COMPILER.exists() and bool(shutil.which("node")))

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
    ("--python-version=3.14", "--implementation=cp", "--only-binary=:all:"),
    ("manylinux2014_aarch64", "manylinux2014_x86_64"),
)
"""Both architectures of Lambda, of which the stack's parameter chooses
(https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html)."""
LOCAL = Target(f"local-{sys.implementation.cache_tag}", sys.version_info[:2])


def code(target: Target, build: Path = BUILD) -> Path:
    """Return a directory with our own code, as much of it as runs in Lambda.

    It is made anew where a file of it is another.
    """
    own = SOURCE / "mpe"
    files = sorted(one for room in ROOMS for one in (own / room).rglob("*") if _is_ours(one))
    files.append(own / "__init__.py")
    contents = hashlib.sha256(Path(__file__).read_bytes())
    for file in files:
        contents.update(f"{file.relative_to(own)}\0".encode() + file.read_bytes())
    place = build / "code" / f"{_named(target)}-{contents.hexdigest()[:12]}"
    if not place.exists():
        unfinished = _begun(place)
        for file in files:
            copy = unfinished / file.relative_to(SOURCE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        _compile(unfinished, TASK, target)
        _settle(unfinished, place)
    return place


def _is_ours(path: Path) -> bool:
    return path.is_file() and path.parent.name != "__pycache__"


def _named(target: Target) -> str:
    return f"{target.name}-compiled" if target.compiled else target.name


def _begun(place: Path) -> Path:
    """Return an empty directory that becomes a place once it is whole."""
    unfinished = place.with_suffix(f".{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    return unfinished


def layer(target: Target, build: Path = BUILD) -> Path:
    """Return a directory with the libraries, built once per target and list of pins.

    It is also built anew when this module, which says what stays in it, is another.
    """
    contents = hashlib.sha256(REQUIREMENTS.read_bytes() + Path(__file__).read_bytes())
    place = build / "layer" / f"{_named(target)}-{contents.hexdigest()[:12]}"
    if not place.exists():
        unfinished = _begun(place)
        installed = install(target, REQUIREMENTS, unfinished / "python")
        (unfinished / LIBRARIES).write_text(json.dumps(installed, indent=1) + "\n")
        _prune(unfinished / "python")
        _compile(unfinished / "python", f"{OPT}/python", target)
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


def install(target: Target, requirements: Path, place: Path) -> dict[str, dict[str, Any]]:
    """Install pinned libraries for every machine of a target; return which archives.

    A library of machine code has an archive for each, the others' in ``others``: extension
    modules bear the machine in their names (https://peps.python.org/pep-3149/), so that all lie
    in one folder, and each machine loads its own.
    """
    if not target.machines:
        return _install(target.pip, requirements, place)
    first, *rest = target.machines
    installed = _install((*target.pip, f"--platform={first}"), requirements, place)
    for machine in rest:
        beside = place.with_name(machine)
        others = _install((*target.pip, f"--platform={machine}"), requirements, beside)
        _add_machine_code(beside, place)
        shutil.rmtree(beside)
        for name, one in others.items():
            if one != installed[name]:
                installed[name].setdefault("others", []).append(one)
    return installed


def _add_machine_code(beside: Path, place: Path) -> None:
    for module in sorted(beside.rglob("*.so")):
        copy = place / module.relative_to(beside)
        if copy.exists():
            raise PackageError(f"{module.name} is of two machines by one name")
        shutil.copyfile(module, copy)


def _install(options: Sequence[str], requirements: Path, place: Path) -> dict[str, dict[str, Any]]:
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
        *options,
    ]
    report.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackageError(f"pip could not build the Lambda layer:\n{done.stderr.strip()}")
    installed = _archives(json.loads(report.read_text()))
    report.unlink()
    return installed


def _archives(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
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


def _compile(folder: Path, place: str, target: Target) -> None:
    """Compile ahead where that can be done, so that a cold start need not.

    Lambda has the layer at ``/opt`` and the code at ``/var/task``, both read-only
    (https://docs.aws.amazon.com/lambda/latest/dg/python-layers.html).
    """
    if target.own:
        compileall.compile_dir(
            folder,
            stripdir=str(folder),
            prependdir=place,
            quiet=2,
            workers=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    elif target.compiled:
        command = ["node", str(SCRIPT), str(folder), place]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or json.loads(done.stdout) != [True, *target.python]:
            raise PackageError(f"the modules could not be compiled:\n{done.stderr or done.stdout}")
