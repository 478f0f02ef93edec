"""Commands. What libraries read when they are imported is said here, before a command imports them."""

import os

os.environ.setdefault("TQDM_DISABLE", "1")  # bars of libraries would break up our lines
# Threads that wait for each other give way: on cores that others use too, spinning costs ten times the work itself.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
