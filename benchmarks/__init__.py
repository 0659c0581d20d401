"""Measurements that are run by hand: `python -m benchmarks.NAME`. Nothing of this is part of the package."""
