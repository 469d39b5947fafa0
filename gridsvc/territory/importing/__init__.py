"""Territory from files: staged, looked at, applied whole or not at all."""
