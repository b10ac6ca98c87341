"""What contracts promise, what a change of one means, and who must look at it."""
