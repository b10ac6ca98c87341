"""Generalised linear models whose columns lie in several domains, labels in one."""
