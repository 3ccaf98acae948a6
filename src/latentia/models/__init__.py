"""The models, one page each, and the verbs that they share."""
