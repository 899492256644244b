"""The campaign of whole lives at work: a few cases of it, of which ``make faults`` tries all."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mpe.assembly.synthesis import Assembly
from tests.conftest import ROOT

pytestmark = pytest.mark.local
KINDS = ("function timed out", "access denied")
CASES = 1


def test_lives_end_as_a_clean_one_or_tell_why_not(assembly: Assembly) -> None:
    kinds = [word for kind in KINDS for word in ("--kind", kind)]
    drawn = ["--sample", str(CASES), "--seed", "1", "--assembly", str(assembly.folder)]
    command = [sys.executable, "-m", "tests.faults.campaign", *kinds, *drawn]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()
    for kind in KINDS:
        found = [line for line in lines if line.startswith(f"{kind} | ")]
        assert len(found) == CASES
        assert any(line.endswith("same") for line in found), found
