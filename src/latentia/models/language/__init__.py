"""Models of sequences of symbols: recurrent nets, n-grams, and what gradients do over time."""
