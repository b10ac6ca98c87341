"""Linear discriminant analysis for a data mesh; see `algorithm`."""
