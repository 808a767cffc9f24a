"""What this machine has, against what the course was last proved with: two lines for a lesson's first cell, and a page to paste into a question.

Nothing is imported at the top but Python's own modules: this has to speak when a package is missing or broken.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import sys
from pathlib import Path

from course_lib import faults

ROOT = Path(__file__).resolve().parent.parent
PROVED = Path(__file__).resolve().parent / "proved.json"
COMPARED = ["tensorflow", "keras", "numpy", "pandas", "matplotlib", "scipy", "soundfile", "soxr", "anywidget"]
ADDRESS = re.compile(r'^LESSON, REPOSITORY, BRANCH = .+$', re.MULTILINE)  # in the set-up cell; it changes nothing of what was proved
ASK = "if a cell fails here, ask, and paste what this prints in a new cell: print(diagnosis.report())"


def greet(lesson):
    """Print, for a lesson's first cell, how this machine and the lesson, such as "05", compare with the last proof, and how long the lesson computes."""
    print(compared(proved().get("stacks", {}), here(), lesson))
    print(computing(proved().get("lessons", {}).get(lesson), faults.gpus()))


def proved():
    """The record of the last proofs: `stacks` has for each Python date, versions and, in `of`, what each lesson was made of; `lessons` the seconds of each."""
    return json.loads(PROVED.read_text(encoding="utf-8")) if PROVED.exists() else {}


def here():
    """The versions on this machine: a dict from "python" and the names in COMPARED to a version, or None where there is none."""
    return {"python": platform.python_version(), **{name: faults.version(name) for name in COMPARED}}


def made_of(lesson, root=None):
    """What a lesson is made of, as far as a proof depends on it: its code and helpers as its notebook names them, the set-up cell but for the address, Colab's versions.

    Returns: a dict from words to a short fingerprint; None in its place if `root`, by default the course, has no such file.
    """
    name = min((path.name for path in ((root or ROOT) / "notebooks").glob(f"{lesson}_*.ipynb")), key=len, default="none")  # a copy's name is longer
    notebook, setup, asked = (_text((root or ROOT) / path) for path in (f"notebooks/{name}", "notebooks/src/setup_course.py", "requirements-colab.txt"))
    code, versions = re.search(r'"made_from": "(\w+)"', notebook), "\n".join(re.findall(r"^[^#\s]+", asked, re.MULTILINE))
    short = [hashlib.sha256(text.encode()).hexdigest()[:16] if text else None for text in (ADDRESS.sub("", setup), versions)]
    return {"its code or helpers": code[1][:16] if code else None, "the set-up cell": short[0], "the versions asked for": short[1]}


def changed(stack, lesson):
    """Say, for the end of a sentence, what has changed in a lesson since a stack was proved; nothing if nothing has, or if there is no such notebook."""
    now, before = made_of(lesson), stack.get("of", {}).get(lesson)
    if not now["its code or helpers"]:
        return ""
    if before is None:
        return "; this lesson was not proved then" if "of" in stack else "; whether this lesson has changed since is not known"
    names = [name for name, value in before.items() if now.get(name) != value]
    return f"; since then has changed: {', '.join(names)}" if names else ""


def compared(stacks, found, lesson=None):
    """Say in one line whether what `here()` found are the versions of the last proof, if not, what differs, and what of a lesson has changed since."""
    minor = ".".join(found["python"].split(".")[:2])
    if minor not in stacks:
        known = ", ".join(sorted(stacks, key=lambda name: int(name.split(".")[1]))) or "none yet"
        return f"Python {minor} is not among those that the course was proved with ({known}); {ASK}"
    stack = stacks[minor]
    since = changed(stack, lesson) if lesson else ""
    differ = [f"{name} {found.get(name) or 'is missing'} (proved: {version})" for name, version in stack["versions"].items() if name != "python" and found.get(name) != version]
    if differ:
        return f"not quite the versions proved on {stack['date']} with Python {minor}: {', '.join(differ)}{since}; {ASK}"
    return f"proved on {stack['date']} with these versions: Python {minor}, TensorFlow {found['tensorflow']}, Keras {found['keras']}{since}"


def computing(seconds, devices):
    """Say in one line which GPUs there are, and how long a lesson computes: `processor`, CPU seconds, which two cores share, and `gpu`, by the clock."""
    device = f"GPU: {', '.join(devices)}" if devices else "GPU: none, and none is needed"
    if not seconds:
        return device
    alone, helped = seconds.get("processor") or 0, seconds.get("gpu") or 0
    times = [f"{alone / 2:.0f} to {alone:.0f} seconds on two cores ({alone:.0f} CPU seconds)"] * bool(alone) + [f"{helped:.0f} seconds with a GPU"] * bool(helped)
    unknown = "; with a GPU that was not measured" if not helped else "; without one that was not measured" if not alone else ""
    return f"{device}. This lesson's cells compute for about {', and for about '.join(times)}{unknown}" if times else device


def report():
    """Describe this machine, and say what is wrong and how to mend it, in lines that can be pasted into a question: no user's folder is named."""
    found, (sets, faults_of_data), (seen, fault_of_tensorflow) = here(), faults.data(), faults.tensorflow()
    lines = ["Recurrent neural networks for audio classification: diagnosis", ""]
    lines += [f"Python      {found['python']}, {platform.system()} {platform.machine()}, {os.cpu_count()} processors{faults.memory()}"]
    versions = [f"{name} {faults.version(name) or 'missing'}" for name in COMPARED] + [f"tensorflow-io {faults.version('tensorflow-io') or 'not here'}"]
    lines += [f"packages    {', '.join(versions)}"]
    lines += [f"compared    {compared(proved().get('stacks', {}), found)}", f"TensorFlow  {seen}", f"folder      {faults.short(ROOT)}, {shutil.disk_usage(ROOT).free / 1e9:.0f} GB free"]
    lines += [f"lessons     {states(proved().get('stacks', {}), found)}", *(f"data        {line}" for line in sets)]
    wrong = [*faults.wrong_python(sys.version_info[:2], sys.maxsize > 2**32), *faults.wrong_packages(), *fault_of_tensorflow, *faults_of_data, *faults.wrong_disk(shutil.disk_usage(ROOT).free), *faults.wrong_folder(ROOT)]
    lines += ["", *(["What is wrong, and how to mend it"] if wrong else ["Nothing was found to be wrong."]), *(f"{number}. {fault}" for number, fault in enumerate(wrong, 1))]
    return faults.short("\n".join(lines))


def states(stacks, found):
    """Say in one line which lessons are as they were proved with this Python, and which are not."""
    stack = stacks.get(".".join(found["python"].split(".")[:2]), {})
    lessons = sorted({path.name[:2] for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")})
    others = [lesson for lesson in lessons if changed(stack, lesson)]
    if "of" not in stack:
        return "whether they have changed since they were proved with this Python is not known"
    return f"changed since they were proved, or never proved: {', '.join(others)}" if others else "as they were proved"


def _text(path):
    return path.read_text(encoding="utf-8") if path.is_file() else ""
