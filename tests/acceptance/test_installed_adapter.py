"""A package of its own brings a notifier: its how-to is followed, installed by pip."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.examples import ROOT, Reader, blocks

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs/howto/write-an-adapter.md"


def build_wheel(package: Path, folder: Path) -> Path:
    """Build the wheel of a package of one module, as its build backend would."""
    project = tomllib.loads((package / "pyproject.toml").read_text())
    about = project["project"]
    stem = f"{about['name'].replace('-', '_')}-{about['version']}"
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in members.items())
        for group, members in about["entry-points"].items()
    )
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        for module in project["tool"]["setuptools"]["py-modules"]:
            file.write(package / f"{module}.py", f"{module}.py")
        header = f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {about['version']}\n"
        file.writestr(f"{stem}.dist-info/METADATA", header)
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        file.writestr(f"{stem}.dist-info/WHEEL", tags)
        file.writestr(f"{stem}.dist-info/entry_points.txt", points)
        names = [*file.namelist(), f"{stem}.dist-info/RECORD"]
        file.writestr(f"{stem}.dist-info/RECORD", "".join(f"{name},,\n" for name in names))
    return wheel


def install(wheel: Path, site: Path) -> None:
    """Install a wheel into a folder of its own, without asking any index."""
    words = ["install", "--quiet", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, timeout=100)


@pytest.mark.timeout(600)
def test_a_package_of_its_own_brings_a_notifier(tmp_path: Path) -> None:
    """The page's package is installed, pinged by doctor, told of an alarm and held to the suite."""
    reader, site = Reader(tmp_path), tmp_path / "site"
    reader.state.write_text(f"{reader.state.read_text()}export PYTHONPATH={site}\n")
    for block in blocks(PAGE.read_text(), PAGE.name):
        if block.body.startswith("$ pip install"):
            install(build_wheel(reader.project / "autoctrl-board", tmp_path), site)
            continue
        flags = {flag: value for flag, value in block.flags.items() if flag != "no-run"}
        reader.follow(block._replace(flags=flags))
    assert "8 passed" in reader.done
