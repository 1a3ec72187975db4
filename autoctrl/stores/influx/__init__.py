"""The store for several machines: one bucket of an InfluxDB 2.7, or one database of a 1.8.

``points`` and ``flux`` say what is written and asked, ``turns`` decides whose turn it is, all pure;
``server`` is the edge; ``mutex`` gives turns, ``journal`` reads, ``newest`` remembers, ``store`` is
the port.
"""

from __future__ import annotations
