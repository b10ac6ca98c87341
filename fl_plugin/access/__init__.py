"""Access to products: ask a domain, decide, end it, and check what was decided."""
