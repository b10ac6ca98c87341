"""The kinds of change, one family in each file; a new family is a new file."""
