"""``python -m autoctrl.cli`` is the command ``autoctrl``."""

import sys

from autoctrl.cli import main

if __name__ == "__main__":
    sys.exit(main())
