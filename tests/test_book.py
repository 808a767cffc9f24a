"""The book: every link, picture and solution in its pages; and, in a real browser, from a folder and without a network, that they work."""

import http.server
import os
import re
import threading
from functools import partial
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest

MISSING = [name for name in ["sphinx", "myst_nb", "furo", "jupytext"] if find_spec(name) is None]
if MISSING:
    pytest.skip(f"no {', '.join(MISSING)}: install requirements-dev.txt to build the book", allow_module_level=True)

from book import build_book
from notebooks import build as course
from notebooks import links as every

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
PATIENCE = 20_000  # milliseconds, on a busy machine
ELSEWHERE = re.compile(r"(https?:)?//")
DATA = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+")
RED, BLUE = (  # two pictures of one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC",
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYPgPAAEDAQAIicLsAAAAAElFTkSuQmCC",
)
FITS = """() => ({
    wide: Math.max(...[document.documentElement, ...document.querySelectorAll(".content")].map(box => box.scrollWidth - box.clientWidth)),
    small: Math.min(...[...document.querySelectorAll("article p, article li, article td")].filter(e => e.checkVisibility()).map(e => parseFloat(getComputedStyle(e).fontSize))),
    unseen: [...document.images].filter(image => !image.complete || !image.naturalWidth).map(image => image.src.slice(0, 200)),
})"""


class Page(HTMLParser):
    """What the tests ask of a page: its anchors, where it leads, what it fetches, its pictures, and its pieces of code with whether they are folded away."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.fetched, self.pictures, self.code = {""}, [], [], [], []
        self.details, self.pre = [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        if tag == "a":
            self.links.append(attributes.get("href", ""))
        elif tag == "img":
            self.pictures.append((attributes.get("src"), attributes.get("alt") or ""))
        elif tag == "details":
            self.details.append("open" not in attributes)
        elif tag == "pre":
            self.pre = True
            self.code.append([any(self.details), ""])
        address = attributes.get("href") if tag == "link" and attributes.get("rel") not in ("next", "prev", "index", "search", "canonical") else attributes.get("src")
        self.fetched += [address] if address else []
        self.fetched += re.findall(r"url\(['\"]?([^'\")]+)", attributes.get("style") or "")

    def handle_endtag(self, tag):
        if tag == "details":
            self.details.pop()
        elif tag == "pre":
            self.pre = False

    def handle_data(self, data):
        if self.pre:
            self.code[-1][1] += data


def read(folder):
    """The pages of a site, by their path in it."""
    return {path.relative_to(folder).as_posix(): Page(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("**/*.html"))}


def broken_links(folder, pages):
    """The links of a site that reach no page, file or anchor of it; links to the web are left alone."""
    broken = []
    for name, page in pages.items():
        for link in page.links:
            target, _, anchor = link.partition("#")
            path = os.path.normpath(os.path.join(os.path.dirname(name), unquote(target))) if target else name
            if re.match(r"(https?|mailto):", link):
                continue
            if not (folder / path).is_file() or (path in pages and unquote(anchor) not in pages[path].anchors):
                broken.append(f"{name} → {link}")
    return broken


def wordless_pictures(pages):
    """The pictures of a site without a description."""
    return [f"{name}: {(source or '')[:80]}" for name, page in pages.items() for source, words in page.pictures if not words.strip()]


def fetched_elsewhere(folder, pages):
    """What a site has fetched from another host by its pages or its styles."""
    asked = [(name, address) for name, page in pages.items() for address in page.fetched]
    for path in sorted(folder.glob("**/*.css")):
        asked += [(path.name, address) for address in re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", path.read_text(encoding="utf-8"))]
    return [f"{name}: {address}" for name, address in asked if ELSEWHERE.match(address)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The whole book, in a folder of its own."""
    folder = tmp_path_factory.mktemp("site") / "book"
    build_book.build(folder)
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return read(site)


