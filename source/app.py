#!/usr/bin/env python3
"""The CDK app: `cdk synth` and `cdk deploy` begin here, and so does a release.

The CDK's own validation of templates takes nearly as long as all else. `make synth` has it, beside
what else is held against the template; `CDK_VALIDATION=true cdk synth` has it as well.
"""

import os

os.environ.setdefault("CDK_VALIDATION", "false")  # before Node.js is started

from aws_cdk import App

from mpe.infrastructure.released import CONTEXT, Released
from mpe.infrastructure.stack import FEATURE_FLAGS, PersonalizedExperiences
from mpe.infrastructure.synthesizer import synthesizer

DESCRIPTION = "Maintaining Personalized Experiences: operations for Amazon Personalize"

app = App(context=FEATURE_FLAGS)
released = Released.of(app.node.try_get_context(CONTEXT))
PersonalizedExperiences(
    app,
    app.node.try_get_context("stack") or "PersonalizedExperiences",
    description=f"{DESCRIPTION} ({released.version})" if released else DESCRIPTION,
    synthesizer=synthesizer(released),
)
app.synth()
