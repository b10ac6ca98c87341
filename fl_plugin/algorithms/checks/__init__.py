"""Checks of what a study and a message say: options and arrays."""
