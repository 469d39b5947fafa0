"""Slowing down whoever tries too often; shared by all workers, because it is in the database."""
