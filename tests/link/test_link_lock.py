import json
import subprocess
import sys
import threading

import pytest

from jackfield.errors import LinkError
from jackfield.link import ResourceLock

HOLD = """
import sys
from jackfield.link import ResourceLock
lock = ResourceLock("port X", sys.argv[1])
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_the_holder_is_named_and_its_end_frees_the_lock(tmp_path: object) -> None:
    key = f"{tmp_path} port"
    command = [sys.executable, "-c", HOLD, key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LinkError, match=rf"port X is in use by process {holder.pid} \(-c .*\); end that process"):
            ResourceLock("port X", key).acquire()
        holder.kill()
    lock = ResourceLock("port X", key)
    lock.acquire()
    lock.release()
    lock.release()


def test_a_holder_that_left_no_name(tmp_path: object) -> None:
    lock = ResourceLock("port X", f"{tmp_path} nameless")
    lock.acquire()
    lock._holder.write_text(json.dumps({}))
    with pytest.raises(LinkError, match="another jackfield process"):
        ResourceLock("port X", f"{tmp_path} nameless").acquire()
    lock.release()


def test_a_holder_that_is_about_to_let_go_is_waited_for(tmp_path: object) -> None:
    key = f"{tmp_path} closing"
    closing = ResourceLock("port X", key)
    closing.acquire()
    letting_go = threading.Timer(0.1, closing.release)
    letting_go.start()
    lock = ResourceLock("port X", key)
    lock.acquire()
    letting_go.join()
    lock.release()
