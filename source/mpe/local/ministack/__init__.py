"""MiniStack, and all that is made good where it differs from AWS: one module per service.

Each leans on internals that MiniStack does not promise, so its version is pinned
(:mod:`~mpe.local.ministack.process`). A module lists its ``DIFFERENCES``, each with AWS's page
and with the test that fails once MiniStack alone does as AWS, for it is run with MiniStack
alone. ``tests/local/ministack`` has these, and one of each that is made good.
"""
