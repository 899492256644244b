"""The template, synthesized once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.synth import synthesize

Template = dict[str, Any]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("synth")


@pytest.fixture(scope="session")
def found(folder: Path) -> list[str]:
    """What cdk-nag found."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPE_PACKAGE_TARGET", "local")
        return synthesize(folder)


@pytest.fixture(scope="session")
def template(folder: Path, found: list[str]) -> Template:
    text = (folder / "PersonalizedExperiences.template.json").read_text()
    loaded: Template = json.loads(text)
    return loaded
