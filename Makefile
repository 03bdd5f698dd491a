# SPDX-License-Identifier: GPL-2.0
# Unified I/O Region. 'make help' lists the targets; everything that is made goes to build/.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build

B := build/$(KVER)
USER_DIRS := $(patsubst %/Makefile,%,$(wildcard $(addsuffix /Makefile,lib tools samples tests bench demo)))

# The kernel's build writes beside the sources, and one checkout serves several kernels: each gets its copy.
MODULE_SRC := $(shell find drivers include -name '*.[ch]' ! -name '*.mod.c' -o -name '*.sh' -o \
	-name Makefile -o -name Kconfig)
MODULE_COPY := $(MODULE_SRC:%=$(B)/src/%)
ZCNIC_COPY := $(patsubst %,$(B)/src/%,$(wildcard tests/zcnic/*.[ch]) tests/zcnic/Makefile)

all: modules user

help:
	@echo 'make               the module for the running kernel, library, tools, samples'
	@echo 'make modules       the module alone; KVER=RELEASE or KDIR=DIRECTORY for another kernel'
	@echo 'make test-modules  modules that only the tests load, as far as the kernel has what they need'
	@echo 'make user          all that runs in user space'
	@echo 'make install       library, tools, headers, manual pages; DESTDIR=, PREFIX=, LIBDIR='
	@echo 'make demo          the main job, in a VM: network -> BPF -> NVMe and back, checked'
	@echo 'make check         the tests, in VMs'
	@echo 'make check-debug   the tests on a kernel that checks itself, which is built first: much longer'
	@echo 'make crash         power cuts under the log of a pipeline: N=200 kills of a VM, CUTS=2000 cuts of a write log'
	@echo 'make soak          T=1800 seconds of everything at once, with kills, unplugs and memory pressure'
	@echo 'make fuzz          T=60 seconds of random programs against the device, led by coverage; KERNEL=debug, with KASAN, is slow'
	@echo 'make coverage      the tests on the debug kernel, and which lines of the module they never reach'
	@echo 'make proof         1 GiB (N=MIB) from NIC to drive, past a BPF program, in place: SHA-256 at both ends, copies counted'
	@echo 'make bench-quick   a first measure, in a VM'
	@echo 'make deb           Debian packages of all of it, into build/deb'
	@echo 'make check-packages  what they do in a VM where nothing else of this is'
	@echo 'make patch         KSRC=DIRECTORY: prints the patch that adds the driver to that kernel source'
	@echo 'make check-patch   applies it to the source of the kernel of the tests, and compiles it there'
	@echo 'make clean         remove build/'
	@echo 'All but the first three, install, patch and clean build what they need, in a root file system of their own (lab/).'

modules: $(MODULE_COPY) | kernel-headers
	+flock $(B) $(MAKE) -C $(KDIR) M=$(CURDIR)/$(B)/src/drivers/block CONFIG_UNIFIED_IO_REGION=m modules
	@for ko in $(B)/src/drivers/block/*.ko; do cmp -s "$$ko" $(B)/$${ko##*/} || cp "$$ko" $(B)/; done

test-modules: $(ZCNIC_COPY) | kernel-headers
	+flock $(B) $(MAKE) -C $(KDIR) M=$(CURDIR)/$(B)/src/tests/zcnic modules
	@for ko in $(B)/src/tests/zcnic/*.ko; do [ ! -e "$$ko" ] || cmp -s "$$ko" $(B)/$${ko##*/} || cp "$$ko" $(B)/; done

kernel-headers:
	@test -e $(KDIR)/Makefile || { \
		echo "No kernel headers in $(KDIR)." \
			"Install linux-headers-$(KVER), or say KDIR= (where a kernel was built)." >&2; \
		exit 1; }

$(MODULE_COPY) $(ZCNIC_COPY): $(B)/src/%: %
	@mkdir -p $(@D)
	@cp -p $< $@.$$$$ && mv $@.$$$$ $@

user: $(USER_DIRS:%=user-%)
$(USER_DIRS:%=user-%): user-%: | have-compilers
	+$(MAKE) -C $* O=$(CURDIR)/build/user
$(patsubst %,user-%,$(filter-out lib,$(USER_DIRS))): user-lib

have-compilers:
	@for tool in $(CC) clang bpftool; do \
		command -v $$tool >/dev/null || { \
			echo "No $$tool here. Install gcc clang bpftool libbpf-dev liburing-dev libxdp-dev libjson-c-dev libblkid-dev libncurses-dev linux-bpf-dev," \
				"or build where they are: lab/chroot -- make user" >&2; \
			exit 1; }; \
	done

INSTALL_DIRS := $(patsubst %/Makefile,%,$(wildcard lib/Makefile tools/Makefile))
install: $(INSTALL_DIRS:%=user-%)
	@for dir in $(INSTALL_DIRS); do $(MAKE) -C $$dir install O=$(CURDIR)/build/user || exit; done

# What DKMS builds the module of, and what goes with it.
VERSION := $(shell sed -n 's/^VERSION := //p' lib/Makefile)
PREFIX ?= /usr/local
install-module-source:
	install -d $(DESTDIR)$(PREFIX)/src/unified-io-region-$(VERSION)
	cp --parents $(MODULE_SRC) $(DESTDIR)$(PREFIX)/src/unified-io-region-$(VERSION)/
	install -D -m 644 packaging/modprobe.conf $(DESTDIR)$(PREFIX)/lib/modprobe.d/unified-io-region.conf
	install -D -m 644 packaging/modules-load.conf \
		$(DESTDIR)$(PREFIX)/lib/modules-load.d/unified-io-region.conf
	install -D -m 644 packaging/udev.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d/60-unified-io-region.rules

deb:
	packaging/deb

check-packages:
	tests/packages/run

patch:
	@packaging/patch $(or $(KSRC),$(error KSRC= is missing: where the kernel source is))

check-patch:
	tests/packages/patch

demo:
	demo/run

check:
	tests/run

check-debug:
	tests/run --kernel debug

crash:
	tests/crash/run $(N:%=--kills %) $(CUTS:%=--cuts %)

fuzz:
	tests/fuzz/run $(KERNEL:%=--kernel %) $(T:%=--time %)

coverage:
	tests/coverage

soak:
	tests/soak/run $(T:%=--seconds %)

proof:
	tests/proof $(N:%=--mib %)

bench-quick:
	bench/quick

clean:
	rm -rf build

.PHONY: install install-module-source deb check-packages patch check-patch
.PHONY: all help modules test-modules kernel-headers user have-compilers $(USER_DIRS:%=user-%) demo check check-debug crash soak fuzz coverage proof bench-quick clean