def test_every_lesson_and_every_text_is_a_page_of_the_contents(site, pages):
    wanted = [path.with_suffix(".html") for path in [*course.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"), *(path for pattern in build_book.TEXTS for path in course.ROOT.glob(pattern))]]
    names = {path.relative_to(course.ROOT).as_posix().replace("README.html", "index.html") if path.parent == course.ROOT else path.relative_to(course.ROOT).as_posix() for path in wanted}
    assert names <= set(pages) and len(names) > 25
    listed = {os.path.normpath(link.partition("#")[0]) for link in pages["index.html"].links}
    assert names - {"index.html"} <= listed, "a page is missing in the list at the side"


def test_every_link_reaches_its_page_and_anchor(site, pages):
    assert broken_links(site, pages) == []
    assert sum(len(page.links) for page in pages.values()) > 1_000


def test_words_of_a_picture_stand_below_it_in_lines_of_the_pages_own_width():
    words = 'In words: "red" & blue, in two lines. To see: 7.'
    picture = nbformat.v4.new_output("display_data", {"image/png": RED}, metadata={"image/png": {"alt": words}})
    printed = nbformat.v4.new_output("stream", name="stdout", text=f"first\n{words.replace(' in two', chr(10) + 'in two')}\nlast\n")
    cell = nbformat.v4.new_code_cell("draw()", outputs=[picture, printed])
    shown = [output for part in build_book.described(cell) for output in part.outputs]
    assert [output.get("text") or list(output.data)[0] for output in shown] == ["image/png", "text/html", "first\nlast\n"]
    assert shown[1].data["text/html"] == '<p class="words">In words: "red" &amp; blue, in two lines. To see: 7.</p>'
    assert "In words" in printed.text, "the notebook that is downloaded keeps its own"


def test_every_picture_has_its_words(pages):
    assert wordless_pictures(pages) == []
    for path in sorted(course.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")):
        outputs = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
        words = [words for _, words in pages[f"notebooks/{path.stem}.html"].pictures]
        for output in outputs:
            assert output.metadata["image/png"]["alt"] in words, f"{path.name}: a picture came without its words"


def test_nothing_comes_from_another_host_and_no_path_is_of_this_machine(site, pages):
    assert fetched_elsewhere(site, pages) == []
    for path in site.glob("**/*"):
        if path.suffix in {".html", ".js", ".css", ".svg"}:
            found = every.ABSOLUTE.search(DATA.sub("", path.read_text(encoding="utf-8")))
            assert not found, f"{path.name}: {found.string[found.start() - 60 : found.end() + 60]}"


def test_every_solution_is_folded_away(pages):
    for path in sorted((course.NOTEBOOKS / "solutions").glob("*.ipynb")):
        code = pages[f"notebooks/{path.stem}.html"].code
        folded, shown = ({" ".join(text.split()) for hidden, text in code if hidden is which} for which in (True, False))
        solutions = [" ".join(cell.source.split()) for cell in nbformat.read(path, as_version=4).cells if "solution" in cell.metadata.get("tags", [])]
        assert len(solutions) >= 3 and set(solutions) <= folded, f"{path.name}: a solution is not in the page, or stands open"
        assert not [text for text in shown if any(solution in text for solution in solutions)]
        assert len([text for text in shown if course.BLANK in text]) == len(solutions), "the learner's blanks stand open"


def test_checks_find_what_is_planted(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="here">A</h1><a href="#here">1</a><a href="b.html#there">2</a><a href="b.html#nowhere">3</a><a href="c.html">4</a><a href="b.html">5</a><a href="https://example.org/">6</a>'
        '<img src="x.png" alt=""><img src="y.png"><img src="z.png" alt="In words"><script src="https://example.org/x.js"></script><link rel="stylesheet" href="//example.org/x.css">'
        '<details><pre>folded</pre></details><details open><pre>open</pre></details><a href="file:///etc/hosts">7</a>'
    )
    (tmp_path / "b.html").write_text('<h1 id="there">B</h1>')
    (tmp_path / "own.css").write_text("@import 'own.css'; body { background: url(own.png) } @font-face { src: url('https://example.org/font.woff') }")
    pages = read(tmp_path)
    assert broken_links(tmp_path, pages) == ["a.html → b.html#nowhere", "a.html → c.html", "a.html → file:///etc/hosts"]
    assert wordless_pictures(pages) == ["a.html: x.png", "a.html: y.png"]
    assert fetched_elsewhere(tmp_path, pages) == ["a.html: https://example.org/x.js", "a.html: //example.org/x.css", "own.css: https://example.org/font.woff"]
    assert pages["a.html"].code == [[True, "folded"], [False, "open"]]


@pytest.fixture
def small(tmp_path):
    """A course of one lesson, in a folder of its own."""
    root = tmp_path / "course"
    (root / "notebooks" / "solutions").mkdir(parents=True)
    (root / "README.md").write_text("# A course\n\nIt has [one lesson](notebooks/00_example.ipynb).\n\n## More\n\nA [licence](LICENSE), [solutions](notebooks/solutions).\n", encoding="utf-8")
    (root / "LICENSE").write_text("Free.", encoding="utf-8")
    pictures = [nbformat.v4.new_output("display_data", {"image/png": png}, metadata={"image/png": {"alt": words}}) for png, words in [(RED, "In words: red"), (BLUE, "In words: blue")]]
    cells = [
        nbformat.v4.new_markdown_cell(course.badge(course.sources()[0])),
        nbformat.v4.new_markdown_cell("# Example\n\nBack to [the front](../README.md#more)."),
        nbformat.v4.new_code_cell("show()", outputs=pictures),
        nbformat.v4.new_code_cell("answer = 42", metadata={"tags": ["solution"]}),
        nbformat.v4.new_code_cell("assert answer", outputs=[nbformat.v4.new_output("stream", text="right")], metadata={"tags": ["check"]}),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number:03d}"
    whole = nbformat.v4.new_notebook(cells=cells, metadata=course.KERNEL)
    nbformat.write(whole, root / "notebooks" / "solutions" / "00_example.ipynb")
    nbformat.write(course.learner(whole), root / "notebooks" / "00_example.ipynb")
    return root


def test_a_small_course_becomes_a_book_and_the_same_again(small, tmp_path, monkeypatch):
    contents = []
    for seed in "12":
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        out = tmp_path / seed / "book"
        assert build_book.build(out, root=small) == 3  # the front page, the lesson, the search
        contents.append({path.relative_to(out).as_posix(): path.read_bytes() for path in out.glob("**/*") if path.is_file()})
    assert contents[0] == contents[1]
    pages = read(out)
    assert broken_links(out, pages) == fetched_elsewhere(out, pages) == []
    assert [words for _, words in pages["notebooks/00_example.html"].pictures] == ["In words: red", "In words: blue"], "two pictures of one cell have their own words"
    assert [text.split("\n")[0] for hidden, text in pages["notebooks/00_example.html"].code if hidden] == ["answer = 42", "right"]
    links = pages["index.html"].links
    assert "https://github.com/{}/tree/{}/notebooks/solutions".format(*course.address()) in links and [link for link in links if re.match(r"_downloads/\w+/LICENSE$", link)]
    assert "../index.html#more" in pages["notebooks/00_example.html"].links
    build_book.build(out, root=small)  # an earlier book is replaced


def test_a_link_to_nothing_stops_the_build(small, tmp_path):
    readme = small / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").replace("LICENSE", "nothing.md"), encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"index\.md.*nothing\.md"):
        build_book.build(tmp_path / "book", root=small)


def test_a_folder_that_is_no_book_is_left_alone(small, tmp_path):
    with pytest.raises(ValueError, match="expected an empty folder or an earlier book, found"):
        build_book.build(small, root=small)
    assert (small / "README.md").exists()


@pytest.fixture
def watched(browser):
    """A factory of open pages: a size of the screen → the page, and the list in which its complaints gather."""
    contexts = []

    def opened(size):
        contexts.append(browser.new_context(viewport=size))
        page, complaints = contexts[-1].new_page(), []
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}") if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("request", lambda request: None if request.url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:")) else complaints.append(f"{page.url} asks for {request.url}"))
        return page, complaints

    yield opened
    for context in contexts:
        context.close()


