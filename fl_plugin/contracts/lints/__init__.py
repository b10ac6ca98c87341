"""What lint looks at, one check in each file; a new check is a new file."""
