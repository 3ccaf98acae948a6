"""Amounts with units, money and brackets become numbers, and codes and names do not."""

import re

import numpy as np
import pytest

from latentia.data import tables
from latentia.data.options import TableOptions

AMOUNTS = {
    "dollars": (["$1,234.50", "-$2.00", "$-3"], [1234.5, -2, -3], "'v' ($1,234.50)"),
    "won": (["₩1,000", "₩12,000", "0"], None, ""),
    "won without cents": (["₩1,000", "₩12,000", "₩0"], [1000, 12000, 0], "'v' (₩1,000)"),
    "won behind": (["1,000원", "900원", ""], [1000, 900, np.nan], "'v' (1,000원)"),
    "euros of Europe": (["1.234,50 €", "2,75 €", "3,00 €"], [1234.5, 2.75, 3], "'v' (1.234,50 €)"),
    "centimetres": (["151 cm", "160.5 cm", "NA"], [151, 160.5, np.nan], "'v' (151 cm)"),
    "points": (["3점", "4점", "5점"], [3, 4, 5], "'v' (3점)"),
    "accounts": (["(3.5)", "2", "1"], [-3.5, 2, 1], "brackets .* negative ones: 'v'"),
    "accounts of money": (["($3.5)", "$2", "$1"], [-3.5, 2, 1], "'v'"),
    "two units": (["151 cm", "1.6 m", "2 m"], None, ""),
    "codes": (["001A", "002A", "003A"], None, ""),
    "names": (["p1", "p2", "p3"], None, ""),
    "all in brackets": (["(1)", "(2)", "(3)"], None, ""),
    "ratios": (["1:2", "1:3", "1:4"], None, ""),
}


@pytest.mark.parametrize("name", AMOUNTS)
def test_a_unit_that_all_cells_share_is_left_out_and_told(name, tmp_path):
    cells, numbers, said = AMOUNTS[name]
    path = tmp_path / "t.csv"
    path.write_text("k;v\n" + "".join(f"{7 * i % 5};{cell}\n" for i, cell in enumerate(cells)))
    found = tables.read(path, True)
    assert found.columns == (("k",) if numbers is None else ("k", "v"))
    notes = " ".join(found.notes)
    assert ("units and signs" in notes or "amounts in brackets" in notes) == (numbers is not None)
    if numbers is not None:
        np.testing.assert_array_equal(found.x[:, 1], numbers)
        assert said in notes or re.search(said, notes)
    if {"", "NA"}.isdisjoint(cells):
        classes = tables.read(path, True, TableOptions(label="v")).class_names
        assert {*classes} == {*cells}
