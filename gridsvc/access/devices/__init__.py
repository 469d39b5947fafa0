"""Phones that stay signed in, and the list of everything that is signed in."""
