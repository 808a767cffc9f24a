"""Run the tests on every Python that the course is for, where it is found, and write down what each stack gave.

Needs nothing but Python, and for the state of the course git. Each stack gets an environment of its own: 3.10 to 3.12 what requirements.txt and requirements-dev.txt ask for, 3.13 what Colab has.
"""

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from course_lib import diagnosis  # which needs nothing but Python either

PROVED = diagnosis.PROVED
README = ROOT / "README.md"
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
COLAB = "3.13"
CODE = "its code or helpers"  # of what made_of says, all that the tests of a lesson depend on
LESSONS = "tests/test_lessons.py"
PARTS = {"rest": [f"--ignore={LESSONS}"], "lessons": [LESSONS]}  # two runs for each stack, so that each can be repeated alone
COLUMNS = ["Python", "TensorFlow", "Keras", "other tests", "lessons, with every blank and solution", "minutes", "recordings", "on (commit)"]
PLACE = re.compile(r"(<!-- stacks: .*?-->\n).*?(<!-- end of stacks -->)", re.DOTALL)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pythons", nargs="*", help=f"by default all of {', '.join(PYTHONS)}")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part of the tests; by default both")
    parser.add_argument("--table", action="store_true", help="run nothing; write the table of the record into the README")
    options = parser.parse_args()
    if options.table:
        return write_table()
    unknown = set(options.pythons) - set(PYTHONS)
    if unknown:
        sys.exit(f"expected Pythons among {', '.join(PYTHONS)}, found {', '.join(sorted(unknown))}")
    failed = [name for name in options.pythons or PYTHONS if not stack(name, options.part or list(PARTS))]
    if failed:
        sys.exit(f"not all tests passed on Python {', '.join(failed)}")


def stack(name, parts):
    """Set up one stack, run the tests on it, and note what they gave.

    Returns: whether nothing failed; a Python that is not here fails nothing, and is named.
    """
    python = interpreter(name)
    if python is None:
        print(f"Python {name}: not found here; this stack is not tested, and its row stays as it was")
        return True
    tested = environment(name, python)
    given = {part: {**state(part), **tests(tested, PARTS[part])} for part in parts}
    for part, counts in given.items():
        print(f"Python {name}, {part}: {counts['passed']:,} passed, {counts['failed']} failed, {counts['skipped']} skipped, {counts['minutes']:.0f} minutes", flush=True)
    keep(name, *versions(tested), given)
    write_table()  # at once: the next stack's tests compare it with the record
    return not any(counts["failed"] for counts in given.values())


