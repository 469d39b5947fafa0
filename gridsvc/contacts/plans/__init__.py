"""Contact plans: proposed, reviewed line by line by a person, and applied in one transaction."""
