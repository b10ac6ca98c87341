"""The command line, one file per verb: parse, one library call, print."""
