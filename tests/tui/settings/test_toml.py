"""Lines of keys in TOML files."""

from __future__ import annotations

from ringtop.tui.settings.toml import line_of, lines


def test_keys_and_tables() -> None:
    text = 'a = 1\n\n[t]  # note\nb = "x"\n"c d" = 2\n[t.u]\ne.f = 3\n[[list]]\nx=1\n'
    assert lines(text) == {
        ("a",): 1,
        ("t",): 3,
        ("t", "b"): 4,
        ("t", "c d"): 5,
        ("t", "u"): 6,
        ("t", "u", "e", "f"): 7,
        ("list",): 8,
        ("list", "x"): 9,
    }


def test_text_of_several_lines_holds_no_keys() -> None:
    assert lines('a = """\nb = 1\n[c]\n"""\nd = 2') == {("a",): 1, ("d",): 5}


def test_the_nearest_table_stands_in() -> None:
    found = lines("[t]\nx = {y = 1}")
    assert line_of(found, ("t", "x", "y")) == 2
    assert line_of(found, ("t", "z")) == 1
    assert line_of(found, ("u",)) is None
