"""How many, how soon answered, how soon solved, and by whom."""
