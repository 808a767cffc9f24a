"""Compare requirements-colab.txt with the list of packages that Colab publishes today; a difference is no failure, but a reason to prove anew."""

import argparse
import os
import re
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / "requirements-colab.txt"
PUBLISHED = "https://raw.githubusercontent.com/googlecolab/backend-info/main/pip-freeze.txt"
SECONDS_TO_ANSWER = 30
LINE = re.compile(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*(?:==\s*([^\s;]+)|(@)\s*(\S+))?")  # name==version, name @ address, or a name


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", help="a list that was fetched already, instead of the published one")
    file = parser.parse_args().file
    try:
        published = versions(Path(file).read_text(encoding="utf-8") if file else fetched())
    except OSError as error:
        return say(f"the list that Colab publishes could not be read ({error}); nothing was compared")
    if len(published) < 10:
        return say(f"expected a list of packages with their versions, found {len(published)} of them; nothing was compared")
    rows = differences(versions(OURS.read_text(encoding="utf-8")), published)
    print(table(rows) if rows else f"{OURS.name} has what Colab publishes today")
    if rows:
        say(f"{len(rows)} packages of {OURS.name} differ from what Colab publishes today: {', '.join(name for name, *_ in rows)}")
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        if summary:
            with Path(summary).open("a", encoding="utf-8") as page:
                page.write(f"{table(rows)}\n")


def fetched():
    """The text of the list that Colab publishes.

    Raises: OSError if it is not to be had.
    """
    with urllib.request.urlopen(PUBLISHED, timeout=SECONDS_TO_ANSWER) as answer:
        return answer.read().decode("utf-8", errors="replace")


def versions(text):
    """The packages of a requirements file or of a `pip freeze`.

    Returns: a dict from a name, normalised, to its version; None where the line states none, or an address that does not tell it.
    """
    found = [LINE.match(line.strip()) for line in text.splitlines()]
    return {normalised(line[1]): line[2] or (line[3] and of_address(line[4])) for line in found if line}


def of_address(address):
    """The version in the name of the file at an address, None if it tells none: `…/torch-2.1.0%2Bcu118-cp310-….whl` has 2.1.0."""
    told = re.search(r"/[^/]*?-(\d[\w.]*)[^/]*$", address)
    return re.sub(r"\.(tar|zip|whl).*", "", told[1]) if told else None


def normalised(name):
    """A package's name as the index compares it: lower case, one hyphen for every run of hyphens, dots and underlines."""
    return re.sub(r"[-_.]+", "-", name).lower()


def differences(ours, published):
    """The packages that Colab has in another version than we ask for, or not at all.

    Args: both as from `versions`; where ours states no version, any will do. Returns: rows of name, our version, Colab's; in order.
    """
    rows = [(name, version or "any", published.get(name) or ("unknown" if name in published else "none")) for name, version in sorted(ours.items())]
    return [row for row in rows if row[1] != row[2] and (row[1] != "any" or row[2] == "none")]


def table(rows):
    """Rows as a table in Markdown."""
    lines = [("package", OURS.name, "Colab today"), ("---", "---", "---"), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def say(sentence):
    """Print a sentence: on a hosted runner as a warning, which its page shows."""
    print(f"::warning title=Colab's versions::{sentence}" if os.environ.get("GITHUB_ACTIONS") else sentence, file=sys.stdout)


if __name__ == "__main__":
    main()
