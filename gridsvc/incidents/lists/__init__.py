"""Work lists: what is mine, overdue, unassigned, unverified; and handing over many at once."""
