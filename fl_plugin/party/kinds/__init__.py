"""One file per kind of work a party does on its open rows, found by its `name`."""
