"""The pure heart: no boto3, no CDK, no clock, no I/O."""
