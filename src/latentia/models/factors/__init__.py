"""Factor analysis, from the moments of a table to the printed summary."""
