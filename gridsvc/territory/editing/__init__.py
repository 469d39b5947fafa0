"""Grids that change: redrawn, split, merged or ended; what they were and what became of them."""
