"""Lists in sentences: the first items, and how many more there are."""

import pytest

from latentia.data import columns, folders
from latentia.models.linear import reading

LISTS = {columns: (", ", " and "), folders: ("; ", "; and "), reading: (", ", " and ")}


@pytest.mark.parametrize("module", LISTS, ids=lambda module: module.__name__)
@pytest.mark.parametrize("more", [-3, 0, 1, 17])
def test_a_long_list_says_how_many_are_not_shown(module, more):
    comma, last = LISTS[module]
    most = module.MOST_NAMED
    items = [f"item{number}" for number in range(most + more)]
    rest = f"{last}{more} more" if more > 0 else ""
    assert module.listed(items) == comma.join(items[:most]) + rest
