"""MiniStack's version, and what its process knows."""

from __future__ import annotations

import importlib.metadata

import pytest

from mpe.local.cloud import LocalCloud
from mpe.local.ministack import process

pytestmark = pytest.mark.local


def test_the_version_that_is_pinned_is_installed() -> None:
    assert importlib.metadata.version("ministack") == process.VERSION
    process.check_version()


def test_functions_know_how_fast_the_time_passes_and_nothing_of_the_users_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    another = LocalCloud(speed=50)
    environment = another._server_environment()
    another.stop()
    assert environment["MPE_TIME_SCALE"] == "50"
    assert environment["SFN_WAIT_SCALE"] == "0.02"
    assert "AWS_PROFILE" not in environment
    assert environment["BIND_HOST"] == "127.0.0.1"
