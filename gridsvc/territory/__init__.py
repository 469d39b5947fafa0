"""Sub-district, communities, compounds, buildings, stairwells and walkways."""
