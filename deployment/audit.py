#!/usr/bin/env python3
"""Look the pinned libraries up in the vulnerability services that pip-audit and npm ask.

A library that could not be looked up is never taken for a safe one: pip-audit itself ends with 0
when the service knows none of them. With --database they are looked up in advisories given as
files instead, and nobody is asked. Exit codes: 0 all were looked up and nothing is known, 1 there
are vulnerabilities, 2 not all could be looked up, which --where-reachable only tells.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from advisories import Database, pins_of

VULNERABLE, UNKNOWN = 1, 2
SHOWN = 3
PATIENCE = 300
"""Seconds for an answer."""


@dataclass(frozen=True)
class Audit:
    """What became known of the libraries in a file of pins."""

    file: str
    vulnerable: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    safe: int = 0
    failure: str = ""

    @property
    def code(self) -> int:
        if self.vulnerable:
            return VULNERABLE
        return UNKNOWN if self.skipped or self.failure else 0

    def lines(self) -> Iterator[str]:
        yield from (f"{self.file}: {one}" for one in self.vulnerable)
        if self.failure:
            yield f"{self.file}: NOT AUDITED, {self.failure}"
        if self.skipped:
            some = "; ".join(self.skipped[:SHOWN])
            yield f"{self.file}: NOT AUDITED, {len(self.skipped)} libraries: {some}"
        if self.safe:
            yield f"{self.file}: of {self.safe} libraries no vulnerability is known"


class NoAnswer(Exception):
    """An auditor did not say what it found; the message says what it said instead."""


def audit(pip_audit: str, file: str) -> Audit:
    """Audit a file of exact pins, or npm's lock file."""
    try:
        if Path(file).name == "package-lock.json":
            return _of_npm(file)
        return _of_python(pip_audit, file)
    except NoAnswer as error:
        return Audit(file, failure=f"the service could not be reached: {error}")


def _of_python(pip_audit: str, file: str) -> Audit:
    options = ["--no-deps", "--disable-pip", "--progress-spinner=off", "--format=json"]
    libraries = _ask([pip_audit, *options, "--requirement", file], "dependencies")
    return Audit(
        file,
        vulnerable=tuple(
            f"{one['name']} {one['version']} has {found['id']}, mended in "
            f"{', '.join(found['fix_versions']) or 'no version'}"
            for one in libraries
            for found in one.get("vulns", ())
        ),
        skipped=tuple(one["skip_reason"] for one in libraries if "skip_reason" in one),
        safe=sum("skip_reason" not in one and not one["vulns"] for one in libraries),
    )


def looked_up(database: Database, file: str) -> Audit:
    """Look a file of exact pins up in advisories that were given as a file."""
    system, pins = pins_of(Path(file))
    if not database.knows(system):
        return Audit(file, failure=f"the database has nothing on {system}")
    vulnerable = tuple(
        f"{name} {version} has {id}, mended in {fix}"
        for name, version in pins
        for id, fix in database.of(system, name, version)
    )
    flawed = {one.split(" has ")[0] for one in vulnerable}
    return Audit(file, vulnerable=vulnerable, safe=len(set(pins)) - len(flawed))


def _of_npm(file: str) -> Audit:
    """Ask ``npm audit`` (https://docs.npmjs.com/cli/commands/npm-audit)."""
    found = _ask(["npm", "audit", "--json", "--prefix", str(Path(file).parent)], "vulnerabilities")
    locked = json.loads(Path(file).read_text(encoding="utf-8"))["packages"]
    return Audit(
        file,
        vulnerable=tuple(
            f"{name} {one['range']} has a vulnerability, {one['severity']}: "
            + "; ".join(via if isinstance(via, str) else via["title"] for via in one["via"])
            for name, one in found.items()
        ),
        safe=len(locked.keys() - {""}) - len(found),
    )


def _ask(command: Sequence[str], key: str) -> Any:
    """Return what a command that answers in JSON has under a key; else raise NoAnswer."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAnswer(str(error)) from error
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        said = done.stderr.strip().splitlines()
        raise NoAnswer(said[-1] if said else f"exit code {done.returncode}") from None
    if key not in answer:
        raise NoAnswer(answer.get("message", f"exit code {done.returncode}"))
    return answer[key]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--where-reachable", action="store_true", help="end with 0 instead of 2")
    parser.add_argument(
        "--database",
        type=Path,
        action="append",
        help="a zip or folder of advisories in OSV's format, in place of the services",
    )
    parser.add_argument("pip_audit", help="the command")
    parser.add_argument("files", nargs="+", help="files of exact pins, npm's package-lock.json")
    given = parser.parse_args(arguments)
    try:
        return _main(given)
    except (
        OSError,
        ValueError,
        KeyError,
        BadZipFile,
    ) as error:  # of the database, or of a file of pins
        print(f"NOT AUDITED: {error}")
        return UNKNOWN


def _main(given: argparse.Namespace) -> int:
    if given.database:
        database = Database.read(*given.database)
        print(f"advisories of a file, the newest of {database.newest or 'an unknown day'}")
        found = [looked_up(database, file) for file in given.files]
    else:
        found = [audit(given.pip_audit, file) for file in given.files]
    for one in found:
        print("\n".join(one.lines()))
    codes = {one.code for one in found}
    code = VULNERABLE if VULNERABLE in codes else max(codes)
    return 0 if code == UNKNOWN and given.where_reachable else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
