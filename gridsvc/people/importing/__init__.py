"""Lists of members brought in: looked at, told, and written when somebody says so."""
