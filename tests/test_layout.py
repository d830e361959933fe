"""The rules that keep four top-level packages and a data folder from getting in each other's way."""

import re
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path

import pytest

import nlp
import serving
import training

ROOT = Path(__file__).parents[1]


def tracked(*patterns: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def test_datasets_holds_data_only() -> None:
    assert (ROOT / "datasets").is_dir()
    assert list((ROOT / "datasets").rglob("*.py")) == []


def test_tests_are_no_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_the_datasets_library_is_not_shadowed() -> None:
    code = "import datasets; datasets.load_dataset; print(datasets.__file__)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not Path(run.stdout.strip()).is_relative_to(ROOT / "datasets")


@pytest.mark.parametrize("package", [nlp, training, serving])
def test_packages_are_ours(package: object) -> None:
    assert Path(package.__file__).parents[1] == ROOT  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", ["nlp", "nlp.router", "serving.app", "serving.triage", "training.cli"])
def test_what_serves_loads_no_training_framework(module: str) -> None:
    heavy = {"torch", "transformers", "sklearn", "datasets", "pandas"}
    code = f"import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


@pytest.mark.parametrize(
    ("package", "names"),
    [
        ("nlp", ["py.typed"]),
        ("nlp.taxonomy", ["categories.yaml", "natures.yaml", "channels.yaml", "departments.yaml"]),
        ("nlp.knowledge", ["must_review.yaml"]),
        ("nlp.gazetteer", ["surnames.txt"]),
        ("serving", ["py.typed"]),
        ("serving.web", ["templates/base.html", "static/base.css"]),
        ("serving.store", ["migrations/env.py"]),
    ],
)
def test_data_lies_in_its_package(package: str, names: list[str]) -> None:
    for name in names:
        assert resources.files(package).joinpath(name).is_file(), f"{package}/{name}"


def test_only_three_packages_are_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["nlp", "training", "serving"]
    assert project["tool"]["hatch"]["build"]["dev-mode-exact"] is True
    needed = [requirement.partition(">")[0] for requirement in project["project"]["dependencies"]]
    assert not {"nlp", "torch", "transformers"} & set(needed)


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(r for extra in project["optional-dependencies"].values() for r in extra)]
    names = {plain_name(requirement) for requirement in wanted}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert names <= {plain_name(name) for name in pins}, "run: make pins"
    assert pins["torch"] == "2.13.0"


def plain_name(requirement: str) -> str:
    name = requirement
    for end in "[<>=!~; ":
        name = name.partition(end)[0]
    return name.lower().replace("_", "-").replace(".", "-")


def test_no_file_in_git_is_huge() -> None:
    huge = [name for name in tracked() if (ROOT / name).is_file() and (ROOT / name).stat().st_size > 50_000_000]
    assert huge == []


def test_no_real_message_lies_in_the_repository() -> None:
    assert [name for name in tracked() if Path(name).name.startswith("messages_")] == []


def test_links_in_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    # Regular expressions in generated pages look like links: [省市](?:…).
    found = re.compile(r"\]\(([^)#?][^)#]*)")
    links = [(page, link) for page in pages for link in found.findall(page.read_text(encoding="utf-8"))]
    assert len(links) > 10
    broken = [f"{page.name}: {link}" for page, link in links if "://" not in link and not (page.parent / link).exists()]
    assert broken == []


def test_no_document_waits_for_its_figures() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert [page.name for page in pages if "@@" in page.read_text(encoding="utf-8")] == []


def test_every_target_is_described() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE).group(1).split())  # type: ignore[union-attr]
    assert {"setup", "serve", "test", "check", "bench", "e2e"} <= targets
    assert set(re.findall(r"`?make ([a-z0-9]+)", readme)) <= targets
