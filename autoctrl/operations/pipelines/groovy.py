"""Groovy, which executes Jenkinsfiles: where it is, and one start of it for many files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoctrl.errors import AutoctrlError, UsageError
from autoctrl.operations.pipelines.jenkinsfiles import Finding, Judgement, read_judgement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

VERSION = "2.4.21"  # that of Jenkins
FETCH = f"mvn dependency:get -Dartifact=org.codehaus.groovy:groovy-all:{VERSION} -Dtransitive=false"
KEPT = f".m2/repository/org/codehaus/groovy/groovy-all/{VERSION}/groovy-all-{VERSION}.jar"
JAR_VARIABLE = "GROOVY_JAR"
LIMIT_S = 60.0
JAVA_OPTIONS = (
    "-Xmx256m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Dfile.encoding=UTF-8",
    "-Dgroovy.grape.enable=false",  # nothing is fetched
)


class NoGroovy(AutoctrlError):
    """Groovy or Java is missing, or cannot be started."""


def find_java(environ: Mapping[str, str]) -> str:
    """Return the command of Java: of ``JAVA_HOME``, else of ``PATH``. Raises ``NoGroovy``."""
    home = environ.get("JAVA_HOME")
    places = os.pathsep.join([*([f"{home}/bin"] if home else []), environ.get("PATH", "")])
    found = shutil.which("java", path=places)
    if found is None:
        message = "Jenkinsfiles are executed by Groovy, and Java, which it needs, is not here."
        raise NoGroovy(message, hint="Install a Java of version 8 to 17, or set JAVA_HOME.")
    return found


def find_jar(environ: Mapping[str, str]) -> Path:
    """Return Groovy's jar: ``GROOVY_JAR``, else where Maven keeps it. Raises ``NoGroovy``."""
    named = environ.get(JAR_VARIABLE)
    path = Path(named) if named else Path(environ.get("HOME", "/")) / KEPT
    if not path.is_file():
        message = f"Jenkinsfiles are executed by Groovy {VERSION}, and {path} does not exist."
        hint = f"Fetch it: {FETCH}; or name the file in {JAR_VARIABLE}."
        raise NoGroovy(message, hint=hint)
    return path


def judge_files(
    files: Sequence[Path],
    known: Collection[str] = (),
    *,
    environ: Mapping[str, str] = os.environ,
    limit_s: float = LIMIT_S,
) -> list[Judgement]:
    """Return a judgement on each file, in one start of Java, which ends after ``limit_s`` seconds.

    ``known`` are names of steps, options and agents that plugins bring. A file is code, so it gets
    none of our environment. Raises ``UsageError`` for a file that cannot be read, ``NoGroovy`` if
    there is no Groovy.
    """
    for file in files:
        _check_readable(file)
    printed = _run(_command(files, known, environ), limit_s)
    answers = [value for value in map(json.loads, printed) if "findings" in value]
    return _judgements(files, answers, limit_s)


def _check_readable(file: Path) -> None:
    if not file.is_file() or not os.access(file, os.R_OK):
        message = f"{file} cannot be read."
        raise UsageError(message, hint="Name a Jenkinsfile, or none for all of the project.")


def _run(command: Sequence[str], limit_s: float) -> list[bytes]:
    """Return the whole lines that a command printed until it ended or had no more time."""
    plain = {"PATH": os.defpath, "LANG": "C.UTF-8"}
    try:
        done = subprocess.run(
            command, env=plain, cwd="/", capture_output=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired as expired:
        return (expired.stdout or b"").split(b"\n")[:-1]
    except OSError as error:
        message = f"Java cannot be started: {command[0]}: {error.strerror}."
        raise NoGroovy(message, hint="Install Java, or set JAVA_HOME.") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        message = f"Groovy ended with code {done.returncode} and said: {said or 'nothing'}"
        raise NoGroovy(message, hint=f"Java 8 to 17 and Groovy {VERSION} are needed.")
    return done.stdout.split(b"\n")[:-1]


def _command(
    files: Sequence[Path], known: Collection[str], environ: Mapping[str, str]
) -> list[str]:
    program = Path(str(resources.files("autoctrl").joinpath("templates", "jenkins")))
    path = os.pathsep.join([str(find_jar(environ).absolute()), str(program)])
    names = ["--known", ",".join(sorted(known))] if known else []
    script = str(program / "check.groovy")
    words = [*names, *(str(file.absolute()) for file in files)]
    return [find_java(environ), *JAVA_OPTIONS, "-cp", path, "groovy.ui.GroovyMain", script, *words]


def _judgements(
    files: Sequence[Path], answers: Sequence[Mapping[str, Any]], limit_s: float
) -> list[Judgement]:
    """Return a judgement on each file as it was named; those without an answer had no time."""
    judged = [
        read_judgement(answer)._replace(file=str(file))
        for file, answer in zip(files, answers, strict=False)
    ]
    late = f"It was not judged within {limit_s:g} s. Is there a loop without end?"
    after = "It was not judged: the one before took all the time."
    rest = files[len(judged) :]
    texts = [late, *[after] * len(rest)]
    return [
        *judged,
        *(
            Judgement(str(file), (Finding(1, "time", text),))
            for file, text in zip(rest, texts, strict=False)
        ),
    ]
