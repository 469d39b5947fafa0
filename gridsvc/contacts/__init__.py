"""Contacts: who looks after which stairwell."""
