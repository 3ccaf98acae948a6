"""One yardstick for every model, and one report."""
