"""Which rows of different domains are the same: private matching of their keys."""
