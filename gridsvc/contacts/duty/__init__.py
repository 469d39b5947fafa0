"""Contacts in force: who is on duty for a stairwell on a day, since when, and where nobody is."""
