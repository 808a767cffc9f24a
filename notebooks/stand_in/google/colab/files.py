"""Files to and from the learner's computer, through Colab's page."""

from google.colab._page import missing


def upload(target_dir=""):
    """Refuse: this shows a button in Colab's page and waits for it."""
    missing("files.upload")


def download(filename):
    """Refuse: this makes the browser save a file."""
    missing("files.download")
