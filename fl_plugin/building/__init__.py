"""Builds the mesh: every domain by itself, then what only reads them."""
