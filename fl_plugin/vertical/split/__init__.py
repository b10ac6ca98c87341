"""A network cut in parts: every domain's bottom, the middle, the labels' end."""
