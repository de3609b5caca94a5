"""Python names to the names that chains show."""

from __future__ import annotations

import inspect

_SPELLED = {"ss58": "SS58"}
"""Words that Substrate writes in capitals: clients look for `System.SS58Prefix`."""


def camel(name: str) -> str:
    """`existential_deposit` → `ExistentialDeposit`."""
    return "".join(_SPELLED.get(part) or part[:1].upper() + part[1:] for part in name.split("_"))


def lower_camel(name: str) -> str:
    """`next_dataset_id` → `nextDatasetId`, as in the JSON of chain specs."""
    text = camel(name)
    return text[:1].lower() + text[1:]


def snake(name: str) -> str:
    """`CheckNonce` → `check_nonce`."""
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def docs_of(thing: object) -> str:
    """The docstring written on `thing` itself, without indentation; empty when there is none."""
    own = vars(thing).get("__doc__") if isinstance(thing, type) else getattr(thing, "__doc__", None)
    return inspect.cleandoc(own) if own else ""


def doc_lines(docs: str) -> list[str]:
    """Documentation as metadata carries it: a list of lines, empty for no documentation."""
    return [line.rstrip() for line in docs.splitlines()] if docs else []
