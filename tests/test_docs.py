"""The documents say what the code does."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from codeocean.generate.tasks import Task
from ray_jobs.cli import ELSEWHERE, JOBS
from ray_jobs.run.config import load_config
from ray_jobs.run.settings_page import settings_page

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


def test_the_papers_settings_are_the_recipes():
    config = load_config(str(ROOT / "configs" / "paper-ds-6.7b.yaml"), [])
    rows = re.findall(r"\| `([\w.]+)` \| (.+?) \|\n", (ROOT / "docs" / "paper.md").read_text())
    assert len(rows) > 5
    for key, value in rows:
        section, name = key.split(".")
        assert config.section(section)[name] == json.loads(value), key


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert "://" in target or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_table_is_wrapped_into_a_paragraph(page):
    assert not re.search(r"\|[ \t]+\|:?-{3}", page.read_text())


def test_the_readme_names_every_job():
    readme = (ROOT / "README.md").read_text()
    assert all(f"`{job}`" in readme for job in JOBS)
    *first, last = (f"`{job}`" for job in sorted(ELSEWHERE))
    assert f"All but {', '.join(first)} and {last} are `python -m ray_jobs.<job>`" in " ".join(readme.split())


def test_the_readmes_settings_are_valid(tmp_path):
    demo = yaml.safe_load((ROOT / "configs" / "demo.yaml").read_text())
    blocks = re.findall(r"```yaml\n(.+?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) >= 2
    for number, block in enumerate(blocks):
        recipe = tmp_path / f"{number}.yaml"
        recipe.write_text(yaml.safe_dump(demo | yaml.safe_load(block)))
        load_config(str(recipe), [])


def test_the_example_of_a_task_is_one(tmp_path):
    block = re.search(r"```yaml\n(.+?)```", (ROOT / "docs" / "tasks.md").read_text(), re.DOTALL).group(1)
    assert Task.model_validate_json(json.dumps(yaml.safe_load(block))).name == "naming"


def test_the_page_of_settings_is_that_of_the_code():
    assert (ROOT / "docs" / "settings.md").read_text() == settings_page(), (
        "run: python -m ray_jobs.run.settings_page > docs/settings.md"
    )


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "log.md"], ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page):
    rooms = "core|codeocean|serve|eval|training|ray_jobs|report|bench|tests"
    for name in re.findall(rf"`((?:{rooms})/[\w/.-]+\.(?:py|yaml|j2|jinja|html|json))`", page.read_text()):
        assert (ROOT / name).exists() or name.startswith(("report/index", "codeocean/part")), name


MADE = {"settings.md", "licenses.md", "models.md"}
"""Pages that a program writes."""
WRITTEN = [page for page in (*PAGES, ROOT / "SECURITY.md") if page.name not in MADE]
MAX_LINE_CHARS, MAX_SENTENCE_WORDS = 100, 25
NO_PROSE = ("|", "#", "<", "![")
"""What a table, a heading, markup and a picture begin with: they are as wide as they must be."""


def prose_of(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def sentences_of(text: str) -> list[str]:
    """Sentences, and parts between colons and semicolons; code and the target of a link are one word each."""
    found = []
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*[-*] |\s*\d+\. |#|\s*\|)", text):
        if not paragraph.strip().startswith(NO_PROSE):
            plain = re.sub(r"`[^`]*`", "code", " ".join(paragraph.split()))
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", plain)
            found += re.split(r"(?<=[.!?:;])(?:\*\*)?\s+", plain)
    return found


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_prose_is_wrapped_at_100_and_a_sentence_has_25_words_at_most(page):
    text = prose_of(page)
    assert not [
        line for line in text.splitlines() if len(line) > MAX_LINE_CHARS and not line.lstrip().startswith(NO_PROSE)
    ]
    words = {sentence: re.findall(r"\S*\w\S*", sentence) for sentence in sentences_of(text)}
    assert not [sentence for sentence, found in words.items() if len(found) > MAX_SENTENCE_WORDS]


def test_a_long_sentence_is_found():
    assert [len(each.split()) for each in sentences_of("**One.** Two `a b c`;\nthree\n\n- [four five](x y)\n| a b c |")] == [
        1, 2, 1, 3]  # fmt: skip


def test_the_badges_say_what_the_project_file_says():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ray = next(each for each in project["dependencies"] if each.startswith("ray["))
    said = {"license": project["license"], "python": f"{project['requires-python'].removeprefix('>=')} or newer",
            "ray": ray.partition("==")[2], "paper": "arXiv 2312.14187"}  # fmt: skip
    readme = (ROOT / "README.md").read_text()
    for name, value in said.items():
        assert f"<title>{name}: {value}</title>" in (ROOT / "docs" / "badges" / f"{name}.svg").read_text()
        assert f"![{name}: {value}](docs/badges/{name}.svg)" in readme


def test_the_examples_of_own_functions_are_what_the_page_says():
    text = (ROOT / "docs" / "bring-your-own.md").read_text()
    for block in re.findall(r"```python\n(.+?)```", text, re.DOTALL):
        compile(block, "bring-your-own.md", "exec")
    rule: dict[str, object] = {}
    exec(re.findall(r"```python\n(.+?)```", text, re.DOTALL)[0], rule)
    assert [rule["no_todo"]({"code": code}) for code in ("# TODO", "x = 1")] == ["unfinished", None]
