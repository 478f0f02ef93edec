"""The house rules as tests: rooms, direction of imports, cycles, Ray's places, sizes (docs/architecture.md)."""

import ast
import importlib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("codeocean", "training", "serve", "eval", "report")
PACKAGES = ("core", *ROOMS, "ray_jobs", "bench")
SERVING = {f"serve/engines/{name}.py" for name in ("flow", "replica", "replicas", "ray_data")}
MAY_IMPORT_RAY = {"core/metrics.py", "training/reporting.py", *SERVING}
PUBLIC_DOORS = {
    "eval/sandbox/__init__.py": "run_program",
    "eval/reward/__init__.py": "code_reward",
    "codeocean/kcenter.py": "k_center_greedy",
}
"""Import paths that scripts of users name, and what each of them offers."""
BEFORE_IMPORTS = "ray_jobs/__init__.py"
"""Sets what libraries read when they are imported, and imports nothing of ours."""
COMMANDS = {
    "codeocean",
    "collect",
    "embed",
    "select",
    "generate",
    "mix",
    "train",
    "serve",
    "evaluate",
    "report",
    "reward",
    "pipeline",
    "plan",
    "inspect",
    "prompts",
    "judge",
    "diff",
    "sandbox",
    "submit",
    "status",
    "logs",
    "doctor",
    "keys",
    "monitoring",
    "cli",
}
MAX_FILES_OF_A_FOLDER = 25
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_ARGUMENTS = 400, 60, 7


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Dotted names that a file imports, wherever in the file it does."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{name_of(path)} imports relatively"
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def functions_of(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_rooms_do_not_import_each_other(path):
    room = name_of(path).split("/")[0]
    imported = {name.split(".")[0] for name in imports_of(path)} & set(PACKAGES)
    allowed = {"core", room} if room in {"core", *ROOMS} else {"core", *ROOMS, "ray_jobs", room}
    assert imported <= allowed


@pytest.mark.parametrize(
    "path", [path for path in FILES if name_of(path).split("/")[0] in {"core", *ROOMS}], ids=name_of
)
def test_only_the_thin_files_import_ray(path):
    uses_ray = any(name.split(".")[0] == "ray" for name in imports_of(path))
    assert not uses_ray or name_of(path) in MAY_IMPORT_RAY or path.name == "flow.py"


def test_no_import_cycles():
    modules = {name_of(path).removesuffix(".py").replace("/", "."): path for path in FILES}
    graph = {module: imports_of(path) & set(modules) for module, path in modules.items()}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, f"cycle: {' → '.join((*trail, module))}"
        if module not in done:
            for imported in graph[module]:
                visit(imported, (*trail, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_sizes(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES
    for function in functions_of(path):
        where = f"{name_of(path)}:{function.lineno} {function.name}"
        assert function.end_lineno - function.lineno + 1 <= MAX_FUNCTION_LINES, where
        arguments = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
        count = len([name for name in arguments if name not in {"self", "cls"}]) + len(function.args.kwonlyargs)
        assert count <= MAX_ARGUMENTS, where


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_drawers_and_a_docstring_at_the_head(path):
    assert path.stem not in {"utils", "helpers", "common", "manager", "handler"}
    if path.name == "__init__.py":
        assert name_of(path) in {*PUBLIC_DOORS, BEFORE_IMPORTS} or path.read_text() == ""
    else:
        assert ast.get_docstring(tree_of(path))


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=name_of)
def test_a_folder_is_read_at_a_glance(folder):
    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= MAX_FILES_OF_A_FOLDER


@pytest.mark.parametrize(("path", "name"), PUBLIC_DOORS.items())
def test_public_doors_stay_open(path, name):
    module = importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    assert callable(getattr(module, name))


def test_the_top_of_ray_jobs_holds_commands():
    stems = {path.stem for path in (ROOT / "ray_jobs").glob("*.py")} - {"__init__"}
    assert stems <= COMMANDS


def test_every_command_reads_its_options_by_one_library():
    assert not [
        name_of(path) for path in FILES if name_of(path).startswith("ray_jobs/") and "argparse" in imports_of(path)
    ]


def test_every_source_file_has_its_rooms_folder():
    assert {path.parent.name for path in (ROOT).glob("*/__init__.py")} == set(PACKAGES)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_unsafe(path):
    text = path.read_text(encoding="utf-8")
    for forbidden in ("trust_remote_code=True", "shell=True", "pickle.load", "os.system("):
        assert forbidden not in text
