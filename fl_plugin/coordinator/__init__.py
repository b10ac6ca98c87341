"""The consumer's side of a run: rounds, sums, stopping. It never sees a row."""
