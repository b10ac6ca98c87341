"""`fl` as another user of the system: `-m tests.faults.as_user 54321 train made`.

All is imported first: the interpreter may lie where only the first user gets to.
"""

import encodings.cp437
import encodings.unicode_escape  # noqa: F401 what templates are read with
import os
import sys

import tests.faults.imported  # noqa: F401
from fl_plugin.cli.main import main


def become(user: int) -> None:
    """Give up all that this process may do beside what that user may."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


if __name__ == "__main__":
    become(int(sys.argv.pop(1)))
    sys.exit(main())
