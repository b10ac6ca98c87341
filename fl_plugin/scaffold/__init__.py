"""A new mesh, and a new domain, product or study of one, from templates."""
