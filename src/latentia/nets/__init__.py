"""Modules that know no loss."""
