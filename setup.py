"""Says what is compiled; all else about the distribution stands in ``pyproject.toml``."""

from __future__ import annotations

import os

from setuptools import Extension, setup

CAMERA = "autoctrl/science/camera"
HEADERS = {
    "_frame": ["_machine.h", "_rows.h"],
    "_clusters": ["_machine.h", "_points.h"],
    "_measure": [],
}
# The loops use vector registers only where the compiler may compute both sides of a choice: nothing
# reads the traps that this could set, and results stay the same bit for bit. What a debugger wants
# to know of them would take a quarter more of the compiler's time.
FLAGS = ["-O3", "-ffp-contract=off", "-fno-trapping-math", "-g0"]


def kernels() -> list[Extension]:
    """Return the compiled modules; none where the checkout has them already, from a wheel."""
    if os.environ.get("AUTOCTRL_KERNELS") == "built":
        return []
    return [
        Extension(
            f"{CAMERA.replace('/', '.')}.{name}",
            [f"{CAMERA}/{name}.pyx"],
            depends=[f"{CAMERA}/{header}" for header in headers],
            extra_compile_args=FLAGS,
            optional=True,  # without a compiler all but the camera's reconstruction works
        )
        for name, headers in HEADERS.items()
    ]


setup(ext_modules=kernels(), options={"build_ext": {"parallel": os.cpu_count()}})
