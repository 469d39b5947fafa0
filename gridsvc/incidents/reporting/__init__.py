"""Reports of residents: what, where, how they are followed, and what is near already."""
