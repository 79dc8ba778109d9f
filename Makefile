# SPDX-License-Identifier: GPL-2.0
#
# make help says what there is. What a target lacks it installs with apt.

KERNEL	?= 6.1
KDIR	?= /lib/modules/$(shell uname -r)/build
BUILD	?= $(CURDIR)/build
PREFIX	?= /usr/local
DESTDIR	?=
TEST	?=
SCALE	?=
LIMIT	?=
SEED	?=
# Where kernels that were compiled here are kept.
ESPTRACK_CACHE	?= /var/cache/esptrack

export BUILD ESPTRACK_CACHE

# Did the caller say KERNEL=?
kernel-given := $(filter command environment,$(origin KERNEL))

need	:= selftests/guest/need.sh

all: module tool

module:
	@$(need) make gcc
	@[ -e '$(KDIR)' ] || $(need) linux-headers-$(shell uname -r)
	$(MAKE) -C '$(KDIR)' M='$(CURDIR)' modules

tool:
	@$(need) make gcc libc6-dev pkg-config libmnl-dev libjson-c-dev
	$(MAKE) -C userspace O='$(BUILD)/tool'

# The kernel's own key, with which it would sign, is not here; nor its System.map,
# without which Kbuild leaves out depmod.
install: all
	@! grep -qs '^CONFIG_MODULE_COMPRESS_XZ=y' '$(KDIR)/.config' || $(need) xz-utils
	$(MAKE) -C '$(KDIR)' M='$(CURDIR)' $(if $(DESTDIR),INSTALL_MOD_PATH='$(DESTDIR)') \
		CONFIG_MODULE_SIG_ALL= modules_install
	$(if $(DESTDIR),,depmod "$$(modinfo -F vermagic esptrack.ko | cut -d' ' -f1)")
	$(MAKE) -C userspace O='$(BUILD)/tool' install PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)'

# The module for each kernel that it was built for, where older and newer kernels put
# it; DKMS has its own elsewhere.
uninstall:
	$(MAKE) -C userspace uninstall PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)'
	@cd '$(DESTDIR)/lib/modules' && \
	for module in */extra/esptrack.ko* */updates/esptrack.ko*; do \
		[ -e "$$module" ] || continue; \
		rm -v "$$module"; \
		$(if $(DESTDIR),:,depmod) "$${module%%/*}"; \
	done

kmod:
	@selftests/kmod.sh '$(KERNEL)'

check: kmod
	@selftests/$(if $(TEST),check.sh,check_both.sh) '$(KERNEL)' $(if $(TEST),'TEST=$(TEST)')

check-all:
	@selftests/check_all.sh $(if $(TEST),'TEST=$(TEST)')

check-debug:
	@selftests/check_debug.sh $(if $(kernel-given),'$(KERNEL)') $(if $(TEST),'TEST=$(TEST)')

check-daemons:
	@selftests/check_daemons.sh

check-fleet: kmod
	@selftests/check_fleet.sh '$(KERNEL)' $(if $(TEST),'TEST=$(TEST)')

check-rules:
	@selftests/rules.sh

check-stress check-fuzz: kmod
	@selftests/check_stress.sh '$(KERNEL)' $(@:check-%=%) \
		$(foreach word,TEST SCALE LIMIT SEED,$(if $($(word)),'$(word)=$($(word))'))

check-docs:
	@selftests/docs.sh $(if $(kernel-given),'$(KERNEL)')

check-secureboot: kmod
	@selftests/secureboot.sh '$(KERNEL)'

coverage:
	@selftests/coverage.sh '$(if $(kernel-given),$(KERNEL),6.12-gcov)' $(if $(TEST),'TEST=$(TEST)')

demo: kmod
	@selftests/demo.sh '$(KERNEL)'

cast: kmod
	@selftests/cast.sh '$(KERNEL)'

bench: kmod
	@selftests/bench.sh $(if $(TEST),'TEST=$(TEST)') '$(KERNEL)'

bench-check: kmod
	@selftests/bench_check.sh '$(KERNEL)'

bench-graphs:
	@selftests/bench_graphs.sh '$(KERNEL)'

deb:
	@selftests/deb.sh '$(KERNEL)'

check-deb:
	@selftests/check_deb.sh '$(KERNEL)' $(if $(TEST),'TEST=$(TEST)')

netlink:
	@selftests/netlink.sh '$(KERNEL)'

lint:
	@selftests/lint.sh $(if $(kernel-given),'$(KERNEL)')

# Kbuild leaves its files beside the sources.
clean:
	rm -rf --one-file-system '$(BUILD)'
	rm -f *.ko *.o *.mod *.mod.c .*.cmd Module.symvers modules.order .module-common.o
	rm -f kmod/*.o kmod/.*.cmd kmod/.*.d

help:
	@echo 'make                  module for the running kernel (or KDIR=...), and tool'
	@echo 'make demo             see a tunnel survive the loss of its NAT mapping'
	@echo 'make cast             record it, and make a picture: docs/demo.cast, docs/demo.svg'
	@echo 'make check [TEST=x]   run the tests (or one: selftests/test_x.sh) in a guest'
	@echo 'make check-all        all tests but those of daemons, on all kernels'
	@echo 'make check-rules      the rules against a model: by chance, mutants, fuzzer'
	@echo 'make check-debug      run them on kernels with KASAN, lockdep, KCSAN ...: hours'
	@echo 'make coverage         which lines of the module the tests run'
	@echo 'make check-daemons    what works with which IKE daemon: a table, in an hour'
	@echo 'make check-fleet      metrics, alerts and services, with systemd and Prometheus'
	@echo 'make check-docs        install as the documents say; what in them is not run'
	@echo 'make check-secureboot  signed and unsigned under UEFI Secure Boot'
	@echo 'make lint             sparse, W=1 (arm64 too), checkpatch --strict, shellcheck'
	@echo 'make check-stress      load until something gives: a table, in an hour'
	@echo 'make check-fuzz        random requests and packets: a table, in half an hour'
	@echo '                      (SCALE=per cent|small LIMIT=seconds SEED=n TEST=x)'
	@echo 'make netlink          header and policies from kmod/uapi/esptrack.yaml'
	@echo 'make bench [TEST=x]   all figures, or those of a part (selftests/bench.sh)'
	@echo 'make bench-check      have packets and moves become dearer? in two minutes'
	@echo 'make bench-graphs     pictures of what make bench has measured'
	@echo 'make kmod KERNEL=6.1  module and tool for a Debian cloud kernel, in build/<release>/'
	@echo 'make deb              packages for Debian 12, in build/deb/ (KERNEL=6.12: for 13)'
	@echo 'make check-deb        build, lint, install, upgrade and purge them: half an hour'
	@echo 'make install          module and tool, on this machine (PREFIX, DESTDIR)'
	@echo 'make uninstall        takes them away again'
	@echo 'make clean            remove all that was built'
	@echo 'Kernels: see selftests/kernels. Guests need no KVM, but use it where it is.'

.PHONY: all module tool install uninstall kmod netlink lint clean help
.PHONY: check check-all check-daemons check-debug check-deb check-docs check-fleet
.PHONY: check-fuzz check-rules check-secureboot check-stress coverage demo cast deb bench bench-check bench-graphs
