"""Synthesize the app with cdk-nag's AwsSolutions rules and the CDK's own validation on.

Any finding of either is a failure.

python -m tests.synth [FOLDER]
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.pop("CDK_VALIDATION", None)  # Node.js is started without it, so that all is on

from aws_cdk import App, Stack, Validations
from cdk_nag import AwsSolutionsChecks

from mpe.infrastructure.stack import FEATURE_FLAGS, PersonalizedExperiences


def synthesize(folder: Path) -> list[str]:
    """Write the cloud assembly to a folder and return what the rules found."""
    return checked(folder, lambda app: PersonalizedExperiences(app, "PersonalizedExperiences"))


def checked(folder: Path, make: Callable[[App], Stack]) -> list[str]:
    """Write the cloud assembly of any stack, and return what the rules found."""
    app = App(context=FEATURE_FLAGS, outdir=str(folder))
    make(app)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        app.synth()
    except RuntimeError as error:
        if not (folder / "validation-report.json").exists():
            raise
        print(str(error).splitlines()[0], file=sys.stderr)
    return list(_findings(folder / "validation-report.json"))


def _findings(report: Path) -> Iterator[str]:
    for plugin in json.loads(report.read_text()).get("pluginReports", ()):
        for violation in plugin.get("violations", ()):
            for construct in violation.get("violatingConstructs", ()):
                place = construct.get("constructPath", "")
                yield f"{violation['ruleName']} at {place}: {violation.get('description', '')}"


if __name__ == "__main__":
    found = synthesize(Path(sys.argv[1] if len(sys.argv) > 1 else "build/cdk.out"))
    print("\n".join(found) or "cdk-nag and the CDK's validation: nothing found")
    sys.exit(bool(found))
