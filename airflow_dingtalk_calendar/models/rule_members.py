"""Which members each type of DingTalk's recurrence rule has, beside those that all have.

From the official page of PatchEvent; that ``absoluteYearly`` takes ``dayOfMonth`` is from DingTalk's command-line tool.
"""

from __future__ import annotations

# Of a pattern, beside type, interval and firstDayOfWeek: what its type needs, and what it may have.
PATTERN_MEMBERS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "daily": (frozenset(), frozenset()),
    "weekly": (frozenset({"daysOfWeek"}), frozenset({"daysOfWeek"})),
    "absoluteMonthly": (frozenset({"dayOfMonth"}), frozenset({"dayOfMonth"})),
    "relativeMonthly": (frozenset({"daysOfWeek", "index"}), frozenset({"daysOfWeek", "index"})),
    "absoluteYearly": (frozenset(), frozenset({"dayOfMonth"})),
}
# Of a range, beside its type: what it needs.
RANGE_MEMBERS: dict[str, frozenset[str]] = {
    "noEnd": frozenset(),
    "endDate": frozenset({"endDate"}),
    "numbered": frozenset({"numberOfOccurrences"}),
}


def used_members(pattern_type: str, range_type: str) -> dict[str, frozenset[str]]:
    """Name the members that a rule of these types uses, for both of its parts."""
    _, of_pattern = PATTERN_MEMBERS.get(pattern_type, (frozenset(), frozenset()))
    return {
        "pattern": frozenset({"type", "interval", "firstDayOfWeek"}) | of_pattern,
        "range": frozenset({"type"}) | RANGE_MEMBERS.get(range_type, frozenset()),
    }
