"""Stands for a run of a data mesh; holds no code of it."""
