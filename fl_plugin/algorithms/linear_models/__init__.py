"""Linear models: Newton on summed derivatives, least squares from summed products."""
