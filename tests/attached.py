"""An emulated service in the place of moto, which has little of Amazon Personalize."""

from __future__ import annotations

from typing import Any

from moto.core.models import botocore_stubber

from mpe.emulator.service import Personalize


def attach(service: Personalize, client: Any) -> None:
    """Let the emulated service answer a client that moto would answer."""
    client.meta.events.unregister("before-send", botocore_stubber)
    service.attach(client)
