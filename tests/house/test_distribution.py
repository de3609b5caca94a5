"""What is installed: our packages, nothing of the tests, and names that nobody else supplies."""

import re
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("primitives", "frame", "pallets", "runtime", "executor", "chain_spec", "node", "client", "cli")


def test_no_other_distribution_supplies_our_names() -> None:
    suppliers = packages_distributions()
    others = {name: suppliers[name] for name in OURS if set(suppliers.get(name, [])) - {"gristmill"}}
    assert not others


def test_only_the_packages_are_installed() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"][
        "packages"
    ]["find"]
    assert sorted(patterns["include"]) == sorted(f"{name}*" for name in OURS)


def test_every_direct_dependency_is_locked_with_hashes() -> None:
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for requirement in distribution("gristmill").requires or []:
        name = requirement.split(";")[0].split(">")[0].split("<")[0].strip()
        if "extra ==" not in requirement:
            assert f"\n{name}==" in locked, f"{name} is not in requirements.lock: run `make lock`"
    assert locked.count("--hash=sha256:") >= locked.count("==")


def pins(lock: str) -> dict[str, set[str]]:
    """What a lock file pins: each package's versions, with the systems that they are for."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(.+?)(?: \\)?$", (ROOT / lock).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_the_node_is_tested_with_the_versions_that_it_runs_with() -> None:
    run, tests = pins("requirements.lock"), pins("requirements-dev.lock")
    assert run.keys() <= tests.keys()
    assert {name: versions for name, versions in run.items() if tests[name] != versions} == {}


def test_lock_files_name_no_download_hosts() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock", "tests/clients/package-lock.json"):
        text = (ROOT / lock).read_text(encoding="utf-8")
        assert '"resolved"' not in text, lock
        assert "--index-url" not in text, lock
