"""What everybody may know of incidents: of public categories, by compound, without words."""
