"""Run one job on any node and write down what became of it: ``python wrapper.py FOLDER``.

One file, standard library only, Python 3.9 or later, so that a copy of it runs wherever a job can run.

FOLDER is the job's bookkeeping folder. ``spec.json`` in it says what to do (``docs/reference/executors.md`` lists its
keys); beside it appear

    claim        who runs it, linked into place complete and locked; the lock is inherited by the job
    stdout.log   what the job printed, and stderr.log
    result.json  what became of it, by rename: it is whole or absent

Exit code of the wrapper: 0 the result is written, or somebody else has claimed the job; 2 the spec cannot be read;
3 nothing could be recorded (full disk). It says nothing about the job: only the result does.
"""

from __future__ import annotations

import errno
import fcntl
import json
import math
import os
import resource
import signal
import socket
import stat
import sys
import time

TYPE_CHECKING = False  # importing typing costs more than running a small job
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

SCHEMA = 1
SPEC, CLAIM, RESULT, REMOVE, FIELDS = "spec.json", "claim", "result.json", "remove", "fields.json"
RECORDED, BAD_SPEC, UNRECORDED = 0, 2, 3
NOTE = "autoctrl wrapper: "

STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
WATCHED = STOPS | {signal.SIGCHLD}
RESTORED = (*WATCHED, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGQUIT)

MB = 1024 * 1024
FIRST_SAMPLE_S, SLOWEST_SAMPLE_S = 0.1, 0.5
LINGER_S, LEFTOVER_GRACE_S = 0.5, 2.0
MAX_FIELDS, MAX_FIELDS_BYTES, MAX_TEXT = 1000, 64 * 1024, 500

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


class Refused(Exception):
    """The job cannot be started, or its outputs cannot be accepted: failure class, sentence, exit code a shell would give."""

    def __init__(self, failure: str, reason: str, exit_code: int | None = None) -> None:
        super().__init__(reason)
        self.failure, self.reason, self.exit_code = failure, reason, exit_code


# --- files ---------------------------------------------------------------------------------------------------------


def read_json(path: str) -> dict[str, Any] | None:
    """Return the object in a JSON file, None if there is no file. Raises ``ValueError`` if it is anything else."""
    try:
        with open(path, "rb") as file:
            content = json.loads(file.read())
    except FileNotFoundError:
        return None
    if not isinstance(content, dict):
        raise ValueError(path + " does not hold a JSON object")  # noqa: TRY003, TRY004 - as json raises it
    return content


def write_json(path: str, content: dict[str, Any]) -> None:
    """Write a file that is whole or absent, also after a power cut. Raises ``OSError``."""
    draft = _draft(path)
    try:
        with open(draft, "xb") as file:
            file.write(json.dumps(content).encode())
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, path)
    except OSError:
        _unlink(draft)
        raise
    _sync(os.path.dirname(path))


def link_json(path: str, content: dict[str, Any], draft_fd: int, draft: str) -> bool:
    """Write ``content`` through ``draft_fd`` and link it to ``path`` complete; say whether we were the first."""
    try:
        os.write(draft_fd, json.dumps(content).encode())
        os.fsync(draft_fd)
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        _unlink(draft)
    _sync(os.path.dirname(path))
    return True


