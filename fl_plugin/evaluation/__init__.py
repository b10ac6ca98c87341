"""Evaluation from sums: what a party hands over, and the metrics of the total."""
