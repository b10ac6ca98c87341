"""What people read about a run: an HTML page and a model card."""
