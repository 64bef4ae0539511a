"""A real OpenSSH server on loopback, with keys and a configuration of its own: the machine's are left alone."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import eventually

RUN = Path("/run/sshd")
"""Where sshd insists on an empty folder of root's for its own processes without privileges."""
TOOLS = "/usr/sbin:/usr/bin:/sbin:/bin"


class Server:
    """Running. ``ssh`` is the command of a client; host and command follow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sshd = shutil.which("sshd", path=TOOLS)
        assert self.sshd, "an ssh server is needed (apt-get install openssh-server): .ci/setup test"
        for key in ("host", "user"):
            keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
            subprocess.run(keygen, check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
            "PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
            "AcceptEnv LANG LC_* NO_COLOR COLORTERM XDG_*\nPrintMotd no\nPrintLastLog no\nMaxStartups 300\n"
            f"SetEnv PATH={folder}/bin:{TOOLS}\n"
        )
        (folder / "bin").mkdir()
        # What `ringtop` is there: each name of the server has its own (tests/ssh/hosts.py).
        (folder / "bin" / "ringtop").write_text(f'#!/bin/sh\nexec {folder}/bin/$LC_PLACE "$@"\n')
        (folder / "bin" / "ringtop").chmod(0o755)
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {(folder / 'host.pub').read_text()}")
        options = {
            "IdentityFile": f"{folder}/user",
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": f"{folder}/known_hosts",
            "LogLevel": "ERROR",
            "SendEnv": "LANG LC_* NO_COLOR COLORTERM XDG_*",
        }
        pairs = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        user = pwd.getpwuid(os.geteuid()).pw_name
        self.ssh = ("ssh", "-F", "none", *pairs, "-p", str(self.port), f"{user}@127.0.0.1")
        self.tty = ("ssh", "-tt", *self.ssh[1:])
        """The same with a terminal."""

    @contextmanager
    def running(self) -> Iterator[Server]:
        """From when it answers."""
        made = not RUN.exists()
        RUN.mkdir(mode=0o755, exist_ok=True)
        log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        command = [str(self.sshd), "-D", "-e", "-f", str(self.folder / "config")]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
        try:
            assert eventually(self._answers), "sshd does not answer"
            yield self
        finally:
            self.process.terminate()
            self.process.wait()
            log.close()
            if made:
                RUN.rmdir()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False
