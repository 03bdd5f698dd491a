# SPDX-License-Identifier: GPL-2.0
# Included by ../Makefile: the fuzzer is one program of all the files here.

FUZZ := $(patsubst fuzz/%.c,$(OUT)/fuzz/%.o,$(wildcard fuzz/*.c))

all: $(OUT)/fuzz/fuzz

$(FUZZ): $(SKELETONS) | $(OUT)/fuzz

$(OUT)/fuzz/fuzz: $(FUZZ) $(COMMON)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(OUT)/fuzz:
	mkdir -p $@

-include $(wildcard $(OUT)/fuzz/*.d)
