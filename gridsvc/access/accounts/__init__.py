"""Making, changing and disabling accounts, as administrators do; each of them by invitation."""
