"""The style sheet's rules for the parts of widgets are read one by one: no other rule is about a part."""

from __future__ import annotations

import re

from ringtop.tui.settings.themes import folder

PART = r"\.([a-z-]+--[a-z-]+)"


def test_each_part_has_one_rule_of_its_own() -> None:
    sheet = (folder() / "ringtop.tcss").read_text()
    ours = [name for name in re.findall(PART, sheet) if not name.startswith("-")]
    assert len(ours) > 50
    assert ours == re.findall(rf"^{PART} {{ .* }}$", sheet, re.MULTILINE)
    assert len(set(ours)) == len(ours)
