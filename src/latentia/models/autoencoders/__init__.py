"""Autoencoders, with and without a density."""
