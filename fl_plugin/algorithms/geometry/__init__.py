"""Points among the rows, how far rows can lie from them, symmetric matrices."""
