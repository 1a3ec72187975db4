"""Run one job on any node and write down what became of it: ``python wrapper.py FOLDER``.

One file, standard library only, Python 3.9 or later, so that a copy of it runs wherever a job can.

FOLDER is the job's bookkeeping folder: ``spec.json`` says what to do (see
``docs/reference/executors.md``), ``claim``, linked into place complete and locked, who does it (the
job inherits the lock); a file ``remove`` asks that the job be ended or never started;
``stdout.log`` and ``stderr.log`` keep what it prints; ``result.json``, placed by rename, says what
became of it. Exit code: 0 the result is written, or there is nothing to do; 2 the spec cannot be
read; 3 nothing could be recorded (full disk). It says nothing about the job: only the result does.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import resource
import signal
import stat
import sys
import time

TYPE_CHECKING = False  # typing, contextlib and pathlib take as long to import as a small job to run
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Draft = tuple[str, int]  # name and descriptor
    Outputs = list[dict[str, Any]]  # each as in ``result.json``

SCHEMA, MB, MAX_FIELDS_BYTES = 1, 1024 * 1024, 64 * 1024
SPEC, CLAIM, RESULT, REMOVE, FIELDS = "spec.json", "claim", "result.json", "remove", "fields.json"
UNREADY = "unready"  # lies there while the software of the job is being set up, and says so
RECORDED, BAD_SPEC, UNRECORDED = 0, 2, 3
NO_COMMAND, NOT_EXECUTABLE = 127, 126
STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
WATCHED = STOPS | {signal.SIGCHLD}
FIRST_SAMPLE_S, SLOWEST_SAMPLE_S, LINGER_S, LEFTOVER_GRACE_S = 0.1, 0.5, 0.5, 2.0
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


class Refused(Exception):
    """A job or an output is not accepted; arguments: failure class, sentence, exit code."""


def publish(
    path: str, content: dict[str, Any], put: Callable[[str, str], None], draft: Draft
) -> None:
    """Fill a draft and put it in place whole, also after a power cut; leave no half file.

    Raises ``OSError``.
    """
    name, fd = draft
    try:
        data = json.dumps(content).encode()
        while data:
            data = data[os.write(fd, data) :]
        os.fsync(fd)
        put(name, path)
    finally:
        unlink(name)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def open_draft(path: str) -> Draft:
    """Make a file beside ``path`` that nobody reads; return its name and descriptor."""
    name = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    return name, os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)


def unlink(path: str) -> None:
    """Remove a file if it is there."""
    if os.path.lexists(path):
        os.unlink(path)


def complain(text: str, code: int) -> int:
    """Say on the wrapper's own stderr what it could not do; return its exit code."""
    os.write(2, f"autoctrl wrapper: {text}\n".encode(errors="backslashreplace"))
    return code


