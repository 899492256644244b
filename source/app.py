#!/usr/bin/env python3
"""The CDK app: `cdk synth` and `cdk deploy` begin here."""

from aws_cdk import App

from mpe.infrastructure.stack import FEATURE_FLAGS, PersonalizedExperiences

app = App(context=FEATURE_FLAGS)
PersonalizedExperiences(
    app,
    app.node.try_get_context("stack") or "PersonalizedExperiences",
    description="Maintaining Personalized Experiences: operations for Amazon Personalize",
)
app.synth()
