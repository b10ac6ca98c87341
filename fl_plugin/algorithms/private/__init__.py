"""What differential privacy asks of an algorithm, and Newton's method on noisy sums."""
