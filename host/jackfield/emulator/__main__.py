"""`python -m jackfield.emulator SPEC.toml`."""

import sys

from jackfield.emulator.process import main

sys.exit(main())
