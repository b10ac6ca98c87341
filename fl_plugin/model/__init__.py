"""The fitted model as a scikit-learn pipeline: built from sums, kept without pickle."""
