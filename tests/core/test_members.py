"""What agents are called: after where they work, and never two of them the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ops_orchestrate.core.members import member_names
from ops_orchestrate.core.names import is_name


def test_an_agent_is_called_after_where_it_works() -> None:
    places = [("schema", "api"), ("users", "web"), ("tests", "api"), ("odd", "owner/My App!")]
    assert member_names(places) == {
        "schema": "api-worker",
        "users": "web-worker",
        "tests": "api-worker-2",
        "odd": "my-app-worker",
    }


def test_a_task_that_has_such_an_id_keeps_it_for_itself() -> None:
    assert member_names([("fix", "api"), ("api-worker", "web")])["fix"] == "api-worker-2"


IDS = st.sampled_from(["a", "b", "c", "a-worker", "a-worker-2", "x-worker"])


@given(st.dictionaries(IDS, st.sampled_from(["a", "b", "x", "", "a/b", "Ä"]) | st.text(max_size=50)))
def test_a_name_or_an_id_means_one_task(places: dict[str, str]) -> None:
    named = member_names(places.items())
    assert list(named) == list(places)
    assert len({*named.values(), *places}) == 2 * len(places)
    assert all(is_name(name) for name in named.values())
    assert member_names(places.items()) == named
