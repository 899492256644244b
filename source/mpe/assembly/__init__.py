"""The cloud assembly: what synthesis of the CDK app writes, read back."""
