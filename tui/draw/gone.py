"""What is told of a machine that is lost. Pure functions."""

from __future__ import annotations

from ringtop.tui.model.machine import Machine


def told(machine: Machine) -> tuple[str, str, str]:
    """What happened to *machine*, why, and the cure; empty while it is not lost. Untrusted text."""
    contact, live = machine.contact, machine.live
    why = contact.detail.removeprefix("ringtop: ")
    if contact.phase != "lost":
        return "", "", ""
    if machine.name:
        what = "Cannot trace" if machine.refused else "Lost"
        return f"{what}: {machine.name}: {contact.text}", why, "r tries again now, @ shows all hosts."
    if contact.traced or not live:
        how = "It is tried again by itself, and now by r." if machine.again_s is not None else "r starts it again."
        what = "The collector is gone" if live else "The replay has ended"
        return f"{what}: {contact.text}", contact.detail, f"Its events are still here. {how}" if live else ""
    return "Cannot trace here", why or contact.text, "r tries again, D shows a demo, q leaves"