def machine() -> str:
    """Identify the running kernel and its set of process numbers, which mean nothing elsewhere."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None if it is dead or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            words = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if words[0] in (b"Z", b"X") else int(words[19])


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process if possible; if not, the executor ends what is left."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass


def descendants() -> list[int]:
    """Return all our descendants; orphans are among them where we are their subreaper."""
    found, queue = [], [os.getpid()]
    while queue:
        found.append(queue.pop())
        try:
            for thread in os.listdir(f"/proc/{found[-1]}/task"):
                with open(f"/proc/{found[-1]}/task/{thread}/children", "rb") as file:
                    queue += map(int, file.read().split())
        except OSError:
            continue  # it ended while we looked
    return found[1:]


def memory_mb(pids: Iterable[int]) -> float:
    """Return the resident memory of processes, MB; pages that they share count for each."""
    return sum(_read_memory(f"/proc/{pid}/statm", b"", 1, resource.getpagesize()) for pid in pids)


def exact_memory_mb(pids: Iterable[int]) -> float:
    """Return the resident memory of processes, MB, shared pages counted once; takes longer."""
    return sum(_read_memory(f"/proc/{pid}/smaps_rollup", b"\nPss:", 0, 1024) for pid in pids)


def _read_memory(path: str, label: bytes, word: int, unit: int) -> float:
    try:
        with open(path, "rb") as file:
            text = file.read()
        return int(text[text.index(label) + len(label) :].split()[word]) * unit / MB
    except (OSError, IndexError, ValueError):
        return 0.0  # it ended while we looked


def send(function: Callable[[int, int], None], pids: Iterable[int], number: int) -> None:
    """Send a signal to processes (``os.kill``) or groups (``os.killpg``), if they still live."""
    for pid in pids:
        try:
            function(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def children_cpu_s() -> float:
    """Return the processor time of all our processes that have ended, seconds."""
    return round(sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]), 6)


def timestamp() -> str:
    """Return the present time as ``2026-11-20T18:04:05.123456Z``."""
    now = time.time()
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1e6):06d}Z"


class Start:
    """One start of the job whose folder is the current one.

    First its own side of the fork, then the wrapper's.
    """

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec, self.folder, self.workdir = spec, os.getcwd(), os.path.abspath(spec["workdir"])
        self.tag, self.start = spec["tag"], int(spec.get("start", 1))
        self.outputs = spec.get("outputs", {})
        self.pid, self.status, self.peak_mb, self.failure, self.reason = 0, 0, 0.0, "", ""
        self.limit_s = float(spec.get("time_limit_s") or math.inf)
        self.limit_mb = float(spec.get("memory_mb") or math.inf)
        self.grace_s = float(spec.get("grace_s", 10.0))
        self.kill_at, self.interval = math.inf, FIRST_SAMPLE_S

    def become_job(self, go: int, errors: int, parent: int) -> None:
        """Wait for the wrapper's word, then become the job, or tell it why not; never return."""
        message: list[Any] = ["node", "the job could not be started", None]
        try:
            os.setsid()
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent or os.read(go, 1) != b"g":
                os._exit(0)
            self.prepare()
            os.chdir(self.workdir)
            self.execute(self.spec["argv"], self.environment())
        except Refused as error:
            message = [*error.args]
        except BaseException as error:  # noqa: BLE001 - whatever it is, the wrapper writes it down
            message[1] += f": {error}"
        message[1] = message[1][:2000]  # so that all is less than the pipe holds
        os.write(errors, json.dumps(message).encode())
        os._exit(NO_COMMAND)

    def prepare(self) -> None:
        """Open the logs, make folders for the outputs, remove what an earlier start left there."""
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for fd, log in ((1, "stdout.log"), (2, "stderr.log")):
            os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666), fd)
        unlink(FIELDS)
        unlink(UNREADY)
        os.makedirs(self.workdir, exist_ok=True)
        for name, path in self.outputs.items():
            if os.path.isabs(path) or ".." in path.split("/"):
                reason = f"its output '{name}' is '{path}', outside the job's folder"
                raise Refused("user code", reason, None)
            whole = self.check_inside(name, path)
            os.makedirs(os.path.dirname(whole), exist_ok=True)
            if not os.path.isdir(whole):
                unlink(whole)

    def check_inside(self, name: str, path: str) -> str:
        """Return the real path of an output; raise ``Refused`` if a link leads it elsewhere."""
        real = os.path.realpath(os.path.join(self.workdir, path))
        if not real.startswith(os.path.realpath(self.workdir).rstrip("/") + "/"):
            reason = f"its output '{name}' leads out of the job's folder, to {real}"
            raise Refused("output", reason, None)
        return real

    def environment(self) -> dict[str, str]:
        """Return the job's environment: the inherited one, what the spec sets, who the job is."""
        inherited = os.environ if self.spec.get("inherit") else {}
        return {
            **inherited,
            **self.spec.get("environment", {}),
            "AUTOCTRL_TAG": self.tag,
            "AUTOCTRL_START": str(self.start),
            "AUTOCTRL_OUTPUT_DIR": self.workdir,
            "AUTOCTRL_FIELDS": os.path.join(self.folder, FIELDS),
        }

    def execute(self, argv: list[str], environment: dict[str, str]) -> None:
        """Become the command. Raises ``Refused`` with the exit code that a shell would give."""
        for number in (*WATCHED, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        try:
            os.execvpe(argv[0], argv, environment)  # noqa: S606 - no shell is the point
        except (FileNotFoundError, NotADirectoryError) as error:
            path = f"PATH is {environment.get('PATH', 'not set')}"
            where = f"({path}; a script's missing interpreter looks the same)"
            reason = f"cannot run '{argv[0]}': no such command {where}"
            raise Refused("user code", reason, NO_COMMAND) from error
        except (OSError, ValueError) as error:
            reason = f"cannot run '{argv[0]}': {error}"
            raise Refused("user code", reason, NOT_EXECUTABLE) from error

    def run(self) -> None:
        """Fork the job, claim it while the fork waits, let it go, write what became of it.

        Raises ``OSError``.
        """
        draft = open_draft(CLAIM)
        fcntl.flock(draft[1], fcntl.LOCK_EX)
        os.set_inheritable(draft[1], True)  # noqa: FBT003 - positional-only
        go, errors = self.fork()
        claim = self.claim(os.getpid())
        try:
            publish(CLAIM, claim, os.link, draft)
        except FileExistsError:
            os.close(go)  # somebody else was first; our fork reads the end of the pipe and ends
            return
        self.began = self.now = time.monotonic()
        self.sample_at = self.began + self.interval
        os.write(go, b"g")
        self.wait()
        wall_s = round(time.monotonic() - self.began, 6)
        left = self.end_leftovers()
        result = self.result(os.read(errors, 65536), left)
        who = {name: claim[name] for name in ("schema", "tag", "start", "host")}
        spent = {"started": claim["time"], "wall_s": wall_s}
        publish(RESULT, {**who, **spent, **result}, os.rename, open_draft(RESULT))

    def fork(self) -> tuple[int, int]:
        """Fork the job; return where it waits for our word, and where it says what went wrong."""
        (waiting, go), (errors, report) = os.pipe(), os.pipe()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(go)
            self.become_job(waiting, report, parent)
        os.close(report)
        return go, errors

    def claim(self, parent: int) -> dict[str, Any]:
        """Return who has the job: the wrapper and the job's group, by numbers and their starts."""
        return {
            "schema": SCHEMA,
            "tag": self.tag,
            "start": self.start,
            "host": os.uname().nodename,
            "pid": parent,
            "pid_start": start_time(parent),
            "machine": machine(),
            "group": self.pid,
            "group_start": start_time(self.pid),
            "time": timestamp(),
        }

    def wait(self) -> None:
        """Return when the main process has ended, by itself or because it was stopped."""
        while not self.reap():
            ends_at = math.inf if self.failure else self.began + self.limit_s
            until = min(self.sample_at, self.kill_at, ends_at)
            caught = signal.sigtimedwait(WATCHED, max(0.0, until - time.monotonic()))
            self.now = time.monotonic()
            if caught is not None and caught.si_signo in STOPS:
                self.stop("removed", f"removed while it ran (signal {caught.si_signo})")
            if self.now >= self.began + self.limit_s:
                limit = f"its limit of {self.limit_s:g} s"
                self.stop("time limit", f"ran longer than {limit} and was stopped")
            if self.now >= self.kill_at:
                self.kill()
            if self.now >= self.sample_at:
                self.sample()

    def reap(self) -> bool:
        """Collect what has ended; say whether the main process has."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == self.pid:
                self.status, self.peak_mb = status, max(self.peak_mb, usage.ru_maxrss / 1024)
            if pid in {0, self.pid}:
                return pid == self.pid

    def stop(self, failure: str, reason: str) -> None:
        """Ask the job to end, and give it its time of grace."""
        if not self.failure:
            self.failure, self.reason, self.kill_at = failure, reason, self.now + self.grace_s
            send(os.killpg, [self.pid], signal.SIGTERM)

    def kill(self) -> None:
        """Kill the job, and again a second later, for a child that was forked meanwhile."""
        self.kill_at = self.now + 1.0
        send(os.killpg, [self.pid], signal.SIGKILL)
        send(os.kill, descendants(), signal.SIGKILL)

    def sample(self) -> None:
        """Measure the memory, and look whether anybody wants the job removed."""
        self.interval = min(2 * self.interval, SLOWEST_SAMPLE_S)
        self.sample_at = self.now + self.interval
        pids = descendants()
        used = memory_mb(pids)
        if used > self.limit_mb:
            used = exact_memory_mb(pids) or used
        self.peak_mb = max(self.peak_mb, used)
        if used > self.limit_mb and not self.failure:
            limit = f"its {self.limit_mb:.0f} MB"
            self.failure = "memory"
            self.reason = f"used {used:.0f} MB of memory, more than {limit}, and was stopped"
            self.kill()
        elif os.path.lexists(REMOVE):
            self.stop("removed", "removed while it ran")

    def end_leftovers(self) -> int:
        """End whatever the job left behind, politely first; return how many processes that were."""
        seen: set[int] = set()
        began, is_told = time.monotonic(), False
        while True:
            self.reap()
            left = descendants()
            if not left:  # the group holds something only where there is no subreaper
                send(os.killpg, [self.pid], signal.SIGKILL)
                return len(seen)
            seen.update(left)
            waited = time.monotonic() - began
            if self.failure or waited > LINGER_S + LEFTOVER_GRACE_S:
                send(os.kill, left, signal.SIGKILL)
            elif waited > LINGER_S and not is_told:
                is_told = True
                send(os.kill, left, signal.SIGTERM)
            signal.sigtimedwait({signal.SIGCHLD}, 0.05)

    def result(self, complaint: bytes, left: int) -> dict[str, Any]:
        """Return what became of the job; ``complaint``: what its side of the fork could not do."""
        code = os.WEXITSTATUS(self.status) if os.WIFEXITED(self.status) else None
        number = os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None
        failure, reason = self.failure, self.reason
        if complaint:
            failure, reason, code = json.loads(complaint)
        elif not failure:
            failure, reason = self.judge(code, number)
        outputs: Outputs = []
        if not failure:
            outputs, failure, reason = self.collect()
        fields, remark = read_fields()
        remarks = [reason, remark]
        if left and not self.failure:
            remarks.append(f"{left} processes left behind were ended")
        return {
            "exit_code": code,
            "signal": number,
            "failure": failure or None,
            "ended": timestamp(),
            "cpu_s": children_cpu_s(),
            "peak_memory_mb": round(self.peak_mb, 1),
            "reason": "; ".join(filter(None, remarks)),
            "outputs": outputs,
            "fields": fields,
        }

    def judge(self, code: int | None, number: int | None) -> tuple[str, str]:
        """Return failure class and reason of a job that ended by itself, empty if it did well."""
        if number == signal.SIGKILL and self.peak_mb > self.limit_mb:
            used = f"{self.peak_mb:.0f} MB of its {self.limit_mb:.0f} MB"
            return "memory", f"used {used}, and was killed"
        if os.path.lexists(UNREADY):
            return "node", read_unready()
        if code:
            return "user code", f"exited with code {code}"
        return ("user code", f"was ended by signal {number}") if number else ("", "")

    def collect(self) -> tuple[Outputs, str, str]:
        """Return the outputs; else failure class and reason why they cannot be accepted."""
        try:
            return [self.measure(name, path) for name, path in self.outputs.items()], "", ""
        except Refused as error:
            return [], error.args[0], f"exited 0, but {error.args[1]}"

    def measure(self, name: str, path: str) -> dict[str, Any]:
        """Return name, path, bytes and SHA-256 of an output, which is on disk then.

        Raises ``Refused`` if it is missing, empty or not a file.
        """
        import hashlib

        digest, size, why = hashlib.sha256(), 0, "is not a file"
        try:
            fd = os.open(self.check_inside(name, path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            with os.fdopen(fd, "rb", buffering=0) as file:
                if stat.S_ISREG(os.fstat(fd).st_mode):
                    os.fsync(fd)
                    for block in iter(lambda: file.read(MB), b""):
                        digest.update(block)
                        size += len(block)
                    why = "" if size else "is empty"
        except FileNotFoundError:
            why = "is missing"
        except OSError as error:
            why = f"cannot be read: {error.strerror}"
        if why:
            raise Refused("output", f"its output '{name}' ({path}) {why}", None)
        whole = os.path.join(self.workdir, path)
        return {"name": name, "path": whole, "bytes": size, "sha256": digest.hexdigest()}


def read_unready() -> str:
    """Return the sentence about what could not be set up on this node."""
    try:
        fd = os.open(UNREADY, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(fd, "rb") as file:
            return file.read(1000).decode("utf-8", "replace")
    except OSError as error:
        return f"its set-up failed: {error}"


def read_fields() -> tuple[dict[str, Any], str]:
    """Return what the job reported about itself, and a remark if that cannot be taken."""
    try:
        fd = os.open(FIELDS, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(fd, "rb") as file:
            content = json.loads(file.read(MAX_FIELDS_BYTES))  # what is longer is cut, and not JSON
    except FileNotFoundError:
        content = {}
    except (OSError, ValueError, RecursionError) as error:
        content = str(error)
    if not isinstance(content, dict):
        return {}, f"its fields are not a JSON object: {content}"[:500]
    # whoever reads the result judges the values; what is nested is none of them
    nested = {key: None for key, value in content.items() if isinstance(value, (dict, list))}
    return {**content, **nested}, ""


def run(folder: str) -> int:
    """Run the job of a folder once, unless it is claimed; return the wrapper's exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        os.chdir(folder)
        if os.path.lexists(CLAIM) or os.path.lexists(REMOVE):
            return RECORDED
        with open(SPEC, "rb") as file:
            spec = json.loads(file.read())
        if spec["schema"] != SCHEMA:
            raise ValueError(f"schema {spec['schema']} is not {SCHEMA}")
        start = Start(spec)
    except (OSError, ValueError, TypeError, KeyError) as error:
        return complain(f"{folder}: cannot read the job's description: {error!r}", BAD_SPEC)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        start.run()
    except OSError as error:
        return complain(f"{folder}: cannot record the job: {error}", UNRECORDED)
    return RECORDED


if __name__ == "__main__":
    has_one_argument = len(sys.argv) == 2  # noqa: PLR2004 - program and folder
    sys.exit(
        run(sys.argv[1]) if has_one_argument else complain("usage: wrapper.py FOLDER", BAD_SPEC)
    )
