"""Autoencoders whose codes fall into clusters."""
