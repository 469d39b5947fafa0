"""Taking up an invitation, and choosing another password."""
