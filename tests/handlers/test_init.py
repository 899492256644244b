"""What a function does before its first call: its clients are made while Lambda starts it."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

HANDLERS = {
    path.stem: path.read_text()
    for path in (ROOT / "source" / "mpe" / "handlers").glob("*.py")
    if "client(" in path.read_text() or "table(" in path.read_text()
}


@pytest.mark.parametrize("handler", HANDLERS)
def test_every_client_that_a_call_asks_for_is_made_before(handler: str) -> None:
    text = HANDLERS[handler]
    asked = set(re.findall(r'\bclient\("([a-z0-9-]+)"\)', text))
    asked |= {"dynamodb"} if "table(" in text else set()
    (made,) = re.findall(r"^made_in_init\((.*)\)$", text, re.MULTILINE)
    assert set(re.findall(r'"([a-z0-9-]+)"', made)) == asked


@pytest.mark.parametrize(("name", "clients"), [("films-begin", 3), ("", 0)])
def test_only_lambda_has_clients_made_as_it_starts_a_function(name: str, clients: int) -> None:
    program = (
        "import mpe.handlers.begin\nfrom mpe.aws.clients import client, tables\n"
        "print(client.cache_info().currsize + tables.cache_info().currsize)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={
            "AWS_DEFAULT_REGION": "us-east-1",
            "PYTHONPATH": str(ROOT / "source"),
            **({"AWS_LAMBDA_FUNCTION_NAME": name} if name else {}),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) == clients
