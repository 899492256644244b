"""A release built once, and apps that are written in a moment."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mpe.infrastructure.released import Released
from mpe.release.build import Build, build
from tests.conftest import ROOT

RELEASED = Released("films", "personalize", "v1.2.3")
APP = ROOT / "source" / "app.py"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The real app's release, with a layer for this machine."""
    return build(RELEASED, APP, tmp_path_factory.mktemp("release"), target="local")


WRITER = """\
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
for name, text in {files!r}.items():
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_text(text)
"""


@pytest.fixture
def app(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of apps that write a cloud assembly of one stack with one asset."""

    def make(
        template: str = "{}",
        bucket: str = RELEASED.assets_bucket,
        key: str = "personalize/v1.2.3/f.zip",
    ) -> Path:
        stack = {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": "Films.template.json"},
        }
        asset: dict[str, Any] = {
            "displayName": "Code",
            "source": {"path": "asset.f", "packaging": "zip"},
            "destinations": {"here": {"bucketName": bucket, "objectKey": key}},
        }
        files = {
            "manifest.json": json.dumps({"artifacts": {"Films": stack}}),
            "Films.template.json": template,
            "Films.assets.json": json.dumps({"files": {"f": asset}}),
            "asset.f/mpe/a.py": "a = 1\n",
        }
        path = tmp_path / "app.py"
        path.write_text(WRITER.format(files=files))
        return path

    return make
