"""Measures products, publishes what gives nobody away, keeps the rest in the ledger."""
