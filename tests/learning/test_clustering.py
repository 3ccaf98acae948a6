"""Measured bars of deep clustering on full MNIST; needs its files in the cache (LATENTIA_DATA)."""
