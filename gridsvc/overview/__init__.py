"""Reads across features: results, coverage, cards; owns no table."""
