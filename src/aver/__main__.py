"""`python -m aver` is the command `aver`."""

from __future__ import annotations

import sys

from aver.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
