"""A stand-in for Colab's own package, for notebooks/prove.py: what code looks for is here, and what needs Colab's page says that there is none."""

from google.colab import files, output

__all__ = ["files", "output"]


def load_ipython_extension(shell):
    """Called by IPython, which loads this as Colab's IPython loads the real one; there is nothing to prepare.

    Args: shell: IPython's.
    """
