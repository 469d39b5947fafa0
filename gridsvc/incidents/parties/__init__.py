"""Parties without an account, and the signed links by which they answer."""
