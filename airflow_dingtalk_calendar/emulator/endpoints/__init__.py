"""The calls of the calendar."""
