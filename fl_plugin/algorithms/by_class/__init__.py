"""Rows by their class: sums of each, and weights that even them out."""
