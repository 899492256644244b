"""Build a release: the files that go to the buckets, in a folder for each kind of bucket."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from mpe.assembly.synthesis import Assembly, synthesize
from mpe.assembly.zips import SMALL, zipped
from mpe.infrastructure.released import Released
from mpe.release.bill import BILL, bill_of_materials
from mpe.release.errors import ReleaseError
from mpe.release.libraries import libraries_of
from mpe.release.licences import LICENCES, licences
from mpe.release.provenance import PROVENANCE, provenance

GLOBAL, REGIONAL = "global-s3-assets", "regional-s3-assets"
BOOTSTRAP = ("hnb659fds", "BootstrapVersion", "cdk-bootstrap")
"""What a template has in it that needs `cdk bootstrap`."""
TEMPLATE_BYTES = 1 << 20
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
METADATA = "metadata and licences"


@dataclass(frozen=True)
class Asset:
    """A file that a template refers to, and the size of each package in it."""

    name: str
    file: Path
    packages: dict[str, int]

    @property
    def zipped(self) -> int:
        return self.file.stat().st_size

    @property
    def unzipped(self) -> int:
        return sum(self.packages.values())


@dataclass(frozen=True)
class Build:
    """A release as files: those for the one bucket, and those for the bucket of each region."""

    folder: Path
    templates: tuple[Path, ...]
    assets: tuple[Asset, ...]

    @property
    def shared(self) -> list[Path]:
        """Return the files for the bucket, the templates last: they refer to all the rest."""
        others = set((self.folder / GLOBAL).iterdir()) - set(self.templates)
        return [*sorted(others), *self.templates]

    @property
    def regional(self) -> list[Path]:
        return sorted((self.folder / REGIONAL).iterdir())


def build(released: Released, app: Path, folder: Path, *, target: str = "lambda") -> Build:
    """Synthesize the app and write what it needs below a folder, in place of an earlier build."""
    for kind in (GLOBAL, REGIONAL):
        shutil.rmtree(folder / kind, ignore_errors=True)
        (folder / kind).mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="mpe-release-") as temporary:
        out = Path(temporary)
        synthesize(out, [app.name], directory=app.parent, target=target, context=released.context)
        stacks = Assembly.read_all(out)
        assets = [asset for stack in stacks for asset in _assets(stack, released, folder)]
        places = [out / file["source"]["path"] for one in stacks for file in _files(one).values()]
        libraries = [library for place in places for library in libraries_of(place)]
        templates = tuple(_template(stack, folder / GLOBAL) for stack in stacks)
    bill = bill_of_materials(released, libraries, [asset.file for asset in assets])
    (folder / GLOBAL / BILL).write_text(json.dumps(bill, indent=2) + "\n")
    (folder / GLOBAL / LICENCES).write_text(licences(libraries))
    files = [*(folder / GLOBAL).iterdir(), *(folder / REGIONAL).iterdir()]
    statement = provenance(released, app, libraries, files)
    (folder / GLOBAL / PROVENANCE).write_text(json.dumps(statement, indent=2) + "\n")
    return Build(folder, templates, tuple({asset.file: asset for asset in assets}.values()))


def _template(stack: Assembly, folder: Path) -> Path:
    """Write a stack's template, if CloudFormation alone can create the stack from it."""
    text = stack.template.read_text()
    needed = [word for word in BOOTSTRAP if word in text]
    if needed:
        raise ReleaseError(
            f"the template of {stack.stack} needs `cdk bootstrap` ({', '.join(needed)}). The app "
            "must give its stacks the synthesizer of mpe.infrastructure.synthesizer."
        )
    if len(text.encode()) > TEMPLATE_BYTES:
        raise ReleaseError(
            f"the template of {stack.stack} has {len(text.encode())} bytes, and CloudFormation "
            f"reads {TEMPLATE_BYTES} at most."
        )
    path = folder / f"{stack.stack}.template"
    path.write_text(text)
    return path


def _files(stack: Assembly) -> dict[str, dict[str, Any]]:
    """Return a stack's assets, without its template."""
    return {
        key: file
        for key, file in stack.files().items()
        if stack.folder / file["source"]["path"] != stack.template
    }


def _assets(stack: Assembly, released: Released, folder: Path) -> Iterator[Asset]:
    for file in _files(stack).values():
        (place,) = file["destinations"].values()
        name = place["objectKey"].removeprefix(released.prefix)
        if place["bucketName"] != released.assets_bucket or "/" in name:
            raise ReleaseError(
                f"the stack {stack.stack} has its asset {file['displayName']} at "
                f"{place['bucketName']}/{place['objectKey']}, not below "
                f"{released.assets_bucket}/{released.prefix}. The app must give its stacks the "
                "synthesizer of mpe.infrastructure.synthesizer."
            )
        source = stack.folder / file["source"]["path"]
        path = folder / REGIONAL / name
        packs = file["source"]["packaging"] == "zip"
        path.write_bytes(zipped(source, SMALL) if packs else source.read_bytes())
        yield Asset(file["displayName"], path, _packages(source))


def _packages(source: Path) -> dict[str, int]:
    """Return the bytes of each package in a folder, the largest first."""
    if source.is_file():
        return {source.name: source.stat().st_size}
    sizes: Counter[str] = Counter()
    for file in source.rglob("*"):
        if file.is_file():
            sizes[_package(file.relative_to(source))] += file.stat().st_size
    return dict(sizes.most_common())


def _package(file: PurePath) -> str:
    parts = file.parts[1:] if file.parts[0] == "python" else file.parts
    if parts[0].endswith(".dist-info"):
        return METADATA
    return "/".join(parts[:-1][:2]) if parts[0] == "mpe" else parts[0]