def test_every_page_opens_without_a_complaint_and_fits_a_phone(site, pages, watched):
    page, complaints = watched(PHONE)
    for name in pages:
        page.goto((site / name).as_uri())
        found = page.evaluate(FITS)
        assert found["wide"] <= 0, f"{name} is {found['wide']} pixels wider than a phone"
        assert (found["small"] or 16) >= 13, f"{name} has letters of {found['small']} pixels"
        assert found["unseen"] == [], f"{name} has pictures that do not show"
    assert complaints == []


def test_a_complaint_is_noticed(tmp_path, watched):
    (tmp_path / "a.html").write_text('<script src="https://example.invalid/x.js"></script><script>console.error("wrong"); nothing()</script><div style="width: 500px">wide</div><img src="no.png">')
    page, complaints = watched(PHONE)
    page.goto((tmp_path / "a.html").as_uri())
    assert all(any(part in complaint for complaint in complaints) for part in ["asks for https://example.invalid/x.js", "wrong", "nothing is not defined"])
    found = page.evaluate(FITS)
    assert found["wide"] > 0 and found["unseen"]


@pytest.fixture
def host(site):
    """The book on a web host of its own: the address."""
    handler = partial(type("Silent", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None}), directory=site)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("place", ["folder", "host"])
def test_search_finds_a_term_and_a_word_of_a_lesson(site, host, watched, place):
    page, complaints = watched(DESK)
    for word, wanted in [("aliasing", "GLOSSARY.html"), ("recurrence", "notebooks/03_")]:
        page.goto(site.as_uri() + "/index.html" if place == "folder" else host)
        page.locator(".sidebar-search").fill(word)
        page.locator(".sidebar-search").press("Enter")
        page.wait_for_function("document.querySelector('#search-results .search-summary')?.innerText.match(/found|did not match/)")
        links = page.locator("#search-results li > a")
        assert any(wanted in (link.get_attribute("href") or "") for link in links.all()), f"{word} was not found in {wanted}"
        if place == "host":
            page.wait_for_selector("#search-results .context")
    links.first.click()
    page.wait_for_load_state()
    assert page.locator("article h1").is_visible() and complaints == []


