"""Releases: a plain template and its assets in S3, for accounts without the CDK."""
