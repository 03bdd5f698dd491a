/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM unified_io_region

#if !defined(_UIOR_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _UIOR_TRACE_H

#include <linux/tracepoint.h>

#include "uior.h"

#define uior_show_stage(stage)						\
	__print_symbolic(stage,						\
			 { UNIFIED_IO_STAGE_RECV,  "recv" },		\
			 { UNIFIED_IO_STAGE_READ,  "read" },		\
			 { UNIFIED_IO_STAGE_BPF,   "bpf" },		\
			 { UNIFIED_IO_STAGE_WRITE, "write" },		\
			 { UNIFIED_IO_STAGE_FLUSH, "flush" },		\
			 { UNIFIED_IO_STAGE_SEND,  "send" })

TRACE_EVENT(uior_submit,
	TP_PROTO(const struct uior_op *op),
	TP_ARGS(op),
	TP_STRUCT__entry(
		__field(u32, region)
		__field(const void *, op)
		__field(u64, user_data)
		__field(u64, addr)
		__field(u32, len)
		__field(u32, stages)
	),
	TP_fast_assign(
		__entry->region = op->region->id;
		__entry->op = op;
		__entry->user_data = op->desc.user_data;
		__entry->addr = op->desc.addr;
		__entry->len = op->desc.len;
		__entry->stages = op->todo;
	),
	TP_printk("region=%u op=%p user_data=0x%llx addr=0x%llx len=%u stages=0x%x",
		  __entry->region, __entry->op, __entry->user_data, __entry->addr,
		  __entry->len, __entry->stages)
);

TRACE_EVENT(uior_stage_start,
	TP_PROTO(const struct uior_op *op),
	TP_ARGS(op),
	TP_STRUCT__entry(
		__field(u32, region)
		__field(const void *, op)
		__field(u32, stage)
	),
	TP_fast_assign(
		__entry->region = op->region->id;
		__entry->op = op;
		__entry->stage = op->cqe.stage;
	),
	TP_printk("region=%u op=%p stage=%s", __entry->region, __entry->op,
		  uior_show_stage(__entry->stage))
);

TRACE_EVENT(uior_stage_end,
	TP_PROTO(const struct uior_op *op, u32 stage, int result),
	TP_ARGS(op, stage, result),
	TP_STRUCT__entry(
		__field(u32, region)
		__field(const void *, op)
		__field(u32, stage)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->region = op->region->id;
		__entry->op = op;
		__entry->stage = stage;
		__entry->result = result;
	),
	TP_printk("region=%u op=%p stage=%s result=%d", __entry->region, __entry->op,
		  uior_show_stage(__entry->stage), __entry->result)
);

TRACE_EVENT(uior_complete,
	TP_PROTO(const struct uior_op *op),
	TP_ARGS(op),
	TP_STRUCT__entry(
		__field(u32, region)
		__field(const void *, op)
		__field(u64, user_data)
		__field(int, res)
		__field(u32, flags)
		__field(u32, copied)
	),
	TP_fast_assign(
		__entry->region = op->region->id;
		__entry->op = op;
		__entry->user_data = op->cqe.user_data;
		__entry->res = op->cqe.res;
		__entry->flags = op->cqe.flags;
		__entry->copied = op->cqe.copied;
	),
	TP_printk("region=%u op=%p user_data=0x%llx res=%d flags=0x%x copied=%u",
		  __entry->region, __entry->op, __entry->user_data, __entry->res,
		  __entry->flags, __entry->copied)
);

#endif /* _UIOR_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
