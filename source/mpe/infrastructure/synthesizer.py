"""How the template finds its assets."""

from __future__ import annotations

from aws_cdk import DefaultStackSynthesizer

from mpe.infrastructure.released import Released


def synthesizer(released: Released | None) -> DefaultStackSynthesizer | None:
    """Return what refers to a release's own buckets; None for those of ``cdk bootstrap``.

    A template with it needs no bootstrap, so that CloudFormation alone creates the stack:
    https://docs.aws.amazon.com/cdk/v2/guide/customize-synth.html
    """
    if released is None:
        return None
    return DefaultStackSynthesizer(
        file_assets_bucket_name=released.assets_bucket,
        bucket_prefix=released.prefix,
        generate_bootstrap_version_rule=False,
    )
