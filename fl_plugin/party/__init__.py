"""A domain's own process: decides by its own policy, reads its own table, answers."""