def test_previous_and_next_lead_through_the_lessons(site, watched):
    page, complaints = watched(DESK)
    lessons = sorted(path.name for path in site.glob("notebooks/*.html"))
    page.goto((site / "notebooks" / lessons[0]).as_uri())
    for lesson in lessons[1:3]:
        page.locator("a.next-page").click()
        page.wait_for_url(f"**/{lesson}")
    page.locator("a.prev-page").click()
    page.wait_for_url(f"**/{lessons[1]}")
    assert complaints == []


def test_dark_and_light(site, watched):
    page, complaints = watched(DESK)
    page.goto((site / "notebooks" / "00_start_here.html").as_uri())
    brightness = {}
    for _ in range(3):  # as the machine has it, light, dark
        page.locator(".content-icon-container .theme-toggle").click()
        theme = page.evaluate("document.body.dataset.theme")
        brightness[theme] = [page.locator(where).first.evaluate(BRIGHTNESS, what) for where, what in [("body", "backgroundColor"), ("article p", "color"), (".cell_output img", "backgroundColor")]]
    paper, ink, picture = brightness["dark"]
    assert paper < 0.2 and ink > 0.6 and picture > 0.9, "light letters on dark paper; a picture keeps its white"
    paper, ink, picture = brightness["light"]
    assert paper > 0.9 and ink < 0.2 and picture > 0.9
    assert complaints == []


BRIGHTNESS = """(element, what) => {
    const [red, green, blue] = getComputedStyle(element)[what].match(/[\\d.]+/g).map(Number);
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}"""


def test_a_clip_plays_the_dot_moves_and_a_solution_opens(site, watched):
    page, complaints = watched(DESK)
    page.goto((site / "notebooks" / "03_the_vanilla_rnn_by_hand.html").as_uri())
    player, dot = page.locator("figure audio"), page.locator("figure circle")
    before = dot.get_attribute("cx")
    assert player.evaluate("player => player.duration") > 0.3
    player.evaluate("player => { player.muted = true; return player.play() }")
    page.wait_for_function("document.querySelector('figure audio').currentTime > 0.1")
    page.wait_for_function("before => document.querySelector('figure circle').getAttribute('cx') !== before", arg=before)
    solution = page.locator("details", has_text=build_book.SOLUTION).first
    assert not solution.locator("pre").first.is_visible()
    solution.locator("summary").click()
    assert solution.locator("pre").first.is_visible() and solution.locator("pre").count() == 2, "the solution, and what its check prints"
    assert complaints == []
