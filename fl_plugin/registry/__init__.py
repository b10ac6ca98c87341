"""Versioned model folders: written once, whole, and checked before they are read."""
