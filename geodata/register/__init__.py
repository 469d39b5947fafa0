"""Household registers as offices keep them: read from Excel, matched to stairwells."""

from geodata.register.matching import Matches, household_counts, match_households
from geodata.register.reading import Register, read_register

__all__ = ["Matches", "Register", "household_counts", "match_households", "read_register"]
