"""What an analyst asks of a project, in Python: read-only, of a folder or of a web page alike.

``autoctrl.open(folder_or_url)`` returns a ``Client``; what its methods return are tuples of the
records of ``autoctrl.views``, the same from either.
"""

from __future__ import annotations

from autoctrl.client.answers import FieldsTable, Outputs, Status
from autoctrl.client.client import Client, open_client

__all__ = ["Client", "FieldsTable", "Outputs", "Status", "open_client"]
