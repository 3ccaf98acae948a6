"""The command line, one file a command: words in, one call of the library, sentences out."""

from latentia.cli.main import main

__all__ = ["main"]
