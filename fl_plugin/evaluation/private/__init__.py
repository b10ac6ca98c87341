"""Judging a model under differential privacy: bounded sums, released with noise."""
