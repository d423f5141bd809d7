"""What may have been meant by a name that is no zone: suggested only where it is sure to be right.

An offset (``UTC-8``) is no place, and most have several, so it gets a zone only where nearly everybody with this offset
keeps it all year. Windows has names of its own; their zones are CLDR's, from tzlocal's table.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches

# Parts of the world in the tz database. Its other names are old ones, or offsets.
_TZ_AREAS = (
    *("africa", "america", "antarctica", "arctic", "asia"),
    *("atlantic", "australia", "europe", "indian", "pacific"),
)
_OFFSET_FORM = re.compile(r"\(?(?:utc|gmt|z)?\s*([+-])\s*(\d{1,2})(?::?([0-5]\d))?(?::00)?(?:\).*)?", re.IGNORECASE)
_SIGN_TRAP_FORM = re.compile(r"(etc/.*|[a-z]{1,5}\s*)[+-]\s*\d.*", re.IGNORECASE)
_ZONES_BY_OFFSET = {
    **dict.fromkeys(("+0:00", "-0:00"), "UTC"),
    "-3:00": "America/Sao_Paulo",
    "+3:00": "Asia/Riyadh",
    "+3:30": "Asia/Tehran",
    "+4:00": "Asia/Dubai",
    "+4:30": "Asia/Kabul",
    "+5:00": "Asia/Karachi",
    "+5:30": "Asia/Kolkata",
    "+5:45": "Asia/Kathmandu",
    "+6:00": "Asia/Dhaka",
    "+6:30": "Asia/Yangon",
    "+7:00": "Asia/Bangkok",
    "+8:00": "Asia/Shanghai",
    "+9:00": "Asia/Tokyo",
}
# Cities and countries that the tz database names after another city.
_ZONES_BY_OTHER_CITY = {
    **dict.fromkeys(("beijing", "peking", "china", "shenzhen", "guangzhou", "hangzhou", "chengdu"), "Asia/Shanghai"),
    **dict.fromkeys(
        ("india", "delhi", "newdelhi", "mumbai", "bombay", "bangalore", "bengaluru", "chennai", "hyderabad"),
        "Asia/Kolkata",
    ),
    **dict.fromkeys(("osaka", "kyoto"), "Asia/Tokyo"),
    **dict.fromkeys(("hanoi", "saigon"), "Asia/Ho_Chi_Minh"),
    **dict.fromkeys(("abudhabi", "sharjah"), "Asia/Dubai"),
    **dict.fromkeys(("islamabad", "lahore"), "Asia/Karachi"),
    **dict.fromkeys(("frankfurt", "munich", "hamburg", "cologne"), "Europe/Berlin"),
    **dict.fromkeys(("barcelona",), "Europe/Madrid"),
    **dict.fromkeys(("milan",), "Europe/Rome"),
    **dict.fromkeys(("geneva", "bern"), "Europe/Zurich"),
    **dict.fromkeys(("edinburgh", "manchester"), "Europe/London"),
    **dict.fromkeys(("boston", "washington", "miami", "atlanta", "philadelphia"), "America/New_York"),
    **dict.fromkeys(("houston", "dallas", "austin"), "America/Chicago"),
    **dict.fromkeys(("sanfrancisco", "seattle", "sandiego", "lasvegas", "portland"), "America/Los_Angeles"),
    **dict.fromkeys(("ottawa", "montreal"), "America/Toronto"),
    **dict.fromkeys(("brasilia", "riodejaneiro"), "America/Sao_Paulo"),
    **dict.fromkeys(("canberra",), "Australia/Sydney"),
    **dict.fromkeys(("wellington",), "Pacific/Auckland"),
    # DingTalk's home; an American who means Chicago reads what is suggested.
    "cst": "Asia/Shanghai",
}


def explain_unknown_zone(name: str, known: Collection[str]) -> str:
    """Say why a name is no zone, as the end of a sentence, and which of the known ones was meant where that is sure."""
    short = name[:60].replace("\N{MINUS SIGN}", "-")
    if offset := _OFFSET_FORM.fullmatch(short):
        zone = _ZONES_BY_OFFSET.get(f"{offset[1]}{int(offset[2])}:{offset[3] or '00'}")
        return f": it is an offset from UTC, not a place{_suggestion(zone, 'Region/City')}"
    if _SIGN_TRAP_FORM.fullmatch(short):
        return ": it is an offset from UTC, whose sign is ambiguous, not a place; names look like Region/City"
    return _suggestion(_zone_of_windows_name(short.lower()) or _zone_of_place(short, known))


def _suggestion(zone: str | None, form: str = "Asia/Shanghai") -> str:
    return f"; did you mean {zone}?" if zone else f"; names look like {form}"


def _zone_of_place(name: str, known: Collection[str]) -> str | None:
    area, _, _ = name.lower().partition("/")
    city = _fold(re.split(r"[/\\]", name)[-1])
    whole = {_fold(zone): zone for zone in known if not zone.startswith("Etc/")}
    cities = {
        **{_fold(zone.split("/")[-1]): zone for zone in whole.values() if zone.split("/")[0].lower() in _TZ_AREAS},
        **_ZONES_BY_OTHER_CITY,
    }
    found = whole.get(_fold(name)) or cities.get(city)
    if found or len(city) < 5 or ("/" in name and area not in _TZ_AREAS):
        return found  # short names are abbreviations, of several zones mostly
    there = {key: zone for key, zone in cities.items() if "/" not in name or zone.lower().startswith(f"{area}/")}
    near = {there[key] for key in get_close_matches(city, there, n=3, cutoff=0.8)}
    return near.pop() if len(near) == 1 else None


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _zone_of_windows_name(name: str) -> str | None:
    """Look up a name of Windows, which people shorten to its first words ("Eastern")."""
    zones = _windows_zones()
    return zones.get(name) or zones.get(f"{name} standard time")


def _windows_zones() -> dict[str, str]:
    try:
        from tzlocal.windows_tz import win_tz
    except ImportError:  # an installation without dependencies
        return {}
    return {name.lower(): zone for name, zone in win_tz.items()}
