"""Long work outside the request: what was asked for, how far it is, and who runs it."""
