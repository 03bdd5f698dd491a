# SPDX-License-Identifier: GPL-2.0
# How the programs of samples/, demo/ and bench/ are made. A Makefile there sets NAME, its folder below $(O),
# includes this, and says of what its programs consist. X.bpf.c becomes the skeleton X.skel.h.

O ?= $(CURDIR)/../build/user
OUT := $(O)/$(NAME)
LIB := $(O)/lib/libunified_io.a

CC ?= gcc
CLANG ?= clang
BPFTOOL ?= bpftool
CFLAGS ?= -O2 -g
override CFLAGS += -Wall -Wextra -std=gnu11 -D_GNU_SOURCE -MMD -MP -I../include/uapi -I../lib -I$(OUT) $(CPPFLAGS)
MULTIARCH := /usr/include/$(shell $(CC) -dumpmachine)
BPF_CFLAGS := -O2 -g -Wall -Wno-missing-declarations -target bpf -mcpu=v3 -MMD -MP -I../lib -I../include/uapi \
	-I$(MULTIARCH) -I$(MULTIARCH)/linux/bpf

# of the struct in X.skel.h
SKELETON ?= $*

all:

$(OUT)/%.o: %.c | $(OUT)
	$(CC) $(CFLAGS) -c -o $@ $<

$(OUT)/%.bpf.o: %.bpf.c | $(OUT)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(OUT)/%.skel.h: $(OUT)/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $(SKELETON) >$@.tmp
	mv $@.tmp $@

$(OUT):
	mkdir -p $@

.PHONY: all
.SECONDARY:
-include $(wildcard $(OUT)/*.d)
