"""`fl` whose domains draw the same in every run: `-m tests.faults.seeded node`."""

import sys

from fl_plugin.cli.main import main
from tests.faults.crashing import fixed_secrets

if __name__ == "__main__":
    with fixed_secrets():
        sys.exit(main())
