"""What of google.colab needs Colab's page."""


def missing(name):
    """Say that there is no page.

    Args: name: what was called. Raises: NotImplementedError.
    """
    raise NotImplementedError(f"google.colab.{name}: expected Colab's page, found its stand-in, which has none")
