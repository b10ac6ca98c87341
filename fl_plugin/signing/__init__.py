"""Ed25519 keys of people and domains, and what they have put their name to."""
