"""The one loop that trains every net, and all that a training leaves."""
