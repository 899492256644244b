"""What can go wrong with the local cloud, each told in a line or two."""

from __future__ import annotations

from mpe.model.errors import ToldError


class LocalCloudError(ToldError):
    """The local cloud could not do what was asked; the message says what to do."""


class PortInUseError(LocalCloudError):
    """Something else listens on the port."""


class ServerDiedError(LocalCloudError):
    """The server ended by itself; the message has the last lines of its log."""


class DeployError(LocalCloudError):
    """The stack could not be synthesized or created."""
