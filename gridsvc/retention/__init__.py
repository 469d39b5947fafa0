"""What is kept for how long; persons across all features: found, exported, erased; their ciphers.

It stands on top like `gridsvc.overview`: it knows every table and owns none.
"""
