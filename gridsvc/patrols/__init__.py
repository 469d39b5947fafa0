"""Patrols: which team walks where, and when."""