def _draft(path: str) -> str:
    return "{}.{}.{}".format(path, os.getpid(), os.urandom(4).hex())


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _sync(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def note(folder: str, text: str) -> None:
    """Say what the wrapper itself could not do, in the job's stderr.log if there is room, and on its own stderr."""
    line = (NOTE + " ".join(text.split()) + "\n").encode(errors="backslashreplace")
    try:
        fd = os.open(os.path.join(folder, "stderr.log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(fd, line)
        finally:
            os.close(fd)
    except OSError:
        pass  # the same full disk that we are reporting
    os.write(2, line)


# --- processes -----------------------------------------------------------------------------------------------------


def machine() -> str:
    """Identity of the running kernel and of what process numbers mean in it; numbers of another one say nothing here."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip() + " " + os.readlink("/proc/self/ns/pid")
    except OSError:
        return socket.gethostname()


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None if it does not live (a zombie does not)."""
    try:
        with open("/proc/{}/stat".format(pid), "rb") as file:
            words = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if words[0] in (b"Z", b"X") else int(words[19])


def prctl(option: int, value: int) -> bool:
    """Set an attribute of this process where the system can; say whether it did."""
    try:
        import ctypes

        return ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0
    except (ImportError, OSError, AttributeError):
        return False


def descendants(root: int) -> list[int]:
    """Return all living descendants of a process; orphans are among them where we are their subreaper."""
    found: list[int] = []
    queue = [root]
    while queue:
        children = _children(queue.pop())
        found += children
        queue += children
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir("/proc/{}/task".format(pid)):
            with open("/proc/{}/task/{}/children".format(pid, thread), "rb") as file:
                found += map(int, file.read().split())
    except OSError:
        pass  # it ended while we looked
    return found


def memory_mb(pids: Iterable[int], exact: bool = False) -> float:  # noqa: FBT001, FBT002 - of one file for any node
    """Return the resident memory of processes, MB; ``exact`` counts shared pages once, which takes longer."""
    total = 0.0
    for pid in pids:
        try:
            if exact:
                with open("/proc/{}/smaps_rollup".format(pid), "rb") as file:
                    lines = [line for line in file if line.startswith(b"Pss:")]
                total += int(lines[0].split()[1]) / 1024
            else:
                with open("/proc/{}/statm".format(pid), "rb") as file:
                    total += int(file.read().split()[1]) * resource.getpagesize() / MB
        except (OSError, IndexError):
            continue  # it ended while we looked
    return total


def _send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _send_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


# --- the job's side of the fork --------------------------------------------------------------------------------------


def _become_job(spec: dict[str, Any], folder: str, go: int, errors: int, parent: int) -> None:
    """Wait for the word of the wrapper, then become the job. Never returns."""
    try:
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent or os.read(go, 1) != b"g":
            os._exit(0)
        environment = job_environment(spec, folder)
        workdir = _prepare(spec, folder)
        _redirect(spec, folder)
        os.chdir(workdir)
        for number in RESTORED:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        _execute(spec["argv"], environment)
    except Refused as error:
        message = [error.failure, error.reason, error.exit_code]
    except BaseException as error:  # noqa: BLE001 - whatever it is, the wrapper writes it down
        message = ["node", "the job could not be started: {}".format(error), None]
    os.write(errors, json.dumps(message).encode()[:60000])
    os._exit(127)


def job_environment(spec: dict[str, Any], folder: str) -> dict[str, str]:
    """Return the job's whole environment: what it may inherit, what the spec sets, and ours."""
    names = spec.get("inherit", [])
    kept = {
        key: value
        for key, value in os.environ.items()
        if any(key == name or (name.endswith("*") and key.startswith(name[:-1])) for name in names)
    }
    ours = {
        "AUTOCTRL_TAG": spec["tag"],
        "AUTOCTRL_START": str(spec.get("start", 1)),
        "AUTOCTRL_FIELDS": os.path.join(folder, FIELDS),
        "AUTOCTRL_OUTPUT_DIR": os.path.join(folder, spec["workdir"]),
    }
    return {**kept, **spec.get("environment", {}), **ours}


def _prepare(spec: dict[str, Any], folder: str) -> str:
    """Make the folder of this attempt's outputs; remove what an earlier start left there under a declared name."""
    workdir = os.path.join(folder, spec["workdir"])
    os.makedirs(workdir, exist_ok=True)
    for name, path in spec.get("outputs", {}).items():
        if os.path.isabs(path) or ".." in path.split("/") or os.path.normpath(path) == ".":
            raise Refused("user code", "output '{}' must stay inside the job's folder, but it is '{}'".format(name, path))
        whole = os.path.join(workdir, path)
        if "/" in path:
            _check_inside(name, os.path.dirname(whole), workdir)
            os.makedirs(os.path.dirname(whole), exist_ok=True)
        if os.path.lexists(whole) and not os.path.isdir(whole):
            os.unlink(whole)
    _unlink(os.path.join(folder, FIELDS))
    return workdir


def _check_inside(name: str, path: str, workdir: str) -> str:
    real, root = os.path.realpath(path), os.path.realpath(workdir)
    if real != root and not real.startswith(root.rstrip("/") + "/"):
        raise Refused("output", "output '{}' leads out of the job's folder, to {}".format(name, real))
    return real


def _redirect(spec: dict[str, Any], folder: str) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for fd, stream in ((1, "stdout"), (2, "stderr")):
        path = os.path.join(folder, spec.get(stream, stream + ".log"))
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        os.dup2(log, fd)


def _execute(argv: list[str], environment: dict[str, str]) -> None:
    command = argv[0]
    try:
        os.execvpe(command, argv, environment)  # noqa: S606 - no shell is the point
    except (FileNotFoundError, NotADirectoryError) as error:
        where = "" if "/" in command else " in PATH " + environment.get("PATH", "(not set)")
        text = "cannot run '{}': no such command{}, or its interpreter is missing".format(command, where)
        raise Refused("user code", text, 127) from error
    except (PermissionError, ValueError) as error:
        raise Refused("user code", "cannot run '{}': {}".format(command, error), 126) from error
    except OSError as error:
        is_node = error.errno in (errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.EIO)
        text = "cannot run '{}': {}".format(command, error.strerror)
        raise Refused("node" if is_node else "user code", text, 126) from error


# --- the wrapper's side ----------------------------------------------------------------------------------------------


class Watch:
    """One running job under its limits.

    pid, spec, folder  the job's main process, its spec, its bookkeeping folder
    failure, reason    why we stopped it, empty if we did not
    peak_mb            largest memory seen
    status             wait status of the main process once it has ended
    """

    def __init__(self, pid: int, spec: dict[str, Any], folder: str) -> None:
        self.pid, self.spec, self.folder = pid, spec, folder
        self.failure, self.reason, self.peak_mb = "", "", 0.0
        self.status: int | None = None
        self.began = self.now = time.monotonic()
        self.limit_s = float(spec.get("time_limit_s") or math.inf)
        self.limit_mb = float(spec.get("memory_mb") or math.inf)
        self.grace_s = float(spec.get("grace_s", 10.0))
        self.kill_at = math.inf
        self.interval = FIRST_SAMPLE_S
        self.sample_at = self.began + self.interval

    def wait(self) -> None:
        """Return when the main process has ended, by itself or because it was stopped."""
        while not self._reap():
            until = min(self.sample_at, self.kill_at, math.inf if self.failure else self.began + self.limit_s)
            caught = signal.sigtimedwait(WATCHED, max(0.0, until - time.monotonic()))
            self.now = time.monotonic()
            if caught is not None and caught.si_signo in STOPS:
                self._stop("removed", "removed while it ran (signal {})".format(caught.si_signo))
            if self.now >= self.began + self.limit_s:
                self._stop("time limit", "ran longer than its limit of {:g} s and was stopped".format(self.limit_s))
            if self.now >= self.kill_at:
                self._kill()
            if self.now >= self.sample_at:
                self._sample()

    def _reap(self) -> bool:
        """Collect what has ended; say whether the main process has."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == self.pid:
                self.status = status
                self.peak_mb = max(self.peak_mb, usage.ru_maxrss / 1024)
                return True
            if pid == 0:
                return False

    def _stop(self, failure: str, reason: str) -> None:
        if not self.failure:
            self.failure, self.reason = failure, reason
            self.kill_at = self.now + self.grace_s
            _send_group(self.pid, signal.SIGTERM)

    def _kill(self) -> None:
        self.kill_at = self.now + 1.0  # again, for a child that was born while we looked
        _send_group(self.pid, signal.SIGKILL)
        _send(descendants(os.getpid()), signal.SIGKILL)

    def _sample(self) -> None:
        self.interval = min(2 * self.interval, SLOWEST_SAMPLE_S)
        self.sample_at = self.now + self.interval
        pids = descendants(os.getpid())
        used = memory_mb(pids)
        if used > self.limit_mb:
            used = memory_mb(pids, exact=True) or used
        self.peak_mb = max(self.peak_mb, used)
        if used > self.limit_mb and not self.failure:
            self.failure = "memory"
            self.reason = "used {:.0f} MB of memory, more than its {:.0f} MB, and was stopped".format(used, self.limit_mb)
            self._kill()
        elif os.path.lexists(os.path.join(self.folder, REMOVE)):
            self._stop("removed", "removed while it ran")

    def end_leftovers(self) -> int:
        """End whatever the job left behind, politely first; return how many processes that were."""
        seen: set[int] = set()
        began = time.monotonic()
        is_told = False
        while True:
            self._reap()
            left = descendants(os.getpid())
            if not left:
                _send_group(self.pid, signal.SIGKILL)  # finds something only where there is no subreaper
                return len(seen)
            seen.update(left)
            waited = time.monotonic() - began
            if self.failure or waited > LINGER_S + LEFTOVER_GRACE_S:
                _send(left, signal.SIGKILL)
            elif waited > LINGER_S and not is_told:
                is_told = True
                _send(left, signal.SIGTERM)
            signal.sigtimedwait({signal.SIGCHLD}, 0.05)


def run(folder: str) -> int:
    """Run the job described in ``folder`` once, unless somebody has claimed it; return the wrapper's exit code."""
    folder = os.path.abspath(folder)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    for number in WATCHED:
        signal.signal(number, signal.SIG_DFL)
    if os.path.lexists(os.path.join(folder, CLAIM)):
        return RECORDED
    try:
        spec = _read_spec(folder)
    except (OSError, ValueError) as error:
        note(folder, "cannot read the job's description: {}".format(error))
        return BAD_SPEC
    try:
        if os.path.lexists(os.path.join(folder, REMOVE)):
            void(folder, spec["tag"], "removed", "removed before it started")
            return RECORDED
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        _claim_and_run(folder, spec)
    except OSError as error:
        note(folder, "cannot record the job: {}".format(error))
        return UNRECORDED
    return RECORDED


def _read_spec(folder: str) -> dict[str, Any]:
    spec = read_json(os.path.join(folder, SPEC))
    if spec is None:
        raise ValueError(SPEC + " is missing")  # noqa: TRY003
    if spec.get("schema") != SCHEMA:
        raise ValueError("{} has schema {}, this wrapper reads {}".format(SPEC, spec.get("schema"), SCHEMA))
    argv, texts = spec.get("argv"), [spec.get("tag"), spec.get("workdir")]
    if not argv or not isinstance(argv, list) or not all(isinstance(text, str) for text in argv + texts):
        raise ValueError(SPEC + " needs tag, argv and workdir")  # noqa: TRY003
    return spec


def void(folder: str, tag: str, status: str, reason: str) -> bool:
    """Claim a job so that it never starts: ``status`` (removed, lost) is then its end; say whether we were the first."""
    path = os.path.join(folder, CLAIM)
    draft = _draft(path)
    fd = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        return link_json(path, {"schema": SCHEMA, "tag": tag, "void": status, "reason": reason}, fd, draft)
    finally:
        os.close(fd)


def _claim_and_run(folder: str, spec: dict[str, Any]) -> None:
    """Fork the job, claim it while the fork waits, then let it go: nothing runs that the claim does not name."""
    path = os.path.join(folder, CLAIM)
    draft = _draft(path)
    lock = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.set_inheritable(lock, True)
    (waiting, go), (errors, report) = os.pipe(), os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        _become_job(spec, folder, waiting, report, parent)
    os.close(waiting)
    os.close(report)
    claim = {
        "schema": SCHEMA,
        "tag": spec["tag"],
        "start": int(spec.get("start", 1)),
        "pid": parent,
        "pid_start": start_time(parent),
        "group": pid,
        "group_start": start_time(pid),
        "machine": machine(),
        "host": socket.gethostname(),
        "time": timestamp(time.time()),
    }
    if not link_json(path, claim, lock, draft):
        os.close(go)
        os.waitpid(pid, 0)
        return
    watch = Watch(pid, spec, folder)
    began = time.time()
    os.write(go, b"g")
    os.close(go)
    watch.wait()
    wall_s = time.monotonic() - watch.began
    left = watch.end_leftovers()
    result = _result(watch, claim, errors, left)
    write_json(os.path.join(folder, RESULT), dict(result, started=timestamp(began), wall_s=round(wall_s, 6)))


def timestamp(seconds: float) -> str:
    """Write a time as ``2026-11-20T18:04:05.123456Z``."""
    whole = math.floor(seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + ".{:06d}Z".format(int((seconds - whole) * 1e6))


# --- the result ------------------------------------------------------------------------------------------------------


def _result(watch: Watch, claim: dict[str, Any], errors: int, left: int) -> dict[str, Any]:
    exit_code, number, failure, reason = _ending(watch, os.read(errors, 65536))
    outputs: list[dict[str, Any]] = []
    if not failure:
        try:
            outputs = measure_outputs(watch.spec, watch.folder)
        except Refused as error:
            failure, reason = error.failure, "exited 0, but {}".format(error.reason)
    fields, complaint = read_fields(os.path.join(watch.folder, FIELDS))
    remarks = [reason, complaint]
    if left and not watch.failure:
        remarks.append("{} processes that it left behind were ended".format(left))
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "schema": SCHEMA,
        "tag": claim["tag"],
        "start": claim["start"],
        "exit_code": exit_code,
        "signal": number,
        "failure": failure or None,
        "reason": "; ".join(remark for remark in remarks if remark),
        "host": claim["host"],
        "ended": timestamp(time.time()),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 6),
        "peak_memory_mb": round(watch.peak_mb, 1),
        "outputs": outputs,
        "fields": fields,
    }


def _ending(watch: Watch, complaint: bytes) -> tuple[int | None, int | None, str, str]:
    """Return exit code, signal, failure class and reason of the main process."""
    if complaint:
        failure, reason, code = json.loads(complaint)
        return code, None, failure, reason
    status = watch.status or 0
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    if watch.failure:
        return code, number, watch.failure, watch.reason
    if number == signal.SIGKILL and watch.peak_mb > watch.limit_mb:
        text = "used {:.0f} MB of memory, more than its {:.0f} MB, and was killed".format(watch.peak_mb, watch.limit_mb)
        return code, number, "memory", text
    if number is not None:
        return code, number, "user code", "was ended by signal {}{}".format(_signal_name(number), last_words(watch))
    if code:
        return code, number, "user code", "exited with code {}{}".format(code, last_words(watch))
    return code, number, "", ""


def _signal_name(number: int) -> str:
    try:
        return "{} ({})".format(number, signal.Signals(number).name)
    except ValueError:
        return str(number)


def last_words(watch: Watch) -> str:
    """Return the last line of the job's stderr as the end of a sentence, empty if there is none."""
    path = os.path.join(watch.folder, watch.spec.get("stderr", "stderr.log"))
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            lines = file.read().decode(errors="backslashreplace").split("\n")
    except OSError:
        return ""
    words = [line.strip() for line in lines if line.strip()]
    return "; it last said: " + "".join(c if c.isprintable() else "?" for c in words[-1][:200]) if words else ""


def measure_outputs(spec: dict[str, Any], folder: str) -> list[dict[str, Any]]:
    """Return name, path, bytes and SHA-256 of every declared output, flushed to disk.

    Raises ``Refused`` if one is missing, empty, no file, or leads out of the job's folder.
    """
    workdir = os.path.join(folder, spec["workdir"])
    return [_measure(name, path, workdir) for name, path in spec.get("outputs", {}).items()]


def _measure(name: str, path: str, workdir: str) -> dict[str, Any]:
    import hashlib

    real = _check_inside(name, os.path.join(workdir, path), workdir)
    digest, size = hashlib.sha256(), 0
    try:
        fd = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(fd, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise Refused("output", "its output '{}' ({}) is not a file".format(name, path))
            os.fsync(fd)
            while True:
                block = file.read(MB)
                if not block:
                    break
                digest.update(block)
                size += len(block)
    except FileNotFoundError as error:
        raise Refused("output", "its output '{}' ({}) is missing".format(name, path)) from error
    except OSError as error:
        text = "its output '{}' ({}) cannot be read: {}".format(name, path, error.strerror)
        raise Refused("output", text) from error
    if size == 0:
        raise Refused("output", "its output '{}' ({}) is empty".format(name, path))
    return {"name": name, "path": os.path.join(workdir, path), "bytes": size, "sha256": digest.hexdigest()}


def read_fields(path: str) -> tuple[dict[str, Any], str]:
    """Return the custom fields that the job reported, and a complaint about those that cannot be taken."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(fd, "rb") as file:
            raw = file.read(MAX_FIELDS_BYTES + 1) if stat.S_ISREG(os.fstat(fd).st_mode) else b"no file"
        if len(raw) > MAX_FIELDS_BYTES:
            return {}, "its fields were ignored: more than {} bytes".format(MAX_FIELDS_BYTES)
        content = json.loads(raw)
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError, RecursionError) as error:
        return {}, "its fields were ignored: {}".format(error)
    if not isinstance(content, dict):
        return {}, "its fields were ignored: not a JSON object"
    values = {key: _field(value) for key, value in list(content.items())[:MAX_FIELDS] if key and len(key) <= MAX_TEXT}
    good = {key: value for key, value in values.items() if value is not None}
    bad = [key[:40] for key in content if key not in good]
    names = ", ".join(bad[:5]) + (", …" if len(bad) > 5 else "")
    return good, "fields ignored, being no number or short text: {}".format(names) if bad else ""


def _field(value: object) -> float | str | None:
    if isinstance(value, (int, float)):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    return value if isinstance(value, str) and len(value) <= MAX_TEXT else None


def main() -> int:
    """Run the job whose folder is the only argument."""
    if len(sys.argv) != 2:
        os.write(2, b"usage: wrapper.py FOLDER\n")
        return BAD_SPEC
    return run(sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
