"""What is wrong with a machine, in sentences that say how to mend it: its Python, its packages, TensorFlow, recordings, room, the course's folder.

Nothing is imported at the top but Python's own modules: this has to speak when a package is missing or broken.
"""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ((3, 10), (3, 13))  # the oldest and the newest that work
ROOM = 1e9  # bytes that lessons may fill with recordings and files
ILLEGAL = (-4, 132, 0xC000001D)  # how a process ends that met an instruction which its processor lacks: on Linux and Mac, in a shell, on Windows


def gpus():
    """The names of the GPUs that TensorFlow sees; an empty list if there is none or no TensorFlow."""
    try:
        import tensorflow as tf

        found = tf.config.list_physical_devices("GPU")
        return [tf.config.experimental.get_device_details(device).get("device_name", device.name) for device in found]
    except Exception:  # a broken installation fails in many ways, and report() says in which
        return []


def wrong_python(version, wide):
    """What is wrong with a Python of this version (two numbers), `wide` if it is a 64-bit program: a list of sentences."""
    oldest, newest = (".".join(map(str, each)) for each in PYTHONS)
    faults = [] if PYTHONS[0] <= tuple(version) <= PYTHONS[1] else [f"Python {version[0]}.{version[1]}: the course needs {oldest} to {newest}; install 3.12 and set the course up again (README, Two commands)"]
    return faults + ([] if wide else ["this is a 32-bit Python, for which there is no TensorFlow: install the 64-bit one"])


def wrong_packages():
    """Which packages of requirements.txt are missing here, or have another version than it asks for: a list of sentences."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return [f"the packages are not installed for this Python ({short(sys.executable)}): in the course's folder type make lab, or, without make, follow Two commands in README.md"]
    asked = [Requirement(line.partition("#")[0]) for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if re.match(r"\w", line)]
    asked = [each for each in asked if not (each.name == "jupyterlab" and "google.colab" in sys.modules)]  # Colab has a page of its own
    faults = [(each, version(each.name)) for each in asked if not each.marker or each.marker.evaluate()]
    bad = [f"{each.name} {version or 'is missing'} (asked for: {each.specifier or 'any'})" for each, version in faults if version is None or not each.specifier.contains(version, prereleases=True)]
    return [f"packages: {', '.join(bad)}; mend it with: python -m pip install -r requirements.txt (on Colab: restart the runtime instead, and install nothing)"] if bad else []


def tensorflow():
    """Whether TensorFlow starts, in words, and what is wrong; tried in a process of its own, which a processor that is too old ends."""
    code = "import os; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'; from course_lib import faults; import tensorflow; print(faults.gpus())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        found = done.stdout.strip().splitlines()[-1].strip("[]")
        return f"starts; GPU: {found or 'none, and none is needed'}", []
    last = (done.stderr.strip().splitlines() or [f"ended with code {done.returncode}"])[-1]
    if done.returncode in ILLEGAL:
        return "does not start", ["TensorFlow needs a processor with AVX instructions, and this one has none: use another machine, or Colab"]
    return "does not start", [f"TensorFlow does not start: {last}"]


def data():
    """Which recordings each lesson would use, a line for each set, and what is wrong; by a look at names: nothing is downloaded or unpacked."""
    given = os.environ.get("COURSE_DATA_DIR")
    faults = [f"COURSE_DATA_DIR names {given}, which is no folder: correct it, or unset it"] if given and not Path(given).is_dir() else []
    if given and not faults and not Path(given).is_absolute():
        faults = [f"COURSE_DATA_DIR names {given}, and a notebook would look for that in its own folder: write the whole path, {Path(given).resolve()}"]
    try:
        from course_lib import sets
    except Exception as error:  # a broken package of any kind; a missing one is said elsewhere
        again = "restart the runtime or the kernel, and install nothing; on your own machine set the course up again in a new .venv"
        return [f"not looked for ({type(error).__name__}: {error})"], faults + ([] if isinstance(error, ImportError) else [f"a package does not load ({error}): {again}"])
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
    pattern = archive.recordings or "*/*"
    unpacked = any(any((folder / archive.name).glob(each)) for folder in folders for each in (pattern, f"*/{pattern}"))
    return "unpacked" if unpacked else "to be unpacked" if packed and not damaged else None, damaged


def wrong_disk(free):
    """What is wrong with the room on the disk, of which so many bytes are free: a list of sentences."""
    return [f"{free / 1e9:.1f} GB are free on the disk, and lessons may need {ROOM / 1e9:.0f}: make room"] if free < ROOM else []


def wrong_folder(folder):
    """What is wrong with the course's own folder: a list of sentences, empty if it can be written."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return []
    except OSError as error:
        return [f"{short(folder)} cannot be written ({error.strerror}), and lessons keep their table of results there: copy the course into a folder of your own"]


def version(name):
    """The version of a package on this machine, or None."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return version("tensorflow-cpu") if name == "tensorflow" else None


def memory():
    """How much memory this machine has, for the end of a line."""
    try:
        return f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB of memory"
    except (AttributeError, ValueError, OSError):  # Windows
        return ""


def short(text):
    """Text in which the user's own folder is ~."""
    home = re.escape(str(Path.home()))  # and not a part of another folder's name
    return re.sub(rf"(?:(?<=file://)|(?<=-[IL])|(?<![\w/.-])){home}(?![\w-]|\.\w)", "~", str(text)) if len(home) > 2 else str(text)
