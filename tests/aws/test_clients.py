"""The clients of a process: how patient each is, and that each is made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mpe.aws import clients


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have a process that has made none yet."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    made = (clients.client, clients.tables, clients.table)
    for one in made:
        one.cache_clear()
    yield
    for one in made:
        one.cache_clear()


@pytest.mark.parametrize(
    ("service", "tries", "seconds"),
    [("s3", 4, 10), ("personalize", 3, 20), ("events", 3, 5), ("personalize-runtime", 2, 5)],
)
def test_a_client_is_as_patient_as_its_service_needs(
    service: str, tries: int, seconds: int
) -> None:
    made = clients.client(service).meta.config
    assert made.retries == {"mode": "standard", "total_max_attempts": tries}
    assert (made.connect_timeout, made.read_timeout, made.user_agent_appid) == (5, seconds, "mpe")
    assert clients.client(service) is clients.client(service)


def test_tables_are_asked_as_patiently_as_most() -> None:
    made = clients.table("turns").meta.client.meta.config
    assert made.retries == {"mode": "standard", "total_max_attempts": 4}
    assert (made.connect_timeout, made.read_timeout) == (5, 10)
    assert (clients.table("turns").name, clients.table("tasks").name) == ("turns", "tasks")


def test_in_lambda_clients_are_made_before_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clients.made_in_init("s3", "dynamodb")
    made = (clients.client, clients.tables)
    assert [one.cache_info().currsize for one in made] == [0, 0]
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "films-begin")
    clients.made_in_init("s3", "dynamodb", "events")
    assert [one.cache_info().currsize for one in made] == [2, 1]
    clients.client("s3")
    clients.client("events")
    assert clients.client.cache_info().misses == 2
