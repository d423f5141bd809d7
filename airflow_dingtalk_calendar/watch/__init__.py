"""Waiting for an event, and reacting to changes of a calendar."""
