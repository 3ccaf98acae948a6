"""``python -m latentia`` is ``latentia``."""

import sys

from latentia.cli import main

sys.exit(main())
