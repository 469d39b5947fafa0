"""Tests of notices: real servers on loopback, a real database, nothing of ours replaced."""
