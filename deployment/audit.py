#!/usr/bin/env python3
"""Look the pinned libraries up in the vulnerability service that pip-audit asks.

python deployment/audit.py PIP_AUDIT REQUIREMENTS...

A library that could not be looked up is never taken for a safe one: pip-audit itself ends with 0
when the service knows none of them. Exit codes: 0 all were looked up and nothing is known, 1 there
are vulnerabilities, 2 not all could be looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

VULNERABLE, UNKNOWN = 1, 2
SHOWN = 3


@dataclass(frozen=True)
class Audit:
    """What became known of the libraries in a requirements file."""

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
            yield f"{self.file}: NOT AUDITED, the service could not be reached: {self.failure}"
        if self.skipped:
            some = "; ".join(self.skipped[:SHOWN])
            yield f"{self.file}: NOT AUDITED, {len(self.skipped)} libraries: {some}"
        if self.safe:
            yield f"{self.file}: of {self.safe} libraries no vulnerability is known"


def audit(command: str, file: str) -> Audit:
    """Run pip-audit on a file of exact pins."""
    options = ["--no-deps", "--disable-pip", "--progress-spinner=off", "--format=json"]
    done = subprocess.run(
        [command, *options, "--requirement", file], capture_output=True, text=True, check=False
    )
    try:
        libraries = json.loads(done.stdout)["dependencies"]
    except ValueError:
        said = done.stderr.strip().splitlines()
        return Audit(file, failure=said[-1] if said else f"exit code {done.returncode}")
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


def main(arguments: Sequence[str]) -> int:
    command, *files = arguments
    found = [audit(command, file) for file in files]
    for one in found:
        print("\n".join(one.lines()))
    codes = {one.code for one in found}
    return VULNERABLE if VULNERABLE in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
