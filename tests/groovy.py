"""Groovy for tests, of the version that Jenkins runs Jenkinsfiles with."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

VERSION = "2.4.21"
JAR = Path(f"org/codehaus/groovy/groovy-all/{VERSION}/groovy-all-{VERSION}.jar")
PATIENCE_S = 280
# What makes a short life of Java cheap.
JAVA = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx256m")


@cache
def _fetched() -> tuple[Path | None, str]:
    """Return the jar, or why there is none."""
    if shutil.which("java") is None:
        return None, "Groovy needs Java, which is not here"
    jar = Path.home() / ".m2/repository" / JAR
    if jar.exists():
        return jar, ""
    if shutil.which("mvn") is None:
        return None, "Groovy is fetched by Maven, which is not here"
    artifact = f"org.codehaus.groovy:groovy-all:{VERSION}"
    command = ["mvn", "-q", "dependency:get", f"-Dartifact={artifact}", "-Dtransitive=false"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    if done.returncode or not jar.exists():
        return None, f"Maven did not fetch Groovy: {done.stdout[-300:]}"
    return jar, ""


def find_groovy() -> Path:
    """Return the jar of Groovy, fetched once; skips the test where that cannot be done."""
    jar, reason = _fetched()
    if jar is None:
        pytest.skip(reason)  # conftest.py makes a failure of it where CI is set
    return jar


def groovy_command(script: Path) -> list[str]:
    """Return the command that runs a script."""
    return [*JAVA, "-cp", str(find_groovy()), "groovy.ui.GroovyMain", str(script)]
