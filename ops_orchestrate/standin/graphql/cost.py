"""What a query costs, by GitHub's published rule: the requests that its connections stand for, over a hundred."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

NODE_LIMIT = 500_000


class Price:
    """Walks a document once. `points` is never less than one."""

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._variables = dict(variables)
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self.requests = 0
        self.nodes = 0
        self.errors: list[GraphQLError] = []
        for one in document.definitions:
            if isinstance(one, OperationDefinitionNode):
                self._defaults(one)
                self._walk(one.selection_set, 1)
        if self.nodes > NODE_LIMIT:
            text = (
                f"This query requests up to {self.nodes:,} possible nodes which exceeds the maximum limit of 500,000."
            )
            self.errors.append(GraphQLError(text, extensions={"type": "MAX_NODE_LIMIT_EXCEEDED"}))

    @property
    def points(self) -> int:
        """Requests over a hundred, rounded, one at least."""
        return max(1, round(self.requests / 100))

    def _defaults(self, operation: OperationDefinitionNode) -> None:
        for one in operation.variable_definitions or ():
            name = one.variable.name.value
            if name not in self._variables and isinstance(one.default_value, IntValueNode):
                self._variables[name] = int(one.default_value.value)

    def _walk(self, selections: SelectionSetNode | None, times: int) -> None:
        for one in selections.selections if selections else ():
            if isinstance(one, FieldNode):
                self._field(one, times)
            elif isinstance(one, InlineFragmentNode):
                self._walk(one.selection_set, times)
            elif isinstance(one, FragmentSpreadNode) and one.name.value in self._fragments:
                self._walk(self._fragments[one.name.value].selection_set, times)

    def _field(self, one: FieldNode, times: int) -> None:
        size = self._size(one)
        if size is None:
            if self._is_connection(one):
                name = one.name.value
                text = f"You must provide a `first` or `last` value to properly paginate the `{name}` connection."
                self.errors.append(GraphQLError(text, [one], extensions={"type": "MISSING_PAGINATION_BOUNDARIES"}))
            self._walk(one.selection_set, times)
            return
        if not 0 <= size <= 100:
            name = one.name.value
            text = f"Requesting {size} records on the `{name}` connection exceeds the `first` limit of 100 records."
            self.errors.append(GraphQLError(text, [one], extensions={"type": "EXCESSIVE_PAGINATION"}))
        self.requests += times
        self.nodes += times * size
        self._walk(one.selection_set, times * size)

    @staticmethod
    def _is_connection(one: FieldNode) -> bool:
        """Told by what is asked of it: only connections have nodes, edges and pages."""
        asked = {
            s.name.value
            for s in (one.selection_set.selections if one.selection_set else ())
            if isinstance(s, FieldNode)
        }
        return bool(asked & {"nodes", "edges", "pageInfo"})

    def _size(self, one: FieldNode) -> int | None:
        for argument in one.arguments:
            if argument.name.value in {"first", "last"}:
                value = argument.value
                if isinstance(value, IntValueNode):
                    return int(value.value)
                if isinstance(value, VariableNode):
                    given = self._variables.get(value.name.value)
                    return given if isinstance(given, int) else None
        return None
