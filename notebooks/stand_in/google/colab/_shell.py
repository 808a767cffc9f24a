"""Colab's shell, in name."""

from IPython.core.interactiveshell import InteractiveShellABC
from ipykernel.zmqshell import ZMQInteractiveShell


class Shell(ZMQInteractiveShell):
    """IPython's shell, whose class reads google.colab._shell.Shell."""


InteractiveShellABC.register(Shell)
