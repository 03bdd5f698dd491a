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
exit 0
