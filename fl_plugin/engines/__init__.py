"""One file per way to run the parties; each is a coordinator's transport."""
