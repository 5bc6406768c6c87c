"""`python -m jackfield.cli`, where the program `jackfield` is not on the path."""

import sys

from jackfield.cli import main

sys.exit(main())
