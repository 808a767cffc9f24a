"""How Sphinx makes the book. Sources are staged by build_book.py, and nothing is run."""

project = "Recurrent neural networks for audio classification"
html_title = project
language = "en"
extensions = ["myst_nb"]
exclude_patterns = ["downloads"]  # notebooks to fetch, not pages
suppress_warnings = ["myst.header"]  # the glossary's terms are headings of the third rank, as small as they should be

nb_execution_mode = "off"
nb_ipywidgets_js = {}  # they would come from another host
myst_heading_anchors = 4  # headings have the anchors that they have on GitHub
myst_enable_extensions = ["html_image", "colon_fence"]

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_use_index = False  # nothing is indexed: the glossary and the search are the ways in
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"  # of accessible-pygments, which comes with Furo
html_favicon = "static/mark.svg"
html_copy_source = False  # the staged sources are nobody's; a lesson's page offers its notebooks
html_show_copyright = False
# A search shows a line of each page that it found. It asks the host for the page, and a folder on a disk answers no such question.
html_js_files = [(None, {"body": 'DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol !== "file:";'})]
