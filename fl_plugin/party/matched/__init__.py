"""A party's half of a vertical run: matched rows, prepared columns, parts of models."""
