"""One rule per file; found by `fl_plugin.discovery`, run in the order of steps."""
