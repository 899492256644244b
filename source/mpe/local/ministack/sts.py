"""Sessions of roles."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any

from mpe.local.ministack.difference import Difference

SESSION_SECONDS = 3600


def guard_sessions() -> None:
    """Let sessions be made one at a time: MiniStack looks through all of them for each."""
    from ministack.services import sts

    register, alone = sts.register_session, threading.Lock()

    def registered(key: str, session: dict[str, Any]) -> None:
        with alone:
            register(key, session)

    sts.register_session = registered


def session_of(role_arn: str, account: str) -> dict[str, str]:
    """Return a client's credentials: those of a new session of a role."""
    from ministack.services import sts

    name = role_arn.rsplit("/", 1)[-1]
    key, secret, token = (secrets.token_hex(size) for size in (8, 20, 20))
    key = f"ASIA{key.upper()}"
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/personalize",
        "UserId": f"{name}:personalize",
        "SecretAccessKey": secret,
        "SessionToken": token,
        "Expiration": time.time() + SESSION_SECONDS,
    }
    sts.register_session(key, session)
    return {
        "aws_access_key_id": key,
        "aws_secret_access_key": secret,
        "aws_session_token": token,
    }


def lasts(key: str) -> bool:
    """Tell whether a session has more than half of its time left, by its access key."""
    from ministack.services import sts

    session = sts._sessions.get(key)
    return session is not None and session["Expiration"] - time.time() > SESSION_SECONDS / 2


DIFFERENCES = (
    Difference(
        aws="many sessions can be made at the same time",
        alone="a session that another thread makes meanwhile ends the call with an error",
        page="https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html",
        test="test_sts.py::test_alone_two_sessions_at_once_are_an_error",
        make_good=lambda start: guard_sessions(),
    ),
)
