#!/usr/bin/env python3
"""Prints what pip resolved as requirements with hashes: ``_requirements.py REPORT``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def requirement(item: dict[str, Any]) -> str:
    """Return the line of one package; a file of our own is named by its path."""
    download, metadata = item["download_info"], item["metadata"]
    address = download["url"]
    is_ours = address.startswith("file:")
    name = f"./{Path(address).name}" if is_ours else f"{metadata['name']}=={metadata['version']}"
    hashes = download["archive_info"]["hashes"]
    return f"{name} --hash=sha256:{hashes['sha256']}"


report = json.loads(Path(sys.argv[1]).read_text())
sys.stdout.write("\n".join(sorted(map(requirement, report["install"]))) + "\n")
