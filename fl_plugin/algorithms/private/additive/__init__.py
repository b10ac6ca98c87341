"""Additive models of one and two features, boosted on noisy histograms."""
