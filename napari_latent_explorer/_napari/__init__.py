"""The only importer of napari.

In a window, networks and the GUI share the processor. OpenMP's threads wait for each other in a busy loop, which takes
from the GUI the core that it needs, and from the networks a time slice whenever one of their threads is put aside. On
two cores that other programs use too, 95 % of hearts were decoded within 290 to 450 ms so, and within 60 by threads
that wait asleep; on idle cores the median was 28 and 30 ms. OpenMP reads that once, before torch is loaded, and what
the user has set stays.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
