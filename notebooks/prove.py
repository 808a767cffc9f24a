"""Prove that every notebook runs in Colab's runtime, and write down when, on what, and how long: course_lib/proved.json.

Each notebook, the learner's and the solved one, runs in a kernel of its own, from an empty folder that holds the notebook alone. Its first cell
clones the course, from a repository on this machine that git takes for the public one. A stand-in takes the place of google.colab.
"""

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from course_lib import diagnosis
from notebooks import like_colab, published, shared
from notebooks.stand_in import witness

ASKED = ROOT / "requirements-colab.txt"
LAST_CELL = "import witness\nprint(witness.MARK + witness.report())"
INSTALLS = re.compile(r"\b(pip3?|conda|mamba|uv|apt|apt-get)\b[^\n]*\binstall\b")
GREETING = re.compile(r"(proved on|not quite the versions|Python [\d.]+ is not among).+\nGPU: .+\n?")  # the set-up cell's two lines
RECORDINGS = re.compile(r"^(digits|commands|music|environment): [\d,]+ clips, [\d,]+ \w+, ([^,\n]+),", re.MULTILINE)
SECONDS_A_CELL = 900
COLAB = "3.13"  # the Python that Colab has
SHOWN = 300  # characters of a message
os.environ.update(like_colab.QUIET)


class Proof(NamedTuple):
    """How a notebook ran: its name, what is wrong, seconds by the clock, the recordings it used, and what the witness in its kernel said, if it was reached."""

    name: str
    faults: list
    seconds: float
    recordings: set
    said: dict

    def line(self):
        """What is printed of it: a line, and one for each fault."""
        used = f"{self.said['processor']:6.1f} CPU s  {self.said['memory'] / 2**30:4.1f} GB" if self.said else " " * 21
        return "\n    ".join([f"{self.name:<46} {used}  {self.seconds:6.1f} s  {'FAILED' if self.faults else 'proved'}", *self.faults])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", help="numbers or names of lessons, such as 01; by default all")
    parser.add_argument("--working-tree", action="store_true", help="prove the files as they are now, not as they were committed last")
    parser.add_argument("--jobs", type=int, default=2, help="how many notebooks run at a time")
    parser.add_argument("--record", type=Path, default=diagnosis.PROVED, help="the record to renew")
    parser.add_argument("--check", action="store_true", help="run nothing; say which lessons have changed since they were proved")
    options = parser.parse_args()
    if options.check:
        numbers = [path.name[:2] for path in shared.chosen(sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")), options.lessons)]
        lines = older(json.loads(options.record.read_text(encoding="utf-8")), numbers, whole=not options.lessons)
        sys.exit("\n".join(lines) or print("as proved:", ", ".join(numbers)))
    other = like_colab.not_as_asked(ASKED.read_text(encoding="utf-8"))
    if other:
        sys.exit(f"expected the versions of {ASKED.name}, found {', '.join(other)}; run: make colab-proof")
    with tempfile.TemporaryDirectory(prefix="proof-") as scratch:
        bare, state = like_colab.remote(ROOT, Path(scratch), working_tree=options.working_tree)
        chosen = shared.chosen(like_colab.extracted(bare, Path(scratch)), options.lessons)
        shutil.copy(ASKED, scratch)  # the versions here are those of this file
        of = {path.name[:2]: diagnosis.made_of(path.name[:2], Path(scratch)) for path in chosen}
        proofs = prove_all(chosen, Path(scratch), jobs=options.jobs)
    failed = [proof.name for proof in proofs if proof.faults]
    if failed:
        sys.exit(f"{len(failed)} of {len(proofs)} notebooks failed, and {options.record.name} stays as it was: {', '.join(failed)}")
    before = json.loads(options.record.read_text(encoding="utf-8")) if options.record.exists() else {}
    record = merged(before, proofs, of, how=None if options.lessons else in_words(proofs, state))
    options.record.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"{len(proofs)} notebooks are proved; {options.record.name} has their seconds{'' if options.lessons else ', and the date'}; now the tables: make timetable")


def prove_all(paths, scratch, *, jobs=1):
    """Run notebooks, some at a time, and print a line for each.

    Args: scratch: a folder that has the repository, as `like_colab.remote` made it. Returns: a list of Proofs, in order.
    """
    surroundings, proofs = like_colab.environment(scratch), []
    subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], env=surroundings, capture_output=True)  # or the first kernel says that it looks for fonts
    one = partial(prove, scratch=scratch, surroundings=surroundings, allowed=like_colab.reached(ASKED.read_text(encoding="utf-8")))
    with ProcessPoolExecutor(jobs) as pool:
        try:
            for proof in pool.map(one, paths):
                print(proof.line(), flush=True)
                proofs.append(proof)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    return proofs


