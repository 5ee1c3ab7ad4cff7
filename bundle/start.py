"""What the bundled program starts with."""

import sys

from editview.__main__ import main

sys.exit(main())
