"""The adapters: the only place that imports boto3."""
