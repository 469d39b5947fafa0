"""Schema changes; each file does one thing and names its way back."""
