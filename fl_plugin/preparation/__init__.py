"""From raw columns to a design matrix, fitted on training rows of all parties.

Pure functions over arrays: what a party computes, what the coordinator makes of sums.
"""
