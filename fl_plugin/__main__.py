"""`python -m fl_plugin`, the same program as `fl`."""

import sys

from fl_plugin.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
