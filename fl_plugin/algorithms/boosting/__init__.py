"""Histogram trees whose histograms are sums over parties: boosting and forests."""
