"""Where a release comes from: a statement of in-toto with the predicate of SLSA.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md and
https://slsa.dev/spec/v1.0/provenance have the format. It has no time, so that another build of the
same commit has the same, and no signature: who releases signs the file with a key of theirs.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mpe.infrastructure.released import Released
from mpe.release.git import commit_of, uncommitted
from mpe.release.libraries import Library

PROVENANCE = "provenance.intoto.json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:mpe:build-s3-cdk-dist:1"
"""What ``docs/release.md`` describes."""


def provenance(
    released: Released, app: Path, libraries: Iterable[Library], files: Iterable[Path]
) -> dict[str, Any]:
    """Return of what commit and libraries a release's files were built, and with which Python."""
    commit = commit_of(app.parent)
    parts = {library.purl: library for library in libraries if library.sha256}
    source = {"uri": "git", "digest": {"gitCommit": commit}}
    needed = [{"uri": one, "digest": {"sha256": parts[one].sha256}} for one in sorted(parts)]
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": one.name, "digest": {"sha256": hashlib.sha256(one.read_bytes()).hexdigest()}}
            for one in sorted(files, key=lambda one: one.name)
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "solution": released.solution,
                    "version": released.version,
                    "bucket": released.bucket,
                    "app": app.name,
                },
                "internalParameters": {
                    "python": f"{sys.version_info.major}.{sys.version_info.minor}",
                    "uncommittedChanges": bool(uncommitted(app.parent)),
                },
                "resolvedDependencies": [*([source] if commit else []), *needed],
            },
            "runDetails": {"builder": {"id": BUILD_TYPE}},
        },
    }
