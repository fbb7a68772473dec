# make demo: set up, build, and show gofish at work.   make test: set up and run every test.
SHELL   := /bin/bash
PREFIX  ?= /usr/local
DESTDIR ?=
GO      ?= go
VERSION := $(shell git describe --always --dirty --tags 2>/dev/null || echo 0.1.0)
# Slow machines stretch all tests at once.
TEST_TIMEOUT ?= 60m

.PHONY: all setup libserver build appliance demo test race bench soak lint clean install
all: build

setup:
	@scripts/setup

# gofish carries the library server with it: see internal/library. The compiler
# decides what is out of date; a server that stays the same keeps gofish so.
LIBSERVER := internal/library/libserver.bin
libserver:
	@CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w' -o bin/libserver ./internal/library/libserver
	@cmp -s bin/libserver $(LIBSERVER) || cp bin/libserver $(LIBSERVER)

build: libserver
	@mkdir -p bin
	@CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION) -E gofish_start' -o bin/gofish ./cmd/gofish

appliance: build
	@bin/gofish appliance list | grep -q 'in use$$' || bin/gofish appliance build

demo: setup build appliance
	@scripts/demo

test: setup build appliance lint
	@$(GO) test -timeout $(TEST_TIMEOUT) ./...
	@$(MAKE) --no-print-directory race

# The race detector needs a compiler for C, and nothing else here does.
race: libserver
	@if command -v gcc >/dev/null; then CGO_ENABLED=1 $(GO) test -race -timeout 10m -skip LikeGuestfish ./internal/handle ./internal/proto ./internal/commands; \
	else echo "no gcc here: the race detector is left out" >&2; fi

bench: setup build appliance
	@scripts/bench

# make soak SEED=7 TIME=1h: file systems that are mounted on the host. With IMAGES=FOLDER: damaged ones.
# See docs/testing.md.
SEED ?= 1
TIME ?= 10m
soak: build appliance
	@if [ -n "$(IMAGES)" ]; then scripts/soak -images $(IMAGES) -seed $(SEED) -time $(TIME); \
	else scripts/setup fio sqlite3 && GOFISH_SOAK=1 SEED=$(SEED) TIME=$(TIME) $(GO) test -timeout 12h -v -run TestMountLocal ./internal/e2e; fi

lint: libserver
	@unformatted=$$(gofmt -l cmd guestfs internal); if [ -n "$$unformatted" ]; then echo "gofmt -w is needed for:" $$unformatted >&2; exit 1; fi
	@$(GO) vet ./...
	@$(GO) tool staticcheck ./...

# With sudo there is often no Go on the PATH: then what was built before is installed.
# TOOLS=yes installs guestmount and the others under their own names, too.
TOOLS ?= no
install:
	@if command -v $(GO) >/dev/null; then $(MAKE) --no-print-directory build; \
	elif [ ! -x bin/gofish ]; then echo "no $(GO) here: run make build first, as the user who has it" >&2; exit 1; fi
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 bin/gofish $(DESTDIR)$(PREFIX)/bin/gofish
	@make_or_say() { \
		if bin/gofish $$2 >bin/installed; then install -D -m 644 bin/installed "$(DESTDIR)$(PREFIX)/share/$$3"; \
		else echo "no $$1 installed" >&2; fi; }; \
	texts() { \
		make_or_say "manual page of $$1" "man --print $$2" man/man1/$$1.1; \
		make_or_say "completion of $$1 for bash" "completion bash $$2" bash-completion/completions/$$1; \
		make_or_say "completion of $$1 for zsh" "completion zsh $$2" zsh/site-functions/_$$1; \
		make_or_say "completion of $$1 for fish" "completion fish $$2" fish/vendor_completions.d/$$1.fish; }; \
	texts gofish; \
	if [ "$(TOOLS)" = yes ]; then for tool in $$(bin/gofish tools --programs); do \
		echo "ln -s gofish $(DESTDIR)$(PREFIX)/bin/$$tool"; \
		ln -sf gofish "$(DESTDIR)$(PREFIX)/bin/$$tool" && texts $$tool $$tool; \
	done; fi

# The demo unpacks a system as root.
clean:
	rm -rf bin $(LIBSERVER)
	@[ ! -e demo.work ] || rm -rf demo.work 2>/dev/null || sudo rm -rf demo.work
