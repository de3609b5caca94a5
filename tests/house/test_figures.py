"""The tables of figures in README.md and docs/ are those of `benchmarks/results.json`."""

import json

import pytest

from benchmarks.pages import PAGES, RESULTS, ROOT, written


@pytest.mark.parametrize("name", PAGES)
def test_a_page_gives_the_figures_that_were_measured(name: str) -> None:
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text == written(name, text, results), "write them anew: python -m benchmarks.pages"


@pytest.mark.parametrize("name", PAGES)
def test_other_figures_give_another_page(name: str) -> None:
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    for figure in results.values():
        figure["value"] = 2 * figure["value"] + 1
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text != written(name, text, results)


def test_a_page_without_a_place_for_its_table_is_refused() -> None:
    with pytest.raises(ValueError, match=r"README.md has no lines"):
        written("README.md", "# Gristmill\n", {})
