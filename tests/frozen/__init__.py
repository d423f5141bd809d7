"""What users and Airflow's database rely on, frozen as data: a change of it fails a test, and so is never silent.

Each collector returns JSON; ``data/`` holds what it returned last. ``python -m tests.frozen`` writes it anew.
"""
