# make run    set up what is missing, then start ringtop        make run ARGS="trace execsnoop"
# make check  linters, type checker, import contracts and the tests that need neither the kernel nor a process of their own
# make test   the same with more examples, and all other tests (as root)     make check ARGS="-k filter"
# make storm  a thousand switches of transport under a flood of events, and each process ended in each phase (as root)
# make fuzz   ten minutes of inputs that look for a way to break what ringtop decodes   make fuzz ARGS="--seconds 60 theme"
# make setup  only what `make run` needs
# make objects  compile bpf/objects anew, after a change of the BPF sources (downloads a compiler, 100 MB)
# make bench  compare the ways of reading events here and now
# make wheel  dist/ringtop-VERSION-py3-none-any.whl, for any Python from 3.11 on
# make deb    dist/ringtop_VERSION_ARCH.deb, for this Debian or Ubuntu
# make clean  remove all that these made

.PHONY: run lint check test storm fuzz setup objects bench wheel deb clean
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

# The system's own interpreter: it is the one that sees the distribution's bcc.
PYTHON = /usr/bin/python3
ARGS =
# Where root's tools are, which `su` does not always add.
export PATH := $(PATH):/usr/sbin:/sbin
bin = .venv/bin
# Tests start a few hundred interpreters: they find ringtop compiled, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
# What needs no kernel. Those who test a viewer wait a lot: there are MORE workers than CPUs.
# A worker that hangs ends at its time limit: Hypothesis would take the usual exception for a failure, and try again.
SMALL = tests/project tests/bpf tests/tui
MORE = 1
WORKERS = -n $(shell expr $$(nproc) + $(MORE)) --dist worksteal -o timeout_method=thread
# What is about the machine; tests/kernel and tests/ssh load real BPF programs. Those that count what happens run one at a time.
# They wait more than they work, so all others run meanwhile, at the lowest priority; what these print comes at the end.
MACHINE = tests/link $(shell [ "$$(id -u)" = 0 ] && echo tests/kernel tests/ssh)
# Tests that were chosen may all be in one part: pytest's exit status 5 is that there were none.
SOME = $(if $(ARGS), || [ $$? = 5 ])
SETUP = PYTHON='$(PYTHON)' .ci/setup

run:
	@$(SETUP) run
	@$(bin)/ringtop $(ARGS)

lint:
	@$(SETUP) test
	$(bin)/python -m ruff check .
	$(bin)/python -m ruff format --check .
	$(bin)/python -m mypy
	$(bin)/lint-imports

check: MORE = 2
check: lint
	$(bin)/python -m pytest $(WORKERS) --hypothesis-profile=check -m 'not slow' $(SMALL) $(ARGS)

test: lint
	@[ "$$(id -u)" = 0 ] || echo "ringtop: not root: tests/kernel and tests/ssh, which load real BPF programs, are left out" >&2
	@others=$$(mktemp) && trap 'rm -f "$$others"' EXIT; \
	{ nice -n 19 $(bin)/python -m pytest $(WORKERS) -m 'not alone' $(SMALL) $(MACHINE) $(ARGS)$(SOME); } >"$$others" 2>&1 & \
	{ $(bin)/python -m pytest -m alone $(MACHINE) $(ARGS)$(SOME); }; alone=$$?; \
	wait $$!; status=$$?; cat "$$others"; exit $$((alone ? alone : status))

storm:
	@$(SETUP) test
	SWITCHES=1000 $(bin)/python -m pytest tests/kernel/test_changes.py -k storm $(ARGS)
	EVERY=1 $(bin)/python -m pytest tests/kernel/test_phases.py $(ARGS)

fuzz:
	@$(SETUP) test
	$(bin)/python -m pip install --quiet -e '.[fuzz]'
	$(bin)/python -m tests.fuzz $(ARGS)

setup:
	@$(SETUP) run

objects:
	@$(SETUP) run
	$(bin)/python -m pip install --quiet -e '.[objects]'
	$(bin)/python -m ringtop.bpf.kernel.objects

bench:
	@$(SETUP) run
	@$(bin)/ringtop bench $(ARGS)

# All files of a package have the time of the last commit: the same commit gives the same package.
wheel deb: export SOURCE_DATE_EPOCH ?= $(shell git -c safe.directory='*' log -1 --format=%ct 2>/dev/null || date +%s)

wheel:
	@$(SETUP) run
	rm -rf build dist/ringtop-*.whl
	$(bin)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

deb: wheel
	@rm -f dist/ringtop_*.deb
	.deb/build dist/ringtop-*.whl dist
	@! command -v lintian >/dev/null || lintian --allow-root --fail-on error,warning dist/ringtop_*.deb

clean:
	rm -rf .venv .fuzz build dist .packages/*.egg-info .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis snapshot_report.html
	find bpf tui themes tests -name __pycache__ -type d -prune -exec rm -rf {} +
