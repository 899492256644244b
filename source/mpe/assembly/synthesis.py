"""Synthesize the CDK app without the CDK CLI, and read the cloud assembly that it writes."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpe.assembly.processes import end_group

ROOT = Path(__file__).parents[3]
APP = ("source/app.py",)
LIBRARIES = ("aws-cdk-lib", "aws-solutions-constructs.aws-lambda-sns", "constructs", "jsii")
"""What a template depends on beside this project's own files."""


_MADE = {"__pycache__", "mpe.egg-info"}
"""Folders beside the source that are no part of it."""


class AssemblyError(Exception):
    """The app could not be synthesized, or has no stack; the message says why."""


@dataclass(frozen=True)
class Assembly:
    """What synthesis wrote: one stack, its template and its assets."""

    folder: Path
    stack: str
    template: Path
    assets: Path

    @classmethod
    def read(cls, folder: Path) -> Assembly:
        """Find the stack in a cloud assembly (``cdk.out``)."""
        return cls.read_all(folder)[0]

    @classmethod
    def read_all(cls, folder: Path) -> list[Assembly]:
        """Find every stack in a cloud assembly, of which there must be one."""
        found = list(cls._stacks(folder))
        if not found:
            raise AssemblyError(f"{folder} has no stack")
        return found

    @classmethod
    def _stacks(cls, folder: Path) -> Iterator[Assembly]:
        manifest = json.loads((folder / "manifest.json").read_text())["artifacts"]
        for name, artifact in manifest.items():
            if artifact["type"] == "aws:cloudformation:stack":
                template = folder / artifact["properties"]["templateFile"]
                stack = artifact["properties"].get("stackName", name)
                yield cls(folder, stack, template, folder / f"{name}.assets.json")

    def files(self) -> dict[str, dict[str, Any]]:
        """Return the file assets by their hash, the template among them."""
        found: dict[str, dict[str, Any]] = json.loads(self.assets.read_text())["files"]
        return found


def kept(build: Path = ROOT / "build") -> Assembly:
    """Return this project's own app, synthesized for this machine; once for the same source.

    Whoever gets it changes nothing in it: it is for all.
    """
    place = build / "assembly" / _digest(ROOT / "source")[:12]
    if not place.exists():
        unfinished = place.with_suffix(f".{os.getpid()}")
        shutil.rmtree(unfinished, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        synthesize(unfinished)
        try:
            unfinished.replace(place)
        except OSError:  # another process may have been faster, with the same
            if not place.exists():
                raise
            shutil.rmtree(unfinished)
    return Assembly.read(place)


def _digest(source: Path) -> str:
    """Return what tells one synthesis of a source from another: its files, and what they run on."""
    files = (one for one in source.rglob("*") if one.is_file() and not _MADE & {*one.parts})
    contents = hashlib.sha256(sys.version.encode())
    for file in sorted(files):
        contents.update(f"{file.relative_to(source)}\0".encode() + file.read_bytes())
    for library in LIBRARIES:
        contents.update(importlib.metadata.version(library).encode())
    return contents.hexdigest()


def synthesize(
    folder: Path,
    app: Sequence[str] = APP,
    *,
    directory: Path = ROOT,
    target: str = "local",
    context: Mapping[str, Any] | None = None,
) -> Assembly:
    """Run the CDK app in a directory, without the CDK CLI, and return what it wrote.

    ``target`` is what the functions' package is built for. ``context`` is the app's, given as
    the CDK CLI gives it.
    """
    if not os.environ.get("JSII_NODE") and not shutil.which("node"):
        raise AssemblyError("Node.js is needed, since the AWS CDK runs on it: https://nodejs.org")
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(context or {}),
        "MPE_PACKAGE_TARGET": target,
        "PYTHONPATH": str(ROOT / "source"),
    }
    with tempfile.TemporaryDirectory(prefix="mpe-synth-", ignore_cleanup_errors=True) as temporary:
        code, errors = _run([sys.executable, *app], directory, {**environment, "TMPDIR": temporary})
    if code:
        raise AssemblyError(f"the app could not be synthesized:\n{_last(errors, 15)}")
    return Assembly.read(folder)


def _run(
    command: Sequence[str], directory: Path, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run a command to its end, or end it with all that it started; return what it said.

    The CDK starts Node.js, which would outlive an interrupted app for a while and leave its
    files in the temporary directory.
    """
    with subprocess.Popen(
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            _, errors = process.communicate()
        finally:
            end_group(process.pid, process.poll)
    return process.returncode, errors


def _last(text: str, lines: int) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
