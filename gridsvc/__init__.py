"""The domain and its database: one package a feature, on settings, errors, db and embedded."""
