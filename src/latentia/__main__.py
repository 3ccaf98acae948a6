"""``python -m latentia`` is ``latentia``."""

import sys

from latentia.cli.main import main

sys.exit(main())
