"""Everything that is stored encrypted, and its rotation to a new key."""
