"""What this machine has, against what the course was last proved with: two lines for a lesson's first cell, and a page to paste into a question.

Nothing is imported at the top but Python's own modules: this has to speak when a package is missing or broken.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROVED = Path(__file__).resolve().parent / "proved.json"
COMPARED = ["tensorflow", "keras", "numpy", "pandas", "matplotlib", "scipy", "soundfile", "soxr", "anywidget"]
PYTHONS = ((3, 10), (3, 13))  # the oldest and the newest that work
ROOM = 1e9  # bytes that lessons may fill with recordings and files
ILLEGAL = (-4, 132, 0xC000001D)  # how a process ends that met an instruction which its processor lacks: on Linux and Mac, in a shell, on Windows
ASK = "if a cell fails here, ask, and paste what this prints in a new cell: print(diagnosis.report())"


def greet(lesson):
    """Print, for a lesson's first cell, how this machine compares with the last proof, and how long the lesson computes.

    Args: lesson: its number, such as "05".
    """
    print(compared(proved().get("stacks", {}), here()))
    print(computing(proved().get("lessons", {}).get(lesson), gpus()))


def proved():
    """The record of the last proofs.

    Returns: a dict: `stacks` has for each Python its date and versions, `lessons` for each number the seconds on the processor and, where it was measured, on a GPU.
    """
    return json.loads(PROVED.read_text(encoding="utf-8")) if PROVED.exists() else {}


def here():
    """The versions on this machine.

    Returns: a dict from "python" and the names in COMPARED to a version, or None where there is none.
    """
    return {"python": platform.python_version(), **{name: _version(name) for name in COMPARED}}


def compared(stacks, found):
    """Say in one line whether these are the versions of the last proof, and if not, what differs.

    Args: stacks: as in `proved()`; found: as from `here()`.
    """
    minor = ".".join(found["python"].split(".")[:2])
    if minor not in stacks:
        known = ", ".join(sorted(stacks, key=lambda name: int(name.split(".")[1]))) or "none yet"
        return f"Python {minor} is not among those that the course was proved with ({known}); {ASK}"
    stack = stacks[minor]
    differ = [f"{name} {found.get(name) or 'is missing'} (proved: {version})" for name, version in stack["versions"].items() if name != "python" and found.get(name) != version]
    if differ:
        return f"not quite the versions proved on {stack['date']} with Python {minor}: {', '.join(differ)}; {ASK}"
    return f"proved on {stack['date']} with these versions: Python {minor}, TensorFlow {found['tensorflow']}, Keras {found['keras']}"


def computing(seconds, devices):
    """Say in one line whether there is a GPU, and how long a lesson computes without one and with one.

    Args: seconds: a dict with `processor` (CPU seconds) and `gpu` (by the clock), None where it was not measured; or None; devices: the names of the GPUs.
    """
    device = f"GPU: {', '.join(devices)}" if devices else "GPU: none, and none is needed"
    if not seconds:
        return device
    times = [f"{seconds[kind]:.0f} {name}" if seconds.get(kind) else f"not measured: {name}" for kind, name in [("processor", "CPU seconds, which two cores share"), ("gpu", "seconds with a GPU")]]
    return f"{device}. This lesson's cells compute for about {', '.join(times)}"


def gpus():
    """The names of the GPUs that TensorFlow sees.

    Returns: a list of text, empty if there is none or no TensorFlow.
    """
    try:
        import tensorflow as tf

        found = tf.config.list_physical_devices("GPU")
        return [tf.config.experimental.get_device_details(device).get("device_name", device.name) for device in found]
    except Exception:  # a broken installation fails in many ways, and report() says in which
        return []


def report():
    """Describe this machine, and say what is wrong and how to mend it, in lines that can be pasted into a question.

    Returns: text, without the name of the user's folder.
    """
    found, (sets, faults_of_data), (seen, fault_of_tensorflow) = here(), data(), tensorflow()
    lines = ["Recurrent neural networks for audio classification: diagnosis", ""]
    lines += [f"Python      {found['python']}, {platform.system()} {platform.machine()}, {os.cpu_count()} processors{_memory()}"]
    versions = [f"{name} {_version(name) or 'missing'}" for name in COMPARED] + [f"tensorflow-io {_version('tensorflow-io') or 'not here'}"]
    lines += [f"packages    {', '.join(versions)}"]
    lines += [f"compared    {compared(proved().get('stacks', {}), found)}", f"TensorFlow  {seen}", f"folder      {_short(ROOT)}, {shutil.disk_usage(ROOT).free / 1e9:.0f} GB free"]
    lines += [f"data        {line}" for line in sets]
    wrong = [*wrong_python(sys.version_info[:2], sys.maxsize > 2**32), *wrong_packages(), *fault_of_tensorflow, *faults_of_data, *wrong_disk(shutil.disk_usage(ROOT).free)]
    lines += ["", *(["What is wrong, and how to mend it"] if wrong else ["Nothing was found to be wrong."]), *(f"{number}. {fault}" for number, fault in enumerate(wrong, 1))]
    return _short("\n".join(lines))


def wrong_python(version, wide):
    """What is wrong with the Python.

    Args: version: two numbers; wide: whether it is a 64-bit program. Returns: a list of sentences.
    """
    oldest, newest = (".".join(map(str, each)) for each in PYTHONS)
    faults = [] if PYTHONS[0] <= tuple(version) <= PYTHONS[1] else [f"Python {version[0]}.{version[1]}: the course needs {oldest} to {newest}; install 3.12 and set the course up again (README, Two commands)"]
    return faults + ([] if wide else ["this is a 32-bit Python, for which there is no TensorFlow: install the 64-bit one"])


def wrong_packages():
    """Which packages of requirements.txt are missing here, or have another version than it asks for.

    Returns: a list of sentences.
    """
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return [f"the packages are not installed for this Python ({_short(sys.executable)}): in the course's folder type make lab, or, without make, follow Two commands in README.md"]
    asked = [Requirement(line.partition("#")[0]) for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if re.match(r"\w", line)]
    asked = [each for each in asked if not (each.name == "jupyterlab" and "google.colab" in sys.modules)]  # Colab has a page of its own
    faults = [(each, _version(each.name)) for each in asked if not each.marker or each.marker.evaluate()]
    bad = [f"{each.name} {version or 'is missing'} (asked for: {each.specifier or 'any'})" for each, version in faults if version is None or not each.specifier.contains(version, prereleases=True)]
    return [f"packages: {', '.join(bad)}; mend it with: python -m pip install -r requirements.txt (on Colab: restart the runtime instead, and install nothing)"] if bad else []


def tensorflow():
    """Whether TensorFlow starts, tried in a process of its own, since a processor that is too old ends the process.

    Returns: a sentence on what was seen, and a list of sentences on what is wrong.
    """
    code = "import os; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'; from course_lib import diagnosis; import tensorflow; print(diagnosis.gpus())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        found = done.stdout.strip().splitlines()[-1].strip("[]")
        return f"starts; GPU: {found or 'none, and none is needed'}", []
    last = (done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"])[-1]
    if done.returncode in ILLEGAL:
        return "does not start", ["TensorFlow needs a processor with AVX instructions, and this one has none: use another machine, or Colab"]
    return "does not start", [f"TensorFlow does not start: {last}"]


def data():
    """Which recordings each lesson would use, by a look at names: nothing is downloaded or unpacked.

    Returns: a list of lines, and a list of sentences on what is wrong.
    """
    given = os.environ.get("COURSE_DATA_DIR")
    faults = [f"COURSE_DATA_DIR names {given}, which is no folder: correct it, or unset it"] if given and not Path(given).is_dir() else []
    try:
        from course_lib import sets
    except Exception as error:  # a broken package of any kind
        return [f"not looked for ({type(error).__name__}: {error})"], faults
    lines = []
    for name, archive, embedded in [("digits", sets.FSDD, "spoken-digits"), ("environment", sets.ESC_10, "environmental-sounds"), ("commands", sets.SPEECH_COMMANDS, "spoken-commands"), ("music", sets.GTZAN, "rhythms")]:
        known = (sets.DATA / embedded / "clips.csv").is_file()
        where, damaged = _seen(archive, shelves(sets.DATA))
        lines.append(f"{name}: {f'real recordings, {archive.name}, {where}' if where else f'the embedded {embedded}, until the real ones are here' if known else 'none'}")
        faults += [] if known else [f"data/{embedded} is missing: get the course again, whole"]
        faults += [f"{damaged} is damaged: delete it and fetch it again"] if damaged else []
    return lines, faults


def shelves(data):
    """The folders in which the course looks for recordings, as course_lib.sets has them; COURSE_DATA_DIR last."""
    given = os.environ.get("COURSE_DATA_DIR")
    return [data / "downloads", *(place / "rnn-audio-course" for place in (Path.home() / ".cache", Path(tempfile.gettempdir()))), *([Path(given)] if given else [])]


def _seen(archive, folders):
    """Whether an archive's recordings lie in one of these folders, as words or None; and the name of an archive there that is damaged, or None."""
    packed = [folder / f"{archive.name}{archive.suffix}" for folder in folders if (folder / f"{archive.name}{archive.suffix}").is_file()]
    damaged = next((path.name for path in packed if not (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))), None)
    unpacked = any((folder / archive.name).is_dir() for folder in folders)
    return "unpacked" if unpacked else "to be unpacked" if packed and not damaged else None, damaged


def wrong_disk(free):
    """What is wrong with the room on the disk.

    Args: free: bytes. Returns: a list of sentences.
    """
    return [f"{free / 1e9:.1f} GB are free on the disk, and lessons may need {ROOM / 1e9:.0f}: make room"] if free < ROOM else []


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return _version("tensorflow-cpu") if name == "tensorflow" else None


def _memory():
    try:
        return f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB of memory"
    except (AttributeError, ValueError, OSError):  # Windows
        return ""


def _short(text):
    """Text in which the user's own folder is ~."""
    return str(text).replace(str(Path.home()), "~")
