"""Build the page that listens: python docs/live/make.py writes index.html, one file of its own.

It joins the modules of src, the ready models, the small models of this folder, ten digits and ten
commands.
"""

import argparse
import base64
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from course_lib import audio, models
from course_lib.extra.streaming import Stream

PAGE = HERE / "index.html"
SOURCE = HERE / "src"
DIGITS = ROOT / "data" / "spoken-digits" / "clips"
SPOKEN_COMMANDS = ROOT / "data" / "spoken-commands" / "clips"
COMMAND_CLIPS = HERE / "clips"
LARGEST = 1_000_000  # bytes of the page
CC_BY, CC_BY_SA = "CC BY 4.0", "CC BY-SA 4.0"
LISTENERS = {"digits": CC_BY_SA, "commands": CC_BY}  # the ready models, and their licences
NOTHING = "nothing"  # their class that is no word
DETECTOR = {"smooth": 10, "apart": 0.5}  # as streaming.detections
SMALL = "rnn", "lstm", "gru"
TEST_VOICES = (  # of spoken-commands: no model here learned from them
    "festival-slt",
    "flite-awb",
    "kokoro-bella",
    "kokoro-george",
    "kokoro-michael",
    "pico-british",
)
CLIPS = [  # voices that no model here learned from; the GRUs and the LSTM are right about each
    "7_kokoro-michael_4",
    "0_kokoro-michael_5",
    "1_festival-slt_7",
    "2_flite-awb_3",
    "3_kokoro-george_1",
    "4_flite-awb_6",
    "5_festival-slt_1",
    "6_kokoro-michael_0",
    "8_kokoro-george_1",
    "9_festival-slt_1",
]
PARTS = {  # of a recurrent layer and of the dense one: what steps.py calls it → what the page does
    "kernel": "kernel",
    "recurrent": "recurrent",
    "bias": "bias",
    "recurrent_bias": "recurrentBias",
}
IMPORT = re.compile(r'^import\s+(\{[^}]*\}|\w+)\s+from\s+"([^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|class|const|let)\b)", re.MULTILINE)
DEFINED = re.compile(
    r"^(?:async\s+)?(?:function\*?|class|const|let|var)\s+(\w+|[{\[].*?[}\]]\s*=)", re.MULTILINE
)
STUB = "<!DOCTYPE html><title>Engine</title><script type=module>/*SCRIPT*/</script>"


def main(path: Path = PAGE) -> Path:
    """Write the page."""
    page = source("ui/page.html") or STUB
    page = put(page, "/*STYLE*/", source("ui/style.css"))
    page = put(page, "/*SCRIPT*/", script())
    if len(page.encode()) > LARGEST:
        raise ValueError(f"expected {LARGEST:,} bytes or fewer, found {len(page.encode()):,}")
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def source(name: str) -> str:
    """Read a file of src, or nothing if there is none."""
    path = SOURCE / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def put(page: str, mark: str, content: str) -> str:
    """Replace a mark, which stands in the page once at most."""
    if page.count(mark) > 1:
        raise ValueError(f"expected {mark} once, found it {page.count(mark)} times")
    return page.replace(mark, content)


# --- the script


def script() -> str:
    """Join the modules: the engine, the data, then what the page does with them."""
    engine = in_order(sorted((SOURCE / "engine").glob("*.js")))
    start = SOURCE / "ui" / "main.js"
    ui = [path for path in in_order([start]) if path not in engine] if start.exists() else []
    texts = {path: path.read_text(encoding="utf-8") for path in [*engine, *ui]}
    names = {path: defined(path, text) for path, text in texts.items()}
    check_unique(names)
    public = [name for path in engine for name in exported(texts[path])]
    parts = [plain(path, texts[path]) for path in engine]
    parts.append(f"globalThis.engine = {{ {', '.join(public)} }}; // to play with in the console")
    parts.append(f"globalThis.DATA = unpack({json.dumps(data(), ensure_ascii=True)});")
    parts += [plain(path, texts[path]) for path in ui]
    joined = "\n".join(parts)
    if "</script" in joined:
        raise ValueError("expected modules without the end of a script, found one")
    return joined


def in_order(starts: Sequence[Path]) -> list[Path]:
    """List modules and all that they import, each after what it imports."""
    found = []

    def visit(path, above):
        if path in above:
            circle = " → ".join(each.name for each in [*above, path])
            raise ValueError(f"expected modules without a circle, found {circle}")
        if path in found:
            return
        for _, name in IMPORT.findall(path.read_text(encoding="utf-8")):
            visit((path.parent / name).resolve(), [*above, path])
        found.append(path)

    for start in starts:
        visit(start, [])
    return found


def plain(path: Path, text: str) -> str:
    """Turn a module into a piece of one script."""
    title = f"// --- {path.relative_to(HERE).as_posix()}"
    if "module.exports" in text:  # a package from npm
        [name] = re.findall(r"^module\.exports = (\w+);", text, re.MULTILINE)
        licence = (path.parent / "LICENSE").read_text(encoding="utf-8")
        inside = f"const module = {{}};\n{text}return module.exports;\n"
        return f"{title}\n/*\n{licence}*/\nconst {name} = (() => {{\n{inside}}})();"
    text = EXPORT.sub("", IMPORT.sub("", text))
    left = re.search(r"^(?:import|export)\b.*", text, re.MULTILINE)
    if left:
        raise ValueError(f"{path.name}: expected a simple import or export, found {left[0]}")
    return f"{title}\n{text}"


def exported(text: str) -> list[str]:
    """Name what a module exports."""
    return re.findall(r"^export\s+(?:async\s+)?(?:function\*?|class|const|let)\s+(\w+)", text, re.M)


def defined(path: Path, text: str) -> list[str]:
    """Name what a module defines at its top level."""
    if "module.exports" in text:
        return re.findall(r"^module\.exports = (\w+);", text, re.MULTILINE)
    names = DEFINED.findall(EXPORT.sub("", text))
    unclear = [name for name in names if not name.isidentifier()]
    if unclear:
        raise ValueError(f"{path.name}: expected one name a line, found {unclear[0]}")
    return names


def check_unique(names: dict[Path, list[str]]) -> None:
    """Refuse a name that is defined twice, since all modules become one script."""
    owner = {}
    for path, defined_here in names.items():
        for name in defined_here:
            if name in owner:
                found = f"{name} in {owner[name].name} and {path.name}"
                raise ValueError(f"expected each name once, found {found}")
            owner[name] = path


# --- the data


def data() -> dict:
    """Collect the models and the clips, as text for JSON; docs/live/src/engine/data.js decodes."""
    records = {
        name: listener(name) for name in LISTENERS if (models.READY / f"{name}.keras").exists()
    }
    records |= {name: small(name) for name in SMALL if (HERE / "models" / f"{name}.npz").exists()}
    frame = {
        "sampleRate": audio.SAMPLE_RATE,
        "frameLength": audio.FRAME_LENGTH,
        "frameStep": audio.FRAME_STEP,
        "nMels": audio.N_MELS,
    }
    digits = [clip(DIGITS / f"{name}.flac") for name in CLIPS]
    commands = [clip(path) for path in sorted(COMMAND_CLIPS.glob("*.flac"))]
    return {"frame": frame, "models": records, "clips": digits + commands}


def listener(name: str) -> dict:
    """Read a ready model, which listens without end."""
    model, classes = models.ready(name)
    results = pd.read_csv(models.READY / "results.csv", index_col="what")["value"]
    [right] = results.filter(regex=f"^{name}, .* in 2 s, noise at 20 dB$")
    card = f"{right:.0%} right on real speakers never heard, a word in 2 s, noise 20 dB below it"
    threshold = float(results[f"{name}, a quiet home: threshold"])
    of_model = record(name, Stream(model), classes, LISTENERS[name], card)
    return of_model | {"detector": DETECTOR | {"threshold": threshold}}


def small(name: str) -> dict:
    """Read a small model of this folder, which answers at the end of a clip."""
    stream = Stream(HERE / "models" / f"{name}.npz")
    cards = json.loads((HERE / "models" / "cards.json").read_text(encoding="utf-8"))
    return record(name, stream, stream.classes, CC_BY, cards[name])


def record(name: str, stream: Stream, classes: list[str], licence: str, card: str) -> dict:
    """Describe a model for the page: rescaling, one recurrent layer, one dense layer."""
    layers = [layer for layer in stream.runner.records if layer.kind != "identity"]
    kinds = [layer.kind for layer in layers]
    if len(kinds) != 3 or kinds[0] != "affine" or kinds[2] != "dense" or kinds[1] not in SMALL:
        expected = f"expected an affine, a recurrent ({', '.join(SMALL)}) and a dense layer"
        raise ValueError(f"{name}: {expected}, found {', '.join(kinds)}")
    first, recurrent, last = layers
    scale, offset = (np.unique(first.weights[part]) for part in ("scale", "offset"))
    if len(scale) != 1 or len(offset) != 1:
        raise ValueError(f"{name}: expected one scale for all bands, found several")
    weights = {PARTS[part]: base64_of(values, "<f4") for part, values in recurrent.weights.items()}
    weights["logitsKernel"] = base64_of(last.weights["kernel"], "<f4")
    weights["logitsBias"] = base64_of(last.weights["bias"], "<f4")
    return {
        "name": name,
        "kind": recurrent.kind,
        "units": len(recurrent.weights["recurrent"]),
        "classes": list(classes),
        "licence": licence,
        "card": card,
        "frame": {
            "sampleRate": stream.sample_rate,
            "frameLength": stream.frame_length,
            "frameStep": stream.frame_step,
            "nMels": stream.runner.n_mels,
        },
        "detector": None,
        "input": {"scale": float(scale[0]), "offset": float(offset[0])},
        "weights": weights,
    }


def clip(path: Path) -> dict:
    """Read a clip `<word>_<voice>_<take>` as 16-bit samples."""
    word, voice, _ = path.stem.split("_")
    samples = np.round(audio.read(path) * 32_768)
    return {"word": word, "voice": voice, "licence": CC_BY, "samples": base64_of(samples, "<i2")}


def keep_commands() -> None:
    """Keep the first take of each command, by the test voices in turn, whatever a model hears.

    They are kept as FLAC, because an MP3 is not decoded to the same samples on every machine.
    """
    _, classes = models.ready("commands")
    words = [name for name in classes if name != NOTHING]
    COMMAND_CLIPS.mkdir(exist_ok=True)
    for number, word in enumerate(words):
        voice = TEST_VOICES[number % len(TEST_VOICES)]
        waveform = audio.read(SPOKEN_COMMANDS / word / f"{voice}_0.mp3")
        samples = np.round(waveform * 32_768).astype(np.int16)
        path = COMMAND_CLIPS / f"{word}_{voice}_0.flac"
        soundfile.write(path, samples, audio.SAMPLE_RATE, subtype="PCM_16")


def base64_of(values: np.ndarray, kind: str) -> str:
    """Write numbers as text: little-endian, row by row."""
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, nargs="?", default=PAGE, help="where to write it")
    parser.add_argument("--commands", action="store_true", help="first keep the commands anew")
    chosen = parser.parse_args()
    if chosen.commands:
        keep_commands()
    made = main(chosen.path)
    print(f"{made}: {made.stat().st_size:,} bytes")
