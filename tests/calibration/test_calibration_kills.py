"""kill -9 at seeded moments of a calibration: resumed, the record comes out byte for byte as if nothing had been."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = 5

# One process that has everything loaded forks the ones that are killed. A child tells of each setting that it has
# read; at a seeded one of them its parent kills it, wherever it is by then.
SCRIPT = """
import os, random, signal, sys
from pathlib import Path
import numpy as np, torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[2])
import conftest
from jackfield.board import BoardSpec
from jackfield.journal import Run, save_record
from jackfield_boards import spec_folder
from jackfield_calibration import calibrate

class Telling:
    def __init__(self, pipe): self.pipe = pipe
    def advanced(self, step, done, planned, reads): os.write(self.pipe, b".")
    def stands(self, standing): pass
    def verified(self, evidence): pass

root, kills = Path(sys.argv[1]), int(sys.argv[3])
toml, reach = ((spec_folder() / name).read_text() for name in ("jf16.toml", "jf16_reach.csv"))
spec = BoardSpec.from_toml(toml.replace("bits = 12, coding", "bits = 8, coding"), {"jf16_reach.csv": reach})

def work(folder, pipe):
    bench = conftest.FakeBench(spec, "modules", 3)
    with Run.open(folder) as run:
        given = {"board_id": "b1", "started_utc": run.details["started_utc"]}
        cells = np.arange(0, 48, 16)
        record = calibrate(bench, spec, run, seed=5, cells=cells, provenance=given, observer=Telling(pipe))
    save_record(record, folder / "board.record")

def trial(folder, least):
    # how many settings it read, or None where it was killed at number `least`
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            work(folder, writing)
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    os.close(writing)
    seen = 0
    while seen < least and (data := os.read(reading, min(least - seen, 64))):
        seen += len(data)
    if seen == least:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    os.close(reading)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0
        return seen
    return None

with Run.create(root, "calibrate", "b1") as run:
    whole = run.folder
text = (whole / "run.toml").read_text()
count = trial(whole, 10**9)
moments = random.Random(11)
for number in range(kills):
    folder = root / f"killed-{number}"
    folder.mkdir()
    (folder / "run.toml").write_text(text)
    killed = int(trial(folder, moments.randint(1, count * 4 // 5)) is None)
    if not (folder / "board.record").exists():
        trial(folder, 10**9)
    files = [path.name for path in (whole / "board.record").iterdir()]
    pairs = [[(each / "board.record" / name).read_bytes() for each in (whole, folder)] for name in files]
    same = all(one == other for one, other in pairs)
    print(killed, int(same), flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="fork and SIGKILL are those of POSIX")
def test_a_killed_calibration_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SCRIPT, str(tmp_path), str(Path(__file__).parent), str(KILLS)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=280)
    assert ran.returncode == 0, ran.stderr
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert len(lines) == KILLS
    assert all(same == "1" for _, same in lines)
    assert sum(int(killed) for killed, _ in lines) >= KILLS
