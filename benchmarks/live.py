"""What one frame costs the page that listens, in headless Chromium, and how soon it says a word: `python -m benchmarks.live` prints the tables."""

import shutil
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.measure import table, verdict

PAGE = Path(__file__).resolve().parent.parent / "docs" / "live" / "index.html"
BROWSERS = "chromium", "chromium-browser", "google-chrome", "chrome"
FLAGS = ["--no-sandbox", "--disable-gpu", "--mute-audio"]
FRAMES = 3_000  # 30 s of sound for each model
PASSES = 5  # over the same frames: the least time of a frame is free of what other programs took
TOGETHER = 10  # frames that are timed at once for the median: the page's clock ticks every 0.1 ms
COLUMNS = "median, ms", "99th percentile, ms", "largest, ms"
CLOCKED = "99th percentile of a single pass, ms"
VISITS = 7  # of the page, each to its first word
PLAYED = 400  # milliseconds of a digit, while the page's tasks are counted
BAR, FIRST_WORD = 2.0, 1_000  # milliseconds: a frame of 10 ms; from the first click to a word
HEAR = """([name, count]) => {
  const model = new engine.Model(DATA.models[name]);
  const ears = new engine.LogMel(model.frame);
  const detector = new engine.Detector({ classes: model.classes, ...model.detector });
  const talk = Float32Array.from(DATA.clips.flatMap((clip) => [...clip.samples]));
  const { frameLength, frameStep, sampleRate } = model.frame;
  let state = model.initial();
  ears.push(talk.subarray(0, frameLength - frameStep));
  const moments = [performance.now()];
  for (let number = 0; number < count; number += 1) {
    const start = (number * frameStep) % (talk.length - frameStep);
    for (const frame of ears.push(talk.subarray(start, start + frameStep))) {
      const found = model.step(frame, state);
      state = found.state;
      detector.push(found.probabilities, (number * frameStep) / sampleRate);
    }
    moments.push(performance.now());
  }
  return moments;
}"""
WATCH = """
globalThis.drawn = [];
const draw = globalThis.requestAnimationFrame.bind(globalThis);
globalThis.requestAnimationFrame = (callback) => draw((moment) => {
  const began = performance.now();
  callback(moment);
  drawn.push(performance.now() - began);
});
document.addEventListener("click", () => { globalThis.clicked ??= performance.now(); }, true);
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    const { textContent } = document.getElementById("heard");
    if (/heard:/.test(textContent)) globalThis.word ??= performance.now() - clicked;
  }).observe(document.getElementById("heard"), { childList: true, subtree: true });
});
"""


def main():
    """Measure and print."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        heard = hearing(browser)
        words, page_costs, drawings, opened = zip(*(visit(browser) for _ in range(VISITS)))
        version = browser.version
        browser.close()
    print(
        f"Chromium {version}, headless, without a GPU; the page has {PAGE.stat().st_size:,} bytes.\n"
    )
    print("## Hearing: samples → log-mel → cell → probabilities → detection, 10 ms at a time\n")
    print(table(["model", *COLUMNS, CLOCKED], heard))
    worst = max(float(row[2]) for row in heard)
    print(
        f"\n{FRAMES:,} frames each, in {PASSES} passes. The first three columns take the least of the passes for each frame, which is free of what other programs took; the last one takes every pass as it was. The page's clock ticks every 0.1 ms, so the median is that of {TOGETHER} frames together. The bar of {BAR:g} ms for the slowest model's 99th percentile is {verdict(worst, BAR, at_most=True)}.\n"
    )
    drawings = np.concatenate(drawings)
    print("## The whole page, while it plays a digit and draws\n")
    rows = [
        ["CPU of all the page's tasks, for each 10 ms of sound", *spread(page_costs)],
        ["script of one drawing", *spread(drawings, np.percentile(drawings, 99))],
        ["opening the page", *spread(opened)],
        ["from the first click to the first word", *spread(words)],
    ]
    print(table(["", *COLUMNS], rows))
    print(
        f"\n{VISITS} visits, {len(drawings):,} drawings. Without a GPU the browser paints on the same core, which is most of the first row. The sound itself takes most of the time to the first word: the page listens as it plays. The bar of {FIRST_WORD:,} ms, in the longest visit, is {verdict(max(words), FIRST_WORD, at_most=True)}."
    )


def hearing(browser):
    """Time each model of the page alone, a frame at a time."""
    page = opened_page(browser)
    rows = []
    for name, kind, units in page.evaluate(
        "Object.values(DATA.models).map((one) => [one.name, one.kind, one.units])"
    ):
        page.evaluate(HEAR, [name, 500])  # until the browser has compiled it
        moments = np.array([page.evaluate(HEAR, [name, FRAMES]) for _ in range(PASSES)])
        together = np.diff(moments[:, ::TOGETHER]).min(axis=0) / TOGETHER
        single = np.diff(moments)
        least = single.min(axis=0)
        of_least = [f"{value:.2f}" for value in (np.percentile(least, 99), least.max())]
        rows.append(
            [
                f"{name}: {kind.upper()}, {units} units",
                f"{np.median(together):.3f}",
                *of_least,
                f"{np.percentile(single, 99):.2f}",
            ]
        )
    page.close()
    return rows


def visit(browser):
    """Open the page, play two digits: ms to the word, ms of all tasks for 10 ms of sound, ms of each drawing, ms of opening."""
    page = opened_page(browser)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})  # CPU time
    devtools.send("Performance.enable")

    def busy():
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in metrics}["TaskDuration"]

    opening = page.evaluate(
        "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    )
    page.click("#play")
    page.wait_for_function("globalThis.word !== undefined")
    page.wait_for_timeout(1_500)  # until the page has compared its experiments and rests
    before = page.evaluate("drawn.length"), busy()
    page.click("#play")
    page.wait_for_timeout(PLAYED)
    word, drawings = page.evaluate("[word, drawn]")
    cost = 10 * 1_000 * (busy() - before[1]) / PLAYED
    page.close()
    return word, cost, drawings[before[0] :], opening


def opened_page(browser):
    """The page, just opened in a fresh context."""
    page = browser.new_page(viewport={"width": 1_280, "height": 800})
    page.add_init_script(WATCH)
    page.goto(PAGE.as_uri())
    page.wait_for_function("globalThis.engine !== undefined")
    page.wait_for_timeout(500)
    return page


def spread(values, high=None, largest=None):
    """A median, a 99th percentile if there are enough values, and the largest, as texts."""
    largest = np.max(values) if largest is None else largest
    return f"{np.median(values):.2f}", "" if high is None else f"{high:.2f}", f"{largest:.2f}"


if __name__ == "__main__":
    main()
