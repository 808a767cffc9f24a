"""The package's own rules: imports along a clip's path, a docstring for every public name, short modules and functions."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "course_lib"
ORDER = ["files", "archives", "quality", "sets", "datasets", "audio", "batches", "augmentation", "models", "words", "training", "evaluation", "microscope", "steps", "litert", "streaming", "detection", "recorder", "plots", "faults", "diagnosis"]
MODULES = {path.stem: path for path in sorted(PACKAGE.glob("*.py")) if not path.stem.startswith("__")}
MODULE_LINES = 220
BODY_LINES = 25
ABSOLUTE = re.compile(r"(/(home|Users|root|tmp|usr|etc|var|mnt|opt|work|content)\b|~/|[A-Za-z]:\\)")
HOOKS = ("build", "call", "compute_mask", "compute_output_shape", "get_config")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
every_module = pytest.mark.parametrize("module", MODULES)


def tree(module):
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imported(module):
    """The modules of the package that a module imports."""
    names = []
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the package"
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return {name.split(".")[1] for name in names if name.startswith("course_lib.")} & set(MODULES)


def public(nodes, prefix=""):
    """Public functions, classes and their public methods, but for the hooks that Keras calls: HOOKS, and those that begin with on_."""
    for node in nodes:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and not node.name.startswith(("_", "on_")) and node.name not in HOOKS:
            yield f"{prefix}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


def body_lines(function, source):
    """How many lines of code a function has below its docstring, without empty lines and comments."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    lines = source[body[0].lineno - 1 : function.end_lineno]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


def test_every_module_has_its_place_in_the_order():
    assert set(MODULES) <= set(ORDER)


@every_module
def test_imports_run_along_the_path_only(module):
    assert imported(module) <= set(ORDER[: ORDER.index(module)])


@every_module
def test_every_public_name_has_a_docstring(module):
    assert ast.get_docstring(tree(module))
    assert [name for name, node in public(tree(module).body) if not ast.get_docstring(node)] == []


@every_module
def test_modules_and_functions_are_short(module):
    source = MODULES[module].read_text(encoding="utf-8").splitlines()
    assert len(source) <= MODULE_LINES
    functions = [node for node in ast.walk(tree(module)) if isinstance(node, FUNCTIONS)]
    assert {node.name: body_lines(node, source) for node in functions if body_lines(node, source) > BODY_LINES} == {}


@every_module
def test_no_absolute_path(module):
    strings = [node.value for node in ast.walk(tree(module)) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [text for text in strings if ABSOLUTE.match(text)] == []
