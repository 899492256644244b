"""MiniStack's own process: which version it must be, and the settings that it reads."""

from __future__ import annotations

import importlib.metadata

from mpe.model.errors import ToldError

VERSION = "1.5.33"


class VersionError(ToldError):
    """Another version of MiniStack is installed than the one this was made for."""


def check_version() -> None:
    """Refuse any other version of MiniStack: this module rests on its internals."""
    try:
        found = f"MiniStack {importlib.metadata.version('ministack')}"
    except importlib.metadata.PackageNotFoundError:
        found = "no MiniStack"
    if found != f"MiniStack {VERSION}":
        raise VersionError(
            f"{found} is installed, but the local cloud is made for {VERSION}: "
            f"pip install ministack=={VERSION}"
        )


def environment(port: int, speed: float) -> dict[str, str]:
    """Return the environment that MiniStack reads, for its own process alone."""
    return {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",  # these two would listen on ports of their own
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": "INFO",
        "MINISTACK_REGION": "us-east-1",
        "SFN_WAIT_SCALE": repr(1 / speed),
        "MPE_TIME_SCALE": repr(speed),
    }
