# SPDX-License-Identifier: GPL-2.0
# Included by ../Makefile. Server and client run in the VM, the two that check on the host (in the lab's root).

CRASH := $(addprefix $(OUT)/,crash_server crash_client crash_check crash_replay)
VPATH += crash

all: crash
crash: $(CRASH)
.PHONY: crash

$(OUT)/crash_server.o: $(OUT)/crash.skel.h

$(OUT)/crash_server: $(OUT)/crash_server.o $(OUT)/sample_common.o $(LIB)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lbpf

$(OUT)/crash_client: $(OUT)/crash_client.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lpthread

$(OUT)/crash_check $(OUT)/crash_replay: %: %.o $(OUT)/logs.o $(OUT)/log_record.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(OUT)/log_record.o: ../tools/record.c | $(OUT)
	$(CC) $(CFLAGS) -c -o $@ $<

$(OUT)/sample_common.o: ../samples/unified_io/common.c | $(OUT)
	$(CC) $(CFLAGS) -c -o $@ $<
