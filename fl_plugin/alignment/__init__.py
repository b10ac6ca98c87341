"""Which rows of different domains are the same: private matching of their keys.

A domain makes `keys.normalise` of its key columns and a `party.MatchingParty` of them;
the coordinator drives `coordinator.matching`. docs/matching.md has the protocol.
"""
