"""What the project costs and how fast it is, measured: ``python -m benchmarks.run``."""
