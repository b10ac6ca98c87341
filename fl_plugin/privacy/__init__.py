"""What wraps an algorithm's sums on their way out: exact integers, and masks."""
