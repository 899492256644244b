"""The bill of materials of a release, in CycloneDX's JSON.

https://cyclonedx.org/docs/1.6/json/ has the format. It has no time and no random number, so
that the same release has the same bill.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mpe.infrastructure.released import Released
from mpe.release.libraries import SPDX, Library

BILL = "sbom.cdx.json"
Component = dict[str, Any]


def bill_of_materials(
    released: Released, libraries: Iterable[Library], assets: Iterable[Path]
) -> dict[str, Any]:
    """Return what the assets of a release are made of."""
    parts = {library.purl: library for library in libraries}
    files = [_file(asset) for asset in sorted(set(assets))]
    root = f"{released.solution}@{released.version}"
    needed = sorted([*parts, *(file["bom-ref"] for file in files)])
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": released.solution,
                "version": released.version,
            }
        },
        "components": [*(component_of(parts[purl]) for purl in sorted(parts)), *files],
        "dependencies": [{"ref": root, "dependsOn": needed}, *_dependencies(parts)],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bill, sort_keys=True))
    return {**bill, "serialNumber": number.urn}


def component_of(library: Library) -> Component:
    component: Component = {
        "type": "library",
        "bom-ref": library.purl,
        "name": library.name,
        "version": library.version,
        "purl": library.purl,
        "licenses": _licences(library),
    }
    if library.sha256:
        component["hashes"] = [{"alg": "SHA-256", "content": library.sha256}]
        component["properties"] = [{"name": "archive", "value": library.archive}]
    if library.others:  # https://cyclonedx.org/docs/1.6/json/#components_items_externalReferences
        component["externalReferences"] = [
            {
                "type": "distribution",
                "url": archive,
                "comment": "for the other architecture, in the same component",
                "hashes": [{"alg": "SHA-256", "content": sha256}],
            }
            for archive, sha256 in library.others
        ]
    return component


def _licences(library: Library) -> list[dict[str, Any]]:
    if library.expression:
        return [{"expression": library.expression}]
    return [
        {"license": {"id" if one in SPDX.values() else "name": one}} for one in library.licences
    ]


def _file(path: Path) -> Component:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {
        "type": "file",
        "bom-ref": path.name,
        "name": path.name,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def _dependencies(parts: dict[str, Library]) -> list[dict[str, Any]]:
    """Return which of the libraries each one needs."""
    purls = {library.name: purl for purl, library in parts.items()}
    return [
        {"ref": purl, "dependsOn": [purls[need] for need in parts[purl].needs if need in purls]}
        for purl in sorted(parts)
    ]
