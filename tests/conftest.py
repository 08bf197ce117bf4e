"""What holds for all tests: generated examples are the same in every run, unless others are asked for.

`HYPOTHESIS_RANDOM=1 make test` looks at new ones.
"""

import os

from hypothesis import settings

settings.register_profile("same", derandomize=True)
if not os.environ.get("HYPOTHESIS_RANDOM"):
    settings.load_profile("same")
