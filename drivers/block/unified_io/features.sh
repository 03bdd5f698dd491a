#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# features.sh SRCTREE: prints a -DUIOR_HAVE_... for each interface that the kernel whose headers are
# under SRCTREE has and some supported kernel lacks.

include=$1/include

# have NAME HEADER PATTERN: the extended regular expression matches in the header, its line breaks
# taken as spaces.
have() {
	tr -s '\n\t ' ' ' <"$include/$2" | grep -qE "$3" && echo "-DUIOR_HAVE_$1"
}

have END_IO_BATCH linux/blk-mq.h 'rq_end_io_fn\)\([^)]*, ?const struct io_comp_batch \*'
have FOLIO_PMD linux/huge_mm.h 'vmf_insert_folio_pmd\('
have URING_TW_REQ linux/io_uring/cmd.h 'io_uring_cmd_from_tw\('
have URING_DONE32 linux/io_uring/cmd.h 'io_uring_cmd_done32\('
have URING_BVEC linux/io_uring/cmd.h 'io_buffer_register_bvec\('
have URING_LOOP linux/io_uring_types.h 'struct iou_ctx '
have NS_STRING linux/module.h 'MODULE_IMPORT_NS\(ns\) MODULE_INFO\(import_ns, ns\)'
exit 0
