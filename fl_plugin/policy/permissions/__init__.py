"""Who holds which verb on what: delegated permissions, by name or by tag."""
