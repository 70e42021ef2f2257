"""One process a folder."""

import subprocess
import sys

import pytest

from safecity.folder_lock import FolderInUseError, FolderLock

HOLD = """
import sys
from pathlib import Path
from safecity.folder_lock import FolderLock
held = FolderLock(Path(sys.argv[1]), "worker")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_who_has_it_and_a_killed_one_leaves_it(tmp_path):
    folder = tmp_path / "new" / "folder"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUseError, match=rf"worker \(pid {holder.pid}\); stop it first"):
            FolderLock(folder, "centre")
    finally:
        holder.kill()
        holder.communicate()
    FolderLock(folder, "centre").release()


def test_released_it_is_free(tmp_path):
    with FolderLock(tmp_path, "worker"), pytest.raises(FolderInUseError):
        FolderLock(tmp_path, "worker")
    FolderLock(tmp_path, "worker").release()
