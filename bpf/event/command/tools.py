"""How well-known tools take their arguments, for the keys of commands. This is data; add to it freely.

Names have no version and no target: ``gcc`` also stands for ``x86_64-linux-gnu-gcc-12``.
"""

from __future__ import annotations

from dataclasses import dataclass


def _words(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


COMPILERS = _words(
    "ar as asm c++ c89 c99 cc cc1 cc1plus clang clang++ collect2 cpp f951 flang g++ gcc gdc gfortran gnat1 gold icc "
    "icpc ld ld.bfd ld.gold ld.lld lld llc lto1 lto-wrapper nvcc opt rustc"
)
"""Compilers and linkers. Their options that begin with a letter of CUT are cut to that letter."""
CUT = b"DILOWflm"

SHELLS = _words("ash bash dash fish ksh mksh rbash sh zsh")
"""Shells take commands after ``-c``, otherwise a script."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A program whose first argument is the script to run."""

    code: frozenset[bytes] = frozenset()
    """Options followed by code."""
    module: frozenset[bytes] = frozenset()
    """Options followed by the name of the module or file to run."""
    valued: frozenset[bytes] = frozenset()
    """Other options followed by a value."""


INTERPRETERS: dict[bytes, Interpreter] = {
    b"python": Interpreter(_words("-c"), _words("-m"), _words("-W -X --check-hash-based-pycs")),
    b"pypy": Interpreter(_words("-c"), _words("-m"), _words("-W -X")),
    b"perl": Interpreter(_words("-e -E")),
    b"ruby": Interpreter(_words("-e"), valued=_words("-C -I -r")),
    b"php": Interpreter(_words("-r"), _words("-f"), _words("-c -d -z")),
    b"node": Interpreter(_words("-e -p --eval --print"), valued=_words("-r --require --import -C --conditions")),
    b"nodejs": Interpreter(_words("-e -p --eval --print"), valued=_words("-r --require --import -C --conditions")),
    b"bun": Interpreter(_words("-e")),
    b"deno": Interpreter(),
    b"java": Interpreter(
        module=_words("-jar -m --module"),
        valued=_words("-cp -classpath --class-path -p --module-path --add-modules --add-opens --add-exports"),
    ),
    b"lua": Interpreter(_words("-e"), valued=_words("-l")),
    b"luajit": Interpreter(_words("-e"), valued=_words("-l")),
    b"tclsh": Interpreter(),
    b"wish": Interpreter(),
    b"expect": Interpreter(_words("-c"), _words("-f")),
    b"guile": Interpreter(_words("-c"), _words("-s"), _words("-l -L -e")),
    b"Rscript": Interpreter(_words("-e")),
    b"julia": Interpreter(_words("-e -E"), valued=_words("-L -J -p -t")),
    b"awk": Interpreter(module=_words("-f"), valued=_words("-F -v")),
    b"gawk": Interpreter(module=_words("-f"), valued=_words("-F -v")),
    b"mawk": Interpreter(module=_words("-f"), valued=_words("-F -v")),
}
AWKS = _words("awk gawk mawk")
"""Interpreters whose first argument is code."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program of many commands; its first argument that is no option names the command."""

    valued: frozenset[bytes] = frozenset()
    """Options before the command that are followed by a value."""
    depth: int = 1
    """How many words name the command."""


_GIT = "-C -c --git-dir --work-tree --namespace --super-prefix --config-env"
_DOCKER = "-H --host -c --context -l --log-level --config --tlscacert --tlscert --tlskey"
_KUBE = "-n --namespace -s --server --context --cluster --kubeconfig --user --token --as --as-group --request-timeout"
_SYSTEMD = "-H --host -M --machine -t --type -p --property -n --lines -o --output -s --signal --state --root --image"

TOOLS: dict[bytes, Tool] = {
    **dict.fromkeys(_words("git hub"), Tool(_words(_GIT))),
    **dict.fromkeys(_words("docker podman nerdctl buildah"), Tool(_words(_DOCKER))),
    **dict.fromkeys(_words("kubectl oc k3s crictl ctr"), Tool(_words(_KUBE))),
    **dict.fromkeys(
        _words(
            "systemctl loginctl machinectl networkctl resolvectl timedatectl hostnamectl localectl busctl udevadm "
            "portablectl homectl coredumpctl bootctl systemd-analyze"
        ),
        Tool(_words(_SYSTEMD)),
    ),
    **dict.fromkeys(_words("apt apt-get apt-cache aptitude"), Tool(_words("-o --option -c --config-file -t -a"))),
    **dict.fromkeys(_words("apt-key apt-mark dpkg-divert update-alternatives debconf"), Tool()),
    **dict.fromkeys(
        _words("dnf yum microdnf zypper rpm-ostree"), Tool(_words("-c --config --installroot --releasever"))
    ),
    **dict.fromkeys(_words("apk emerge xbps snap flatpak brew port nix guix"), Tool()),
    **dict.fromkeys(_words("pip pipx poetry pdm hatch conda mamba uv rye tox nox"), Tool(_words("--cache-dir --log"))),
    **dict.fromkeys(_words("npm yarn pnpm npx corepack lerna nx turbo"), Tool(_words("--prefix -C --dir --cwd"))),
    **dict.fromkeys(_words("bundle gem rails rake composer artisan drush mix rebar3 stack cabal"), Tool()),
    b"cargo": Tool(_words("-C -Z --config --color")),
    b"rustup": Tool(),
    b"go": Tool(_words("-C")),
    b"dotnet": Tool(),
    **dict.fromkeys(_words("meson bazel buck2 pants scons waf"), Tool()),
    **dict.fromkeys(_words("terraform tofu helm vault consul nomad packer vagrant ansible-galaxy"), Tool()),
    b"aws": Tool(_words("--profile --region --output --endpoint-url --query --color"), 2),
    **dict.fromkeys(_words("gcloud az gh glab doctl"), Tool(_words("--project --account --subscription -R --repo"), 2)),
    b"ip": Tool(_words("-n -netns -f -family -b -batch -rc"), 2),
    **dict.fromkeys(_words("tc bridge devlink rdma"), Tool(_words("-n -netns"), 2)),
    b"bpftool": Tool(depth=2),
    **dict.fromkeys(_words("nmcli iw firewall-cmd ufw"), Tool(depth=2)),
    **dict.fromkeys(_words("zfs zpool btrfs dmsetup cryptsetup mdadm multipath"), Tool()),
    **dict.fromkeys(
        _words("virsh lxc incus lxd runc crun machine minikube kind k3d"), Tool(_words("-c --connect --root --log"))
    ),
    **dict.fromkeys(_words("hg svn bzr fossil jj darcs cvs"), Tool(_words("-R --repository --cwd --config"))),
    **dict.fromkeys(
        _words("openssl rclone restic borg perf ostree skopeo etcdctl redis-trib"), Tool(_words("--config"))
    ),
    **dict.fromkeys(_words("busybox toybox coreutils"), Tool()),
}


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A program that runs another one."""

    valued: frozenset[bytes] = frozenset()
    """Options followed by a value."""
    words: int = 0
    """Number of its own arguments before the other program."""
    assigns: bool = False
    """Whether NAME=value may stand before the other program."""


WRAPPERS: dict[bytes, Wrapper] = {
    b"env": Wrapper(_words("-u --unset -C --chdir -S --split-string"), assigns=True),
    b"sudo": Wrapper(_words("-u -g -h -p -C -r -t -T -U -D -R --user --group --prompt --chdir"), assigns=True),
    b"doas": Wrapper(_words("-u -C")),
    b"runuser": Wrapper(_words("-u --user -g --group")),
    b"setpriv": Wrapper(_words("--reuid --regid --groups --inh-caps --bounding-set --ambient-caps")),
    b"timeout": Wrapper(_words("-s --signal -k --kill-after"), 1),
    b"nice": Wrapper(_words("-n --adjustment")),
    b"ionice": Wrapper(_words("-c --class -n --classdata")),
    b"chrt": Wrapper(_words("-T -P -D"), 1),
    b"taskset": Wrapper(words=1),
    b"numactl": Wrapper(_words("-C -m -N -i -p --cpunodebind --membind")),
    b"nohup": Wrapper(),
    b"setsid": Wrapper(),
    b"stdbuf": Wrapper(_words("-i -o -e --input --output --error")),
    b"unbuffer": Wrapper(),
    b"time": Wrapper(_words("-f --format -o --output")),
    b"xargs": Wrapper(
        _words("-I -i -n -P -L -l -s -d -E -a --replace --max-args --max-procs --max-lines --delimiter --arg-file")
    ),
    b"parallel": Wrapper(_words("-j -P --jobs -I -N -n -a --arg-file --delay --timeout --results --joblog")),
    b"flock": Wrapper(_words("-w --timeout -E --conflict-exit-code"), 1),
    b"chroot": Wrapper(_words("--userspec --groups"), 1),
    b"unshare": Wrapper(_words("-S --setuid -G --setgid -R --root -w --wd")),
    b"nsenter": Wrapper(_words("-t --target -S --setuid -G --setgid")),
    b"strace": Wrapper(_words("-e -o -p -s -E -u -a -b -P -I -O -S -X")),
    b"ltrace": Wrapper(_words("-e -o -p -s -u -l -n")),
    b"systemd-run": Wrapper(
        _words("-p --property -u --unit --slice -H -M --description --uid --gid --nice -E --setenv")
    ),
    b"systemd-inhibit": Wrapper(_words("--what --who --why --mode")),
    b"dbus-run-session": Wrapper(_words("--config-file --dbus-daemon")),
    b"fakeroot": Wrapper(_words("-l -s -i -b")),
    b"faketime": Wrapper(words=1),
    b"xvfb-run": Wrapper(_words("-e -f -n -p -s -w")),
    **dict.fromkeys(_words("ccache distcc sccache"), Wrapper()),
}

SKIPPED = _words(
    "cd set export unset umask trap ulimit shopt pushd popd source . [ [[ test true local readonly alias read :"
)
"""Commands that only prepare the real work of a shell's text; they are skipped with their arguments."""
OPENING = _words("exec command builtin time if then else elif while until do ! { ( eval")
"""Words that are skipped without what follows them."""
