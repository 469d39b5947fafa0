"""Pages for browsers: Jinja templates round folium maps."""
