"""The trail of who changed or revealed what."""
