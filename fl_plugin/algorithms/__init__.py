"""Federated algorithms, one file each: a pair of pure functions over arrays."""
