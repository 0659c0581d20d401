"""A roadmap, and what is found in one, for tests."""

from __future__ import annotations

from ops_orchestrate.core.finding import FindingKind
from ops_orchestrate.core.planning import (
    parse_roadmap,
    parse_state,
    planning_findings,
)

ROADMAP = """# Roadmap: Shop
## Milestones
- ✅ **v1.0 MVP** - Phases 1-2 (shipped 2026-01-01)
## Phases
- [x] **Phase 3: Tidy** - clean up (completed 2026-03-08)
- [ ] **Phase 4: Pay** - take money
- [ ] **Phase 4.1: Refund** - give it back
- [ ] **Phase 5: Report** - count it
## Phase Details
### Phase 3: Tidy
**Goal**: a clean base
**Depends on**: Nothing (first phase)
Plans:
- [x] 03-01-PLAN.md — sweep
### Phase 4: Pay
**Goal:** customers can pay
**Depends on**: Phase 3
**Success Criteria** (what must be TRUE):
  1. a card works
  2. a receipt is sent
**Plans**: 2 plans
Plans:
- [x] 04-01-PLAN.md — form
- [ ] 04-02-PLAN.md — receipt
### Phase 4.1: Refund (INSERTED)
**Depends on**: Phase 4
### Phase 5: Report
**Depends on**: Phase 4, Phase 4.1 (and independent of Phases 15–16)
## Progress
| Phase | Plans Complete | Status | Completed |
| 3. Tidy | 1/1 | Complete | 2026-03-08 |
| 4. Pay | 1/2 | In progress | - |
"""


def findings_of(roadmap: str, state: str | None = None, plans: dict[str, tuple[int, int]] | None = None):
    parsed = parse_state(state) if state is not None else None
    return planning_findings("shop", "shop-1", parsed, parse_roadmap(roadmap), plans or {})


def work_in(roadmap: str, state: str | None = None):
    return [one for one in findings_of(roadmap, state) if one.kind is FindingKind.PHASE]


def drift_in(roadmap: str, state: str | None = None, plans: dict[str, tuple[int, int]] | None = None) -> list[str]:
    return [one.title for one in findings_of(roadmap, state, plans) if one.kind is FindingKind.STATE_DRIFT]
