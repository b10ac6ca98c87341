"""What algorithms of several families share: checks, points, classes."""
