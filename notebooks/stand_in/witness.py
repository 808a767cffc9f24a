"""What notebooks/prove.py asks a kernel after a notebook's last cell."""

import json
import os
import resource
import sys
from importlib import metadata

MARK = "the witness says: "  # and a line of JSON
UNIT = 1 if sys.platform == "darwin" else 1024  # bytes, of ru_maxrss


def report():
    """What the kernel has used so far.

    Returns: JSON: `processor`, the CPU seconds of the kernel and of the programs it started; `memory`, its largest in bytes; `gpus`, how many
    TensorFlow sees; `installed`, name==version of every package; `used`, the names of the packages of which a module is loaded.
    """
    times = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return json.dumps({
        "processor": sum(time.ru_utime + time.ru_stime for time in times),
        "memory": times[0].ru_maxrss * UNIT,
        "gpus": len(sys.modules["tensorflow"].config.list_physical_devices("GPU")) if "tensorflow" in sys.modules else 0,
        "used": used(),
        "installed": installed(),
    })


def installed():
    """The name==version of every package that this Python finds, as `pip freeze` has it; in order."""
    return sorted({f"{each.name}=={each.version}" for each in packages()})


def packages():
    """The packages on the path, but for those that a package carries inside: setuptools puts its own `_vendor` on the path when it is first imported."""
    return [each for each in metadata.distributions() if os.path.basename(os.path.realpath(each.locate_file(""))) != "_vendor"]


def used():
    """The names of the packages of which a module is loaded; the files tell, since packages may share a module's name, as `google`."""
    loaded = {os.path.realpath(module.__file__) for module in list(sys.modules.values()) if isinstance(getattr(module, "__file__", None), str)}
    return sorted({each.name for each in packages() if loaded & files(each)})


def files(package):
    """The paths of a package's files, as it was recorded when it was installed; a folder on the path may be named from the one we are in."""
    folder, lines = os.path.realpath(package.locate_file("")), (package.read_text("RECORD") or "").splitlines()
    return {f"{folder}/{line.partition(',')[0]}" for line in lines}
