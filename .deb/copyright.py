"""Prints debian/copyright: the licence of ringtop and those of the libraries in the folder given."""

import re
import sys
from importlib.metadata import distributions

ABOUT = """\
Copyright: the authors of ringtop

ringtop is free software under version 2 of the GNU General Public License, and
of that version only. On Debian systems its text is in
/usr/share/common-licenses/GPL-2.

/usr/lib/ringtop also has the Python packages below, as their authors publish
them, each under its own licence.
"""
COMMON = {"Apache": "Apache-2.0", "GNU GENERAL PUBLIC": "GPL-3"}
"""Licences whose text Debian has in a file."""
_WHOLE = re.compile(
    rf"({'|'.join(COMMON)}) LICENSE\s+Version [23].*?END OF TERMS AND CONDITIONS", re.DOTALL | re.IGNORECASE
)


def licence(text: str) -> str:
    """*text*, in which the texts that Debian has are named instead."""
    files = {name.lower(): file for name, file in COMMON.items()}
    return _WHOLE.sub(lambda found: f"See /usr/share/common-licenses/{files[found[1].lower()]}.", text)


print(ABOUT)
for one in sorted(distributions(path=sys.argv[1:]), key=lambda one: one.name.lower()):
    if one.name != "ringtop":
        print(f"{'=' * 79}\n{one.name} {one.version}, {one.metadata['Home-page'] or one.metadata['Project-URL']}\n")
        files = [file for file in one.files or () if file.name.startswith(("LICEN", "COPYING"))]
        print("\n\n".join(licence(file.read_text()).strip() for file in files), end="\n\n")
