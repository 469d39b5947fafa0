"""Categories, incidents, where they fell, and the heat cells that count them."""
