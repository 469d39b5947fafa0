"""The inner parts of the contact solver: arrays in, arrays out, inner loops compiled."""
