"""Accounts, the territory each may see, sessions, idempotency keys and the audit trail."""