def prove(path, *, scratch, surroundings, allowed):
    """Run a notebook from an empty folder; in a learner's one, each check of a blank exercise has to fail with its hint.

    Args: path: its last folder is `solutions` for a solved one; surroundings: the kernel's environment; allowed: the names of the packages it may use.
    Returns: a Proof.
    """
    solved, before, notebook = path.parent.name == "solutions", witness.installed(), nbformat.read(path, as_version=4)
    code = [(number, cell) for number, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code"]
    for _, cell in code:
        cell.outputs, cell.execution_count = [], None
        if not solved and "check" in cell.metadata.get("tags", []):
            cell.metadata.tags.append("raises-exception")
    notebook.cells.append(nbformat.v4.new_code_cell(LAST_CELL))
    with tempfile.TemporaryDirectory(dir=scratch, prefix="content-") as content:
        shutil.copy(path, content)
        began = time.monotonic()
        ended = run(notebook, content, surroundings)
        seconds = time.monotonic() - began
    said = heard(printed(notebook.cells[-1]))
    faults = [f"cell {number}: {fault}" for number, cell in code for fault in faults_of(cell)] + (strange(said, before, allowed) if said else [])
    if not said and not faults and not ended:
        faults = ["; ".join(["the witness said nothing, so what was installed and used is not known", *faults_of(notebook.cells[-1])])]
    recordings = {found for _, cell in code for found in RECORDINGS.findall(printed(cell))}
    return Proof(("solutions/" if solved else "") + path.stem, faults + ended, seconds, recordings, said)


def run(notebook, folder, surroundings):
    """Execute the cells, up to the first that fails and may not; their outputs stand in the notebook then.

    Returns: a list: empty if they ran, or ended with an error that a cell shows; or with a sentence on what ended them.
    """
    client = NotebookClient(notebook, timeout=SECONDS_A_CELL, kernel_name="python3", extra_arguments=list(like_colab.KERNEL), resources={"metadata": {"path": str(folder)}})
    try:
        client.execute(env=surroundings)
    except CellExecutionError:
        return []
    except (CellTimeoutError, DeadKernelError) as error:
        return [f"did not reach its end: {str(error)[:SHOWN]}"]
    return []


def printed(cell):
    """What a cell printed."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout")


def heard(text):
    """What the witness said, among all else that its cell printed: a dict, empty if it said nothing."""
    lines = [line.partition(witness.MARK)[2] for line in text.splitlines() if witness.MARK in line]
    return json.loads(lines[-1]) if lines else {}


def faults_of(cell):
    """Sentences on what is wrong with a code cell that was to run: an error that it raised, or should have, a warning, or an installation."""
    tags, errors = cell.metadata.get("tags", []), [output for output in cell.outputs if output.output_type == "error"]
    warned = "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stderr")
    faults = [f"installs something: {INSTALLS.search(cell.source)[0]}"] if INSTALLS.search(cell.source) else []
    faults += [f"wrote to the error stream: {warned[:SHOWN]!r}"] if warned else []
    if "setup" in tags and cell.execution_count and not errors and not GREETING.fullmatch(printed(cell)):
        faults.append(f"expected two lines, on the versions and on the GPU, found {printed(cell)[:SHOWN]!r}")
    if "raises-exception" not in tags:
        return faults + [f"{error.ename}: {error.evalue[:SHOWN]}" for error in errors]
    if cell.execution_count and not errors:
        faults.append("expected the check of a blank exercise to fail, found that it passed")
    return faults + [f"expected AssertionError with a hint, found {error.ename}: {error.evalue[:SHOWN]!r}" for error in errors if error.ename != "AssertionError" or not error.evalue]


def strange(said, before, allowed):
    """Sentences on what a kernel found installed that was not before, and on what it used that the file of Colab's versions does not bring."""
    changed = sorted(set(said["installed"]) ^ set(before))
    foreign = [name for name in said["used"] if published.normalised(name) not in allowed]
    faults = [f"the packages changed while it ran: {', '.join(changed)}"] if changed else []
    return faults + ([f"it used what {ASKED.name} does not bring: {', '.join(foreign)}"] if foreign else [])


def older(record, numbers, *, whole=True):
    """Sentences on those of these lessons, which may be the `whole` course, that are not as they were proved on Colab's Python, and how to prove them."""
    stack = record.get("stacks", {}).get(COLAB, {})
    words = {number: diagnosis.changed(stack, number) for number in numbers}
    old = {number: text.removeprefix("; ") for number, text in words.items() if text}
    command = "make colab-proof" if whole and len(old) == len(words) else f"make colab-proof LESSONS=\"{' '.join(old)}\""
    return [*(f"lesson {number}: {text}" for number, text in old.items()), f"with Python {COLAB}, run: {command}"] if old else []


def merged(record, proofs, of, *, how=None):
    """A record with the seconds of these proofs, what the lessons were made of and, where `how` says how the whole course was proved, today's date and the versions here.

    The seconds are of the solved notebooks: without a GPU CPU seconds, of the kernel and of what it started, which other programs on the machine
    change little; with one, seconds by the clock.
    """
    lessons = {**record.get("lessons", {})}
    for proof in proofs:
        if proof.name.startswith("solutions/"):
            number = proof.name.partition("/")[2][:2]
            kind, seconds = ("gpu", proof.seconds) if proof.said["gpus"] else ("processor", proof.said["processor"])
            lessons[number] = {"processor": None, "gpu": None, **lessons.get(number, {}), kind: max(1, round(seconds))}
    stacks, here = {**record.get("stacks", {})}, diagnosis.here()
    minor = ".".join(here["python"].split(".")[:2])
    if how:
        stacks[minor] = {"date": datetime.date.today().isoformat(), "how": how, "notebooks": len(proofs), "recordings": real(proofs), "versions": here, "of": of}
    elif stacks.get(minor, {}).get("versions") == here:
        stacks[minor] = {**stacks[minor], "of": dict(sorted({**stacks[minor].get("of", {}), **of}.items()))}
    return {**record, "stacks": stacks, "lessons": dict(sorted(lessons.items()))}


def real(proofs):
    """Which sets were real recordings in these proofs, as the README's table has it."""
    names = sorted({name for proof in proofs for name, source in proof.recordings if not source.startswith("embedded")})
    return f"real: {', '.join(names)}" if names else "embedded"


def in_words(proofs, state):
    """How these proofs were made, in one sentence."""
    used = sorted({f"{name}: {source}" for proof in proofs for name, source in proof.recordings})
    return f"notebooks/prove.py ran the {len(proofs)} notebooks of {state}, with these recordings: {'; '.join(used) or 'none'}"


if __name__ == "__main__":
    main()
