"""Tables and paragraphs as a journal prints them, by the style of the APA (7th edition, 2020)."""
