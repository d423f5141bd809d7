"""Benchmarks: ratios measured side by side in one run, on loopback.

Each part is a module with a ``measure()``; ``python -m benchmarks.<part>`` runs one of them, ``make bench`` all.
``benchmarks.structure`` measures the package's source instead; what it shares with the tests loads no Airflow.
"""
