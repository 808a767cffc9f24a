"""Which widget manager Colab's page is to load for the widgets of other packages; anywidget reads `_installed_url` from here, by this name."""

from IPython import get_ipython

VIEW = "application/vnd.jupyter.widget-view+json"

_installed_url = None


def enable_custom_widget_manager(version="5.0.0a"):
    """From now on name the manager in whatever shows a widget."""
    global _installed_url
    if _installed_url is None:
        get_ipython().display_pub.register_hook(_with_manager)
    _installed_url = f"https://stand-in.invalid/widget-manager/{version}.js"


def disable_custom_widget_manager():
    """Name none from now on."""
    global _installed_url
    if _installed_url is not None:
        get_ipython().display_pub.unregister_hook(_with_manager)
    _installed_url = None


def _with_manager(message):
    """A message to the page, with the manager's address if it shows a widget."""
    content = message.get("content") or {}
    if VIEW in content.get("data", {}):
        content.setdefault("metadata", {})[VIEW] = {"colab": {"custom_widget_manager": {"url": _installed_url}}}
    return message
