"""Sessions of roles."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mpe.local.ministack import sts as our_sts

pytestmark = pytest.mark.local


class Meanwhile(dict[str, dict[str, Any]]):
    """Sessions of which another thread makes one while they are gone through first."""

    other: threading.Thread | None = None
    patience: float | None = None
    """Seconds given to the other thread; None until it has made its session."""

    def items(self) -> Any:
        from ministack.services import sts

        for one in super().items():
            if self.other is None:
                self.other = threading.Thread(target=sts.register_session, args=("another", {}))
                self.other.start()
                self.other.join(self.patience)
            yield one


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Meanwhile]:
    from ministack.services import sts

    sessions = Meanwhile({"a": {}, "b": {}})
    monkeypatch.setattr(sts, "register_session", sts.register_session)
    monkeypatch.setattr(sts, "_sessions", sessions)
    yield sessions
    if sessions.other is not None:
        sessions.other.join()


def test_two_sessions_can_be_made_at_once(sessions: Meanwhile) -> None:
    from ministack.services import sts

    sessions.patience = 0.5  # where sessions are made one by one, the other must wait
    our_sts.guard_sessions()
    sts.register_session("one", {})
    assert sessions.other is not None
    sessions.other.join()
    assert {"one", "another"} <= sessions.keys()


@pytest.mark.usefixtures("sessions")
def test_alone_two_sessions_at_once_are_an_error() -> None:
    from ministack.services import sts

    with pytest.raises(RuntimeError, match="changed size during iteration"):
        sts.register_session("one", {})


def test_a_session_lasts_while_half_of_it_is_left_and_it_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ministack.services import sts

    sessions: dict[str, dict[str, Any]] = {}
    monkeypatch.setattr(sts, "_sessions", sessions)
    made = our_sts.session_of("arn:aws:iam::000000000000:role/one", "000000000000")
    key = made["aws_access_key_id"]
    assert our_sts.lasts(key)
    assert not our_sts.lasts("another")
    sessions[key]["Expiration"] -= our_sts.SESSION_SECONDS / 2
    assert not our_sts.lasts(key)
    sessions.clear()
    assert not our_sts.lasts(key)
