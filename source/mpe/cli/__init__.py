"""The ``mpe`` command."""