def interpreter(name):
    """A Python of this version on the path, or among those of pyenv.

    Returns: a path, or None.
    """
    places = [shutil.which(f"python{name}"), *sorted((Path.home() / ".pyenv" / "versions").glob(f"{name}*/bin/python"))]
    for place in filter(None, places):
        asked = subprocess.run([place, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True)
        if asked.stdout.strip() == name:
            return str(place)
    return None


def environment(name, python):
    """The Python of a stack's own environment, which is made and filled if need be."""
    folder = ROOT / f".venv-{'colab' if name == COLAB else name}"
    files = ["requirements-colab-dev.txt"] if name == COLAB else ["requirements.txt", "requirements-dev.txt"]
    inside = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not inside.exists() or subprocess.run([inside, "-m", "pip", "--version"], capture_output=True).returncode:
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    print(f"Python {name}: installing what {' and '.join(files)} ask for", flush=True)
    quiet = ["--quiet", "--quiet", "--disable-pip-version-check"]
    subprocess.run([inside, "-m", "pip", "install", *quiet, *(part for file in files for part in ["-r", str(ROOT / file)])], check=True)
    return inside


def tests(python, arguments):
    """Run pytest in the course's folder.

    Returns: a dict of counts: passed, failed (errors, too), skipped; and minutes.
    Raises: RuntimeError if pytest itself does not run.
    """
    report, began = ROOT / "build" / "stack.xml", time.monotonic()
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    done = subprocess.run([python, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", f"--junitxml={report}", *arguments], cwd=ROOT)
    if done.returncode not in (0, 1) or not report.exists():  # 1: tests failed; others: interrupted, nothing found, an error of pytest
        raise RuntimeError(f"expected pytest to run to its end, found that it ended with code {done.returncode}")
    return {**counted(report), "minutes": (time.monotonic() - began) / 60}


def state(part):
    """What a part of the tests is about to run on.

    Returns: a dict: `commit`, with "and changes" if files were changed since, or None without git; for the lessons `of`, what each is made of.
    """
    commit = None
    if (ROOT / ".git").exists() and shutil.which("git"):
        written = [":!course_lib/proved.json", ":!README.md"]  # by this program, after each stack
        commands = (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--untracked-files=no", "--", ".", *written])
        head, changes = (subprocess.run(["git", "-C", ROOT, *command], capture_output=True, text=True).stdout.strip() for command in commands)
        commit = (f"{head} and changes" if changes else head) or None
    numbers = sorted(path.name[:2] for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return {"commit": commit, **({"of": {number: {CODE: diagnosis.made_of(number)[CODE]} for number in numbers}} if part == "lessons" else {})}


def counted(report):
    """How many tests passed, failed and were skipped, from pytest's report in XML."""
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    ran, skipped = (sum(int(suite.get(key, 0)) for suite in suites) for key in ("tests", "skipped"))
    failed = sum(int(suite.get(key, 0)) for suite in suites for key in ("failures", "errors"))
    return {"passed": ran - failed - skipped, "failed": failed, "skipped": skipped}


def versions(python):
    """The versions in an environment, and the lines on the recordings, as course_lib.diagnosis gives them."""
    asked = subprocess.run([python, "-c", "import json; from course_lib import diagnosis, faults; print(json.dumps([diagnosis.here(), faults.data()[0]]))"], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(asked.stdout)


def keep(name, found, data, given):
    """Note in the record what a stack gave.

    A stack is proved if nothing failed in either part, and no lesson was skipped, with the same versions; it is so no more once something fails with them.
    Colab's is proved by notebooks/prove.py, and stays as that wrote it.
    """
    record = json.loads(PROVED.read_text(encoding="utf-8"))
    today, recordings = datetime.date.today().isoformat(), real_sets(data)
    row = record.setdefault("tests", {}).setdefault(name, {})
    if row.get("versions") != found:
        row.clear()  # counts of another stack say nothing of this one
    row.update(versions=found, **{part: {**counts, "minutes": round(counts["minutes"], 1), "recordings": recordings, "date": today} for part, counts in given.items()})
    whole = all(part in row and row[part]["passed"] and not row[part]["failed"] for part in PARTS) and not row["lessons"]["skipped"]
    if name != COLAB and whole:
        record["stacks"][name] = proved(row)
    elif name != COLAB and record["stacks"].get(name, {}).get("versions") == found and any(part in row and (row[part]["failed"] or not row[part]["passed"]) for part in PARTS):
        del record["stacks"][name]
    PROVED.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def proved(row):
    """What the record has of a stack that is proved; parts from before states were noted have none."""
    commits = ", ".join(dict.fromkeys(row[part]["commit"] for part in PARTS if row[part].get("commit")))
    how = f"the tests, with every lesson, its blanks and its solutions{f', of commit {commits}' if commits else ''}"
    of = {"of": row["lessons"]["of"]} if "of" in row["lessons"] else {}
    return {"date": min(row[part]["date"] for part in PARTS), "how": how, "versions": row["versions"], **of}


def real_sets(lines):
    """Which sets are there as real recordings, from the lines of the diagnosis; for the others the embedded ones stand in."""
    found = [line.split(":")[0] for line in lines if ": real recordings" in line]
    return f"real: {', '.join(found)}" if found else "embedded"


def table():
    """The table of the record, in Markdown."""
    record = json.loads(PROVED.read_text(encoding="utf-8"))
    rows, notebooks = record.get("tests", {}), record.get("stacks", {}).get(COLAB)
    written = [table_row(name, rows[name], notebooks if name == COLAB else None) for name in PYTHONS if name in rows]
    if notebooks and COLAB not in rows:
        written.append(table_row(COLAB, {"versions": notebooks["versions"]}, notebooks))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [COLUMNS, ["---"] * len(COLUMNS), *written])


def write_table():
    """Write the table of the record into the README, between its two marks."""
    text = README.read_text(encoding="utf-8")
    if not PLACE.search(text):
        sys.exit("expected the marks of the table in README.md (<!-- stacks: … --> and <!-- end of stacks -->), found none")
    README.write_text(PLACE.sub(lambda found: f"{found[1]}\n{table()}\n\n{found[2]}", text), encoding="utf-8")


def table_row(name, row, notebooks=None):
    """The cells of one stack; `notebooks` is what the record has of its proof by notebooks, which stands where the tests of the lessons did not run."""
    ran = [row[part] for part in PARTS if part in row]
    words = [f"{row[part]['passed']:,} passed, {row[part]['failed']} failed, {row[part]['skipped']} skipped" if part in row else "not run" for part in PARTS]
    if notebooks and "lessons" not in row:
        other = "" if notebooks["versions"] == row["versions"] else f" with TensorFlow {notebooks['versions']['tensorflow']}, Keras {notebooks['versions']['keras']}"
        words[1] = f"{notebooks.get('notebooks', 'all')} notebooks proved on {notebooks['date']}{other}, recordings: {notebooks.get('recordings', 'not noted')}"
    minutes, dates = f"{sum(counts['minutes'] for counts in ran):.0f}", [counts["date"] for counts in ran] or [notebooks["date"]]
    recordings = " / ".join(dict.fromkeys(counts["recordings"] for counts in ran))
    commits = ", ".join(dict.fromkeys(counts["commit"] for counts in ran if counts.get("commit")))
    on = f"{min(dates)} ({commits})" if commits else min(dates)
    return [name, row["versions"]["tensorflow"], row["versions"]["keras"], *words, minutes if ran else "not noted", recordings or notebooks.get("recordings", "not noted"), on]


if __name__ == "__main__":
    main()
