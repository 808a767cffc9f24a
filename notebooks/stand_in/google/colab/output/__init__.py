"""Colab's outputs: the widget manager can be switched on; there is no page that runs JavaScript."""

from IPython.display import clear_output

from google.colab._page import missing
from google.colab.output._widgets import disable_custom_widget_manager, enable_custom_widget_manager

__all__ = ["clear", "disable_custom_widget_manager", "enable_custom_widget_manager", "eval_js", "register_callback"]


def eval_js(script, ignore_result=False, timeout_sec=None):
    """Refuse: this runs JavaScript in Colab's page."""
    missing("output.eval_js")


def register_callback(function_name, callback):
    """Accept a function that Colab's page could call; nobody will."""


def clear(wait=False):
    """Clear the output of the cell."""
    clear_output(wait)
