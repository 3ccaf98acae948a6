"""Figures and picture grids; nothing here touches matplotlib's global state."""
