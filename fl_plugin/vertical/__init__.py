"""Algorithms over the same rows whose columns lie in different domains."""
