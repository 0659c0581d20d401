"""YAML written by people, read as plain strings, lists and mappings.

No tags, no dates, no "no means false": every scalar is text, and only an empty or `null` one is nothing. A
key twice in one mapping and merge keys are refused, and aliases are few, so that a small file cannot become a
huge value.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import yaml

from ops_orchestrate.core.names import one_line
from ops_orchestrate.errors import TasksFileError

MAX_ALIASES = 100
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


class _PlainLoader(yaml.BaseLoader):
    """PyYAML's base loader, which knows no tags, with what it lets through refused."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._aliases = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            self._aliases += 1
            if self._aliases > MAX_ALIASES:
                raise yaml.constructor.ConstructorError(None, None, f"more than {MAX_ALIASES} aliases")
        node: yaml.Node | None = super().compose_node(parent, index)
        return node

    def construct_scalar(self, node: Any) -> Any:
        text = super().construct_scalar(node)
        return None if node.style is None and text in _NOTHING else text

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) != len(keys):
            twice = Counter(keys).most_common(1)[0][0]
            raise _refused(f'the key "{one_line(twice, 60)}" is there twice', node)
        if "<<" in keys:
            raise _refused("merge keys (<<) are not read", node)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def load_yaml(text: str, origin: str) -> Any:
    """The value of a YAML text. Raises TasksFileError, naming file and line."""
    loader = None
    try:
        loader = _PlainLoader(text)
        return loader.get_single_data()
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        problem = one_line(bad.problem or "it cannot be parsed", 150)
        raise TasksFileError(f"{origin} is not valid YAML{where}: {problem}.") from None
    except (yaml.YAMLError, ValueError, OverflowError):
        raise TasksFileError(f"{origin} is not valid YAML: it has a character that may not be there.") from None
    except RecursionError:
        raise TasksFileError(f"{origin} is nested too deeply.") from None
    finally:
        if loader is not None:
            loader.dispose()


def _refused(problem: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
