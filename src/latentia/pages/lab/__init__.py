"""The laboratory of games: a page in which generators and their judges learn before one's eyes."""
