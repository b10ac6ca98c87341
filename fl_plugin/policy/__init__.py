"""A domain's ten-step answer to a request, one rule per file, deny by default."""
