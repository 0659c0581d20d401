"""The seed's decision matrix, shown when the mode is asked for, and the four answers."""

from __future__ import annotations

#: The answers, in the seed's words and order; the key is the flag without its dashes.
CHOICES: dict[str, str] = {
    "subagents": "Subagents — fast & cheap",
    "teams": "Agent Teams — steerable",
    "hybrid": "Hybrid — auto-select",
    "dry-run": "Dry run — plan only",
}

_LINE = "━" * 53

#: The seed's own text, word for word: the person who wrote it will look for it.
MATRIX = f"""\
{_LINE}
 ORCHESTRATION MODE
{_LINE}

 --subagents (default)     Fire-and-forget. Cheapest. Best for:
                           - Independent single-repo fixes
                           - Tasks that don't need mid-flight changes
                           - Cost: ~1.5-2x base token usage

 --teams                   Agent Teams with mid-flight steering. Best for:
                           - Cross-repo contract changes (API + consumer)
                           - Security/auth work touching 2+ repos
                           - When you need to redirect agents based on findings
                           - Cost: ~3-7x base token usage

 --hybrid (recommended)    Auto-selects per task. Teams for cross-repo
                           and security work, subagents for everything else.
                           Best balance of speed, cost, and coordination.
                           Cost: ~2-4x base token usage

 --dry-run                 Audit + plan only. Shows what would be dispatched
                           without executing. Good for reviewing before committing.
{_LINE}"""


def mode_question() -> str:
    """The matrix and the question under it: `  [Subagents — fast & cheap]  […]`."""
    return MATRIX + "\n  " + "  ".join(f"[{text}]" for text in CHOICES.values())
