"""One process a port: lock files that say who holds them."""

import getpass
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Final

import filelock

from jackfield.errors import LinkError

__all__ = ["ResourceLock"]

# Closing a port and letting go of its lock are two steps, and a pseudo-terminal's name is free for the next one
# after the first.
GRACE_S: Final = 1.0


class ResourceLock:
    """A lock on `what` (for people), known by `key`; also holds against a second opener in the same process.

    The operating system drops it when the process ends, however it ends.
    """

    def __init__(self, what: str, key: str) -> None:
        self._what = what
        folder = Path(tempfile.gettempdir()) / f"jackfield-{getpass.getuser()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        stem = re.sub(r"[^A-Za-z0-9.]+", "_", key).strip("_")
        self._holder = folder / f"{stem}.holder"
        self._lock = filelock.FileLock(folder / f"{stem}.lock", thread_local=False)

    def acquire(self) -> None:
        """Take it, or raise LinkError naming the holder's pid and command where it is still held a second later."""
        try:
            self._lock.acquire(timeout=GRACE_S)
        except filelock.Timeout as error:
            raise LinkError(
                f"{self._what} is in use by {self._named_holder()}; end that process first, or use another"
            ) from error
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
        self._holder.write_text(json.dumps({"pid": os.getpid(), "command": command}), encoding="utf-8")

    def release(self) -> None:
        """Give it back; releasing twice is allowed."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _named_holder(self) -> str:
        try:
            holder = json.loads(self._holder.read_text(encoding="utf-8"))
            return f"process {holder['pid']} ({holder['command']})"
        except (OSError, ValueError, KeyError):  # between its two steps, or killed there
            return "another jackfield process"
