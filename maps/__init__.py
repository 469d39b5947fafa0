"""Frames in, folium pages out: coverage, heat and routes, with every script served by ourselves."""
