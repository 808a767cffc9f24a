"""Run every solved notebook alone in an empty folder, as Colab starts it; --here: where it lies.

As on Colab the course is not installed: the set-up cell has to fetch it, by git, from a remote
that lies beside the notebook. Two notebooks run at a time.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONVERT = "-m jupyter nbconvert --to html --execute --ExecutePreprocessor.timeout=900".split()


def run(notebook, remote):
    """Execute a notebook, alone if there is a remote; print a line; return whether it ran."""
    began, environment = time.monotonic(), {**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    page = ROOT / "build" / f"{notebook.stem}.html"
    with tempfile.TemporaryDirectory() as empty:
        if remote:
            address = re.search(r"https://github\.com/[^\\\"]+", notebook.read_text("utf-8"))[0]
            environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_VALUE_0": address}
            environment["GIT_CONFIG_KEY_0"] = f"url.file://{remote}.insteadOf"
            notebook = Path(shutil.copy(notebook, empty))
            page = Path(empty) / page.name
        command = [sys.executable, *CONVERT, notebook, f"--output={page}"]
        done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True)
        fetched = (Path(empty) / "course" / "course_lib").is_dir()
    passed = done.returncode == 0 and fetched == bool(remote)
    why = done.stderr.strip().splitlines()[-1:] if done.returncode else ["no course was fetched"]
    result = "passed" if passed else f"FAILED: {''.join(why)}"
    print(f"{notebook.stem:<34} {time.monotonic() - began:6.1f} s  {result}", flush=True)
    return passed


def main(*arguments):
    """Run the notebooks whose names begin with one of the arguments, or all."""
    here, names = "--here" in arguments, tuple(set(arguments) - {"--here"})
    notebooks = sorted((ROOT / "notebooks" / "solutions").glob("*.ipynb"))
    notebooks = [path for path in notebooks if not names or path.name.startswith(names)]
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1 if here else 2) as pool:
        remote = None if here else f"{folder}/course.git"
        if remote:
            clone = ["git", "clone", "-q", "--bare", f"file://{ROOT}", remote]
            subprocess.run(clone, check=True)
        passed = list(pool.map(lambda notebook: run(notebook, remote), notebooks))
    if here:
        from course_lib.evaluation import Results

        print("\nResults", Results().table().to_string(index=False, na_rep=""), sep="\n")
        print("pages: build/*.html")
    print(f"{sum(passed)} passed, {len(passed) - sum(passed)} failed")
    sys.exit(not all(passed))


if __name__ == "__main__":
    main(*sys.argv[1:])
