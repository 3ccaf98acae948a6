"""Generative adversarial networks: an implicit density, learnt through a game."""
