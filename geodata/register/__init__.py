"""Registers of households and lists of members as offices keep them, matched to stairwells."""

from geodata.register.matching import Matches, household_counts, match_households
from geodata.register.reading import Register, read_register

__all__ = ["Matches", "Register", "household_counts", "match_households", "read_register"]
