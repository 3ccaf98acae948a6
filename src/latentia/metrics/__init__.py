"""Arrays in, numbers out; every number is defined in `latentia.metrics.definitions`."""
