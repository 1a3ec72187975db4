"""Custom fields: which values are kept."""

from __future__ import annotations

from fractions import Fraction

from autoctrl.model.fields import choose_fields


def test_numbers_become_floats_and_short_texts_stay() -> None:
    """Whatever is a real number counts, a truth value and a fraction too."""
    values, remark = choose_fields({"n": 1, "x": 0.5, "ok": True, "half": Fraction(1, 2), "t": "é"})
    assert values == {"n": 1.0, "x": 0.5, "ok": 1.0, "half": 0.5, "t": "é"}
    assert {type(values[name]) for name in ("n", "x", "ok", "half")} == {float}
    assert not remark


def test_all_else_is_left_out_and_named() -> None:
    """A value that is not a finite number or a short text costs nothing but itself."""
    bad = {"": 1, "long": "x" * 501, "huge": 10**400, "list": [1], "nan": float("nan"), "no": None}
    values, remark = choose_fields({**bad, "gain": 2})
    assert values == {"gain": 2.0}
    assert remark == (
        "fields left out, neither finite numbers nor texts of at most 500 characters: "
        "'', long, huge, list, nan, no"
    )


def test_a_remark_is_short_however_much_is_left_out() -> None:
    """Neither a long name nor many of them make a long remark."""
    remark = choose_fields({f"{number}" * 1000: None for number in range(300)}).remark
    assert len(remark) <= 500
    assert "0" * 40 in remark
    assert "0" * 41 not in remark


def test_a_name_need_not_be_a_text() -> None:
    """A function may number its fields."""
    assert choose_fields({7: 1}).values == {"7": 1.0}
