"""Boosted trees whose columns lie in several domains, labels in one."""
