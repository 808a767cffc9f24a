"""A kernel whose shell bears the name that Colab's has: some packages ask for it."""

from google.colab._shell import Shell
from ipykernel.ipkernel import IPythonKernel
from traitlets import Type


class Kernel(IPythonKernel):
    """IPython's kernel with Colab's shell."""

    shell_class = Type(Shell)
