#!/usr/bin/env python3
"""Writes data/holidays.txt from the Python package `holidays` (MIT), the best kept set of public holidays there is.

    python3 -m venv /tmp/holidays && /tmp/holidays/bin/pip install holidays
    /tmp/holidays/bin/python crates/holidays/generate.py > crates/holidays/data/holidays.txt

A line without a blank in front names a country (ISO 3166-1) or a region of it (`DE-BY`, ISO 3166-2); the lines below are its
holidays: those of the region beside the country's, and with `-` in front those of the country that the region does not have.
`rule=name`, the rule being one of
    12-25        this day of each year            E-2, O+1     days from Easter, western or orthodox
    05/-1/1      the last Monday of May (1..5 from the start, -1 the last; Monday is 1)
    2026-03-20,2027-03-10                         these days
and `2021..2030:` in front of a rule says in which years alone it holds.
"""

import sys
import warnings
from collections import defaultdict
from datetime import timedelta

import holidays
from dateutil.easter import EASTER_ORTHODOX, EASTER_WESTERN, easter

FIRST, LAST = 2024, 2042
YEARS = range(FIRST, LAST + 1)


def days(country, region=None):
    """All (date, name) of a country or region; names in English where the package has them."""
    known = holidays.country_holidays(country, subdiv=region)
    language = next((one for one in ("en_US", "en_GB") if one in known.supported_languages), None)
    known = holidays.country_holidays(country, subdiv=region, years=YEARS, language=language)
    # The package says so of days that follow the moon; the documentation does.
    clean = lambda name: name.replace(" (estimated)", "").replace("=", "-").strip()
    return {(day, clean(name)) for day in known if FIRST <= day.year <= LAST for name in known.get_list(day)}


def nth(day):
    """Which weekday of its month a day is, counted from the start and, if it is the last, from the end."""
    yield f"{day.month:02}/{(day.day - 1) // 7 + 1}/{day.isoweekday()}"
    if (day + timedelta(days=7)).month != day.month:
        yield f"{day.month:02}/-1/{day.isoweekday()}"


def candidates(day):
    """The rules that give a day in its year."""
    yield f"{day.month:02}-{day.day:02}"
    yield f"E{(day - easter(day.year, EASTER_WESTERN)).days:+}"
    yield f"O{(day - easter(day.year, EASTER_ORTHODOX)).days:+}"
    yield from nth(day)


def rules(found):
    """The rules that give the days of a name: one where it is one day of each year, else the days themselves."""
    years = sorted(day.year for day in found)
    span = list(range(years[0], years[-1] + 1))
    if years == span and len(span) > 2:
        common = set.intersection(*(set(candidates(day)) for day in found))
        if common:
            prefix = "" if (span[0], span[-1]) == (FIRST, LAST) else f"{span[0]}..{span[-1]}:"
            return prefix + min(common, key=lambda rule: ("/" in rule, rule[0] in "EO", rule))
    return ",".join(sorted(str(day) for day in found))


def lines(found, sign=""):
    by_name = defaultdict(set)
    for day, name in found:
        by_name[name].add(day)
    return sorted(f" {sign}{rules(dates)}={name}" for name, dates in by_name.items())


def main():
    warnings.simplefilter("ignore")
    print(f"# Public holidays from {FIRST} to {LAST}, written by generate.py from holidays {holidays.__version__} (MIT licence).")
    for country, regions in sorted(holidays.list_supported_countries(include_aliases=False).items()):
        base = days(country)
        if not base:
            continue
        print(country, *lines(base), sep="\n")
        for region in sorted(regions):
            here = days(country, region)
            print(f"{country}-{region}", *lines(here - base), *lines(base - here, "-"), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
