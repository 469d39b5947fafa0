"""One person across all features: found, exported, erased."""
