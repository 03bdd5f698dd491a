#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The description for syzkaller has the header's structures, constants and calls.

exec tests/fuzz/check-syzkaller
